//! CSV: any record gives a row without harm to its neighbours, under any syntax; what is written reads back.
//!
//! Input: schema (1 byte), options by number (1 byte), the record.

use arrow_array::cast::AsArray;
use arrow_array::{Array, BinaryViewArray};
use arrow_schema::DataType;
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
];

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
