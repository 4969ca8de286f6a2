//! Avro: any payload is read or refused without harm to its neighbours, what was read is written and read again to
//! the same values, and any text is a schema or is refused.
//!
//! Input: what to do (1 byte), options (1 byte). With fixed schemas: a pair's number (1 byte), payload. With schemas
//! of the input's own: text of one or of both, writer's first, each ended by a zero, payload.

use std::sync::LazyLock;

use arrow_array::{Array, BinaryViewArray};
use millstream_columnar::Error;
use millstream_columnar::avro::{AvroReadOptions, AvroReader, AvroWriter, Rebase, Schema, sql_type};
use millstream_columnar::json::ParseMode;

use crate::cells::Cell;
use crate::input::Input;

/// Writer's and reader's schema.
const PAIRS: &[(&str, &str)] = &[
    (FLAT, FLAT),
    (NESTED, NESTED),
    (FLAT, EVOLVED),
    ("\"long\"", "\"double\""),
    (EMPTY_ITEMS, EMPTY_ITEMS),
    (NARROW, WIDE),
    (UNIONS, UNIONS),
    (LIST, LIST),
    (NESTED, FLAT),
];

const EMPTY_ITEMS: &str = r#"{"type":"array","items":{"type":"array","items":"null"}}"#;

const FLAT: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"long"},{"name":"b","type":"string"},
    {"name":"c","type":["null","double"]},{"name":"d","type":"boolean"},{"name":"e","type":"bytes"},
    {"name":"f","type":"float"},{"name":"g","type":"int"}]}"#;

const EVOLVED: &str = r#"{"type":"record","name":"R","fields":[{"name":"c","type":["null","double"]},
    {"name":"new","type":"string","default":"a default that is longer than a view"},{"name":"g","type":"double"},
    {"name":"e","type":"string"},{"name":"a","type":"float"}]}"#;

const NESTED: &str = r#"{"type":"record","name":"N","fields":[
    {"name":"list","type":{"type":"array","items":["null","long"]}},
    {"name":"map","type":{"type":"map","values":{"type":"record","name":"In","fields":[{"name":"x","type":"string"}]}}},
    {"name":"kind","type":{"type":"enum","name":"E","symbols":["A","B","C"]}},
    {"name":"id","type":{"type":"fixed","name":"F","size":4}},
    {"name":"amount","type":{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}},
    {"name":"day","type":{"type":"int","logicalType":"date"}},
    {"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},
    {"name":"in","type":"In"}]}"#;

const NARROW: &str = r#"{"type":"record","name":"W","fields":[{"name":"items","type":{"type":"array",
    "items":{"type":"record","name":"I","fields":[]}}}]}"#;

const WIDE: &str = r#"{"type":"record","name":"W","fields":[{"name":"items","type":{"type":"array",
    "items":{"type":"record","name":"I","fields":[{"name":"p","type":"long","default":1},
    {"name":"q","type":"string","default":"another default that is longer than a view"}]}}}]}"#;

const UNIONS: &str = r#"{"type":"record","name":"U","fields":[
    {"name":"a","type":["int","string","null",{"type":"enum","name":"E","symbols":["X","Y"]}]},
    {"name":"b","type":["int","long"]},{"name":"c","type":["float","double","null"]},
    {"name":"d","type":[{"type":"record","name":"M","fields":[{"name":"x","type":["null","bytes"]}]},"long"]},
    {"name":"e","type":{"type":"fixed","name":"D","size":9,"logicalType":"decimal","precision":20,"scale":3}},
    {"name":"f","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"g","type":{"type":"long","logicalType":"local-timestamp-micros"}}]}"#;

/// A record that holds itself.
const LIST: &str = r#"{"type":"record","name":"L","namespace":"n","fields":[{"name":"v","type":"int"},
    {"name":"next","type":["null","L"],"default":null},{"name":"kids","type":{"type":"array","items":"n.L"}}]}"#;

/// The pairs, parsed.
static PARSED: LazyLock<Vec<(Schema, Schema)>> = LazyLock::new(|| {
    let parsed = |text| Schema::parse(text).expect("the schema is good");
    PAIRS.iter().map(|(writer, reader)| (parsed(writer), parsed(reader))).collect()
});

/// See the module.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let choice = input.below(4);
    let options = options(input.byte());
    match choice {
        0 | 1 => {
            let (writer, reader) = &PARSED[input.below(PAIRS.len())];
            payload(writer, reader, &options, input.rest());
        }
        2 => {
            let Some(schema) = schema(input.until(0), &options) else { return };
            payload(&schema, &schema, &options, input.rest());
        }
        _ => {
            let (writer, reader) = (input.until(0), input.until(0));
            let (Some(writer), Some(reader)) = (schema(writer, &options), schema(reader, &options)) else {
                return;
            };
            payload(&writer, &reader, &options, input.rest());
        }
    }
}

fn options(bits: u8) -> AvroReadOptions {
    let pick = usize::from(bits >> 2 & 3);
    AvroReadOptions {
        mode: ParseMode::Permissive,
        rebase: [Rebase::Corrected, Rebase::Exception, Rebase::Legacy][usize::from(bits & 3) % 3],
        recursive_field_max_depth: [None, Some(1), Some(3), Some(15)][pick],
        stable_union_ids: bits & 0x10 != 0,
        ..AvroReadOptions::default()
    }
}

/// What the text describes, if it is a schema: then what we write of it is the same one.
fn schema(text: &[u8], options: &AvroReadOptions) -> Option<Schema> {
    let schema = Schema::parse(std::str::from_utf8(text).ok()?).ok()?;
    let json = schema.to_json();
    let again = Schema::parse(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    assert_eq!(again.to_json(), json);
    let types = [&schema, &again].map(|schema| sql_type(schema, options).ok());
    assert_eq!(types[0], types[1]);
    Some(schema)
}

fn payload(writer: &Schema, reader: &Schema, options: &AvroReadOptions, bytes: &[u8]) {
    let Ok(lenient) = AvroReader::new(reader, options.clone()) else { return };
    let Ok(plan) = lenient.plan(writer) else { return };
    let payloads = BinaryViewArray::from_iter([Some(bytes), Some(&[]), None, Some(bytes), Some(&[])]);
    let read = lenient.read(&plan, &payloads).expect("PERMISSIVE takes anything");
    read.to_data().validate_full().expect("unchecked arrays are as valid as checked ones");
    assert_eq!(read.data_type(), lenient.data_type());
    assert_eq!(Cell::of(&*read, 0), Cell::of(&*read, 3));
    assert_eq!(Cell::of(&*read, 1), Cell::of(&*read, 4));
    assert!(read.is_null(2) || reader.to_json() == "\"null\"");
    let options = AvroReadOptions { mode: ParseMode::FailFast, ..options.clone() };
    let strict = AvroReader::new(reader, options.clone()).expect("it was compiled before");
    let plan = strict.plan(writer).expect("it was compiled before");
    let values = match strict.read(&plan, &payloads.slice(0, 1)) {
        Ok(values) => values,
        Err(error) => return assert!(matches!(error, Error::MalformedAvro { row: 0, .. }), "{error}"),
    };
    values.to_data().validate_full().expect("unchecked arrays are as valid as checked ones");
    assert_eq!(Cell::of(&*values, 0), Cell::of(&*read, 0));
    let Ok(to_avro) = AvroWriter::new(values.data_type(), false, Some(reader)) else { return };
    let Ok(written) = to_avro.write(&*values, &[]) else { return };
    // Dates are written as they are: only reading moves them between the calendars.
    let back = AvroReader::new(reader, AvroReadOptions { rebase: Rebase::Corrected, ..options });
    let back = back.expect("it was compiled before");
    let plan = back.plan(reader).expect("a schema reads itself");
    let back = back.read(&plan, &written).expect("what was written reads back");
    assert_eq!(Cell::of(&*values, 0), Cell::of(&*back, 0));
}
