//! The command as users type it, against an embedded broker.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use millstream_broker::BrokerOptions;
use millstream_broker::net::start_in_thread;
use std::io::Write;
use std::process::{Command, Output, Stdio};

fn millstream(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_millstream"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn what_produce_writes_cat_prints() {
    let broker = start_in_thread(BrokerOptions::default()).unwrap();
    let brokers = broker.bootstrap();
    printed(&millstream(&["topics", "-b", &brokers, "create", "lines", "--partitions", "1"], ""));
    printed(&millstream(
        &["produce", "-b", &brokers, "-t", "lines", "-K", ":", "-z", "lz4"],
        "a:1\nb:2\nno key\n",
    ));
    let text =
        printed(&millstream(&["cat", "-b", &brokers, "-t", "lines", "-e", "-f", "%o %K %k=%s\\n"], ""));
    assert_eq!(text, "0 1 a=1\n1 1 b=2\n2 -1 =no key\n");
    let text = printed(&millstream(&["cat", "-b", &brokers, "-t", "lines", "-o", "-1", "-c", "1"], ""));
    assert_eq!(text, "no key\n");
    let list = printed(&millstream(&["topics", "-b", &brokers], ""));
    assert!(list.contains("lines"), "{list}");
}

#[test]
fn a_topic_is_a_table_with_the_columns_of_its_json() {
    let broker = start_in_thread(BrokerOptions::default()).unwrap();
    let brokers = broker.bootstrap();
    let orders = "{\"id\":1,\"city\":\"Oslo\"}\n{\"id\":2,\"city\":\"Pune\"}\n{\"id\":3,\"city\":\"Oslo\"}\n";
    printed(&millstream(&["produce", "-b", &brokers, "-t", "orders"], orders));
    let query = "SELECT city, count(*) AS n FROM orders GROUP BY city ORDER BY city";
    let schema = "orders=id BIGINT, city STRING";
    let arguments = ["sql", "-b", &brokers, query, "--schema", schema, "--format", "json"];
    assert_eq!(
        printed(&millstream(&arguments, "")),
        "{\"city\":\"Oslo\",\"n\":2}\n{\"city\":\"Pune\",\"n\":1}\n"
    );
    let table = printed(&millstream(&["sql", "-b", &brokers, "SELECT max(offset) AS last FROM orders"], ""));
    assert!(table.contains("|last|\n") && table.contains("|2   |"), "{table}");
}

#[test]
fn errors_name_the_thing_and_the_next_step() {
    let broker = start_in_thread(BrokerOptions::default()).unwrap();
    let brokers = broker.bootstrap();
    let cases: [(&[&str], &[&str]); 3] = [
        (&["cat", "-b", &brokers, "-t", "nowhere"], &["nowhere", "millstream topics"]),
        (
            &["cat", "-b", &brokers, "-t", "x", "-X", "fetch.max.byte=1"],
            &["fetch.max.byte", "fetch.max.bytes"],
        ),
        (&["sql", "-b", &brokers, "SELECT 1 FROM nowhere"], &["nowhere"]),
    ];
    for (arguments, names) in cases {
        let output = millstream(arguments, "");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        for name in names {
            assert!(text.contains(name), "{arguments:?} does not name {name}: {text}");
        }
    }
}
