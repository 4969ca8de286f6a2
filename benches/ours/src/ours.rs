//! Our contender: the engine's batch scan of the topic, all its streams drained side by side.

use crate::contender::{Tally, Task};
use futures::StreamExt;
use millstream::prelude::*;

const COLUMNS: [&str; 6] = ["key", "value", "topic", "partition", "offset", "timestamp"];

/// Reads every partition from its beginning to its end.
pub fn read(task: &Task, tally: &mut Tally) -> std::result::Result<(), String> {
    let session = Session::builder().build().map_err(|error| error.to_string())?;
    let owned = task.clone();
    let inner = session.clone();
    let found =
        session.block_on(async move { scan(&inner, &owned).await }).map_err(|error| error.to_string())?;
    for part in found {
        tally.rows += part.rows;
        tally.checksum = tally.checksum.wrapping_add(part.checksum);
    }
    Ok(())
}

async fn scan(session: &Session, task: &Task) -> Result<Vec<Tally>> {
    let frame = session
        .read()
        .format("kafka")
        .option("kafka.bootstrap.servers", &task.bootstrap)
        .option("subscribe", &task.topic)
        .load()?
        .select(COLUMNS)?;
    let mut parts = Vec::new();
    for mut batches in frame.execute_stream().await? {
        let verifying = task.verify;
        parts.push(tokio::spawn(async move {
            let mut tally = Tally::default();
            while let Some(batch) = batches.next().await {
                let batch = batch?;
                tally.rows += batch.num_rows() as u64;
                if verifying {
                    tally.add_batch(&batch);
                }
                std::hint::black_box(&batch);
            }
            Ok::<_, Error>(tally)
        }));
    }
    let mut tallies = Vec::new();
    for part in parts {
        tallies.push(part.await.expect("a scan does not panic")?);
    }
    Ok(tallies)
}
