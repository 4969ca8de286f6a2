//! One cell to one column: Spark's table of which text fits which type.
//!
//! | type | accepted |
//! |---|---|
//! | boolean | `true`, `false` in any case |
//! | tinyint to bigint | sign and digits, in range |
//! | float, double | as Java reads them; the options' texts of NaN and the infinities |
//! | decimal | a number, commas ignored; rounded half up; too many digits do not fit |
//! | string, binary | anything |
//! | date, timestamp, timestamp_ntz | by the format; without one leniently, as a cast does |

use arrow_array::ArrayRef;
use arrow_array::types::*;
use arrow_buffer::Buffer;
use arrow_schema::{DataType, TimeUnit};

use super::number;
use super::options::CsvOptions;
use super::tokenizer::{Cell, Cells};
use crate::datetime::{Pattern, TimeZone, string_to_date, string_to_timestamp, string_to_timestamp_ntz};
use crate::json::decimal;
use crate::values::{Home, Values, Views};
use crate::{Error, Result, types};

/// How text is read.
#[derive(Debug)]
pub(super) struct Formats {
    null_value: Box<[u8]>,
    empty_value: Box<[u8]>,
    nan: Box<[u8]>,
    positive_inf: Box<[u8]>,
    negative_inf: Box<[u8]>,
    /// Whether one of these three may be a number.
    numeric: bool,
    date: Option<Pattern>,
    timestamp: Option<Pattern>,
    timestamp_ntz: Option<Pattern>,
    zone: TimeZone,
}

impl Formats {
    pub fn new(options: &CsvOptions) -> Result<Self> {
        let bytes = |text: &str| -> Box<[u8]> { text.as_bytes().into() };
        let compile = |format: &Option<String>| format.as_deref().map(Pattern::compile).transpose();
        let numeric = [&options.nan_value, &options.positive_inf, &options.negative_inf]
            .iter()
            .any(|text| number::double(text.as_bytes()).is_some_and(|value| !value.is_nan()));
        Ok(Self {
            numeric,
            null_value: bytes(&options.null_value),
            empty_value: bytes(options.empty_value.as_deref().unwrap_or_default()),
            nan: bytes(&options.nan_value),
            positive_inf: bytes(&options.positive_inf),
            negative_inf: bytes(&options.negative_inf),
            date: compile(&options.date_format)?,
            timestamp: compile(&options.timestamp_format)?,
            timestamp_ntz: compile(&options.timestamp_ntz_format)?,
            zone: options.time_zone,
        })
    }

    fn infinite_or_nan(&self, text: &[u8]) -> Option<f64> {
        if *text == *self.nan {
            Some(f64::NAN)
        } else if *text == *self.negative_inf {
            Some(f64::NEG_INFINITY)
        } else if *text == *self.positive_inf {
            Some(f64::INFINITY)
        } else {
            None
        }
    }

    /// The options' texts for NaN and the infinities go before numbers.
    #[cold]
    fn rare_double(&self, text: &[u8]) -> Option<f64> {
        self.infinite_or_nan(text).or_else(|| number::double(text))
    }

    pub fn is_infinite_or_nan(&self, text: &[u8]) -> bool {
        self.infinite_or_nan(text).is_some()
    }

    pub fn date(&self, text: &[u8]) -> Option<i32> {
        match &self.date {
            Some(pattern) => pattern.parse_date(std::str::from_utf8(text).ok()?).ok(),
            None => string_to_date(text).or_else(|| string_to_date(&without_gmt(text)?)),
        }
    }

    pub fn timestamp(&self, text: &[u8]) -> Option<i64> {
        match &self.timestamp {
            Some(pattern) => pattern.parse_timestamp(std::str::from_utf8(text).ok()?, &self.zone).ok(),
            None => string_to_timestamp(text, &self.zone, None)
                .or_else(|| string_to_timestamp(&without_gmt(text)?, &self.zone, None)),
        }
    }

    pub fn timestamp_ntz(&self, text: &[u8]) -> Option<i64> {
        match &self.timestamp_ntz {
            Some(pattern) => pattern.parse_timestamp_ntz(std::str::from_utf8(text).ok()?, false).ok(),
            None => string_to_timestamp_ntz(text, false),
        }
    }
}

/// Early Spark versions wrote `GMT` before the offset; it still reads that.
fn without_gmt(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    text.contains("GMT").then(|| text.replace("GMT", "").into_bytes())
}

/// The record that cells belong to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    pub text: &'a [u8],
    pub home: Home,
    pub cells: &'a Cells,
    pub formats: &'a Formats,
}

/// A column while it is filled.
#[derive(Debug)]
pub(super) enum Column {
    Boolean(Values<bool>),
    Byte(Values<i8>),
    Short(Values<i16>),
    Int(Values<i32>),
    Long(Values<i64>),
    Float(Values<f32>),
    Double(Values<f64>),
    Decimal(Values<i128>, u8, i8),
    String(Views),
    Binary(Views),
    Date(Values<i32>),
    Timestamp(Values<i64>),
    TimestampNtz(Values<i64>),
}

impl Column {
    /// An empty column of one of the table's types.
    pub fn new(data_type: &DataType) -> Result<Self> {
        Ok(match data_type {
            DataType::Boolean => Self::Boolean(Values::default()),
            DataType::Int8 => Self::Byte(Values::default()),
            DataType::Int16 => Self::Short(Values::default()),
            DataType::Int32 => Self::Int(Values::default()),
            DataType::Int64 => Self::Long(Values::default()),
            DataType::Float32 => Self::Float(Values::default()),
            DataType::Float64 => Self::Double(Values::default()),
            DataType::Decimal128(precision, scale) => Self::Decimal(Values::default(), *precision, *scale),
            DataType::Utf8View => Self::String(Views::default()),
            DataType::BinaryView => Self::Binary(Views::default()),
            DataType::Date32 => Self::Date(Values::default()),
            DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if zone.as_ref() == types::UTC => {
                Self::Timestamp(Values::default())
            }
            DataType::Timestamp(TimeUnit::Microsecond, None) => Self::TimestampNtz(Values::default()),
            _ => return Err(Error::UnsupportedType { operation: "from_csv", data_type: data_type.clone() }),
        })
    }

    /// Appends a cell, or null where it is null or does not fit; false where it does not fit.
    #[inline(always)]
    pub fn push_cell(&mut self, cell: Cell, record: Record<'_>) -> bool {
        let formats = record.formats;
        let text = match cell {
            Cell::Null => {
                self.push_null();
                return true;
            }
            Cell::Empty => &*formats.empty_value,
            Cell::Slice { start, end } => &record.text[start..end],
            Cell::Own { start, end } => &record.cells.own[start..end],
        };
        if *text == *formats.null_value {
            self.push_null();
            return true;
        }
        match (&mut *self, cell) {
            (Self::String(views) | Self::Binary(views), Cell::Slice { start, end }) => {
                views.push_slice(record.text, start, end, record.home);
            }
            (Self::String(views), _) => {
                // Cells of `own` are put together from whole characters; the check costs little where it is
                // rare, and a mistake there must not become text that is none.
                match std::str::from_utf8(text) {
                    Ok(text) => views.push_copy(text.as_bytes()),
                    Err(_) => views.push_copy(String::from_utf8_lossy(text).as_bytes()),
                }
            }
            (Self::Binary(views), _) => views.push_copy(text),
            _ => return self.push_text(text, formats),
        }
        true
    }

    #[inline(always)]
    fn push_text(&mut self, text: &[u8], formats: &Formats) -> bool {
        match self {
            Self::Int(values) => values.push_option(number::integer(text).and_then(|v| v.try_into().ok())),
            Self::Long(values) => values.push_option(number::integer(text)),
            Self::Double(values) => {
                let number = if formats.numeric { None } else { number::double(text) };
                values.push_option(number.or_else(|| formats.rare_double(text)))
            }
            other => other.push_rarer(text, formats),
        }
    }

    #[inline(never)]
    fn push_rarer(&mut self, text: &[u8], formats: &Formats) -> bool {
        match self {
            Self::Boolean(values) => values.push_option(boolean(text)),
            Self::Byte(values) => values.push_option(number::integer(text).and_then(|v| v.try_into().ok())),
            Self::Short(values) => values.push_option(number::integer(text).and_then(|v| v.try_into().ok())),
            Self::Float(values) => {
                let special = formats.infinite_or_nan(text).map(|value| value as f32);
                values.push_option(special.or_else(|| number::float(text)))
            }
            Self::Decimal(values, precision, scale) => {
                let commas = text.contains(&b',');
                let digits: Vec<u8>;
                let text = if commas {
                    digits = text.iter().copied().filter(|byte| *byte != b',').collect();
                    &digits
                } else {
                    text
                };
                values.push_option(decimal(text, *precision, *scale))
            }
            Self::Date(values) => values.push_option(formats.date(text)),
            Self::Timestamp(values) => values.push_option(formats.timestamp(text)),
            Self::TimestampNtz(values) => values.push_option(formats.timestamp_ntz(text)),
            _ => {
                self.push_null();
                false
            }
        }
    }

    pub fn push_null(&mut self) {
        match self {
            Self::Boolean(v) => v.push_null(),
            Self::Byte(v) => v.push_null(),
            Self::Short(v) => v.push_null(),
            Self::Int(v) | Self::Date(v) => v.push_null(),
            Self::Long(v) | Self::Timestamp(v) | Self::TimestampNtz(v) => v.push_null(),
            Self::Float(v) => v.push_null(),
            Self::Double(v) => v.push_null(),
            Self::Decimal(v, ..) => v.push_null(),
            Self::String(v) | Self::Binary(v) => v.push_null(),
        }
    }

    /// The array; `source` are the buffers of the records' array.
    pub fn finish(self, source: &[Buffer]) -> ArrayRef {
        match self {
            Self::Boolean(v) => v.finish_booleans(),
            Self::Byte(v) => v.finish::<Int8Type>(DataType::Int8),
            Self::Short(v) => v.finish::<Int16Type>(DataType::Int16),
            Self::Int(v) => v.finish::<Int32Type>(DataType::Int32),
            Self::Long(v) => v.finish::<Int64Type>(DataType::Int64),
            Self::Float(v) => v.finish::<Float32Type>(DataType::Float32),
            Self::Double(v) => v.finish::<Float64Type>(DataType::Float64),
            Self::Decimal(v, precision, scale) => {
                v.finish::<Decimal128Type>(DataType::Decimal128(precision, scale))
            }
            Self::String(v) => v.finish_strings(source),
            Self::Binary(v) => v.finish_binaries(source),
            Self::Date(v) => v.finish::<Date32Type>(DataType::Date32),
            Self::Timestamp(v) => v.finish::<TimestampMicrosecondType>(types::timestamp()),
            Self::TimestampNtz(v) => v.finish::<TimestampMicrosecondType>(types::timestamp_ntz()),
        }
    }
}

pub(super) fn boolean(text: &[u8]) -> Option<bool> {
    if text.eq_ignore_ascii_case(b"true") {
        Some(true)
    } else if text.eq_ignore_ascii_case(b"false") {
        Some(false)
    } else {
        None
    }
}
