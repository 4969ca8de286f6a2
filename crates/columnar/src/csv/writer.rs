//! `to_csv`: a column of structs to a column of records, by the rules of univocity's writer as Spark sets it
//! up.
//!
//! | value | written |
//! |---|---|
//! | null | the text of `nullValue` |
//! | an empty string | the text of `emptyValue`, by default `""` |
//! | text with a delimiter, a line end or (by default) a quote | in quotes; quotes and escapes in it get an escape |
//! | other text | as it is; blanks around are cut off (by default) |
//! | numbers, booleans | as Java writes them |
//! | dates, timestamps | by their formats, also inside of other values |
//! | binary | `[00 FF]` |
//! | arrays, structs, maps | `[1, 2]`, `{1, a}`, `{k -> 1}`, with the text of `nullValue` for null |
//!
//! Text of nothing but blanks is an empty string if trailing blanks are cut off (Spark writes a torn quote where
//! leading ones are kept). A record of nothing at all, which is one null where `nullValue` is empty, is null.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, StringViewArray, new_empty_array};
use arrow_buffer::{Buffer, NullBuffer, NullBufferBuilder};
use arrow_schema::{DataType, IntervalUnit, TimeUnit};

use super::options::CsvOptions;
use crate::json::{JsonWriteOptions, MomentFormats};
use crate::text::{
    append_day_time_interval, append_decimal, append_f32, append_f64, append_i64, append_year_month_interval,
};
use crate::{Error, Result, payloads, raw};

/// A compiled `to_csv`. Cheap to share; writing takes `&self`.
#[derive(Debug)]
pub struct CsvWriter {
    source: DataType,
    formats: MomentFormats,
    null_value: String,
    empty_value: String,
    quoting: Quoting,
}

/// When and how values are quoted.
#[derive(Debug)]
struct Quoting {
    delimiter: String,
    quote: char,
    escape: char,
    /// Stands before an escape in a quoted value; NUL for none.
    escape_escape: char,
    comment: char,
    quote_all: bool,
    escape_quotes: bool,
    trim_leading: bool,
    trim_trailing: bool,
    /// First bytes of the characters that need a look.
    special: [bool; 256],
    /// Whether numbers and booleans stand as they are: no character of theirs is special, and not all is quoted.
    plain_numbers: bool,
}

/// A column with its values at hand where their type is frequent.
struct Source<'a> {
    array: &'a dyn Array,
    nulls: Option<&'a NullBuffer>,
    cells: Cells<'a>,
}

enum Cells<'a> {
    Text(&'a StringViewArray),
    Int(&'a [i32]),
    Long(&'a [i64]),
    Double(&'a [f64]),
    Null,
    /// Numbers and booleans.
    Number,
    Other,
}

impl<'a> Source<'a> {
    fn of(array: &'a dyn Array) -> Self {
        let cells = match array.data_type() {
            DataType::Utf8View => Cells::Text(array.as_string_view()),
            DataType::Int32 => Cells::Int(array.as_primitive::<Int32Type>().values()),
            DataType::Int64 => Cells::Long(array.as_primitive::<Int64Type>().values()),
            DataType::Float64 => Cells::Double(array.as_primitive::<Float64Type>().values()),
            DataType::Boolean | DataType::Float32 | DataType::Decimal128(..) => Cells::Number,
            DataType::Int8 | DataType::Int16 => Cells::Number,
            DataType::Null => Cells::Null,
            _ => Cells::Other,
        };
        Self { array, nulls: array.nulls(), cells }
    }
}

impl CsvWriter {
    /// Compiles the type to write, a struct of the table's types, and the options.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] for anything but a struct; [`Error::BadPattern`].
    pub fn new(source: &DataType, options: &CsvOptions) -> Result<Self> {
        if !matches!(source, DataType::Struct(_)) {
            return Err(Error::UnsupportedType { operation: "to_csv", data_type: source.clone() });
        }
        check(&*new_empty_array(source))?;
        let moments = JsonWriteOptions {
            date_format: options.date_format.clone(),
            timestamp_format: options.timestamp_format.clone(),
            timestamp_ntz_format: options.timestamp_ntz_format.clone(),
            time_zone: options.time_zone,
            ..JsonWriteOptions::default()
        };
        Ok(Self {
            source: source.clone(),
            formats: MomentFormats::new(&moments)?,
            null_value: options.null_value.clone(),
            empty_value: options.empty_value.clone().unwrap_or_else(|| "\"\"".into()),
            quoting: Quoting::new(options),
        })
    }

    /// One record a row, as Utf8View; null rows stay null.
    pub fn write(&self, values: &dyn Array) -> Result<ArrayRef> {
        if !values.data_type().equals_datatype(&self.source) {
            return Err(Error::Misuse(format!(
                "to_csv was compiled for {} and is given {}",
                self.source,
                values.data_type()
            )));
        }
        let columns: Vec<Source<'_>> =
            values.as_struct().columns().iter().map(|column| Source::of(&**column)).collect();
        let (mut text, mut value) = (String::new(), String::new());
        let mut views = Vec::with_capacity(values.len());
        let mut nulls = NullBufferBuilder::new(values.len());
        for row in 0..values.len() {
            let start = text.len();
            if !values.is_null(row) {
                for (index, column) in columns.iter().enumerate() {
                    if index > 0 {
                        text.push_str(&self.quoting.delimiter);
                    }
                    self.append_column(column, index, row, &mut value, &mut text)?;
                }
            }
            nulls.append(start < text.len());
            views.push(payloads::written_view(text.as_bytes(), start, "the records of one batch")?);
        }
        let buffers = Arc::from([Buffer::from(text.into_bytes())]);
        let records: StringViewArray = raw::string_views(views.into(), buffers, nulls.finish());
        Ok(Arc::new(records))
    }

    fn append_column(
        &self,
        column: &Source<'_>,
        index: usize,
        row: usize,
        value: &mut String,
        out: &mut String,
    ) -> Result<()> {
        let plain = self.quoting.plain_numbers;
        match column.cells {
            Cells::Null => self.quoting.append_substitute(&self.null_value, index, out),
            _ if column.nulls.is_some_and(|nulls| nulls.is_null(row)) => {
                self.quoting.append_substitute(&self.null_value, index, out);
            }
            Cells::Text(texts) => self.append_text(texts.value(row), index, out),
            Cells::Int(numbers) if plain => append_i64(numbers[row].into(), out),
            Cells::Long(numbers) if plain => append_i64(numbers[row], out),
            Cells::Double(numbers) if plain => append_f64(numbers[row], out),
            Cells::Number if plain => self.append_value(column.array, row, out)?,
            _ => {
                value.clear();
                self.append_value(column.array, row, value)?;
                self.append_text(value, index, out);
            }
        }
        Ok(())
    }

    fn append_text(&self, text: &str, index: usize, out: &mut String) {
        let quoting = &self.quoting;
        if quoting.is_plain(text, index) {
            out.push_str(text);
            return;
        }
        let says_nothing = text.is_empty() || (quoting.trim_leading && text.chars().all(|c| c <= ' '));
        if says_nothing || !quoting.append(text, index, quoting.quote_all, false, out) {
            quoting.append_substitute(&self.empty_value, index, out);
        }
    }

    /// The text of a value that is not null, as it would stand without quotes.
    fn append_value(&self, array: &dyn Array, row: usize, out: &mut String) -> Result<()> {
        match array.data_type() {
            DataType::Boolean => out.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
            DataType::Int8 => append_i64(array.as_primitive::<Int8Type>().value(row).into(), out),
            DataType::Int16 => append_i64(array.as_primitive::<Int16Type>().value(row).into(), out),
            DataType::Int32 => append_i64(array.as_primitive::<Int32Type>().value(row).into(), out),
            DataType::Int64 => append_i64(array.as_primitive::<Int64Type>().value(row), out),
            DataType::Float32 => append_f32(array.as_primitive::<Float32Type>().value(row), out),
            DataType::Float64 => append_f64(array.as_primitive::<Float64Type>().value(row), out),
            DataType::Decimal128(_, scale) => {
                append_decimal(array.as_primitive::<Decimal128Type>().value(row), *scale, out)
            }
            DataType::Utf8View => out.push_str(array.as_string_view().value(row)),
            DataType::BinaryView => append_binary(array.as_binary_view().value(row), out),
            DataType::Date32 => {
                return self.formats.append_date(array.as_primitive::<Date32Type>().value(row), out);
            }
            DataType::Timestamp(TimeUnit::Microsecond, zone) => {
                let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
                return match zone {
                    Some(_) => self.formats.append_timestamp(micros, out),
                    None => self.formats.append_timestamp_ntz(micros, out),
                };
            }
            DataType::Duration(TimeUnit::Microsecond) => {
                append_day_time_interval(array.as_primitive::<DurationMicrosecondType>().value(row), out)
            }
            DataType::Interval(IntervalUnit::YearMonth) => {
                append_year_month_interval(array.as_primitive::<IntervalYearMonthType>().value(row), out)
            }
            DataType::List(_) => {
                let values = array.as_list::<i32>().value(row);
                return self.append_items(['[', ']'], values.len(), out, |index| (&*values, index));
            }
            DataType::Struct(_) => {
                let fields = array.as_struct().columns();
                return self.append_items(['{', '}'], fields.len(), out, |index| (&*fields[index], row));
            }
            DataType::Map(_, _) => return self.append_map(array, row, out),
            other => return Err(Error::UnsupportedType { operation: "to_csv", data_type: other.clone() }),
        }
        Ok(())
    }

    fn append_items<'a>(
        &self,
        brackets: [char; 2],
        count: usize,
        out: &mut String,
        item: impl Fn(usize) -> (&'a dyn Array, usize),
    ) -> Result<()> {
        out.push(brackets[0]);
        for index in 0..count {
            let (array, row) = item(index);
            if index > 0 {
                out.push(',');
            }
            self.append_part(array, row, index > 0, out)?;
        }
        out.push(brackets[1]);
        Ok(())
    }

    fn append_map(&self, array: &dyn Array, row: usize, out: &mut String) -> Result<()> {
        let entries = array.as_map().value(row);
        out.push('{');
        for index in 0..entries.len() {
            if index > 0 {
                out.push_str(", ");
            }
            self.append_value(entries.column(0), index, out)?;
            out.push_str(" ->");
            self.append_part(entries.column(1), index, true, out)?;
        }
        out.push('}');
        Ok(())
    }

    /// A value inside of another; a blank stands before it, but not before a null without text.
    fn append_part(&self, array: &dyn Array, row: usize, blank: bool, out: &mut String) -> Result<()> {
        let is_null = array.is_null(row) || array.data_type() == &DataType::Null;
        if blank && !(is_null && self.null_value.is_empty()) {
            out.push(' ');
        }
        if is_null {
            out.push_str(&self.null_value);
            return Ok(());
        }
        self.append_value(array, row, out)
    }
}

impl Quoting {
    fn new(options: &CsvOptions) -> Self {
        let quote = options.quote.unwrap_or('\0');
        let escape = options.escape.unwrap_or('\0');
        let escape_escape = match options.char_to_escape_quote_escaping {
            Some(character) => character,
            None if quote == escape => '\0',
            None => escape,
        };
        let mut special = [false; 256];
        for character in [quote, escape, '\n', '\r'].into_iter().chain(options.delimiter.chars().next()) {
            special[usize::from(character.encode_utf8(&mut [0; 4]).as_bytes()[0])] = true;
        }
        let comment = options.comment.unwrap_or('#');
        let of_numbers = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let in_numbers = special.iter().zip(0..=u8::MAX).any(|(special, b)| *special && of_numbers(b.into()));
        Self {
            delimiter: options.delimiter.clone(),
            plain_numbers: !(options.quote_all || in_numbers || of_numbers(comment)),
            quote,
            escape,
            escape_escape,
            comment,
            quote_all: options.quote_all,
            escape_quotes: options.escape_quotes,
            trim_leading: options.ignore_leading_white_space.unwrap_or(true),
            trim_trailing: options.ignore_trailing_white_space.unwrap_or(true),
            special,
        }
    }

    /// Whether text stands as it is: nothing to quote, to escape or to cut off.
    #[inline(always)]
    fn is_plain(&self, text: &str, index: usize) -> bool {
        let bytes = text.as_bytes();
        let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
        *first > b' '
            && *last > b' '
            && !self.quote_all
            && !(index == 0 && text.starts_with(self.comment))
            && !bytes.iter().fold(false, |found, byte| found | self.special[usize::from(*byte)])
    }

    /// The text of null or of an empty string, which may bring its own quotes.
    fn append_substitute(&self, text: &str, index: usize, out: &mut String) {
        self.append(text, index, self.quote_all, true, out);
    }

    /// Appends a value; false where all of it was cut off and nothing stands there.
    fn append(&self, text: &str, index: usize, quoted: bool, substitute: bool, out: &mut String) -> bool {
        let cut = if self.trim_leading { text.trim_start_matches(|c| c <= ' ') } else { text };
        let begins = cut.starts_with(self.quote) || (index == 0 && text.starts_with(self.comment));
        let start = out.len();
        if quoted || (begins && !cut.is_empty()) {
            let own_quotes = text.len() >= 2 && text.starts_with(self.quote) && text.ends_with(self.quote);
            if substitute && own_quotes {
                out.push_str(text);
            } else {
                self.append_quoted("", cut, out);
            }
            return true;
        }
        match cut.bytes().position(|byte| self.special[usize::from(byte)]) {
            None => out.push_str(cut),
            Some(near) => {
                let rest = &cut[near..];
                if self.needs_quotes(rest) {
                    let plain = rest.char_indices().find(|(at, c)| self.is_special(&rest[*at..], *c));
                    let (before, rest) = cut.split_at(near + plain.map_or(0, |(at, _)| at));
                    self.append_quoted(before, rest, out);
                    return true;
                }
                out.push_str(cut);
            }
        }
        if self.trim_trailing {
            let kept = out[start..].trim_end_matches(|c| c <= ' ').len();
            out.truncate(start + kept);
        }
        out.len() > start || substitute
    }

    /// Whether text from its first special character on makes the value quoted.
    fn needs_quotes(&self, text: &str) -> bool {
        text.char_indices().any(|(at, character)| {
            character == '\n'
                || character == '\r'
                || (self.escape_quotes && character == self.quote)
                || text[at..].starts_with(self.delimiter.as_str())
        })
    }

    fn is_special(&self, rest: &str, character: char) -> bool {
        [self.quote, self.escape, '\n', '\r'].contains(&character)
            || rest.starts_with(self.delimiter.as_str())
    }

    /// In quotes: `before` as it is, the rest with escapes.
    fn append_quoted(&self, before: &str, text: &str, out: &mut String) {
        out.push(self.quote);
        let start = out.len();
        out.push_str(before);
        for character in text.chars() {
            if character == self.quote {
                out.push(self.escape);
            } else if character == self.escape && self.escape_escape != '\0' {
                out.push(self.escape_escape);
            }
            out.push(character);
        }
        if self.trim_trailing {
            let kept = out[start..].trim_end_matches(|c| c <= ' ').len();
            out.truncate(start + kept);
        }
        out.push(self.quote);
    }
}

fn append_binary(bytes: &[u8], out: &mut String) {
    out.push('[');
    for (index, byte) in bytes.iter().enumerate() {
        let _ = write!(out, "{}{byte:02X}", if index > 0 { " " } else { "" });
    }
    out.push(']');
}

/// Whether all types in it can be written.
fn check(array: &dyn Array) -> Result<()> {
    match array.data_type() {
        DataType::List(_) => check(array.as_list::<i32>().values()),
        DataType::Struct(_) => array.as_struct().columns().iter().try_for_each(|column| check(column)),
        DataType::Map(_, _) => check(array.as_map().keys()).and_then(|()| check(array.as_map().values())),
        other if crate::types::is_canonical(other) => Ok(()),
        other => Err(Error::UnsupportedType { operation: "to_csv", data_type: other.clone() }),
    }
}
