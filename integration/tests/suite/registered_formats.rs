//! Protobuf and JSON Schema over a real registry: records of several schemas in one topic, messages that import others,
//! writing that registers, and errors that name the record. Avro is in `registry`.

use millstream::columnar::framing::{self, SchemaFormat};
use millstream::prelude::*;
use millstream::registry::{Reference, Schema};
use millstream_broker::BrokerOptions;
use millstream_broker::net::start_in_thread;
use millstream_integration::real_registry::{PASSWORD, RealRegistry};

use super::registry::{USER_INFO, client, create, read, send, texts};

const CREDENTIALS: (&str, &str) = ("basic.auth.user.info", USER_INFO);
const MONEY: &str =
    r#"syntax = "proto3"; package common; message Money { string currency = 1; int64 cents = 2; }"#;
const ORDER: &str = r#"syntax = "proto3"; package demo;
    import "common/money.proto"; import "google/protobuf/timestamp.proto";
    message Note { string text = 1; }
    message Order { int64 id = 1; string city = 2; common.Money price = 3; google.protobuf.Timestamp at = 4; }"#;
const WIDER: &str = r#"syntax = "proto3"; package demo;
    import "common/money.proto"; import "google/protobuf/timestamp.proto";
    message Note { string text = 1; }
    message Order { int64 id = 1; string city = 2; common.Money price = 3; google.protobuf.Timestamp at = 4;
        double amount = 5; }"#;

fn framed(id: u32, format: SchemaFormat, indexes: &[u32], payload: &[u8]) -> Vec<u8> {
    [&framing::header(id, format, indexes)[..], payload].concat()
}

async fn write(rows: DataFrame, bootstrap: &str, topic: &str) {
    let writer = rows.write().format("kafka").option("kafka.bootstrap.servers", bootstrap);
    writer.option("topic", topic).save().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn protobuf_messages_of_several_schemas_are_read_as_the_latest() {
    let Some(real) = RealRegistry::shared() else { return };
    let broker = start_in_thread(BrokerOptions::default()).unwrap();
    let (bootstrap, topic, subject) = (broker.bootstrap(), "pb-orders", "pb-orders-value");
    create(&bootstrap, &[topic]).await;
    let registry = client(real);
    let imported = "common/money.proto";
    registry.register(imported, &Schema::of_type("PROTOBUF", MONEY)).await.unwrap();
    let reference = Reference { name: imported.into(), subject: imported.into(), version: 1 };
    let schema =
        |text: &str| Schema { references: vec![reference.clone()], ..Schema::of_type("PROTOBUF", text) };
    let first = registry.register(subject, &schema(ORDER)).await.unwrap();
    assert_eq!(registry.find(subject, &schema(ORDER)).await.unwrap().version, 1);

    let session = Session::builder().build().unwrap();
    let order = [CREDENTIALS, ("schema.registry.protobuf.name", "Order")];
    let rows = session.create_data_frame([(1i64, "Oslo")], "id bigint, city string").unwrap();
    let rows = rows
        .select_expr([
            "id",
            "city",
            "named_struct('currency', 'NOK', 'cents', 250L) AS price",
            "TIMESTAMP'2026-01-01 00:00:00Z' AS at",
        ])
        .unwrap();
    let value = to_protobuf_registered(struct_all(), subject, &real.url(), &order);
    write(rows.select([value.alias("value")]).unwrap(), &bootstrap, topic).await;

    let second = registry.register(subject, &schema(WIDER)).await.unwrap();
    assert_ne!(first, second);
    let protobuf = |id, indexes: &[u32], payload: &[u8]| framed(id, SchemaFormat::Protobuf, indexes, payload);
    let amount = [&[0x08, 2, 0x29][..], &2.5f64.to_le_bytes()].concat();
    let note = protobuf(first, &[0], b"\x0A\x02hi");
    send(&bootstrap, topic, &[protobuf(second, &[1], &amount), note, protobuf(900_002, &[1], &[8, 3])]).await;

    let permissive = [order[0], order[1], ("mode", "PERMISSIVE")];
    let value = from_protobuf_registered(col("value"), subject, &real.url(), &permissive);
    let rows = read(&session, &bootstrap, topic).select([value.alias("v")]).unwrap();
    let one =
        r#"{"id":1,"city":"Oslo","price":{"currency":"NOK","cents":250},"at":"2026-01-01T00:00:00.000Z"}"#;
    assert_eq!(texts(&rows, "to_json(v)").await, [one, r#"{"id":2,"amount":2.5}"#, "NULL", "NULL"]);
    assert!(!rows.explain_string().await.unwrap().contains(PASSWORD));

    let strict = from_protobuf_registered(col("value"), subject, &real.url(), &order);
    let rows = read(&session, &bootstrap, topic).select([strict]).unwrap();
    assert!(!rows.schema_string(3).contains(PASSWORD), "a column's name shows no option");
    let error = rows.collect().await.unwrap_err().to_string();
    assert!(error.contains("topic pb-orders, partition 0, offset 2"), "{error}");
    assert!(error.contains("it is a message demo.Note, where Order is read"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn protobuf_schemas_are_registered_with_the_first_rows() {
    let Some(real) = RealRegistry::shared() else { return };
    let broker = start_in_thread(BrokerOptions::default()).unwrap();
    let (bootstrap, topic) = (broker.bootstrap(), "pb-new");
    create(&bootstrap, &[topic]).await;
    let session = Session::builder().build().unwrap();
    let rows = session.create_data_frame([("a".to_owned(),)], "text string").unwrap();
    let text =
        "syntax = \"proto3\"; package demo; message Other { int32 x = 1; } message Note { string text = 1; }";
    let options = [
        CREDENTIALS,
        ("protobufSchema", text),
        ("schema.registry.protobuf.name", "Note"),
        ("value.subject.name.strategy", "TopicRecordNameStrategy"),
    ];
    let value = to_protobuf_registered(struct_all(), topic, &real.url(), &options);
    let written = rows.select([value.alias("value")]).unwrap();
    let subject = "pb-new-demo.Note";
    assert!(client(real).versions(subject).await.is_err(), "nothing is registered by an analysis");
    write(written, &bootstrap, topic).await;
    assert_eq!(client(real).versions(subject).await.unwrap(), [1]);
    let latest = client(real).latest(subject).await.unwrap().schema;
    assert_eq!(latest.schema_type, "PROTOBUF");

    // A descriptor set of a.proto (message A { int32 x = 1; }) and of b.proto, which imports it.
    let set = "X'0A190A07612E70726F746F220E0A014112090A0178180120012805\
        0A260A07622E70726F746F1A07612E70726F746F22120A0142120D0A016118012001280B32022E41'";
    let with_set = format!(
        "to_protobuf(named_struct('a', named_struct('x', 1)), 'B', {set}, map('schema.registry.address', '{}', \
         'schema.registry.subject', 'pb-b-value', 'basic.auth.user.info', '{USER_INFO}')) AS value",
        real.url()
    );
    write(rows.select_expr([with_set]).unwrap(), &bootstrap, topic).await;
    let imported = Reference { name: "a.proto".into(), subject: "a.proto".into(), version: 1 };
    assert_eq!(client(real).latest("pb-b-value").await.unwrap().schema.references, [imported]);

    let given = [CREDENTIALS, ("mode", "PERMISSIVE"), ("schema.registry.protobuf.name", "Note")];
    let value = from_protobuf_registered(col("value"), subject, &real.url(), &given);
    let rows = read(&session, &bootstrap, topic).select([value.alias("v")]).unwrap();
    assert_eq!(texts(&rows, "to_json(v)").await, [r#"{"text":"a"}"#, "NULL"]);
    let value = from_protobuf_registered(
        col("value"),
        "pb-b-value",
        &real.url(),
        &[CREDENTIALS, ("mode", "PERMISSIVE")],
    );
    let rows = read(&session, &bootstrap, topic).select([value.alias("v")]).unwrap();
    assert_eq!(texts(&rows, "to_json(v)").await, ["NULL", r#"{"a":{"x":1}}"#]);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_documents_are_framed_with_the_schema_of_their_columns() {
    let Some(real) = RealRegistry::shared() else { return };
    let broker = start_in_thread(BrokerOptions::default()).unwrap();
    let (bootstrap, topic, subject) = (broker.bootstrap(), "json-orders", "json-orders-value");
    create(&bootstrap, &[topic]).await;
    let session = Session::builder().build().unwrap();
    let orders = session.create_data_frame([(1i64, "Oslo")], "id bigint not null, city string").unwrap();
    let value = to_json_registered(struct_all(), subject, &real.url(), &[CREDENTIALS]);
    let written = orders.select([value.alias("value")]).unwrap();
    assert!(client(real).versions(subject).await.is_err());
    write(written, &bootstrap, topic).await;
    let latest = client(real).latest(subject).await.unwrap().schema;
    let schema: serde_json::Value = serde_json::from_str(&latest.text).unwrap();
    assert_eq!((latest.schema_type.as_str(), &schema["required"]), ("JSON", &serde_json::json!(["id"])));

    let json = |id, text: &str| framed(id, SchemaFormat::Json, &[], text.as_bytes());
    let (good, unknown) = (json(latest.id, r#"{"id":2}"#), json(900_003, r#"{"id":3}"#));
    send(&bootstrap, topic, &[good, unknown, br#"{"id":4}"#.to_vec()]).await;
    let value = from_json_registered(col("value"), "id BIGINT, city STRING", &real.url(), &[CREDENTIALS]);
    let rows = read(&session, &bootstrap, topic).select([value.alias("v")]).unwrap();
    assert_eq!(texts(&rows, "to_json(v)").await, [r#"{"id":1,"city":"Oslo"}"#, r#"{"id":2}"#, "{}", "{}"]);

    let strict = [CREDENTIALS, ("mode", "FAILFAST")];
    let value = from_json_registered(col("value"), "id BIGINT", &real.url(), &strict);
    let error = read(&session, &bootstrap, topic).select([value]).unwrap().collect().await.unwrap_err();
    let error = error.to_string();
    assert!(error.contains("topic json-orders, partition 0, offset 2"), "{error}");
    assert!(error.contains("no schema of the id 900003") && !error.contains(PASSWORD), "{error}");
}
