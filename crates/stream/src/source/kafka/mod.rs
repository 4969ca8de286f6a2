//! Kafka as a source, for batches and streams.
//!
//! Reading order: [`options`] (what was asked for), [`positions`] and [`offsets`] (where it starts and ends),
//! [`subscription`] and [`lookup`] (what the cluster says), [`limits`] and [`ranges`] (what one batch takes
//! and how it is cut), [`split_reader`] (bytes to rows), [`batch_scan`] (the batch read), [`loss`] (what is gone).

pub mod available_now;
pub mod batch_scan;
pub mod clients;
pub mod initial;
pub mod limits;
pub mod lookup;
pub mod loss;
pub mod names;
pub mod offsets;
pub mod options;
pub mod positions;
pub mod pushdown;
pub mod ranges;
pub mod split_reader;
pub mod stream;
pub mod subscription;

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use millstream_plan::analyzer;
use millstream_plan::tree::Read;
use millstream_plan::types::StructType;

pub use clients::KafkaClients;
pub use options::KafkaRead;

use crate::error::Result;
use crate::micro_batch::scan::StreamTable;
use crate::session::Session;

/// The columns of the source, and behind them the number of the task that read the row, which the analyzer takes for
/// `spark_partition_id()` and which is not read where nothing asks for it.
fn table_schema(include_headers: bool) -> SchemaRef {
    let source = millstream_columnar::records::source_schema(include_headers);
    let task = Field::new(analyzer::PARTITION_ID_COLUMN, DataType::Int32, false);
    Arc::new(Schema::new(source.fields().iter().cloned().chain([Arc::new(task)]).collect::<Vec<_>>()))
}

/// The table behind a read of format `kafka`, with its options checked.
pub(super) fn resolve(session: &Session, read: &Read) -> Result<analyzer::Source> {
    let checked = Arc::new(KafkaRead::check(read)?);
    let schema =
        StructType::from_arrow(&millstream_columnar::records::source_schema(checked.include_headers))?;
    let provider: Arc<dyn TableProvider> = if read.streaming {
        let factory = stream::KafkaSourceFactory { read: checked, clients: session.kafka().clone() };
        let partitions = session.conf().plan_conf().parallelism()?;
        Arc::new(StreamTable::new(read.id, Arc::new(factory), partitions))
    } else {
        Arc::new(batch_scan::KafkaTable::new(checked))
    };
    Ok(analyzer::Source { provider, schema, streaming: read.streaming })
}
