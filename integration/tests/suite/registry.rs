//! Schemas from a real registry: the client's whole API, P9 with its schema asked for there, records of several
//! schemas in one topic, writing that registers, and an outage in the middle.

use arrow_array::cast::AsArray;
use millstream::client::{ClientOptions, Kafka, NewTopic, ProducerOptions, RecordRef};
use millstream::columnar::framing::{self, SchemaFormat};
use millstream::prelude::*;
use millstream::registry::{Error as RegistryError, Reference, Registry, RegistryOptions, Schema, Version};
use millstream_broker::BrokerOptions;
use millstream_broker::net::start_in_thread;
use millstream_integration::programs::{Program, Recording};
use millstream_integration::real_registry::{PASSWORD, RealRegistry};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) const USER_INFO: &str = "alice:s3cret";
const ORDER: &str = r#"{"type":"record","name":"Order","namespace":"demo","fields":[{"name":"id","type":"long"},
    {"name":"city","type":"string"}]}"#;
const WIDER: &str = r#"{"type":"record","name":"Order","namespace":"demo","fields":[{"name":"id","type":"long"},
    {"name":"city","type":"string"},{"name":"amount","type":"double","default":0.5}]}"#;
const WIDEST: &str = r#"{"type":"record","name":"Order","namespace":"demo","fields":[{"name":"note","type":"string"},
    {"name":"id","type":"long"},{"name":"city","type":"string"},{"name":"amount","type":"double","default":0.5}]}"#;

pub(super) fn client(registry: &RealRegistry) -> Registry {
    Registry::new(RegistryOptions::new(&registry.url_with_credentials()).unwrap()).unwrap()
}

/// `payload` behind the frame of `id`.
fn framed(id: u32, payload: &[u8]) -> Vec<u8> {
    [framing::header(id, SchemaFormat::Avro, &[]), payload.to_vec()].concat()
}

/// Registries may write a schema anew.
fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

pub(super) async fn send(bootstrap: &str, topic: &str, values: &[Vec<u8>]) {
    let kafka = Kafka::connect(ClientOptions::new(bootstrap)).await.unwrap();
    let producer = kafka.producer(ProducerOptions::default());
    let topic: Arc<str> = topic.into();
    for value in values {
        producer.send(&topic, None, RecordRef { value: Some(value), ..RecordRef::default() }).await.unwrap();
    }
    producer.flush().await.unwrap();
}

pub(super) async fn create(bootstrap: &str, topics: &[&str]) {
    let kafka = Kafka::connect(ClientOptions::new(bootstrap)).await.unwrap();
    let new: Vec<NewTopic> = topics.iter().map(|topic| NewTopic::new(*topic, 1)).collect();
    kafka.admin().create_topics(&new, Duration::from_secs(10)).await.unwrap();
}

/// The rows of one text column.
pub(super) async fn texts(frame: &DataFrame, expression: &str) -> Vec<String> {
    let batches = frame.select_expr([expression]).unwrap().collect().await.unwrap();
    let rows = batches.iter().flat_map(|batch| {
        let column = batch.column(0).as_string_view();
        column.iter().map(|text| text.unwrap_or("NULL").to_owned()).collect::<Vec<_>>()
    });
    rows.collect()
}

pub(super) fn read(session: &Session, bootstrap: &str, topic: &str) -> DataFrame {
    let reader = session.read().format("kafka").option("kafka.bootstrap.servers", bootstrap);
    reader.option("subscribe", topic).load().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn schemas_are_registered_found_and_checked() {
    let Some(real) = RealRegistry::shared() else { return };
    let registry = client(real);
    let (first, wider) = (Schema::avro(ORDER), Schema::avro(WIDER));
    let id = registry.register("api-value", &first).await.unwrap();
    assert_eq!(registry.register("api-value", &first).await.unwrap(), id);
    let second = registry.register("api-value", &wider).await.unwrap();
    assert_ne!(id, second);
    assert_eq!(client(real).lookup("api-value", &first).await.unwrap(), id);
    assert!(registry.subjects().await.unwrap().contains(&"api-value".to_owned()));
    assert_eq!(registry.versions("api-value").await.unwrap(), [1, 2]);
    let latest = registry.latest("api-value").await.unwrap();
    assert_eq!((latest.version, latest.schema.id), (2, second));
    let known = registry.schema(id).await.unwrap();
    assert_eq!((known.schema_type.as_str(), json(&known.text)), ("AVRO", json(ORDER)));
    let text = Schema::avro(r#""string""#);
    let found = registry.compatibility("api-value", Version::Latest, &text).await.unwrap();
    assert!(!found.is_compatible);
    assert!(registry.compatibility("api-value", Version::Number(1), &wider).await.unwrap().is_compatible);
    for missing in [registry.schema(999_999).await.map(drop), registry.latest("nobody").await.map(drop)] {
        assert!(matches!(missing, Err(RegistryError::NotFound { .. })), "{missing:?}");
    }
    let object =
        Schema::of_type("JSON", r#"{"$schema":"http://json-schema.org/draft-07/schema#","type":"object"}"#);
    let id = registry.register("api-json-value", &object).await.unwrap();
    assert_eq!(client(real).schema(id).await.unwrap().schema_type, "JSON");
    let protobuf = Schema::of_type("PROTOBUF", "syntax = \"proto3\"; message M { int32 a = 1; }");
    let id = registry.register("api-protobuf-value", &protobuf).await.unwrap();
    assert_eq!(client(real).schema(id).await.unwrap().schema_type, "PROTOBUF");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_comes_with_those_that_it_refers_to() {
    let Some(real) = RealRegistry::shared() else { return };
    let registry = client(real);
    registry.register("ref-order", &Schema::avro(ORDER)).await.unwrap();
    let basket = r#"{"type":"record","name":"Basket","namespace":"demo","fields":[{"name":"orders","type":{"type":"array","items":"demo.Order"}}]}"#;
    let reference = Reference { name: "demo.Order".into(), subject: "ref-order".into(), version: 1 };
    let schema = Schema { references: vec![reference], ..Schema::avro(basket) };
    let id = registry.register("ref-basket-value", &schema).await.unwrap();
    let found = client(real).schema(id).await.unwrap();
    let resolved: Vec<_> = found.resolved.iter().map(|(name, text)| (name.as_str(), json(text))).collect();
    assert_eq!(resolved, [("demo.Order", json(ORDER))]);

    let broker = start_in_thread(BrokerOptions::default()).unwrap();
    create(&broker.bootstrap(), &["baskets"]).await;
    // One block of one order: id 1, city "x".
    send(&broker.bootstrap(), "baskets", &[framed(id, &[2, 2, 2, b'x', 0])]).await;
    let session = Session::builder().build().unwrap();
    let options = [("basic.auth.user.info", USER_INFO)];
    let value = from_avro_registered(col("value"), "ref-basket-value", &real.url(), &options);
    let rows = read(&session, &broker.bootstrap(), "baskets").select([value.alias("v")]).unwrap();
    assert_eq!(texts(&rows, "to_json(v)").await, [r#"{"orders":[{"id":1,"city":"x"}]}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_told_with_what_to_set() {
    let Some(real) = RealRegistry::shared() else { return };
    let refused =
        Registry::new(RegistryOptions::new(&real.url()).unwrap()).unwrap().subjects().await.unwrap_err();
    assert!(matches!(refused, RegistryError::Denied { status: 401, .. }), "{refused}");
    assert!(refused.to_string().contains("basic.auth.user.info"));
    let wrong = real.url_with_credentials().replace(PASSWORD, "not-it");
    let refused = Registry::new(RegistryOptions::new(&wrong).unwrap()).unwrap().subjects().await.unwrap_err();
    assert!(!refused.to_string().contains("not-it"), "{refused}");
}

/// A registry of its own: requests are counted, and both examples use one subject.
#[test]
fn p09_has_its_schema_from_the_registry_and_the_example_beyond_it_is_helped_throughout() {
    let Some(real) = RealRegistry::start() else { return };
    p09_with_its_schema_from(&real);
    the_example_reads_and_writes_with(&real);
}

fn p09_with_its_schema_from(real: &RealRegistry) {
    let input = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/programs/p09_avro_framed/input.json");
    let input: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(input).unwrap()).unwrap();
    let schema = input["runs"][0]["before"][0]["text"].as_str().unwrap().to_owned();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(client(real).register("gps-value", &Schema::avro(schema))).unwrap();
    let recording = Recording::read("p09_avro_framed", &[("program.py", "p09_avro_framed")]).unwrap();
    let recording = recording.with_variable("SCHEMA_REGISTRY_URL", real.url_with_credentials());
    let broker = start_in_thread(BrokerOptions::default()).unwrap();
    let before = real.connections();
    runtime.block_on(recording.run(&broker.bootstrap())).unwrap();
    assert_eq!(real.connections(), before + 1, "the schema came from the registry");
}

fn the_example_reads_and_writes_with(real: &RealRegistry) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let broker = start_in_thread(BrokerOptions::default()).unwrap();
    let gps = r#"{"type":"record","name":"Gps","fields":[{"name":"deviceId","type":"string"},{"name":"speed","type":["null","int"]}]}"#;
    let work = tempfile::tempdir().unwrap();
    runtime.block_on(async {
        let id = client(real).register("gps-value", &Schema::avro(gps)).await.unwrap();
        create(&broker.bootstrap(), &["gps", "positions"]).await;
        let values = [framed(id, &[4, b'd', b'1', 2, 24]), b"no frame".to_vec(), framed(id, &[9])];
        send(&broker.bootstrap(), "gps", &values).await;
    });
    let url = real.url();
    let environment = [("SCHEMA_REGISTRY_URL", url.as_str()), ("SCHEMA_REGISTRY_USER_INFO", USER_INFO)];
    let mut program =
        Program::start("p09_avro_registry", &broker.bootstrap(), work.path(), 1, &environment).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while program.latest_progress().unwrap().values().all(|p| p["numInputRows"] != 3) {
        assert!(Instant::now() < deadline, "not processed");
        std::thread::sleep(Duration::from_millis(20));
    }
    program.terminate().unwrap();
    let ended = program.end(true).unwrap();
    assert!(ended.status.success(), "{}", ended.stderr);
    let schema = " |-- gps: struct (nullable = true)\n |    |-- deviceId: string (nullable = true)\n";
    assert!(ended.stdout.contains(schema), "{}", ended.stdout);
    assert!(!format!("{}{}", ended.stdout, ended.stderr).contains(PASSWORD));
    runtime.block_on(async {
        let session = Session::builder().build().unwrap();
        let options = [("basic.auth.user.info", USER_INFO)];
        let value = from_avro_registered(col("value"), "positions-value", &url, &options);
        let rows = read(&session, &broker.bootstrap(), "positions").select([value.alias("v")]).unwrap();
        assert_eq!(texts(&rows, "to_json(v)").await, [r#"{"deviceId":"d1","speed":12}"#]);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_several_schemas_are_read_as_the_latest() {
    let Some(real) = RealRegistry::shared() else { return };
    let broker = start_in_thread(BrokerOptions::default()).unwrap();
    let bootstrap = broker.bootstrap();
    create(&bootstrap, &["orders"]).await;
    let session = Session::builder().build().unwrap();
    let credentials = ("basic.auth.user.info", USER_INFO);
    let orders =
        session.create_data_frame([(1i64, "Oslo")], "id bigint not null, city string not null").unwrap();
    let schema = ("avroSchema", ORDER);
    let value = to_avro_registered(struct_all(), "orders-value", &real.url(), &[credentials, schema]);
    let written = orders.select([value.alias("value")]).unwrap();
    assert_eq!(client(real).versions("orders-value").await.map_err(|e| e.to_string()).ok(), None);
    let writer = written.write().format("kafka").option("kafka.bootstrap.servers", &bootstrap);
    writer.option("topic", "orders").save().await.unwrap();
    assert_eq!(client(real).versions("orders-value").await.unwrap(), [1], "registered with the first rows");

    let registry = client(real);
    let wider = registry.register("orders-value", &Schema::avro(WIDER)).await.unwrap();
    let amount = 2.5f64.to_le_bytes();
    let second = framed(wider, &[&[4, 6, b'R', b'o', b'm'][..], &amount].concat());
    send(&bootstrap, "orders", &[second, framed(900_001, &[2]), b"\x00".to_vec()]).await;

    let permissive = [credentials, ("mode", "PERMISSIVE")];
    let value = from_avro_registered(col("value"), "orders-value", &real.url(), &permissive);
    let rows = read(&session, &bootstrap, "orders").select([value.alias("v")]).unwrap();
    let expected =
        [r#"{"id":1,"city":"Oslo","amount":0.5}"#, r#"{"id":2,"city":"Rom","amount":2.5}"#, "{}", "{}"];
    assert_eq!(texts(&rows, "to_json(v)").await, expected);
    assert!(!rows.explain_string().await.unwrap().contains(PASSWORD));

    let strict = from_avro_registered(col("value"), "orders-value", &real.url(), &[credentials]);
    let rows = read(&session, &bootstrap, "orders").select([strict]).unwrap();
    assert!(!rows.schema_string(3).contains(PASSWORD), "a column's name shows no option");
    let error = rows.collect().await.unwrap_err().to_string();
    assert!(error.contains("900001") && error.contains("FAILFAST"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_outage_known_schemas_go_on_and_unknown_ones_end_the_wait_with_a_clear_error() {
    let Some(real) = RealRegistry::start() else { return };
    let broker = start_in_thread(BrokerOptions::default()).unwrap();
    let bootstrap = broker.bootstrap();
    create(&bootstrap, &["shaky", "out"]).await;
    let registry = client(&real);
    let first = registry.register("shaky-value", &Schema::avro(ORDER)).await.unwrap();
    let wider = registry.register("shaky-value", &Schema::avro(WIDER)).await.unwrap();
    let widest = registry.register("shaky-value", &Schema::avro(WIDEST)).await.unwrap();
    let one = framed(first, &[2, 2, b'a']);
    let two = framed(wider, &[&[4, 2, b'b'][..], &1f64.to_le_bytes()].concat());
    send(&bootstrap, "shaky", &[one.clone(), two.clone()]).await;

    let session = Session::builder().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = [
        ("basic.auth.user.info", USER_INFO),
        ("mode", "PERMISSIVE"),
        ("avroSchema", WIDER),
        ("schema.registry.deadline.ms", "1500"),
    ];
    let value = from_avro_registered(col("value"), "shaky-value", &real.url(), &options);
    let start = async || {
        let reader = session.read_stream().format("kafka").option("kafka.bootstrap.servers", &bootstrap);
        let rows = reader.option("subscribe", "shaky").option("startingOffsets", "earliest").load().unwrap();
        let out =
            rows.select([value.clone().alias("v")]).unwrap().select_expr(["to_json(v) AS value"]).unwrap();
        let writer = out.write_stream().format("kafka").option("kafka.bootstrap.servers", &bootstrap);
        let writer = writer.option("topic", "out").option("checkpointLocation", folder.path().display());
        writer.start().await.unwrap()
    };
    let query = start().await;
    query.process_all_available().await.unwrap();

    real.set_down(true);
    send(&bootstrap, "shaky", &[two.clone(), one.clone()]).await;
    query.process_all_available().await.unwrap();

    let three = framed(widest, &[&[2, b'n', 6, 2, b'c'][..], &3f64.to_le_bytes()].concat());
    send(&bootstrap, "shaky", &[one, three]).await;
    let begin = Instant::now();
    let error = query.process_all_available().await.unwrap_err().to_string();
    assert!(error.contains("no schema registry answered within 1.5s"), "{error}");
    assert!(error.contains(&format!("id {widest}")) && !error.contains(PASSWORD), "{error}");
    assert!(begin.elapsed() >= Duration::from_millis(1500));

    real.set_down(false);
    let query = start().await;
    query.process_all_available().await.unwrap();
    query.stop().await.unwrap();
    let out = read(&session, &bootstrap, "out");
    let found = texts(&out, "CAST(value AS STRING)").await;
    let (a, b) = (r#"{"id":1,"city":"a","amount":0.5}"#, r#"{"id":2,"city":"b","amount":1.0}"#);
    assert_eq!(found, [a, b, b, a, a, r#"{"id":3,"city":"c","amount":3.0}"#]);
}
