//! What Spark 4.2 made of these payloads (`from_avro`, then `to_json`), and bytes that no writer wrote.

use arrow_array::StructArray;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_schema::{Field, Fields};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::avro::Rebase;
use crate::json::{JsonWriteOptions, JsonWriter};

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|b| *b != b' ').collect();
    digits.chunks(2).map(|p| u8::from_str_radix(std::str::from_utf8(p).unwrap(), 16).unwrap()).collect()
}

fn permissive() -> AvroReadOptions {
    AvroReadOptions { mode: ParseMode::Permissive, ..Default::default() }
}

/// A record `R` of these fields.
fn record(fields: &str) -> String {
    format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#)
}

fn read(schema: &str, payloads: &[&str], options: AvroReadOptions) -> Result<ArrayRef> {
    let writer = Schema::parse(schema)?;
    let reader = AvroReader::new(&writer, options)?;
    let column = BinaryViewArray::from_iter(payloads.iter().map(|hex| Some(bytes(hex))));
    reader.read(&reader.plan(&writer)?, &column)
}

/// As `to_json(struct(r))` shows the rows.
fn shown(column: ArrayRef) -> Vec<String> {
    let field = Field::new("r", column.data_type().clone(), true);
    let rows = StructArray::new(Fields::from(vec![field]), vec![column], None);
    let writer = JsonWriter::new(rows.data_type(), JsonWriteOptions::default()).unwrap();
    let text = writer.write(&rows).unwrap();
    text.as_string_view().iter().map(|t| t.unwrap().to_owned()).collect()
}

#[track_caller]
fn check(schema: &str, options: AvroReadOptions, cases: &[(&str, &str)]) {
    let payloads: Vec<&str> = cases.iter().map(|(payload, _)| *payload).collect();
    let found = shown(read(schema, &payloads, options).unwrap());
    for ((payload, wanted), found) in cases.iter().zip(found) {
        assert_eq!(found, *wanted, "{schema} {payload}");
    }
}

#[test]
fn payloads_are_read_as_spark_reads_them_and_bad_ones_hurt_no_neighbour() {
    let three =
        record(r#"{"name":"a","type":"int"},{"name":"b","type":"long"},{"name":"c","type":"string"}"#);
    let good = r#"{"r":{"a":1,"b":2,"c":"a"}}"#;
    let lossy = "{\"r\":{\"a\":1,\"b\":2,\"c\":\"\u{FFFD}\"}}";
    check(
        &three,
        permissive(),
        &[
            ("02040261", good),
            ("0204", r#"{"r":{}}"#),
            ("020402ff", lossy),
            ("0204026161", good),
            ("", r#"{"r":{}}"#),
        ],
    );
    check(r#""boolean""#, permissive(), &[("01", r#"{"r":true}"#), ("02", r#"{"r":false}"#), ("", "{}")]);
    let least = r#"{"r":-2147483648}"#;
    check(r#""int""#, permissive(), &[("ffffffff0f", least), ("ffffffff1f", least), ("808080808010", "{}")]);
    let array = r#"{"type":"array","items":"int"}"#;
    let both = r#"{"r":[1,2]}"#;
    check(
        array,
        permissive(),
        &[
            ("0402040000", both),
            ("00", r#"{"r":[]}"#),
            ("0302", "{}"),
            ("0304020400", both),
            ("8080808080808080800100", "{}"),
        ],
    );
    let map = r#"{"type":"map","values":"int"}"#;
    check(
        map,
        permissive(),
        &[("0402610202610400", r#"{"r":{"a":2}}"#), ("0402610202620400", r#"{"r":{"a":1,"b":2}}"#)],
    );
    let of_enum = r#"{"type":"enum","name":"E","symbols":["A","B"]}"#;
    check(of_enum, permissive(), &[("02", r#"{"r":"B"}"#), ("04", "{}"), ("01", "{}")]);
    let fixed = r#"{"type":"fixed","name":"F","size":2}"#;
    check(fixed, permissive(), &[("0102", r#"{"r":"AQI="}"#), ("01", "{}")]);
}

#[test]
fn logical_types_become_sparks_types() {
    let of = |p: u32| {
        record(&format!(
            r#"{{"name":"d","type":{{"type":"bytes","logicalType":"decimal","precision":{p},"scale":2}}}}"#
        ))
    };
    let none = r#"{"r":{}}"#;
    let cases = [
        ("020a", r#"{"r":{"d":0.10}}"#),
        ("04ffff", r#"{"r":{"d":-0.01}}"#),
        ("06010000", none),
        ("08ffffffff", r#"{"r":{"d":-0.01}}"#),
        ("00", none),
    ];
    check(&of(4), permissive(), &cases);
    let wide = format!("22 7f {}", "ff".repeat(16));
    check(&of(38), permissive(), &[("0400ff", r#"{"r":{"d":2.55}}"#), (&wide, none)]);
    let logical = record(
        r#"{"name":"d","type":{"type":"int","logicalType":"date"}},{"name":"t","type":{"type":"int","logicalType":"time-millis"}},
        {"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"tu","type":{"type":"long","logicalType":"timestamp-micros"}},
        {"name":"tn","type":{"type":"long","logicalType":"timestamp-nanos"}},{"name":"l","type":{"type":"long","logicalType":"local-timestamp-millis"}},
        {"name":"u","type":{"type":"string","logicalType":"uuid"}},{"name":"du","type":{"type":"fixed","size":12,"name":"D","logicalType":"duration"}}"#,
    );
    let shown = r#"{"r":{"d":"1970-01-02","t":1,"ts":"1970-01-01T00:00:00.001Z","tu":"1970-01-01T00:00:00.000Z","tn":1,"l":"1970-01-01T00:00:00.001","u":"a","du":"AAAAAAAAAAAAAAAA"}}"#;
    check(&logical, permissive(), &[("020202020202 0261 000000000000000000000000", shown)]);
    let millis = r#"{"type":"long","logicalType":"timestamp-millis"}"#;
    check(millis, permissive(), &[("ffffffffffffffffff01", "{}")]);
    let date = r#"{"type":"int","logicalType":"date"}"#;
    let legacy = AvroReadOptions { rebase: Rebase::Legacy, ..permissive() };
    check(date, legacy, &[("ffd62b", r#"{"r":"0990-04-19"}"#)]);
    let strict = AvroReadOptions { rebase: Rebase::Exception, ..permissive() };
    check(date, strict, &[("ffd62b", "{}"), ("02", r#"{"r":"1970-01-02"}"#)]);
}

#[test]
fn unions_become_nullable_values_wider_numbers_or_structs_of_members() {
    let all = record(
        r#"{"name":"a","type":["null","int"]},{"name":"b","type":["int","null"]},{"name":"c","type":["int","long"]},
        {"name":"d","type":["float","double","null"]},{"name":"e","type":["int","string"]},{"name":"g","type":["null","int","string"]},
        {"name":"h","type":["null"]},{"name":"i","type":["int"]},{"name":"k","type":["long","string","int"]}"#,
    );
    let shown =
        r#"{"r":{"a":1,"b":1,"c":1,"e":{"member1":"a"},"g":{"member1":"a"},"i":1,"k":{"member2":3}}}"#;
    let payload = "0202 0002 0002 04 020261 040261 00 0002 0406";
    check(&all, permissive(), &[(payload, shown), ("0606", r#"{"r":{}}"#)]);
    let named = record(
        r#"{"name":"e","type":["int","string",{"type":"record","name":"Rec","fields":[{"name":"a","type":"int"}]}]}"#,
    );
    let stable = AvroReadOptions { stable_union_ids: true, ..permissive() };
    check(&named, stable, &[("0402", r#"{"r":{"e":{"member_Rec":{"a":1}}}}"#)]);
}

#[test]
fn recursion_is_cut_where_it_was_asked_to_be() {
    let node = r#"{"type":"record","name":"N","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","N"]}]}"#;
    let payload = "0202 0402 0602 0800";
    let depths = [
        (1, r#"{"r":{"v":1}}"#),
        (2, r#"{"r":{"v":1,"next":{"v":2}}}"#),
        (3, r#"{"r":{"v":1,"next":{"v":2,"next":{"v":3}}}}"#),
    ];
    for (depth, shown) in depths {
        let options = AvroReadOptions { recursive_field_max_depth: Some(depth), ..permissive() };
        check(node, options, &[(payload, shown)]);
    }
}

#[test]
fn a_reader_schema_evolves_what_was_written() {
    let evolved = |writer: &str, reader: &str, cases: &[(&str, &str)]| {
        let options = AvroReadOptions { avro_schema: Some(reader.to_owned()), ..permissive() };
        check(writer, options, cases);
    };
    let int = record(r#"{"name":"a","type":"int"}"#);
    evolved(
        &record(r#"{"name":"a","type":"int"},{"name":"z","type":"string"}"#),
        &record(
            r#"{"name":"b","type":"long","default":7},{"name":"a","type":"long"},{"name":"s","type":["null","string"],"default":null}"#,
        ),
        &[("020261", r#"{"r":{"b":7,"a":1}}"#), ("02", r#"{"r":{}}"#)],
    );
    let lacking = record(r#"{"name":"a","type":"int"},{"name":"b","type":"long"}"#);
    evolved(&int, &lacking, &[("02", r#"{"r":{}}"#)]);
    evolved(&int, &record(r#"{"name":"x","type":"long","aliases":["a"]}"#), &[("02", r#"{"r":{"x":1}}"#)]);
    evolved(&int, &record(r#"{"name":"a","type":["null","long"]}"#), &[("02", r#"{"r":{"a":1}}"#)]);
    let nullable = record(r#"{"name":"a","type":["null","int"]}"#);
    evolved(
        &nullable,
        &record(r#"{"name":"a","type":"long"}"#),
        &[("0202", r#"{"r":{"a":1}}"#), ("00", r#"{"r":{}}"#)],
    );
    let of = |symbols: &str, more: &str| {
        record(&format!(r#"{{"name":"a","type":{{"type":"enum","name":"E","symbols":{symbols}{more}}}}}"#))
    };
    let cases = [("00", r#"{"r":{"a":"C"}}"#), ("02", r#"{"r":{"a":"B"}}"#)];
    evolved(&of(r#"["A","B"]"#, ""), &of(r#"["B","C"]"#, r#","default":"C""#), &cases);
    let long_default =
        record(r#"{"name":"a","type":"int"},{"name":"t","type":"string","default":"longer than inline"}"#);
    evolved(&int, &long_default, &[("02", r#"{"r":{"a":1,"t":"longer than inline"}}"#)]);
}

#[test]
fn failfast_names_the_field_and_the_reason() {
    let schema =
        record(r#"{"name":"o","type":{"type":"record","name":"I","fields":[{"name":"t","type":"string"}]}}"#);
    let error = read(&schema, &["0261", "0861"], AvroReadOptions::default()).unwrap_err();
    let Error::MalformedAvro { row, field, why } = &error else { panic!("{error}") };
    assert_eq!((*row, field.as_str()), (1, "o.t"));
    assert!(why.contains("ends too early"), "{why}");
}

#[test]
fn payloads_of_several_writers_stand_in_one_column() {
    let old = Schema::parse(&record(r#"{"name":"a","type":"int"}"#)).unwrap();
    let new =
        Schema::parse(&record(r#"{"name":"b","type":"int","default":5},{"name":"a","type":"int"}"#)).unwrap();
    let reader = AvroReader::new(&new, permissive()).unwrap();
    let plans = [reader.plan(&old).unwrap(), reader.plan(&new).unwrap()];
    let unknown = Unreadable { why: "no such id".into() };
    let column = BinaryViewArray::from_iter([Some(vec![2]), Some(vec![4, 6]), Some(vec![2]), None]);
    let writers = |row: usize| match row {
        2 => Writer::Unknown(&unknown),
        row => Writer::Plan(&plans[row.min(1)]),
    };
    let found = shown(reader.read_each(&column, writers).unwrap());
    assert_eq!(found, [r#"{"r":{"b":5,"a":1}}"#, r#"{"r":{"b":2,"a":3}}"#, r#"{"r":{}}"#, "{}"]);
}

#[test]
fn hostile_counts_and_lengths_end_at_once() {
    let nulls = r#"{"type":"array","items":"null"}"#;
    let found = read(nulls, &["feffffffffffffffff0100", "0600"], permissive()).unwrap();
    assert!(found.is_null(0));
    assert_eq!(found.as_list::<i32>().value_length(1), 3);
    let bombs = ["feffffff0f", "ffffffffffffffffff01 00", "01 01 01", "8080808080808080808080"];
    for schema in [r#"{"type":"array","items":"int"}"#, r#"{"type":"map","values":"null"}"#, r#""string""#] {
        let found = read(schema, &bombs, permissive()).unwrap();
        assert_eq!(found.null_count(), bombs.len(), "{schema}");
    }
    let skipped = record(r#"{"name":"x","type":{"type":"array","items":"null"}},{"name":"a","type":"int"}"#);
    let reader = record(r#"{"name":"a","type":"int"}"#);
    let options = AvroReadOptions { avro_schema: Some(reader), ..permissive() };
    let found = read(&skipped, &["feffffffffffffffff010002"], options).unwrap();
    assert_eq!(
        found.as_struct().column(0).as_primitive::<Int32Type>().value(0),
        1,
        "2^63 nulls are passed over"
    );
}

#[test]
fn random_bytes_never_panic_and_leave_columns_of_equal_length() {
    let schema = record(
        r#"{"name":"a","type":["null",{"type":"array","items":{"type":"map","values":["null","string","R"]}}]},
        {"name":"d","type":{"type":"fixed","name":"F","size":3,"logicalType":"decimal","precision":4}},
        {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},{"name":"b","type":"bytes"}"#,
    );
    let writer = Schema::parse(&schema).unwrap();
    let options = AvroReadOptions { recursive_field_max_depth: Some(3), ..permissive() };
    let reader = AvroReader::new(&writer, options).unwrap();
    let plan = reader.plan(&writer).unwrap();
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..300 {
        let rows: Vec<Vec<u8>> = (0..40)
            .map(|_| {
                let length = random.random_range(0..40);
                let small = random.random_bool(0.7);
                (0..length).map(|_| if small { random.random_range(0..8) } else { random.random() }).collect()
            })
            .collect();
        let column = BinaryViewArray::from_iter(rows.iter().map(Some));
        let found = reader.read(&plan, &column).unwrap();
        assert_eq!(found.len(), rows.len());
        found.to_data().validate_full().unwrap();
    }
}
