//! `bench empty-batch`: what a batch without rows costs, for each `checkpoint.sync`: offsets and commits are written,
//! the plan is reset and run, the sink commits nothing.

use crate::medians::{Figures, rounded};
use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema};
use clap::Args;
use millstream::prelude::*;
use millstream::stream::source::memory::MemoryStream;
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[derive(Args)]
pub struct EmptyBatchArguments {
    /// Batches of a run.
    #[arg(long, default_value_t = 300)]
    batches: u32,
    /// Timed runs of each policy.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Where the checkpoints are made: the disk decides what `always` costs. By default the temporary folder.
    #[arg(long)]
    folder: Option<PathBuf>,
}

const POLICIES: [&str; 3] = ["always", "interval", "never"];

/// Measures each policy by turns and prints microseconds a batch.
pub fn run(arguments: &EmptyBatchArguments) -> std::result::Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let mut figures = Figures::default();
    for round in 1..=arguments.rounds {
        for sync in POLICIES {
            let took = runtime.block_on(measure(arguments, sync)).map_err(|error| error.to_string())?;
            let micros = took.as_secs_f64() * 1e6 / f64::from(arguments.batches);
            figures.add(sync, "us_per_batch", micros);
            eprintln!("round {round}: {sync} {micros:.0} us a batch");
        }
    }
    let key = |sync: &str| format!("empty-batch.{sync}.ours.us_per_batch");
    let line: Map<String, Value> = POLICIES
        .iter()
        .map(|sync| (key(sync), json!(rounded(figures.median(sync, "us_per_batch")))))
        .collect();
    println!("{}", Value::Object(line));
    Ok(())
}

/// The time of all batches but the first, which also starts the query.
async fn measure(arguments: &EmptyBatchArguments, sync: &str) -> Result<Duration> {
    let checkpoint = match &arguments.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let schema = Arc::new(Schema::new(vec![Field::new("v", DataType::Int64, true)]));
    let stream = MemoryStream::with_max_blocks(schema.clone(), 1);
    let session = Session::builder().build()?;
    let query = stream
        .to_frame(&session)?
        .write_stream()
        .format("noop")
        .option("checkpointLocation", checkpoint.path().display())
        .option("checkpoint.sync", sync)
        .start()
        .await?;
    stream.add_data(RecordBatch::new_empty(schema.clone()))?;
    query.process_all_available().await?;
    let start = Instant::now();
    for _ in 0..arguments.batches {
        stream.add_data(RecordBatch::new_empty(schema.clone()))?;
    }
    query.process_all_available().await?;
    let took = start.elapsed();
    let done = query.last_progress().map_or(-1, |progress| progress.batch_id);
    query.stop().await?;
    // The last report may already be of the idle query, which names the batch to come.
    if done < i64::from(arguments.batches) {
        return Err(Error::Misuse(format!("{done} of {} batches ran", arguments.batches)));
    }
    Ok(took)
}
