//! The users' programs, on the embedded broker and on Apache Kafka 4.3.1, against the recordings of Spark's runs.

use millstream_broker::BrokerOptions;
use millstream_broker::net::start_in_thread;
use millstream_integration::programs::Recording;
use millstream_integration::real_kafka::RealKafka;

fn run(name: &str, examples: &[(&'static str, &'static str)]) {
    let recording = Recording::read(name, examples).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let broker = start_in_thread(BrokerOptions::default()).unwrap();
    if let Err(why) = runtime.block_on(recording.run(&broker.bootstrap())) {
        panic!("{name} on the embedded broker: {why}");
    }
    if RealKafka::shared("4.3.1").is_none() {
        return;
    }
    // Of its own: a program's subscribePattern takes every topic of the broker that fits, other suites' too.
    let kafka = RealKafka::start("4.3.1", &[]).unwrap();
    if let Err(why) = runtime.block_on(recording.run(&kafka.bootstrap())) {
        panic!("{name} on Apache Kafka 4.3.1: {why}");
    }
}

#[test]
fn p01_json_topic() {
    run("p01_json_topic", &[("program.py", "p01_json_topic"), ("as_in_seed.py", "p01_as_in_seed")]);
}

#[test]
fn p02_events_console() {
    run("p02_events_console", &[("program.py", "p02_events_console")]);
}

#[test]
fn p04_batch_reads() {
    run("p04_batch_reads", &[("program.py", "p04_batch_reads")]);
}

#[test]
fn p06_kafka_write() {
    let examples = [
        ("program.py", "p06_kafka_write"),
        ("batch.py", "p06_kafka_write_batch"),
        ("as_in_seed.py", "p06_as_in_seed"),
    ];
    run("p06_kafka_write", &examples);
}

#[test]
fn p08_show() {
    run("p08_show", &[("program.py", "p08_show")]);
}

#[test]
fn p09_avro_framed() {
    run("p09_avro_framed", &[("program.py", "p09_avro_framed"), ("failfast.py", "p09_avro_failfast")]);
}

#[test]
fn p10_invoices() {
    run("p10_invoices", &[("program.py", "p10_invoices")]);
}

#[test]
fn p11_console_three() {
    run("p11_console_three", &[("program.py", "p11_console_three")]);
}
