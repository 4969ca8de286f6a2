//! What a real Spark 4.2 wrote for the same values and options.

use arrow_array::builder::{Int32Builder, MapBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::*;
use arrow_schema::{Field, Schema, TimeUnit};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::json::{JsonReadOptions, JsonReader};
use crate::types::{self, list, timestamp};

fn row(fields: Vec<(&str, ArrayRef)>) -> StructArray {
    let (fields, columns): (Vec<_>, Vec<_>) = fields
        .into_iter()
        .map(|(name, column)| (Field::new(name, column.data_type().clone(), true), column))
        .unzip();
    StructArray::new(fields.into(), columns, None)
}

fn written(array: &dyn Array, options: &[(&str, &str)]) -> Vec<Option<String>> {
    let mut parsed = JsonWriteOptions::default();
    for (name, value) in options {
        assert!(parsed.set(name, value).unwrap());
    }
    let documents = JsonWriter::new(array.data_type(), parsed).unwrap().write(array).unwrap();
    documents.to_data().validate_full().unwrap();
    documents.as_string_view().iter().map(|document| document.map(str::to_string)).collect()
}

fn first(array: &dyn Array, options: &[(&str, &str)]) -> String {
    written(array, options).remove(0).unwrap()
}

fn moment(micros: i64) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(vec![micros]).with_timezone("UTC"))
}

#[test]
fn every_scalar_is_written_as_spark_writes_it() {
    let decimal = |unscaled: i128, precision, scale| -> ArrayRef {
        Arc::new(Decimal128Array::from(vec![unscaled]).with_precision_and_scale(precision, scale).unwrap())
    };
    let fields: Vec<(&str, ArrayRef)> = vec![
        ("dec", decimal(110, 10, 2)),
        ("big", decimal(12_345_678_901_234_567_890, 20, 0)),
        ("f", Arc::new(Float32Array::from(vec![0.1]))),
        ("d2", Arc::new(Float64Array::from(vec![1e7]))),
        ("d3", Arc::new(Float64Array::from(vec![1e-5]))),
        ("nan", Arc::new(Float64Array::from(vec![f64::NAN]))),
        ("inf", Arc::new(Float32Array::from(vec![f32::NEG_INFINITY]))),
        ("b", Arc::new(BinaryViewArray::from(vec![b"hi".as_slice()]))),
        ("bo", Arc::new(BooleanArray::from(vec![true]))),
        ("l", Arc::new(Int64Array::from(vec![i64::MAX]))),
        ("ti", Arc::new(Int8Array::from(vec![-1]))),
        ("d", Arc::new(Date32Array::from(vec![20_090]))),
        ("iv", Arc::new(DurationMicrosecondArray::from(vec![93_784_000_000]))),
        ("ym", Arc::new(IntervalYearMonthArray::from(vec![14]))),
        ("s", Arc::new(StringViewArray::from(vec!["q\"\\\n\t/\u{e9}\u{2028}\u{1}"]))),
        ("a b", Arc::new(NullArray::new(1))),
    ];
    let expected = concat!(
        r#"{"dec":1.10,"big":12345678901234567890,"f":0.1,"d2":1.0E7,"d3":1.0E-5,"#,
        r#""nan":"NaN","inf":"-Infinity","#,
        r#""b":"aGk=","bo":true,"l":9223372036854775807,"ti":-1,"d":"2025-01-02","#,
        r#""iv":"INTERVAL '1 02:03:04' DAY TO SECOND","ym":"INTERVAL '1-2' YEAR TO MONTH","#,
        "\"s\":\"q\\\"\\\\\\n\\t/\u{e9}\u{2028}\\u0001\"}"
    );
    assert_eq!(first(&row(fields), &[]), expected);
}

#[test]
fn timestamps_follow_the_formats_and_the_zone() {
    let base = 1_735_787_045_000_000;
    let ntz: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![base + 500_000]));
    assert_eq!(ntz.data_type(), &DataType::Timestamp(TimeUnit::Microsecond, None));
    let values = row(vec![("t", moment(base + 123_456)), ("t2", moment(base)), ("n", ntz)]);
    assert_eq!(
        first(&values, &[]),
        r#"{"t":"2025-01-02T03:04:05.123Z","t2":"2025-01-02T03:04:05.000Z","n":"2025-01-02T03:04:05.500"}"#
    );
    let summer = row(vec![("t", moment(1_751_425_445_000_000))]);
    assert_eq!(first(&summer, &[("timeZone", "Europe/Paris")]), r#"{"t":"2025-07-02T05:04:05.000+02:00"}"#);
    assert_eq!(first(&summer, &[("timestampFormat", "yyyy/MM/dd HH:mm")]), r#"{"t":"2025/07/02 03:04"}"#);
    // The default forms are what their patterns give.
    for zone in ["UTC", "Europe/Paris", "America/New_York", "+05:30"] {
        for micros in [0, -1, base, base + 999_999, -62_135_596_800_000_000, 253_402_300_800_000_000] {
            let values = row(vec![("t", moment(micros))]);
            let by_pattern = first(
                &values,
                &[("timeZone", zone), ("timestampFormat", "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXXXX]")],
            );
            assert_eq!(first(&values, &[("timeZone", zone)]), by_pattern);
        }
    }
}

#[test]
fn nulls_are_left_out_of_structs_only() {
    let ints: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
    let values = row(vec![("i", ints), ("s", Arc::new(StringViewArray::from(vec![Some("a"), None])))]);
    let texts =
        |options: &[(&str, &str)]| written(&values, options).into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(texts(&[]), [r#"{"i":1,"s":"a"}"#, "{}"]);
    assert_eq!(texts(&[("ignoreNullFields", "false")]), [r#"{"i":1,"s":"a"}"#, r#"{"i":null,"s":null}"#]);
    let element = Int32Array::from(vec![Some(1), None]);
    let array = arrow_cast::cast(
        &ListArray::from_iter_primitive::<arrow_array::types::Int32Type, _, _>([
            Some(element.iter().collect::<Vec<_>>()),
            None,
        ]),
        &list(DataType::Int32, true),
    );
    assert_eq!(written(&array.unwrap(), &[]), [Some("[1,null]".to_string()), None]);
}

#[test]
fn maps_write_their_keys_as_text_and_keep_null_values() {
    let mut map = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
    map.keys().append_value(1);
    map.values().append_value("x");
    map.keys().append_value(2);
    map.values().append_null();
    map.append(true).unwrap();
    let target = types::map(DataType::Int32, DataType::Utf8View, true);
    let map = arrow_cast::cast(&map.finish(), &target).unwrap();
    assert_eq!(first(&map, &[]), r#"{"1":"x","2":null}"#);
    assert_eq!(first(&map, &[("pretty", "true")]), "{\n  \"1\" : \"x\",\n  \"2\" : null\n}");
}

#[test]
fn pretty_documents_look_like_jacksons() {
    let inner = row(vec![("e", Arc::new(Int32Array::from(vec![1])))]);
    let empty = StructArray::new_null(vec![Arc::new(Field::new("x", DataType::Int32, true))].into(), 1);
    let values =
        row(vec![("i", Arc::new(Int32Array::from(vec![1]))), ("s", Arc::new(inner)), ("z", Arc::new(empty))]);
    let expected = "{\n  \"i\" : 1,\n  \"s\" : {\n    \"e\" : 1\n  }\n}";
    assert_eq!(first(&values, &[("pretty", "true")]), expected);
    let nothing = row(vec![("i", Arc::new(Int32Array::from(vec![None])))]);
    assert_eq!(first(&nothing, &[("pretty", "true")]), "{ }");
}

#[test]
fn lines_hold_one_row_each() {
    let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(vec![1, 2])), moment2()];
    let fields = vec![Field::new("id", DataType::Int64, true), Field::new("at", timestamp(), true)];
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields.clone())), columns).unwrap();
    let writer = JsonWriter::new(&DataType::Struct(fields.into()), JsonWriteOptions::default()).unwrap();
    let mut out = b"before\n".to_vec();
    writer.write_lines(&batch, &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "before\n{\"id\":1,\"at\":\"1970-01-01T00:00:00.000Z\"}\n{\"id\":2}\n"
    );
    let other = RecordBatch::new_empty(Arc::new(Schema::empty()));
    assert!(matches!(writer.write_lines(&other, &mut Vec::new()), Err(Error::Misuse(_))));
    assert!(JsonWriter::new(&DataType::Int32, JsonWriteOptions::default()).is_err());
}

fn moment2() -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(vec![Some(0), None]).with_timezone("UTC"))
}

/// Nulls, values of all lengths and escapes at any place of blocks of rows, in structs, lists and maps of lists.
#[test]
fn what_is_written_reads_back_whatever_stands_around_it() {
    let struct_of = |fields: Vec<Field>| DataType::Struct(fields.into());
    let field = |name: &str, data_type: DataType| Field::new(name, data_type, true);
    let long_name = "a name that is longer than a block has room for";
    let values = || {
        vec![
            field("text", DataType::Utf8View),
            field("int", DataType::Int32),
            field("void", DataType::Utf8View),
            field(long_name, DataType::Int64),
            field("double", DataType::Float64),
            field("at", timestamp()),
        ]
    };
    let mut fields = values();
    fields.insert(0, field("values", struct_of(values())));
    fields.push(field("items", list(struct_of(values()), true)));
    fields.push(field("numbers", list(DataType::Int64, true)));
    let target = struct_of(fields);
    for seed in 0..20 {
        let mut rng = StdRng::seed_from_u64(seed);
        let documents: Vec<String> = (0..70).map(|_| document(&target, &mut rng)).collect();
        let reader = JsonReader::new(&target, JsonReadOptions::default()).unwrap();
        let rows = reader.read(&StringViewArray::from_iter_values(&documents)).unwrap();
        for options in [vec![], vec![("ignoreNullFields", "false")], vec![("pretty", "true")]] {
            let texts = written(&rows, &options);
            assert_eq!(&reader.read(&StringViewArray::from(texts)).unwrap(), &rows, "{seed} {options:?}");
        }
    }
}

/// A document of the type, with fields left out.
fn document(data_type: &DataType, rng: &mut StdRng) -> String {
    match data_type {
        _ if rng.random_ratio(1, 12) => "null".into(),
        DataType::Struct(fields) => {
            let fields = fields.iter().filter(|field| field.name() != "void");
            let members =
                fields.map(|field| format!("{:?}:{}", field.name(), document(field.data_type(), rng)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        DataType::List(element) => {
            let length = if rng.random_ratio(1, 50) { 700 } else { rng.random_range(0..5) };
            let elements = (0..length).map(|_| document(element.data_type(), rng));
            format!("[{}]", elements.collect::<Vec<_>>().join(","))
        }
        DataType::Utf8View => {
            let length = rng.random_range(0..45);
            let text: String =
                (0..length).map(|_| ["a", "\\n", "\u{e9}", "\\\"", "z"][rng.random_range(0..5)]).collect();
            format!("\"{text}\"")
        }
        DataType::Float64 => {
            format!("{:?}", rng.random_range(-1000..1000) as f64 / [1.0, 4.0, 7e9][rng.random_range(0..3)])
        }
        DataType::Timestamp(..) => format!("\"2026-01-{:02}T00:00:00Z\"", rng.random_range(1..29)),
        _ => (rng.random::<i32>() >> rng.random_range(0..32)).to_string(),
    }
}
