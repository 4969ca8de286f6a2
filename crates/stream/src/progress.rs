//! What a query tells about a batch: Spark's `StreamingQueryProgress`, field for field and in Spark's order.
//!
//! [`StreamingQueryProgress::json`] prints what Spark's method of that name prints: offsets as nested JSON
//! (null before the first batch), metrics as an object of strings, rates as numbers and left out where they
//! are not a number.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::source::Offset;

/// One progress report. Durations are milliseconds, rates are rows a second.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamingQueryProgress {
    /// The query's id; the same over restarts from one checkpoint.
    pub id: Uuid,
    /// The id of this run; new at every start.
    pub run_id: Uuid,
    /// The query's name.
    pub name: Option<String>,
    /// When the trigger started, in milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// The batch, counted from 0; a batch that is run again keeps its number.
    pub batch_id: i64,
    /// The whole trigger, in milliseconds.
    pub batch_duration: i64,
    /// The time of each phase by Spark's key: addBatch, commitOffsets, getBatch, latestOffset, queryPlanning,
    /// triggerExecution, walCommit.
    pub duration_ms: BTreeMap<&'static str, i64>,
    /// The sources, in the order of the plan.
    pub sources: Vec<SourceProgress>,
    /// The sink.
    pub sink: SinkProgress,
}

/// What one source did in a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceProgress {
    /// The source's own words, for Kafka `KafkaV2[Subscribe[topic]]`.
    pub description: String,
    /// Where the batch began; none in batch 0.
    pub start_offset: Option<Offset>,
    /// Where the batch ended.
    pub end_offset: Option<Offset>,
    /// What there was to read when the batch was planned; none when the batch was run again after a restart.
    pub latest_offset: Option<Offset>,
    /// Rows read.
    pub num_input_rows: i64,
    /// Rows read a second since the last trigger began; not a number where there was none.
    pub input_rows_per_second: f64,
    /// Rows read a second of the trigger's time.
    pub processed_rows_per_second: f64,
    /// The source's own figures, for Kafka the offsets behind the latest ones.
    pub metrics: BTreeMap<String, String>,
}

/// What the sink did in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkProgress {
    /// The sink's own words.
    pub description: String,
    /// Rows written; -1 where the sink does not know.
    pub num_output_rows: i64,
}

impl StreamingQueryProgress {
    /// Rows read by all sources.
    pub fn num_input_rows(&self) -> i64 {
        self.sources.iter().map(|source| source.num_input_rows).sum()
    }

    /// Rows read a second by all sources, since the last trigger began.
    pub fn input_rows_per_second(&self) -> f64 {
        self.sources.iter().map(|source| source.input_rows_per_second).sum()
    }

    /// Rows read a second of the trigger's time.
    pub fn processed_rows_per_second(&self) -> f64 {
        self.sources.iter().map(|source| source.processed_rows_per_second).sum()
    }

    /// The start of the trigger as Spark prints it: ISO 8601 in UTC with milliseconds.
    pub fn timestamp(&self) -> String {
        let time = chrono::DateTime::from_timestamp_millis(self.timestamp_ms).unwrap_or_default();
        time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }

    /// The report as compact JSON.
    pub fn json(&self) -> String {
        self.to_json().to_string()
    }

    /// The report as indented JSON.
    pub fn pretty_json(&self) -> String {
        serde_json::to_string_pretty(&self.to_json()).unwrap_or_default()
    }

    /// The report as a JSON value with Spark's field names, in Spark's order.
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("id".into(), json!(self.id.to_string()));
        out.insert("runId".into(), json!(self.run_id.to_string()));
        out.insert("name".into(), json!(self.name));
        out.insert("timestamp".into(), json!(self.timestamp()));
        out.insert("batchId".into(), json!(self.batch_id));
        out.insert("batchDuration".into(), json!(self.batch_duration));
        out.insert("numInputRows".into(), json!(self.num_input_rows()));
        insert_rate(&mut out, "inputRowsPerSecond", self.input_rows_per_second());
        insert_rate(&mut out, "processedRowsPerSecond", self.processed_rows_per_second());
        out.insert("durationMs".into(), json!(self.duration_ms));
        out.insert("stateOperators".into(), json!([]));
        out.insert("sources".into(), self.sources.iter().map(SourceProgress::to_value).collect());
        out.insert("sink".into(), self.sink.to_value());
        Value::Object(out)
    }
}

impl SourceProgress {
    fn to_value(&self) -> Value {
        let offset = |offset: &Option<Offset>| offset.as_ref().map_or(Value::Null, Offset::to_value);
        let mut out = Map::new();
        out.insert("description".into(), json!(self.description));
        out.insert("startOffset".into(), offset(&self.start_offset));
        out.insert("endOffset".into(), offset(&self.end_offset));
        out.insert("latestOffset".into(), offset(&self.latest_offset));
        out.insert("numInputRows".into(), json!(self.num_input_rows));
        insert_rate(&mut out, "inputRowsPerSecond", self.input_rows_per_second);
        insert_rate(&mut out, "processedRowsPerSecond", self.processed_rows_per_second);
        if !self.metrics.is_empty() {
            out.insert("metrics".into(), json!(self.metrics));
        }
        Value::Object(out)
    }
}

impl SinkProgress {
    fn to_value(&self) -> Value {
        json!({"description": self.description, "numOutputRows": self.num_output_rows})
    }
}

/// JSON has no word for infinity or not-a-number; Spark leaves such a rate out.
fn insert_rate(out: &mut Map<String, Value>, key: &str, rate: f64) {
    if rate.is_finite() {
        out.insert(key.into(), json!(rate));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> StreamingQueryProgress {
        StreamingQueryProgress {
            id: Uuid::nil(),
            run_id: Uuid::nil(),
            name: None,
            timestamp_ms: 1_735_689_600_005,
            batch_id: 3,
            batch_duration: 12,
            duration_ms: BTreeMap::from([("addBatch", 7), ("triggerExecution", 12)]),
            sources: vec![SourceProgress {
                description: "KafkaV2[Subscribe[t]]".into(),
                start_offset: None,
                end_offset: Some(Offset::new("{\"t\":{\"0\":2}}")),
                latest_offset: Some(Offset::new("{\"t\":{\"0\":2}}")),
                num_input_rows: 2,
                input_rows_per_second: f64::NAN,
                processed_rows_per_second: 166.5,
                metrics: BTreeMap::from([("minOffsetsBehindLatest".into(), "0".into())]),
            }],
            sink: SinkProgress { description: "ForeachBatchSink".into(), num_output_rows: -1 },
        }
    }

    #[test]
    fn fields_stand_in_sparks_order_and_shape() {
        assert_eq!(
            report().json(),
            concat!(
                r#"{"id":"00000000-0000-0000-0000-000000000000","runId":"00000000-0000-0000-0000-000000000000","#,
                r#""name":null,"timestamp":"2025-01-01T00:00:00.005Z","batchId":3,"batchDuration":12,"#,
                r#""numInputRows":2,"processedRowsPerSecond":166.5,"#,
                r#""durationMs":{"addBatch":7,"triggerExecution":12},"stateOperators":[],"#,
                r#""sources":[{"description":"KafkaV2[Subscribe[t]]","startOffset":null,"#,
                r#""endOffset":{"t":{"0":2}},"latestOffset":{"t":{"0":2}},"numInputRows":2,"#,
                r#""processedRowsPerSecond":166.5,"metrics":{"minOffsetsBehindLatest":"0"}}],"#,
                r#""sink":{"description":"ForeachBatchSink","numOutputRows":-1}}"#
            )
        );
    }
}
