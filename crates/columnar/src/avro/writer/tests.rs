use arrow_array::builder::StringViewBuilder;
use arrow_array::{ArrayRef, Int32Array, Int64Array, StringViewArray};
use arrow_schema::{Field, Fields};

use super::*;
use crate::avro::{AvroReadOptions, AvroReader};
use crate::json::{JsonReadOptions, JsonReader};
use crate::types;

/// A column of the type, from JSON documents.
fn column(data_type: &DataType, documents: &[&str]) -> ArrayRef {
    let reader = JsonReader::new(data_type, JsonReadOptions::default()).unwrap();
    let mut texts = StringViewBuilder::new();
    documents.iter().for_each(|d| texts.append_value(d));
    reader.read(&texts.finish()).unwrap()
}

fn hex(payloads: &BinaryViewArray) -> Vec<String> {
    let text = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect();
    payloads.iter().map(|p| p.map_or("null".to_owned(), text)).collect()
}

fn write(values: &dyn Array, schema: Option<&str>) -> Result<Vec<String>> {
    let schema = schema.map(|text| Schema::parse(text).unwrap());
    let writer = AvroWriter::new(values.data_type(), true, schema.as_ref())?;
    Ok(hex(&writer.write(values, &[])?))
}

fn structs(fields: Vec<(&str, DataType)>) -> DataType {
    DataType::Struct(fields.into_iter().map(|(n, t)| Field::new(n, t, true)).collect::<Fields>())
}

#[test]
fn what_was_written_is_read_back_in_every_type() {
    let inner = structs(vec![("x", DataType::Utf8View), ("y", DataType::Float32)]);
    let all = structs(vec![
        ("b", DataType::Boolean),
        ("i", DataType::Int32),
        ("l", DataType::Int64),
        ("d", DataType::Float64),
        ("dec", DataType::Decimal128(20, 3)),
        ("s", DataType::Utf8View),
        ("bin", DataType::BinaryView),
        ("date", DataType::Date32),
        ("ts", types::timestamp()),
        ("ntz", types::timestamp_ntz()),
        ("list", types::list(inner.clone(), true)),
        ("map", types::map(DataType::Utf8View, DataType::Int64, true)),
        ("st", inner),
    ]);
    let full = r#"{"b":true,"i":-5,"l":123456789012,"d":-1.5e300,"dec":-12345678901234567.891,"s":"longer than twelve",
        "bin":"AP8=","date":"1582-10-01","ts":"2026-01-01T00:00:00.123456Z","ntz":"2026-01-01T00:00:00.5",
        "list":[{"x":"a","y":1.5},null,{}],"map":{"k":1,"n":null},"st":{"x":null,"y":-0.0}}"#;
    let values = column(&all, &[full, "{}", r#"{"list":[],"map":{}}"#]);
    let writer = AvroWriter::new(&all, true, None).unwrap();
    let payloads = writer.write(&*values, &[]).unwrap();
    let reader = AvroReader::new(writer.schema(), AvroReadOptions::default()).unwrap();
    let back = reader.read(&reader.plan(writer.schema()).unwrap(), &payloads).unwrap();
    assert_eq!(&back, &values);
}

#[test]
fn payloads_are_those_that_spark_writes() {
    let gps = structs(vec![("timestamp", types::timestamp()), ("speed", DataType::Int32)]);
    let values = column(&gps, &[r#"{"timestamp":"2026-01-01T00:00:00.123Z","speed":12}"#]);
    assert_eq!(write(&*values, None).unwrap(), ["0000f08191e288d2a3060018"]);
    let given = r#"{"type":"record","name":"Gps","fields":[
        {"name":"timestamp","type":{"type":"long","logicalType":"timestamp-millis"}},
        {"name":"Speed","type":["null","int"],"default":null},{"name":"more","type":["null","string"]}]}"#;
    assert_eq!(write(&*values, Some(given)).unwrap(), ["f6a1d5edee66021800"]);
    let long: ArrayRef = Arc::new(Int64Array::from(vec![Some(i64::MIN), None]));
    assert_eq!(write(&*long, Some(r#"["int","long","null"]"#)).unwrap(), ["02ffffffffffffffffff01", "null"]);
    let text: ArrayRef = Arc::new(StringViewArray::from(vec!["B"]));
    let symbols = r#"{"type":"enum","name":"E","symbols":["A","B"]}"#;
    assert_eq!(write(&*text, Some(symbols)).unwrap(), ["02"]);
    let members = structs(vec![("member0", DataType::Int32), ("member1", DataType::Utf8View)]);
    let values = column(&members, &[r#"{"member0":1}"#, r#"{"member1":"a"}"#]);
    assert_eq!(write(&*values, Some(r#"["null","int","string"]"#)).unwrap(), ["0202", "040261"]);
    let writer = AvroWriter::new(&DataType::Int32, false, None).unwrap();
    let framed = writer.write(&Int32Array::from(vec![1]), &[0, 0, 0, 0, 7]).unwrap();
    assert_eq!(hex(&framed), ["000000000702"]);
}

#[test]
fn decimals_take_the_bytes_that_their_numbers_need() {
    for (value, bytes) in [(0i128, "0200"), (127, "027f"), (128, "040080"), (-128, "0280"), (-129, "04ff7f")]
    {
        let mut out = Vec::new();
        let array = arrow_array::Decimal128Array::from(vec![value]).with_precision_and_scale(10, 2).unwrap();
        let schema = r#"{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}"#;
        out.extend(write(&array, Some(schema)).unwrap());
        assert_eq!(out, [bytes], "{value}");
    }
}

#[test]
fn what_has_no_place_in_the_schema_is_refused_by_name() {
    let one = structs(vec![("a", DataType::Int32)]);
    let refused = |fields: &str| {
        let schema = format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#);
        write(&*column(&one, &["{}"]), Some(&schema)).unwrap_err().to_string()
    };
    assert!(refused(r#"{"name":"b","type":"int"}"#).contains("Found field 'b' in Avro schema"));
    assert!(refused(r#"{"name":"b","type":["null","int"]}"#).contains("Cannot find field 'a'"));
    assert!(refused(r#"{"name":"a","type":"string"}"#).contains("field 'a' of type Int32"));
    assert!(refused(r#"{"name":"a","type":"int"}"#).contains("the field a is null"));
    let text: ArrayRef = Arc::new(StringViewArray::from(vec!["C"]));
    let symbols = r#"{"type":"enum","name":"E","symbols":["A","B"]}"#;
    assert!(write(&*text, Some(symbols)).unwrap_err().to_string().contains("\"C\""));
}
