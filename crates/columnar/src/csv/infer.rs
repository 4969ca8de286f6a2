//! `schema_of_csv`: the types of one record's values.
//!
//! Spark tries, in this order: int, bigint, decimal (a whole number of up to 38 digits), double (and the
//! options' texts of NaN and the infinities), date, timestamp, boolean; all else is string, and so is what
//! says nothing: null, an empty value, the text of `nullValue`. Columns are named `_c0`, `_c1`, ...

use arrow_schema::{DataType, Field};

use super::convert::{Formats, boolean};
use super::number;
use super::options::CsvOptions;
use super::syntax::Syntax;
use super::tokenizer::{Cell, Cells, Fault};
use crate::datetime::string_to_date;
use crate::{CsvFault, Error, Result, types};

/// Largest precision of a decimal.
const MAX_PRECISION: usize = 38;

/// The struct that fits one record.
///
/// # Errors
/// [`Error::MalformedCsv`] for a record without values (Spark fails on an assertion), or over a limit of the
/// options.
pub fn schema_of_csv(record: &str, options: &CsvOptions) -> Result<DataType> {
    let (syntax, formats) = (Syntax::new(options)?, Formats::new(options)?);
    let mut cells = Cells::default();
    cells.read(record, &syntax).map_err(|fault| Error::MalformedCsv {
        record: record.into(),
        field: String::new(),
        fault: match fault {
            Fault::NoRecord => CsvFault::WrongCount,
            Fault::TooManyColumns => CsvFault::TooManyColumns,
            Fault::TooManyChars => CsvFault::TooManyChars,
            Fault::UnescapedQuote => CsvFault::UnescapedQuote,
        },
    })?;
    let empty = options.empty_value.as_deref().unwrap_or_default().as_bytes();
    let data_type = |cell: &Cell| {
        let text = match *cell {
            Cell::Null => return DataType::Utf8View,
            Cell::Empty => empty,
            Cell::Slice { start, end } => &record.as_bytes()[start..end],
            Cell::Own { start, end } => &cells.own[start..end],
        };
        if text.is_empty() || text == options.null_value.as_bytes() {
            DataType::Utf8View
        } else {
            type_of(text, &formats, options)
        }
    };
    let fields = cells.cells.iter().enumerate();
    Ok(DataType::Struct(
        fields.map(|(index, cell)| Field::new(format!("_c{index}"), data_type(cell), true)).collect(),
    ))
}

fn type_of(text: &[u8], formats: &Formats, options: &CsvOptions) -> DataType {
    if let Some(value) = number::integer(text) {
        return if i32::try_from(value).is_ok() { DataType::Int32 } else { DataType::Int64 };
    }
    if let Some(precision) = whole_number(text) {
        return DataType::Decimal128(precision, 0);
    }
    if number::double(text).is_some() || formats.is_infinite_or_nan(text) {
        return DataType::Float64;
    }
    // Dates are told strictly here: text that has more than a date is a timestamp.
    let date = match options.date_format {
        Some(_) => formats.date(text).is_some(),
        None => text.len() == 10 && text[4] == b'-' && string_to_date(text).is_some(),
    };
    if options.prefer_date && date {
        return DataType::Date32;
    }
    if formats.timestamp_ntz(text).is_some() || formats.timestamp(text).is_some() {
        return types::timestamp();
    }
    if boolean(text).is_some() { DataType::Boolean } else { DataType::Utf8View }
}

/// Digits of a whole number without exponent that a decimal holds.
fn whole_number(text: &[u8]) -> Option<u8> {
    let digits = match text {
        [b'-' | b'+', digits @ ..] => digits,
        digits => digits,
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let significant = digits.len() - digits.iter().take_while(|byte| **byte == b'0').count();
    u8::try_from(significant.max(1)).ok().filter(|precision| usize::from(*precision) <= MAX_PRECISION)
}
