//! Makes the first corpora: `cargo run --example seed -- CAPTURES`.
//!
//! `CAPTURES` holds frames without their length prefix, as a proxy between Kafka's own tools and Apache Kafka saw
//! them, named `req-<api>-<version>-<number>` and `res-...`. Batches come from them and from the fixtures of
//! `millstream-protocol`; documents and settings are written here. What a target's search adds is kept by
//! `cargo xtask fuzz --keep`.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use millstream_fuzz::targets;
use millstream_protocol::fetch::FetchResponse;
use millstream_protocol::records::Batches;
use millstream_protocol::schema::{self, Direction};
use millstream_protocol::{ApiKey, Limits, messages};

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

const MOST: usize = 16 << 10;

fn main() -> Result {
    let captures = std::env::args().nth(1).ok_or("name the folder of the captures")?;
    let mut frames = Vec::new();
    for entry in fs::read_dir(captures)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let parts: Vec<i16> = name.split('-').filter_map(|part| part.parse().ok()).collect();
        if let [api, version, _] = parts[..] {
            frames.push(Capture { name, api: ApiKey(api), version, frame: fs::read(path)?.into() });
        }
    }
    frames.sort_by(|a, b| a.name.cmp(&b.name));
    from_frames(&frames)?;
    let mut logs = fixtures()?;
    logs.extend(frames.iter().flat_map(logs_in));
    for (name, bytes) in &logs {
        write("record_batches", name, &[&[bytes.len() as u8][..], bytes].concat())?;
        write("columns", name, &[&[0xff, 0, 0, 40, 0xff, 0][..], bytes].concat())?;
        write(
            "columns",
            &format!("{name}-some"),
            &[&[0b0110_0010, 200, 0, 3, 9, 1, 200, 103][..], bytes].concat(),
        )?;
        for batch in Batches::new(bytes).flatten() {
            let codec = (batch.header.attributes.0 & 7) as u8;
            write("codecs", name, &[&[codec, 0x10, 0][..], batch.payload].concat())?;
        }
    }
    for codec in 0..5u8 {
        for (name, (_, document)) in (0..).zip(DOCUMENTS) {
            write(
                "codecs",
                &format!("pack-{codec}-{name}"),
                &[&[0x80 | codec, 0, 0][..], document.as_bytes()].concat(),
            )?;
        }
    }
    texts()
}

struct Capture {
    name: String,
    api: ApiKey,
    version: i16,
    frame: Bytes,
}

fn from_frames(captures: &[Capture]) -> Result {
    let mut stream = vec![99, 1, 7, 30, 0xff];
    let mut session = Vec::new();
    for Capture { name, api, version, frame } in captures {
        if let Some((direction, version, body)) = walked(name, *api, *version, frame)
            && let Some(head) = targets::messages::head(*api, direction, version)
        {
            write("messages", name, &[&head[..], &body].concat())?;
        }
        if name.starts_with("res-1-") {
            write("fetch_response", name, &[&[*version as u8 - 4][..], frame].concat())?;
        }
        if stream.len() + frame.len() < 8192 {
            stream.extend((frame.len() as u32).to_be_bytes());
            stream.extend_from_slice(frame);
        }
        if name.starts_with("req-") {
            let length = (frame.len() as u16) & !1;
            let one = [&(length | 1).to_be_bytes()[..], &[1], frame].concat();
            write("broker", name, &one)?;
            if session.len() + one.len() < MOST {
                session.extend([&(frame.len() as u16).to_be_bytes()[..], &[1], frame].concat());
            }
        }
    }
    write("frames", "stream", &stream)?;
    write("broker", "session", &session)
}

/// Direction, a version that this crate has, and the body; None where there is no such version.
fn walked(name: &str, api: ApiKey, version: i16, frame: &Bytes) -> Option<(Direction, i16, Bytes)> {
    let (_, highest) = messages::supported_versions(api)?;
    let version = version.min(highest);
    let limits = Limits::default();
    let (direction, starts) = if name.starts_with("req-") {
        let head = messages::decode_request_header(frame.clone(), &limits).ok()?;
        (Direction::Request, vec![frame.len() - head.body.len()])
    } else {
        (Direction::Response, vec![4, 5])
    };
    let mut bodies = starts.into_iter().map(|at| frame.slice(at.min(frame.len())..));
    let good = |body: &Bytes| schema::walk(api, version, direction, body, &limits).is_ok();
    bodies.find(good).map(|body| (direction, version, body))
}

/// The record batches that a captured frame carries.
fn logs_in(capture: &Capture) -> Vec<(String, Vec<u8>)> {
    if !capture.name.starts_with("res-1-") {
        return Vec::new();
    }
    let response = FetchResponse::decode(capture.frame.clone(), capture.version, &Limits::default());
    let Ok(response) = response else { return Vec::new() };
    let partitions = response.topics.into_iter().flat_map(|topic| topic.partitions);
    let logs = partitions.filter(|partition| !partition.records.is_empty());
    logs.map(|log| (format!("{}-{}", capture.name, log.partition), log.records.to_vec())).collect()
}

fn fixtures() -> Result<Vec<(String, Vec<u8>)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/protocol/fixtures/batches");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "bin") {
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            found.push((name.to_owned(), fs::read(&path)?));
        }
    }
    Ok(found)
}

fn texts() -> Result {
    for (number, (schema, document)) in DOCUMENTS.iter().enumerate() {
        let document = document.as_bytes();
        write("json_read", &format!("document-{number}"), &[&[*schema, 0][..], document].concat())?;
        write(
            "json_write",
            &format!("document-{number}"),
            &[&[*schema, number as u8][..], document].concat(),
        )?;
        let path = PATHS[number % PATHS.len()];
        let input = [&[number as u8][..], path.as_bytes(), b"\n", document].concat();
        write("json_texts", &format!("document-{number}"), &input)?;
    }
    let lax = br#"{'a':007, b: NaN, /* c */ "c":+INF, "d\q":"x	y"} // end"#;
    write("json_read", "lax", &[&[0, 0x7f][..], lax].concat())?;
    for (number, record) in RECORDS.iter().enumerate() {
        for options in 0..10u8 {
            let input = [&[number as u8, options][..], record.as_bytes()].concat();
            write("csv", &format!("record-{number}-{options}"), &input)?;
        }
    }
    for (number, (pattern, zone, text)) in MOMENTS.iter().enumerate() {
        write("moments", &format!("moment-{number}"), format!("{pattern}\n{zone}\n{text}").as_bytes())?;
    }
    for (number, properties) in PROPERTIES.iter().enumerate() {
        write("properties", &format!("properties-{number}"), properties.as_bytes())?;
    }
    Ok(())
}

fn write(target: &str, name: &str, bytes: &[u8]) -> Result {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    if bytes.len() <= MOST {
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

/// A schema's number and a document with something for it.
const DOCUMENTS: &[(u8, &str)] = &[
    (0, r#"{"a":12,"b":"caf\u00e9 \ud83d\ude00 with escapes\n","c":-1.5e3,"d":true,"x":[{"y":{}}]}"#),
    (0, r#"{"a":9223372036854775807,"a":1e3,"b":{"k":[1,2.50,null]},"c":4.9E-324,"d":"no"}"#),
    (0, "[]"),
    (0, "  "),
    (1, r#"{"a":255,"b":-32768,"c":2147483648,"d":3.4028235e39,"e":99999999.995,"f":"1,234.5","":""}"#),
    (1, r#"{"a":-129,"e":1.005,"f":1e-19,"d":16777217}"#),
    (
        2,
        r#"{"a":[1,null,3],"b":{"a":1,"b":"nested text that is long"},"c":{"k":1,"k":2},"d":[{"x":"a","y":1},{}]}"#,
    ),
    (2, r#"{"a":[1,"x",[3]],"c":{"k":"bad","j":2},"b":{"a":1},"d":[{"y":[]}]}"#),
    (3, r#"{"a":{"k":["v",1,{"n":null}]},"b":[{"x":1.5},{}],"c":[[true,false],[],null],"é€":"ü"}"#),
    (
        4,
        r#"{"a":"2024-02-29","b":"2024-02-29T12:34:56.789+01:00","c":"1969-12-31 23:59:59.999999","d":"AAECAw=="}"#,
    ),
    (4, r#"{"a":19000,"b":1700000000,"c":"GMT","d":"not base64"}"#),
    (5, r#"{"a":["copied",1.0,{"b":"\u0001"}],"b":{"anything":[]}}"#),
    (5, r#"{"a":"x""#),
];

const RECORDS: &[&str] = &[
    "1,\"quoted, with a delimiter\",1.5,true",
    "-128,32767,2147483648,NaN,12.345,\"esc\\\"aped\",x",
    " 7 ,'it''s',Inf, ,,\"open",
    "#no record",
    "2024-02-29||2024-02-29T12:34:56.789Z||1969-12-31 23:59:59||AAEC||rest",
    "a\t\"b\"c\"\td\n\"e\r\nf\"",
];

const PATHS: &[&str] = &["$", "$.a", "$.a[*].b", "$['a'][0]", "$[*][*].y", "$.b.k[1]", "$.*", "a"];

const MOMENTS: &[(&str, &str, &str)] = &[
    ("yyyy-MM-dd HH:mm:ss[.SSSSSS][XXX]", "Europe/Berlin", "2024-03-31 02:30:00.123456+02:00"),
    ("dd/MMM/yy hh:mm a", "UTC", "29/Feb/24 12:01 PM"),
    ("EEEE, d MMMM uuuu", "+05:30", "Thursday, 29 February 2024"),
    ("yyyyDDD'T'HHmmss.SSS VV", "America/New_York", "2024060T010203.004 America/New_York"),
    ("G yyyy Q w", "Z", "-0001-01-01T00:00:00"),
    ("", "Pacific/Apia", "epoch"),
    ("ZZZZ O xxx", "Asia/Kathmandu", "12345-06-07 08:09:10.111213 UTC+3"),
];

const PROPERTIES: &[&str] = &[
    "bootstrap.servers=a:1,[::1]:9093,b\nfetch.max.bytes=1048576\nisolation.level=read_committed\nacks=all",
    "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password=\"secret-secret\";",
    "ssl.keystore.password=hunter2hunter2\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512",
    "linger.ms=-5\ncompression.type=zstd\ncompression.zstd.level=99\nenable.idempotence=maybe",
    "fetch.min.byte=1\nretry.backoff.ms=99999999999999999999\nclient.id=\nmax.poll.records=500",
];
