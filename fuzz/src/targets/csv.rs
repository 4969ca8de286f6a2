//! CSV: any record gives a row without harm to its neighbours, under any syntax; any row is written; what is written
//! of texts with every value quoted reads back.
//!
//! Input: schema (1 byte), options by number (1 byte), the record.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryViewArray, StringViewArray, StructArray};
use arrow_schema::{DataType, Field};
use millstream_columnar::csv::{CsvOptions, CsvReader, CsvWriter, schema_of_csv};

use crate::cells::Cell;
use crate::input::Input;
use crate::schemas;

const NEIGHBOUR: &[u8] = b"7,a neighbour of the record,1.5,true,x,,2024-02-29";

/// Options by their names; the first are the defaults.
const OPTIONS: &[&[(&str, &str)]] = &[
    &[],
    &[("sep", "||"), ("quote", "'"), ("escape", "'")],
    &[("sep", "\t"), ("quote", ""), ("comment", "#")],
    &[("ignoreLeadingWhiteSpace", "true"), ("ignoreTrailingWhiteSpace", "true"), ("nullValue", "x")],
    &[("maxColumns", "3"), ("maxCharsPerColumn", "10")],
    &[("unescapedQuoteHandling", "BACK_TO_DELIMITER")],
    &[("unescapedQuoteHandling", "SKIP_VALUE"), ("emptyValue", "e")],
    &[("unescapedQuoteHandling", "STOP_AT_CLOSING_QUOTE"), ("mode", "FAILFAST")],
    &[("unescapedQuoteHandling", "RAISE_ERROR"), ("dateFormat", "dd/MM/yyyy")],
    &[("escape", "\""), ("charToEscapeQuoteEscaping", "\\")],
    &[("sep", "ab\u{e9}"), ("comment", "a"), ("escape", ""), ("columnNameOfCorruptRecord", "d")],
    &[("quoteAll", "true"), ("escapeQuotes", "false"), ("nullValue", "null"), ("emptyValue", "")],
    &[("nanValue", "x"), ("positiveInf", "y"), ("negativeInf", ""), ("preferDate", "false")],
    &[("timestampFormat", "MM/dd/yyyy HH:mm[:ss.SSSSSS][ XXX]"), ("timeZone", "Europe/Berlin")],
    &[
        ("timestampNTZFormat", "yyyyDDD'T'HH"),
        ("timestampFormat", "E, d MMM yyyy h:m a"),
        ("mode", "FAILFAST"),
    ],
    &[("quote", "\\"), ("sep", "\""), ("unescapedQuoteHandling", "BACK_TO_DELIMITER")],
];

/// What null is written as where texts are read back.
const NULL: &str = "null!";

/// See the module.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let DataType::Struct(fields) = schemas::schema(input.below(schemas::COUNT)) else { return };
    let target =
        DataType::Struct(fields.iter().filter(|field| !field.data_type().is_nested()).cloned().collect());
    let mut options = CsvOptions::default();
    for (name, value) in OPTIONS[input.below(OPTIONS.len())] {
        options.set(name, value).expect("the option is known");
    }
    let record = input.rest();
    if let Ok(text) = std::str::from_utf8(record) {
        let _ = schema_of_csv(text, &options);
        round_trip(text);
    }
    let Ok(reader) = CsvReader::new(&target, options.clone()) else { return };
    let records = BinaryViewArray::from_iter_values([NEIGHBOUR, record, NEIGHBOUR]);
    let Ok(read) = reader.read(&records) else { return };
    read.to_data().validate_full().expect("unchecked arrays are as valid as checked ones");
    let alone = reader.read(&records.slice(2, 1)).expect("its neighbours were read with it");
    assert_eq!(Cell::of(&*read, 0), Cell::of(&*alone, 0));
    assert_eq!(Cell::of(&*read, 2), Cell::of(&*alone, 0));
    let Ok(writer) = CsvWriter::new(&target, &options) else { return };
    let Ok(written) = writer.write(&*read) else { return };
    written.to_data().validate_full().expect("unchecked arrays are as valid as checked ones");
    assert_eq!(written.len(), 3);
    assert!(written.is_null(1) || std::str::from_utf8(written.as_string_view().value(1).as_bytes()).is_ok());
}

/// Texts with every value quoted, where null has a text of its own. Without what univocity changes on purpose: line
/// ends, the characters that stand for none and for the end.
fn round_trip(text: &str) {
    if text.contains(['\r', '\0', '\u{ffff}']) || text.contains(NULL) {
        return;
    }
    let mut options = CsvOptions::default();
    for (name, value) in [
        ("quoteAll", "true"),
        ("nullValue", NULL),
        ("ignoreLeadingWhiteSpace", "false"),
        ("ignoreTrailingWhiteSpace", "false"),
    ] {
        options.set(name, value).expect("the option is known");
    }
    let (first, second) = text.split_at(text.find(',').unwrap_or(text.len()));
    let columns: Vec<(Arc<Field>, ArrayRef)> = [("a", first), ("b", second)]
        .map(|(name, text)| {
            let column: ArrayRef = Arc::new(StringViewArray::from(vec![Some(text), None, Some(text)]));
            (Arc::new(Field::new(name, DataType::Utf8View, true)), column)
        })
        .into();
    let rows = StructArray::from(columns);
    let writer = CsvWriter::new(rows.data_type(), &options).expect("it is a struct of texts");
    let written = writer.write(&rows).expect("texts can be written");
    let reader = CsvReader::new(rows.data_type(), options).expect("it is a struct of texts");
    let back = reader.read(&*written).expect("PERMISSIVE takes anything");
    assert_eq!(Cell::of(&*back, 0), Cell::of(&rows, 0), "{:?}", written.as_string_view().value(0));
    assert_eq!(Cell::of(&*back, 1), Cell::of(&rows, 1));
}
