//! `concat`, `length`, `substring`, case and `repeat`.

use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, BinaryViewArray, Int32Array, StringViewArray};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use super::{TEXT, bytes};
use crate::analyzer::{Expected, Typed, cast_to};
use crate::functions::call::Call;
use crate::functions::simple::Simple;
use crate::functions::udf::{Evaluation, Kernel};
use crate::types::SparkType;

/// A value may become at most so long, as on the JVM.
const MAX_TEXT: usize = i32::MAX as usize;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Concat {
    binary: bool,
}

/// What a value is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Unit {
    /// Characters of text.
    Characters,
    /// Bytes of BINARY.
    Bytes,
    /// Characters of BINARY that was cast to text, as Spark counts them where the bytes are not UTF-8: by what the
    /// first byte of each promises.
    RawCharacters,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Length {
    unit: Unit,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Substring {
    unit: Unit,
}

impl Unit {
    fn of(data_type: &SparkType) -> Self {
        if *data_type == SparkType::Binary { Self::Bytes } else { Self::Characters }
    }
}

/// Bytes of the character that starts with `first`; a byte that starts none is one by itself.
fn promised(first: u8) -> usize {
    match first {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    }
}

/// Where the characters of bytes that may not be UTF-8 start.
pub(super) fn raw_starts(bytes: &[u8]) -> Vec<usize> {
    let mut starts = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        starts.push(at);
        at += promised(bytes[at]);
    }
    starts
}

pub(super) fn upper(call: &Call<'_>) -> crate::error::Result<Typed> {
    static UPPER: Simple =
        change_case("upper", |args| Ok(map_text(args[0].as_string_view(), str::to_uppercase)));
    UPPER.build(&with_valid_text(call))
}

pub(super) fn lower(call: &Call<'_>) -> crate::error::Result<Typed> {
    static LOWER: Simple =
        change_case("lower", |args| Ok(map_text(args[0].as_string_view(), str::to_lowercase)));
    LOWER.build(&with_valid_text(call))
}

const fn change_case(name: &'static str, run: fn(&[ArrayRef]) -> Result<ArrayRef>) -> Simple {
    Simple { name, params: &[TEXT], optional: 0, returns: SparkType::String, run }
}

/// Text that was cast from bytes is made valid before it is changed, character by character.
fn with_valid_text<'a>(call: &Call<'a>) -> Call<'a> {
    let mut args = call.args.clone();
    if let Some(bytes) = call.raw_bytes(0) {
        let inner = Call { name: "make_valid_utf8".to_owned(), args: vec![bytes], conf: call.conf };
        if let Ok(valid) = bytes::VALID.build(&inner) {
            args[0] = Typed { sql: args[0].sql.clone(), ..valid };
        }
    }
    Call { name: call.name.clone(), args, conf: call.conf }
}

pub(super) fn repeat(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (text, counts) = (args[0].as_string_view(), args[1].as_primitive::<Int32Type>());
    let mut out = StringViewBuilder::with_capacity(text.len());
    for (value, count) in text.iter().zip(counts) {
        match (value, count) {
            (Some(value), Some(count)) => {
                let count = usize::try_from(count).unwrap_or(0);
                if value.len().saturating_mul(count) > MAX_TEXT {
                    return Err(DataFusionError::ResourcesExhausted(
                        "repeat() would make a text of more than 2 GiB; repeat fewer times".into(),
                    ));
                }
                out.append_value(value.repeat(count));
            }
            _ => out.append_null(),
        }
    }
    Ok(Arc::new(out.finish()))
}

/// A function of each value that is not NULL.
pub(super) fn map_text(text: &StringViewArray, f: impl Fn(&str) -> String) -> ArrayRef {
    let out: StringViewArray = text.iter().map(|v| v.map(&f)).collect();
    Arc::new(out)
}

/// All arguments BINARY gives BINARY, arrays are not joined yet, all else gives STRING.
pub(super) fn concat(call: &Call<'_>) -> crate::error::Result<Typed> {
    if call.args.iter().any(|a| matches!(a.data_type, SparkType::Array(..))) {
        return crate::functions::collection::items::concat(call);
    }
    let binary = !call.args.is_empty() && call.args.iter().all(|a| a.data_type == SparkType::Binary);
    let data_type = if binary { SparkType::Binary } else { SparkType::String };
    let args = (0..call.args.len())
        .map(|i| call.take_as(i, data_type.clone()))
        .collect::<crate::error::Result<Vec<_>>>()?;
    Ok(call.finish(Concat { binary }, args, data_type))
}

/// Characters of text, bytes of BINARY.
pub(super) fn length(call: &Call<'_>) -> crate::error::Result<Typed> {
    if let Some(bytes) = call.raw_bytes(0) {
        return Ok(call.finish(Length { unit: Unit::RawCharacters }, vec![bytes], SparkType::Integer));
    }
    let arg = call.take(0, &Expected::TEXT_OR_BYTES)?;
    let unit = Unit::of(&arg.data_type);
    Ok(call.finish(Length { unit }, vec![arg], SparkType::Integer))
}

/// Counts from 1, or from the end when negative; 0 means 1.
pub(super) fn substring(call: &Call<'_>) -> crate::error::Result<Typed> {
    let raw = call.raw_bytes(0);
    let unit = raw.as_ref().map(|_| Unit::RawCharacters);
    let value = raw.map_or_else(|| call.take(0, &Expected::TEXT_OR_BYTES), Ok)?;
    let data_type = value.data_type.clone();
    let mut args = vec![value, call.take_as(1, SparkType::Integer)?];
    let length = match call.args.get(2) {
        Some(_) => call.take_as(2, SparkType::Integer)?,
        None => {
            let max = crate::analyzer::integer_literal(i32::MAX);
            cast_to(max, &SparkType::Integer, call.conf)?
        }
    };
    args.push(length);
    let unit = unit.unwrap_or_else(|| Unit::of(&data_type));
    let mut result = call.finish(Substring { unit }, args, data_type);
    if unit == Unit::RawCharacters {
        result = cast_to(result, &SparkType::String, call.conf)?;
    }
    if call.args.len() == 2 {
        result.sql = format!("{}({}, {}, {})", call.name, call.args[0].sql, call.args[1].sql, i32::MAX);
    }
    Ok(result)
}

impl Kernel for Concat {
    fn name(&self) -> &str {
        "concat"
    }

    fn return_type(&self) -> DataType {
        if self.binary { DataType::BinaryView } else { DataType::Utf8View }
    }

    fn evaluate(&self, args: &[ArrayRef], context: &Evaluation<'_>) -> Result<ArrayRef> {
        if self.binary {
            let columns: Vec<&BinaryViewArray> = args.iter().map(|a| a.as_binary_view()).collect();
            let joined: BinaryViewArray = (0..context.rows)
                .map(|row| {
                    let valid = columns.iter().all(|c| c.is_valid(row));
                    valid.then(|| {
                        columns.iter().flat_map(|c| c.value(row).iter().copied()).collect::<Vec<u8>>()
                    })
                })
                .collect();
            return Ok(Arc::new(joined));
        }
        let columns: Vec<&StringViewArray> = args.iter().map(|a| a.as_string_view()).collect();
        let mut out = StringViewBuilder::with_capacity(context.rows);
        let mut joined = String::new();
        for row in 0..context.rows {
            if !columns.iter().all(|c| c.is_valid(row)) {
                out.append_null();
                continue;
            }
            joined.clear();
            columns.iter().for_each(|c| joined.push_str(c.value(row)));
            out.append_value(&joined);
        }
        Ok(Arc::new(out.finish()))
    }
}

impl Kernel for Length {
    fn name(&self) -> &str {
        "length"
    }

    fn return_type(&self) -> DataType {
        DataType::Int32
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let count = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        let bytes = || args[0].as_binary_view().iter();
        let lengths: Int32Array = match self.unit {
            Unit::Bytes => bytes().map(|v| v.map(|v| count(v.len()))).collect(),
            Unit::RawCharacters => bytes().map(|v| v.map(|v| count(raw_starts(v).len()))).collect(),
            Unit::Characters => {
                args[0].as_string_view().iter().map(|v| v.map(|v| count(v.chars().count()))).collect()
            }
        };
        Ok(Arc::new(lengths))
    }
}

impl Kernel for Substring {
    fn name(&self) -> &str {
        "substring"
    }

    fn return_type(&self) -> DataType {
        if self.unit == Unit::Characters { DataType::Utf8View } else { DataType::BinaryView }
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let (starts, lengths) = (args[1].as_primitive::<Int32Type>(), args[2].as_primitive::<Int32Type>());
        let spans = || starts.iter().zip(lengths).map(|(start, length)| start.zip(length));
        if self.unit != Unit::Characters {
            let bytes = args[0].as_binary_view();
            let cut: BinaryViewArray = bytes
                .iter()
                .zip(spans())
                .map(|(value, span)| {
                    let (value, (start, length)) = value.zip(span)?;
                    if self.unit == Unit::Bytes {
                        let (from, to) = range(value.len(), start, length);
                        return Some(&value[from..to]);
                    }
                    let starts = raw_starts(value);
                    let (from, to) = range(starts.len(), start, length);
                    let at = |n: usize| starts.get(n).copied().unwrap_or(value.len());
                    Some(&value[at(from)..at(to)])
                })
                .collect();
            return Ok(Arc::new(cut));
        }
        let text = args[0].as_string_view();
        let cut: StringViewArray = text
            .iter()
            .zip(spans())
            .map(|(value, span)| {
                let (value, (start, length)) = value.zip(span)?;
                let (from, to) = range(value.chars().count(), start, length);
                let at = |n: usize| value.char_indices().nth(n).map_or(value.len(), |(i, _)| i);
                Some(&value[at(from)..at(to)])
            })
            .collect();
        Ok(Arc::new(cut))
    }
}

/// The part of `count` items that starts at `start` (from 1, or from the end) and has `length` items.
fn range(count: usize, start: i32, length: i32) -> (usize, usize) {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let start = i64::from(start);
    let from = match start {
        0 => 0,
        1.. => start - 1,
        _ => count + start,
    };
    let to = (from + i64::from(length)).clamp(0, count);
    let from = from.clamp(0, to);
    let small = |v: i64| usize::try_from(v).unwrap_or(0);
    (small(from), small(to))
}
