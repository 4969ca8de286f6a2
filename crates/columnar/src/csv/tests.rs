//! Rows, modes, limits and hostile records.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type};
use arrow_array::{Array, ArrayRef, BinaryViewArray, Int32Array, StringViewArray, StructArray};
use arrow_schema::{DataType, Field, Fields};

use super::*;
use crate::{CsvFault, Error, types};

fn target(fields: &[(&str, DataType)]) -> DataType {
    DataType::Struct(fields.iter().map(|(name, t)| Field::new(*name, t.clone(), true)).collect())
}

fn options(set: &[(&str, &str)]) -> CsvOptions {
    let mut options = CsvOptions::default();
    for (name, value) in set {
        assert!(options.set(name, value).unwrap(), "{name}");
    }
    options
}

fn two_strings() -> DataType {
    target(&[("a", DataType::Utf8View), ("b", DataType::Utf8View)])
}

fn pairs(found: &ArrayRef) -> Vec<Option<(String, String)>> {
    let rows = found.as_struct();
    let text = |column: usize, row: usize| {
        let column = rows.column(column).as_string_view();
        if column.is_null(row) { "-".to_owned() } else { column.value(row).to_owned() }
    };
    (0..rows.len()).map(|row| rows.is_valid(row).then(|| (text(0, row), text(1, row)))).collect()
}

#[test]
fn views_point_into_the_records_and_bad_rows_leave_their_neighbours_alone() {
    let fields = [
        ("a", DataType::Int32),
        ("b", DataType::Utf8View),
        ("c", DataType::Float64),
        ("bad", DataType::Utf8View),
    ];
    let reader = CsvReader::new(&target(&fields), options(&[("columnNameOfCorruptRecord", "bad")])).unwrap();
    let records = StringViewArray::from_iter([
        Some("1,a value that is not inline,2.5"),
        None,
        Some("x,b,1\n"),
        Some("3"),
        Some(""),
        Some("4,\"d\"\"\",5,6"),
        Some("5,e,-1e3"),
    ]);
    let found = reader.read(&records).unwrap();
    let rows = found.as_struct();
    let ints: Vec<_> = rows.column(0).as_primitive::<Int32Type>().iter().collect();
    assert_eq!(ints, [Some(1), None, None, Some(3), None, Some(4), Some(5)]);
    let doubles: Vec<_> = rows.column(2).as_primitive::<Float64Type>().iter().collect();
    assert_eq!(doubles, [Some(2.5), None, Some(1.0), None, None, Some(5.0), Some(-1000.0)]);
    let strings = rows.column(1).as_string_view();
    assert_eq!(strings.value(0), "a value that is not inline");
    let inside = records.data_buffers()[0].as_ptr_range();
    assert!(inside.contains(&strings.value(0).as_ptr()), "the value was copied");
    let corrupt: Vec<_> = rows.column(3).as_string_view().iter().collect();
    assert_eq!(corrupt, [None, None, Some("x,b,1"), Some("3"), None, Some("4,\"d\"\"\",5,6"), None]);
    assert_eq!((0..7).filter(|row| rows.is_null(*row)).collect::<Vec<_>>(), [1]);
}

#[test]
fn fail_fast_names_the_condition_and_the_record() {
    let fields = [("a", DataType::Int32), ("d", DataType::Date32), ("s", DataType::Utf8View)];
    let reader = CsvReader::new(&target(&fields), options(&[("mode", "failfast")])).unwrap();
    for (record, expected, fault) in [
        ("1,2025-01-02", "1,2025-01-02", CsvFault::WrongCount),
        ("", "", CsvFault::WrongCount),
        ("x,2025-01-02,y", "[null,20090,y]", CsvFault::Mismatch),
    ] {
        let records = StringViewArray::from(vec!["1,2025-01-02,ok", record]);
        let Err(Error::MalformedCsv { record: found, fault: why, field }) = reader.read(&records) else {
            panic!("{record}: no error");
        };
        assert_eq!((found.as_str(), why), (expected, fault), "{record}");
        assert_eq!(field, if fault == CsvFault::Mismatch { "a" } else { "" });
    }
}

#[test]
fn limits_are_errors_in_both_modes() {
    for (name, value, record, fault) in [
        ("maxColumns", "2", "a,b,c", CsvFault::TooManyColumns),
        ("maxCharsPerColumn", "3", "a,bcde", CsvFault::TooManyChars),
        ("maxCharsPerColumn", "3", "a,\"\u{1f600}\u{1f600}\"", CsvFault::TooManyChars),
        ("unescapedQuoteHandling", "raise_error", "a,\"b\"c", CsvFault::UnescapedQuote),
    ] {
        let reader = CsvReader::new(&two_strings(), options(&[(name, value)])).unwrap();
        let found = reader.read(&StringViewArray::from(vec!["a,b", record]));
        assert!(
            matches!(&found, Err(Error::MalformedCsv { fault: f, .. }) if *f == fault),
            "{name}: {found:?}"
        );
        assert!(reader.read(&StringViewArray::from(vec!["a,b"])).is_ok());
    }
}

#[test]
fn the_noncharacter_that_ends_records_ends_only_its_own() {
    let reader = CsvReader::new(&two_strings(), CsvOptions::default()).unwrap();
    let records = StringViewArray::from(vec![
        "a\u{ffff}b,c",
        "\u{ffff}",
        "d,\"e\u{ffff}\"",
        "f,g",
        "\u{ffef}\u{e000},h",
    ]);
    let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
    let expected = [
        pair("a", "-"),
        pair("-", "-"),
        pair("d", "e\u{ffff}"),
        pair("f", "g"),
        pair("\u{ffef}\u{e000}", "h"),
    ];
    assert_eq!(pairs(&reader.read(&records).unwrap()), expected);
}

#[test]
fn bytes_that_are_no_text_are_decoded_as_java_does() {
    let reader = CsvReader::new(&two_strings(), options(&[("sep", "\u{a7}")])).unwrap();
    let records = BinaryViewArray::from(vec![b"a\xff\xc2\xa7b".as_slice()]);
    assert_eq!(pairs(&reader.read(&records).unwrap()), [Some(("a\u{fffd}".to_owned(), "b".to_owned()))]);
}

#[test]
fn what_cannot_be_read_or_written_is_refused_when_it_is_compiled() {
    let list = target(&[("a", types::list(DataType::Int32, true))]);
    assert!(matches!(CsvReader::new(&list, CsvOptions::default()), Err(Error::UnsupportedType { .. })));
    assert!(matches!(
        CsvReader::new(&DataType::Int32, CsvOptions::default()),
        Err(Error::UnsupportedType { .. })
    ));
    assert!(CsvWriter::new(&list, &CsvOptions::default()).is_ok());
    assert!(CsvWriter::new(&DataType::Int32, &CsvOptions::default()).is_err());
    for (name, value) in [
        ("quote", "ab"),
        ("sep", ""),
        ("sep", "a\\"),
        ("sep", "\\n"),
        ("maxColumns", "x"),
        ("locale", "de-DE"),
    ] {
        assert!(
            matches!(CsvOptions::default().set(name, value), Err(Error::BadOption { .. })),
            "{name} {value}"
        );
    }
    assert!(!CsvOptions::default().set("seperator", ",").unwrap());
}

#[test]
fn schemas_are_those_that_spark_tells() {
    let describe = |record: &str, set: &[(&str, &str)]| {
        let DataType::Struct(fields) = schema_of_csv(record, &options(set)).unwrap() else { panic!() };
        fields.iter().map(|field| field.data_type().to_string()).collect::<Vec<_>>().join(" ")
    };
    let stamp = types::timestamp().to_string();
    for (record, set, expected) in [
        ("1,abc,2.5,true,2025-01-02,", &[][..], "Int32 Utf8View Float64 Boolean Date32 Utf8View".to_owned()),
        ("2147483648,9223372036854775808,1e400", &[], "Int64 Decimal128(19, 0) Float64".into()),
        (
            "NaN,-Inf,Infinity,1d,1E5,00012,1L",
            &[],
            "Float64 Float64 Float64 Float64 Float64 Int32 Utf8View".into(),
        ),
        (
            "123456789012345678901234567890123456789,-99999999999999999999",
            &[],
            "Float64 Decimal128(20, 0)".into(),
        ),
        ("2025-01-02 03:04:05,2025-01,2025-1-2", &[], format!("{stamp} {stamp} {stamp}")),
        ("2025-01-02", &[("preferDate", "false")], stamp.clone()),
        (" 1 ,true ", &[], "Float64 Utf8View".into()),
        ("NULL,\"\"", &[("nullValue", "NULL")], "Utf8View Utf8View".into()),
    ] {
        assert_eq!(describe(record, set), expected, "{record}");
    }
    assert!(matches!(schema_of_csv("", &CsvOptions::default()), Err(Error::MalformedCsv { .. })));
}

#[test]
fn nested_values_are_written_as_spark_writes_them() {
    let values: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(2)]));
    let list = arrow_array::ListArray::new(
        Arc::new(Field::new("element", DataType::Int32, true)),
        arrow_buffer::OffsetBuffer::from_lengths([3]),
        values,
        None,
    );
    let bytes: ArrayRef = Arc::new(BinaryViewArray::from(vec![b"\x00\xff".as_slice()]));
    let fields = Fields::from(vec![
        Field::new("l", list.data_type().clone(), true),
        Field::new("b", DataType::BinaryView, true),
    ]);
    let rows = StructArray::new(fields, vec![Arc::new(list), bytes], None);
    let write = |set: &[(&str, &str)]| {
        let written = CsvWriter::new(rows.data_type(), &options(set)).unwrap().write(&rows).unwrap();
        written.as_string_view().value(0).to_owned()
    };
    assert_eq!(write(&[]), "\"[1,, 2]\",[00 FF]");
    assert_eq!(write(&[("sep", ";"), ("nullValue", "N")]), "[1, N, 2];[00 FF]");
}

/// A record of `unit` over and over costs time in proportion to its length, no stack, and gives a row.
#[test]
fn hostile_records_take_linear_time_and_no_stack() {
    let units = ["\"a\" ", "\"a\"\\", "\"a\"b", "\"\"", "\\\"", "\"a,", "a,\"", ",", "\" \"", "|", "\"||"];
    let handlings = ["stop_at_delimiter", "stop_at_closing_quote", "back_to_delimiter", "skip_value"];
    for handling in handlings {
        for sep in [",", "||"] {
            let set = [("unescapedQuoteHandling", handling), ("sep", sep), ("maxColumns", "2000000000")];
            let reader = CsvReader::new(&two_strings(), options(&set)).unwrap();
            for unit in units {
                let record = unit.repeat((1 << 20) / unit.len());
                let found = reader.read(&StringViewArray::from(vec![record.as_str(), "x"])).unwrap();
                assert_eq!(found.len(), 2, "{handling} {sep} {unit}");
                assert_eq!(pairs(&found)[1].as_ref().unwrap().0, "x");
            }
        }
    }
    // Twenty thousand values is what a record may have when nothing else is said.
    let reader = CsvReader::new(&two_strings(), CsvOptions::default()).unwrap();
    let many = ",".repeat(1 << 20);
    assert!(matches!(
        reader.read(&StringViewArray::from(vec![many.as_str()])),
        Err(Error::MalformedCsv { fault: CsvFault::TooManyColumns, .. })
    ));
}
