//! Bad input and faults as a user meets them: a clear error that names the thing, and nothing lost.

use millstream::client::{ClientOptions, Kafka, NewTopic, ProducerOptions, RecordRef};
use millstream::prelude::*;
use millstream_broker::BrokerOptions;
use millstream_broker::net::{EmbeddedBroker, start_in_thread};
use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

fn broker() -> EmbeddedBroker {
    start_in_thread(BrokerOptions::default()).unwrap()
}

fn session() -> Session {
    Session::builder().build().unwrap()
}

async fn fill(bootstrap: &str, topic: &str, values: &[&[u8]]) {
    let kafka = Kafka::connect(ClientOptions::new(bootstrap)).await.unwrap();
    kafka.admin().create_topics(&[NewTopic::new(topic, 1)], Duration::from_secs(10)).await.unwrap();
    let producer = kafka.producer(ProducerOptions::default());
    let topic: Arc<str> = topic.into();
    for value in values {
        producer.send(&topic, None, RecordRef { value: Some(value), ..RecordRef::default() }).await.unwrap();
        // A batch for every record, so that a damaged one has neighbours.
        producer.flush().await.unwrap();
    }
}

fn batch(session: &Session, bootstrap: &str, topic: &str) -> DataFrame {
    let reader = session.read().format("kafka").option("kafka.bootstrap.servers", bootstrap);
    reader.option("subscribe", topic).load().unwrap()
}

fn stream(session: &Session, bootstrap: &str, topic: &str) -> DataFrame {
    let reader = session.read_stream().format("kafka").option("kafka.bootstrap.servers", bootstrap);
    reader.option("subscribe", topic).option("startingOffsets", "earliest").load().unwrap()
}

fn assert_names(error: &dyn std::fmt::Display, names: &[&str]) {
    let text = error.to_string();
    for name in names {
        assert!(text.contains(name), "the error does not name {name:?}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_bootstrap_names_every_address() {
    let (one, other) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = [one.local_addr().unwrap().to_string(), other.local_addr().unwrap().to_string()];
    drop((one, other));
    let mut options = ClientOptions::new(&addresses.join(","));
    options.metadata_timeout = Duration::from_secs(2);
    let error = Kafka::connect(options).await.unwrap_err();
    assert_names(&error, &[&addresses[0], &addresses[1]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_port_is_recognised() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten().take(8) {
            let _ = (&socket).write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let mut options = ClientOptions::new(&address);
    options.metadata_timeout = Duration::from_secs(2);
    let error = Kafka::connect(options).await.unwrap_err();
    assert_names(&error, &["HTTP", &address]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misspelt_option_is_refused_with_the_right_name() {
    let error = session()
        .read()
        .format("kafka")
        .option("kafka.bootstrap.servers", "localhost:1")
        .option("subscribe", "t")
        .option("startingOffset", "earliest")
        .load()
        .unwrap_err();
    assert_names(&error, &["startingOffset", "startingOffsets"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupt_batch_names_topic_partition_and_offset() {
    let broker = broker();
    fill(&broker.bootstrap(), "damaged", &[b"a", b"b", b"c"]).await;
    assert!(broker.broker().damage_batch("damaged", 0, 1).unwrap());
    let error = batch(&session(), &broker.bootstrap(), "damaged").collect().await.unwrap_err();
    assert_names(&error, &["topic damaged", "partition 0", "offset 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_json_value_and_bytes_that_are_no_text_hurt_only_their_own_row() {
    let broker = broker();
    fill(&broker.bootstrap(), "odd", &[br#"{"a":1}"#, b"{\"a\":", b"\xff\xfe", br#"{"a":4}"#]).await;
    let rows = batch(&session(), &broker.bootstrap(), "odd")
        .select_expr(["offset", "from_json(CAST(value AS STRING), 'a INT').a AS a"])
        .unwrap()
        .order_by(["offset"])
        .unwrap()
        .show_string(20, true, false)
        .await
        .unwrap();
    let cells: Vec<String> =
        rows.lines().filter(|line| line.starts_with('|')).map(|line| line.replace(' ', "")).collect();
    assert_eq!(cells, ["|offset|a|", "|0|1|", "|1|NULL|", "|2|NULL|", "|3|4|"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_deleted_under_a_stream_fails_the_query_with_its_name() {
    let broker = broker();
    fill(&broker.bootstrap(), "short-lived", &[b"a"]).await;
    let session = session();
    let query = stream(&session, &broker.bootstrap(), "short-lived")
        .write_stream()
        .format("noop")
        .start()
        .await
        .unwrap();
    query.process_all_available().await.unwrap();
    broker.broker().delete_topic("short-lived").unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(60), query.process_all_available()).await;
    let error = ended.expect("the query must not hang").unwrap_err();
    assert_names(&error, &["short-lived"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_in_use_is_refused() {
    let broker = broker();
    fill(&broker.bootstrap(), "shared", &[b"a"]).await;
    let folder = tempfile::tempdir().unwrap();
    let start = async |session: &Session| {
        let writer = stream(session, &broker.bootstrap(), "shared").write_stream().format("noop");
        writer.option("checkpointLocation", folder.path().display()).start().await
    };
    let (one, other) = (session(), session());
    let query = start(&one).await.unwrap();
    query.process_all_available().await.unwrap();
    let second = match start(&other).await {
        Ok(second) => second.await_termination().await.unwrap_err(),
        Err(error) => error,
    };
    assert_names(&second, &["in use", &folder.path().display().to_string()]);
    query.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_checkpoint_file_is_named() {
    let broker = broker();
    fill(&broker.bootstrap(), "kept", &[b"a"]).await;
    let folder = tempfile::tempdir().unwrap();
    let start = async || {
        let writer = stream(&session(), &broker.bootstrap(), "kept").write_stream().format("noop");
        writer.option("checkpointLocation", folder.path().display()).start().await
    };
    let query = start().await.unwrap();
    query.process_all_available().await.unwrap();
    query.stop().await.unwrap();
    std::fs::write(folder.path().join("offsets/0"), "v1\n{\"batchWa").unwrap();
    let error = match start().await {
        Ok(query) => query.process_all_available().await.unwrap_err(),
        Err(error) => error,
    };
    assert_names(&error, &["offsets/0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_cannot_be_written_is_named() {
    let broker = broker();
    fill(&broker.bootstrap(), "unwritable", &[b"a"]).await;
    let folder = tempfile::tempdir().unwrap();
    // A file where the directory should be: refused to root as well, unlike a mode.
    let place = folder.path().join("occupied");
    std::fs::write(&place, "").unwrap();
    let writer = stream(&session(), &broker.bootstrap(), "unwritable").write_stream().format("noop");
    let error = match writer.option("checkpointLocation", place.display()).start().await {
        Ok(query) => query.process_all_available().await.unwrap_err(),
        Err(error) => error,
    };
    assert_names(&error, &["occupied"]);
}
