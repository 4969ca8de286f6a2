//! The cells that univocity 2.9.1, set up by Spark 4.2.0's options, makes of records; and ours.
//!
//! `recorded/csv/tokens.json` holds, for each set of options, the records and their cells: null for no record,
//! an object for an exception. Left out are univocity's own crashes (an index out of bounds where trailing but
//! not leading blanks are trimmed and the first cell is blank, and under SKIP_VALUE with a
//! long delimiter), NUL
//! as the quote, and blanks at the end of a record with a long delimiter, which it trims or not by what the
//! record before held.
//!
//! `values.json` holds what Spark reads from single values, `written.json` what its `to_csv` writes; left
//! out there is text of blanks where leading blanks are kept, which Spark writes as a torn quote.

use serde_json::Value as Json;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringViewArray, StructArray};
use arrow_schema::{DataType, Field, Fields};

use super::options::CsvOptions;
use super::syntax::Syntax;
use super::tokenizer::{Cell, Cells, Fault};
use super::{CsvReader, CsvWriter};
use crate::datetime::TimeZone;
use crate::text::cast_to_string;
use crate::types;

#[test]
fn cells_are_those_of_univocity() {
    let path = std::env::var("CSV_TOKENS")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/recorded/csv/tokens.json").to_owned());
    let recorded: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut checked, mut differ) = (0, Vec::new());
    for set in recorded.as_array().unwrap() {
        let mut options = CsvOptions::default();
        for (name, value) in set["options"].as_object().unwrap() {
            assert!(options.set(name, value.as_str().unwrap()).unwrap(), "{name}");
        }
        let syntax = Syntax::new(&options).unwrap();
        let mut cells = Cells::default();
        for (input, expected) in set["inputs"].as_array().unwrap().iter().zip(set["rows"].as_array().unwrap())
        {
            let input = input.as_str().unwrap();
            let found = texts(input, &mut cells, &syntax, &options);
            checked += 1;
            // A skipped value is null whatever the text of null is.
            let null = Json::String(options.null_value.clone());
            let same = match (&found, expected) {
                (Err(()), Json::Object(_)) => true,
                (Ok(Json::Array(found)), Json::Array(expected)) => {
                    found.iter().eq(expected.iter().map(|cell| if cell.is_null() { &null } else { cell }))
                }
                (Ok(found), Json::Null) => found.is_null(),
                _ => false,
            };
            if !same {
                differ.push(format!("{} {input:?}: {expected} but {found:?}", set["options"]));
            }
        }
    }
    assert!(checked > 5_000, "{checked}");
    assert!(
        differ.is_empty(),
        "{} of {checked} differ:\n{}",
        differ.len(),
        differ[..differ.len().min(60)].join("\n")
    );
}

fn texts(input: &str, cells: &mut Cells, syntax: &Syntax, options: &CsvOptions) -> Result<Json, ()> {
    match cells.read(input, syntax) {
        Ok(()) => {}
        Err(Fault::NoRecord) => return Ok(Json::Null),
        Err(_) => return Err(()),
    }
    let text = |cell: &Cell| match *cell {
        Cell::Null => options.null_value.clone(),
        Cell::Empty => options.empty_value.clone().unwrap_or_default(),
        Cell::Slice { start, end } => input[start..end].to_owned(),
        Cell::Own { start, end } => String::from_utf8(cells.own[start..end].to_vec()).unwrap(),
    };
    Ok(cells.cells.iter().map(text).collect())
}

fn recorded(file: &str) -> Json {
    let path = format!("{}/recorded/csv/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn texts_of(values: &Json) -> StringViewArray {
    values.as_array().unwrap().iter().map(Json::as_str).collect()
}

#[test]
fn values_are_those_that_spark_reads() {
    let mut differ = Vec::new();
    for set in recorded("values.json").as_array().unwrap() {
        let name = set["type"].as_str().unwrap();
        let data_type = match name {
            "TINYINT" => DataType::Int8,
            "SMALLINT" => DataType::Int16,
            "BIGINT" => DataType::Int64,
            "FLOAT" => DataType::Float32,
            "DOUBLE" => DataType::Float64,
            "BOOLEAN" => DataType::Boolean,
            "DECIMAL(7,2)" => DataType::Decimal128(7, 2),
            "DATE" => DataType::Date32,
            "TIMESTAMP" => types::timestamp(),
            _ => types::timestamp_ntz(),
        };
        let target = DataType::Struct(Fields::from(vec![
            Field::new("a", data_type, true),
            Field::new("_corrupt_record", DataType::Utf8View, true),
        ]));
        let reader = CsvReader::new(&target, CsvOptions::default()).unwrap();
        let found = reader.read(&texts_of(&set["inputs"])).unwrap();
        let values = cast_to_string(found.as_struct().column(0), &TimeZone::UTC).unwrap();
        let corrupt = found.as_struct().column(1).as_string_view();
        for (row, expected) in set["rows"].as_array().unwrap().iter().enumerate() {
            let input = set["inputs"][row].as_str().unwrap();
            // Not read, as `number` says; and times of today, for which a date would be needed.
            if input.contains('\u{661}')
                || input == "0x1p3"
                || (name == "TIMESTAMP" && input.ends_with("03:04:05"))
                || input == "T03:04"
            {
                continue;
            }
            let found = (!values.is_null(row)).then(|| values.value(row));
            let corrupt = (!corrupt.is_null(row)).then(|| corrupt.value(row));
            if !same(found, &expected[0], name) || corrupt != expected[1].as_str() {
                differ.push(format!("{name} {input:?}: {expected} but {found:?} {corrupt:?}"));
            }
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// The recording went through Python, which shows numbers in its own way.
fn same(found: Option<&str>, expected: &Json, name: &str) -> bool {
    let Some(found) = found else { return expected.is_null() };
    match expected {
        Json::Null => false,
        Json::Bool(expected) => found == expected.to_string(),
        Json::Number(expected) => found == expected.to_string(),
        Json::String(expected) if name == "FLOAT" || name == "DOUBLE" => {
            let (found, expected): (f64, f64) = (found.parse().unwrap(), expected.parse().unwrap());
            let (a, b) = if name == "FLOAT" {
                (f64::from(found as f32), f64::from(expected as f32))
            } else {
                (found, expected)
            };
            a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
        }
        Json::String(expected) => found == expected,
        _ => false,
    }
}

#[test]
fn records_are_those_that_spark_writes() {
    let recorded = recorded("written.json");
    let column = |index: usize| -> ArrayRef {
        let cells = recorded["inputs"].as_array().unwrap().iter().map(|row| row[index].as_str());
        Arc::new(cells.collect::<StringViewArray>())
    };
    let fields = Fields::from(vec![
        Field::new("a", DataType::Utf8View, true),
        Field::new("b", DataType::Utf8View, true),
    ]);
    let rows = StructArray::new(fields, vec![column(0), column(1)], None);
    let (mut differ, mut checked) = (Vec::new(), 0);
    for set in recorded["sets"].as_array().unwrap() {
        let mut options = CsvOptions::default();
        for (name, value) in set["options"].as_object().unwrap() {
            options.set(name, value.as_str().unwrap()).unwrap();
        }
        let written = CsvWriter::new(rows.data_type(), &options).unwrap().write(&rows).unwrap();
        let written = written.as_string_view();
        for (row, expected) in set["out"].as_array().unwrap().iter().enumerate() {
            let input = &recorded["inputs"][row];
            let blank =
                |cell: &Json| cell.as_str().is_some_and(|text| !text.is_empty() && text.trim().is_empty());
            if options.ignore_leading_white_space == Some(false) && (blank(&input[0]) || blank(&input[1])) {
                continue;
            }
            checked += 1;
            let found = (!written.is_null(row)).then(|| written.value(row));
            if found != expected.as_str() {
                differ.push(format!("{} {input}: {expected} but {found:?}", set["options"]));
            }
        }
    }
    assert!(checked > 1_000, "{checked}");
    assert!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ[..differ.len().min(60)].join("\n"));
}
