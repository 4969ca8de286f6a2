use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, ListBuilder, StringViewBuilder, StructBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Int32Array, RecordBatch, StringViewArray};
use arrow_schema::{DataType, Field, Schema};
use datafusion::catalog::TableProvider;
use datafusion::physical_plan::collect;

use super::{Cluster, positions};
use crate::error::{Error, Result};
use crate::source::kafka::batch_scan::KafkaTable;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields: Vec<Field> =
        columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|c| c.1).collect()).unwrap()
}

fn text(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringViewArray::from_iter(values.iter().copied()))
}

async fn read(cluster: &Cluster, topic: &str) -> Vec<RecordBatch> {
    let options = [("subscribe", topic), ("includeHeaders", "true")];
    let table = KafkaTable::new(Arc::new(cluster.read(false, &options)));
    let state = cluster.session.state().unwrap();
    let plan = table.scan(&state, None, &[], None).await.unwrap();
    let task = state.task_ctx();
    cluster.session.run(async move { collect(plan, task).await.map_err(Error::from) }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_to_the_topic_of_their_column_unless_the_option_says_otherwise() {
    let cluster = Cluster::with(&[("x", 1), ("y", 1)]);
    let rows = || {
        batch(vec![
            ("topic", text(&[Some("x"), Some("y"), Some("x")])),
            ("value", text(&[Some("1"), None, Some("3")])),
            ("other", text(&[None, None, None])),
        ])
    };
    assert_eq!(cluster.write(&[], rows()).await.unwrap(), Some(3));
    assert_eq!(cluster.write(&[("topic", " y ")], rows()).await.unwrap(), Some(3));
    let at = |topic: &str, offset, value: Option<&str>| (topic.into(), 0, offset, value.map(str::to_owned));
    assert_eq!(positions(&read(&cluster, "x").await), [at("x", 0, Some("1")), at("x", 1, Some("3"))]);
    assert_eq!(
        positions(&read(&cluster, "y").await),
        [at("y", 0, None), at("y", 1, Some("1")), at("y", 2, None), at("y", 3, Some("3"))]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_keys_and_partitions_arrive() {
    let cluster = Cluster::with(&[("t", 3)]);
    let fields =
        vec![Field::new("key", DataType::Utf8View, true), Field::new("value", DataType::BinaryView, true)];
    let entry = StructBuilder::new(
        fields,
        vec![Box::new(StringViewBuilder::new()), Box::new(BinaryViewBuilder::new())],
    );
    let element = Field::new(
        "element",
        DataType::Struct(
            vec![
                Field::new("key", DataType::Utf8View, true),
                Field::new("value", DataType::BinaryView, true),
            ]
            .into(),
        ),
        true,
    );
    let mut headers = ListBuilder::new(entry).with_field(element);
    for value in [Some(&b"x"[..]), None] {
        headers.values().field_builder::<StringViewBuilder>(0).unwrap().append_value("h1");
        headers.values().field_builder::<BinaryViewBuilder>(1).unwrap().append_option(value);
        headers.values().append(true);
    }
    headers.append(true);
    headers.append(true);
    headers.append(false);
    let rows = batch(vec![
        ("key", text(&[Some("k"), Some(""), None])),
        ("value", text(&[Some("1"), Some("2"), Some("3")])),
        ("headers", Arc::new(headers.finish())),
        ("partition", Arc::new(Int32Array::from(vec![Some(2), Some(0), Some(1)]))),
    ]);
    cluster.write(&[("topic", "t")], rows).await.unwrap();
    let back = read(&cluster, "t").await;
    let mut seen = Vec::new();
    for batch in &back {
        let lists = batch.column_by_name("headers").unwrap().as_list::<i32>();
        let keys = batch.column_by_name("key").unwrap().as_binary_view();
        for row in 0..batch.num_rows() {
            let count = lists.is_valid(row).then(|| lists.value(row).len());
            seen.push((positions(&[batch.slice(row, 1)])[0].1, keys.is_null(row), count));
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, [(0, false, None), (1, true, None), (2, false, Some(2))]);
}

async fn refused(cluster: &Cluster, options: &[(&str, &str)], rows: RecordBatch) -> Result<Option<u64>> {
    cluster.write(options, rows).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_sent_fails_the_write() {
    let cluster = Cluster::with(&[("t", 1)]);
    let no_topic = batch(vec![("topic", text(&[None])), ("value", text(&[Some("v")]))]);
    let error = refused(&cluster, &[], no_topic).await.unwrap_err();
    assert_eq!(error.spark().unwrap().condition.as_deref(), Some("KAFKA_NULL_TOPIC_IN_DATA"));
    let negative =
        batch(vec![("partition", Arc::new(Int32Array::from(vec![-1]))), ("value", text(&[Some("v")]))]);
    let text_of = refused(&cluster, &[("topic", "t")], negative).await.unwrap_err().to_string();
    assert!(text_of.contains("Invalid partition: -1."), "{text_of}");
    let long = "x".repeat(2000);
    let large = batch(vec![("value", text(&[Some(&long)]))]);
    let options = [("topic", "t"), ("kafka.max.request.size", "1000")];
    let text_of = refused(&cluster, &options, large).await.unwrap_err().to_string();
    assert!(text_of.contains("2086 bytes") && text_of.contains("max.request.size"), "{text_of}");
    let serializer = [("topic", "t"), ("kafka.key.serializer", "x.Y")];
    let rows = batch(vec![("value", text(&[Some("v")]))]);
    let text_of = refused(&cluster, &serializer, rows).await.unwrap_err().to_string();
    assert!(text_of.starts_with("Kafka option 'key.serializer' is not supported"), "{text_of}");
}
