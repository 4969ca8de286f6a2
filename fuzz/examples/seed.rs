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
use millstream_fuzz::{proto_files, targets};
use millstream_protocol::fetch::FetchResponse;
use millstream_protocol::records::Batches;
use millstream_protocol::schema::{self, Direction};
use millstream_protocol::{ApiKey, Limits, messages};
use prost::Message as _;

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
    texts()?;
    payloads()
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
        for options in 0..16u8 {
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

/// Avro, Protobuf, plain types and the registry's frames.
fn payloads() -> Result {
    for (number, payload) in (0u8..).zip(AVRO) {
        for pair in 0..9 {
            write("avro", &format!("payload-{number}-{pair}"), &[&[0, number, pair][..], payload].concat())?;
        }
    }
    for (number, text) in (0u8..).zip(SCHEMAS) {
        let input = [&[2, number << 2][..], text.as_bytes(), b"\0", AVRO[0]].concat();
        write("avro", &format!("schema-{number}"), &input)?;
        let reader = SCHEMAS[usize::from(number + 1) % SCHEMAS.len()];
        let input =
            [&[3, number << 2][..], text.as_bytes(), b"\0", reader.as_bytes(), b"\0", AVRO[1]].concat();
        write("avro", &format!("schemas-{number}"), &input)?;
    }
    for (number, payload) in (0u8..).zip(PROTOBUF) {
        write("protobuf", &format!("twin-{number}"), &[&[0][..], payload].concat())?;
        for message in 1..6 {
            let bits = number.wrapping_mul(43) | 2;
            let input = [&[1, message, bits][..], payload].concat();
            write("protobuf", &format!("message-{number}-{message}"), &input)?;
        }
    }
    for (number, file) in proto_files::set().file.into_iter().enumerate() {
        let set = prost_types::FileDescriptorSet { file: vec![file] }.encode_to_vec();
        let input = [&[2, 0x32][..], &(set.len() as u16).to_be_bytes(), &set, PROTOBUF[0]].concat();
        write("protobuf", &format!("set-{number}"), &input)?;
    }
    let uuid = b"f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
    for (kind, bytes) in
        (0u8..).zip([&[1u8][..], &[0, 1], &[0, 0, 0, 1], &[1; 8], &[1; 4], &[1; 8], b"caf\xc3\xa9", uuid])
    {
        write("plain", &format!("plain-{kind}"), &[&[kind][..], bytes].concat())?;
    }
    let frames: [&[u8]; 4] = [
        b"\0\0\0\0\x07payload beyond twelve bytes",
        b"\0\0\0\0\x01\0short",
        b"\0\x01\x02\x03\x04\x06\x02\x00\xc8\x01payload",
        b"{\"no\":\"frame\"}",
    ];
    for (number, frame) in frames.into_iter().enumerate() {
        write("framing", &format!("frame-{number}"), frame)?;
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

/// Data of the first schemas of the target `avro`: flat, nested, numbers.
const AVRO: [&[u8]; 5] = [
    b"\x0e\x0aseven\x02\0\0\0\0\0\0\xf8\x3f\x01\x04\x01\x02\0\0\0\x40\x54rest",
    b"\x04\x02\x0e\0\x00\x02\x02k\x28a text that is long!\0\x02abcd\x04\x01\x00\xc0\x99\x02\x80\x80\xe0\xe5\x83\xd8\x05\x02x",
    b"\x02\x02x\x02\x02\0\0\x80\x3f\0\x02\x06abc\0\0\0\0\0\0\0\x01\x00\x02\x04",
    b"\x0e\x02\x10\0\x02\x12\0\0\0\0",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
];

/// Avro schemas as texts.
const SCHEMAS: [&str; 7] = [
    r#"{"type":"record","name":"R","namespace":"n","doc":"d","aliases":["Q"],"fields":[{"name":"a","type":"long",
        "default":1,"aliases":["b"]},{"name":"s","type":["null","string"],"default":null}]}"#,
    r#"{"type":"record","name":"n.Q","fields":[{"name":"b","type":"int"},{"name":"s","type":"bytes","default":"\u00ff"},
        {"name":"m","type":{"type":"map","values":"double"},"default":{"k":1.5}}]}"#,
    r#"{"type":"enum","name":"E","symbols":["A","B"],"default":"A"}"#,
    r#"["null",{"type":"array","items":{"type":"fixed","name":"F","size":3,"logicalType":"decimal","precision":5}}]"#,
    r#"{"type":"record","name":"L","fields":[{"name":"v","type":{"type":"int","logicalType":"date"}},
        {"name":"next","type":["null","L"]}]}"#,
    r#"{"type":"bytes","logicalType":"decimal","precision":38,"scale":10}"#,
    r#"{"type":"long","logicalType":"timestamp-millis"}"#,
];

/// Messages: fields of each kind, a oneof, maps, groups, a message in a message, wrappers.
const PROTOBUF: [&[u8]; 6] = [
    b"\x08\x01\x10\x2a\x18\x03\x25\x01\0\0\0\x31\x05\x38\x07\x40\x01\x65\0\0\x80\x3f\x69\0\0\0\0\0\0\xf8\x3f\x72\x03caf\x7a\x02\0\xff\x80\x01\x02",
    b"\x8a\x01\x05\x08\x05\x12\x01y\x92\x01\x02\x01\0\x9a\x01\x03\x01\x02\x03\x8a\x02\x04\x08\x01\x12\x00\x92\x02\x0c\x0a\x01k\x11\0\0\0\0\0\0\xf0\x3f",
    b"\x9a\x02\x06\x08\x03\x12\x02\x08\x09\xa0\x02\x07\xaa\x02\x01s\xb0\x02\x05\xba\x02\x02\x08\x01\xc2\x02\x03\0\x01\x63\x80\x97\x22\x05",
    b"\x08\x01\x2b\x08\x05\x2c\x1a\x02a\xff\x20\x01\x32\x02\x01\x02\x30\x03\x3b\x08\x07\x3c",
    b"\x0a\x01a\x12\x05\x0a\x01b\x12\0\x1a\x04\x08\x02\x10\x01\x22\x03\x08\x90\x1c",
    b"\x22\0\x22\x02\x08\x05\x0a\0\x12\x03\x0a\x01a\x2a\0\x1a\x02\x08\x01",
];
