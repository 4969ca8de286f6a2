//! One value by its plan into its column.

use std::collections::HashSet;

use super::{Bad, Reading};
use crate::avro::column::{Column, ListColumn, MapColumn, StructColumn};
use crate::avro::options::Rebase;
use crate::avro::rebase::{GREGORIAN_START, SAME_SINCE, rebase_days, rebase_micros};
use crate::avro::resolve::{Integer, Items, Read, Record, Step};
use crate::records::INLINE;
use crate::text::decode_lossy_java;
use crate::values::{Home, Views};

/// Items of all arrays of one payload that take no bytes; others are bounded by the payload.
const MOST_EMPTY_ITEMS: u64 = 65_536;
/// Bytes that are copied into one column; beyond 4 GiB views cannot point.
const MOST_COPIED: usize = 3 << 30;
/// Maps of so few entries are searched for repeated keys pair by pair.
const FEW_ENTRIES: usize = 8;

impl<'a> Reading<'a> {
    /// Reads a value and appends it. After an error the column may hold a part of it.
    #[inline(always)]
    pub(super) fn value(&mut self, read: &Read, column: &mut Column) -> Result<(), Bad> {
        match (read, column) {
            (Read::Boolean, Column::Boolean(v)) => v.push(self.take(|c| c.boolean())?),
            (Read::Int, Column::Int(v, _)) => v.push(self.take(|c| c.int())?),
            (Read::Long(from), Column::Long(v, _)) => v.push(self.integer(*from)?),
            (Read::Float, Column::Float(v)) => v.push(f32::from_le_bytes(self.take(|c| c.array())?)),
            (Read::Double, Column::Double(v)) => v.push(f64::from_le_bytes(self.take(|c| c.array())?)),
            (Read::String, Column::String(v)) => {
                let start = self.take(|c| c.prefixed())?;
                self.push_text(start, v)?;
            }
            (read, column) => return self.other(read, column),
        }
        Ok(())
    }

    /// What is not read in line: the way into nested values.
    #[inline(never)]
    fn other(&mut self, read: &Read, column: &mut Column) -> Result<(), Bad> {
        match (read, column) {
            (Read::Null, column) => column.push_null(),
            (Read::Bytes, Column::Binary(v)) => {
                let start = self.take(|c| c.prefixed())?;
                self.push_bytes(start, v)?;
            }
            (Read::Union(branches), column) => {
                let index = self.take(|c| c.int())?;
                match usize::try_from(index).ok().and_then(|index| branches.get(index)) {
                    Some(branch) => return self.value(branch, column),
                    None => return self.fail("a union has no branch of this index"),
                }
            }
            (Read::Record(record), Column::Struct(v)) => self.record(record, v)?,
            (read, column) => self.rare(read, column)?,
        }
        Ok(())
    }

    #[inline(never)]
    fn rare(&mut self, read: &Read, column: &mut Column) -> Result<(), Bad> {
        match (read, column) {
            (Read::Date(rebase), Column::Int(v, _)) => {
                let days = self.take(|c| c.int())?;
                v.push(match rebase {
                    Rebase::Corrected => days,
                    Rebase::Legacy => rebase_days(days),
                    Rebase::Exception if days < GREGORIAN_START => return self.ancient(),
                    Rebase::Exception => days,
                });
            }
            (Read::Moment { from, millis, rebase }, Column::Long(v, _)) => {
                let number = self.integer(*from)?;
                let micros = if *millis { number.checked_mul(1000) } else { Some(number) };
                let Some(micros) = micros else {
                    return self.fail("a timestamp does not fit into microseconds");
                };
                v.push(match rebase {
                    Rebase::Corrected => micros,
                    Rebase::Legacy => rebase_micros(micros),
                    Rebase::Exception if micros < SAME_SINCE => return self.ancient(),
                    Rebase::Exception => micros,
                });
            }
            (Read::IntegerToFloat(from), Column::Float(v)) => v.push(self.integer(*from)? as f32),
            (Read::FloatToDouble, Column::Double(v)) => {
                v.push(f64::from(f32::from_le_bytes(self.take(|c| c.array())?)));
            }
            (Read::IntegerToDouble { from, float }, Column::Double(v)) => {
                let number = self.integer(*from)?;
                v.push(if *float { f64::from(number as f32) } else { number as f64 });
            }
            (Read::Fixed(size), Column::Binary(v)) => {
                let start = self.take(|c| c.skip(*size))?;
                self.push_bytes(start, v)?;
            }
            (Read::Decimal { size, precision }, Column::Decimal(v, _)) => {
                v.push(self.decimal(*size, *precision)?);
            }
            (Read::Enum(symbols), Column::String(v)) => {
                let index = self.take(|c| c.int())?;
                match usize::try_from(index).ok().and_then(|index| symbols.get(index)) {
                    Some(Some(symbol)) => self.push_copy(symbol.as_bytes(), v)?,
                    Some(None) => return self.fail("the reader's enum lacks the symbol and has no default"),
                    None => return self.fail("an enum has no symbol of this index"),
                }
            }
            (Read::List(items), Column::List(v)) => self.list(items, v)?,
            (Read::Map(items), Column::Map(v)) => self.map(items, v)?,
            (Read::Member { index, value }, Column::Struct(v)) => {
                for (at, column) in v.columns.iter_mut().enumerate() {
                    if at == *index {
                        self.value(value, column)?;
                    } else {
                        column.push_null();
                    }
                }
                v.len += 1;
            }
            (Read::Fail(why), _) => return self.fail(why.to_string()),
            _ => return self.fail("a plan of another type than its column, which is a defect to report"),
        }
        Ok(())
    }

    fn decimal(&mut self, size: Option<usize>, precision: u8) -> Result<i128, Bad> {
        let start = match size {
            Some(size) => self.take(|c| c.skip(size))?,
            None => self.take(|c| c.prefixed())?,
        };
        match decimal(&self.cursor.bytes[start..self.cursor.at], precision) {
            Ok(number) => Ok(number),
            Err(why) => self.fail(why),
        }
    }

    #[inline(always)]
    fn integer(&mut self, from: Integer) -> Result<i64, Bad> {
        match from {
            Integer::Long => self.take(|c| c.long()),
            Integer::Int => self.take(|c| c.int()).map(i64::from),
        }
    }

    #[inline(always)]
    fn push_text(&mut self, start: usize, v: &mut Views) -> Result<(), Bad> {
        let value = &self.cursor.bytes[start..self.cursor.at];
        if is_utf8(value) {
            return self.push_bytes(start, v);
        }
        let mut text = String::new();
        decode_lossy_java(value, &mut text);
        self.push_copy(text.as_bytes(), v)
    }

    #[inline(always)]
    fn push_bytes(&mut self, start: usize, v: &mut Views) -> Result<(), Bad> {
        let end = self.cursor.at;
        if self.home.place.is_none() && end - start > INLINE {
            let bytes: &'a [u8] = self.cursor.bytes;
            return self.push_copy(&bytes[start..end], v);
        }
        v.push_slice(self.cursor.bytes, start, end, self.home);
        Ok(())
    }

    /// Symbols and defaults stand in the schema once, but may come in every row.
    #[inline(never)]
    fn push_copy(&mut self, value: &[u8], v: &mut Views) -> Result<(), Bad> {
        if value.len() > MOST_COPIED - v.copied().min(MOST_COPIED) {
            return self.fail("the texts made for one batch take more than 3 GiB");
        }
        v.push_copy(value);
        Ok(())
    }

    #[inline(always)]
    fn record(&mut self, record: &Record, v: &mut StructColumn) -> Result<(), Bad> {
        for (place, step) in record.steps.iter().enumerate() {
            let read = match step {
                Step::Field(index, read) => self.value(read, &mut v.columns[*index]),
                Step::Skip(of) => self.skip_flat(of),
            };
            if read.is_err() {
                self.note(place, step, v);
                return Err(Bad);
            }
        }
        if !record.defaults.is_empty() {
            self.defaults(record, v)?;
        }
        v.len += 1;
        Ok(())
    }

    #[inline(never)]
    fn defaults(&mut self, record: &Record, v: &mut StructColumn) -> Result<(), Bad> {
        for default in &record.defaults {
            let mut inner =
                Reading::new(&default.bytes, Home::default(), self.reader_schema, self.reader_schema);
            if inner.value(&default.read, &mut v.columns[default.column]).is_err() {
                return self.fail("a default value does not fit its field");
            }
        }
        Ok(())
    }

    fn list(&mut self, items: &Items, v: &mut ListColumn) -> Result<(), Bad> {
        loop {
            let count = self.count(items)?;
            if count == 0 {
                break;
            }
            for _ in 0..count {
                self.value(&items.value, &mut v.values)?;
            }
        }
        let Ok(end) = i32::try_from(v.values.len()) else {
            return self.fail("the arrays of one batch have more than 2^31 items");
        };
        v.ends.push(end);
        Ok(())
    }

    /// The count of the next block, checked against the bytes left before anything is made of it.
    fn count(&mut self, items: &Items) -> Result<u64, Bad> {
        let (count, _) = self.take(|c| c.block())?;
        if items.least == 0 {
            self.empty_items = self.empty_items.saturating_add(count);
            if self.empty_items > MOST_EMPTY_ITEMS {
                return self.fail("arrays of items without bytes have more than 65,536 of them");
            }
        } else if count > (self.cursor.left() / items.least) as u64 {
            return self.fail("a block counts more items than the payload has bytes for");
        }
        Ok(count)
    }

    /// Of repeated keys the last value counts.
    fn map(&mut self, items: &Items, v: &mut MapColumn) -> Result<(), Bad> {
        let (start, base) = (self.cursor.at, v.end() as usize);
        let mut keys: Vec<&'a [u8]> = Vec::new();
        self.entries(items, v, &mut keys, &HashSet::new())?;
        let repeated = repeated(&keys);
        if !repeated.is_empty() {
            self.cursor.at = start;
            v.cut_entries(base);
            keys.clear();
            self.entries(items, v, &mut keys, &repeated)?;
        }
        let Ok(end) = i32::try_from(v.keys.len()) else {
            return self.fail("the maps of one batch have more than 2^31 entries");
        };
        v.ends.push(end);
        Ok(())
    }

    /// Reads the entries except those whose places are `dropped`.
    fn entries(
        &mut self,
        items: &Items,
        v: &mut MapColumn,
        keys: &mut Vec<&'a [u8]>,
        dropped: &HashSet<usize>,
    ) -> Result<(), Bad> {
        loop {
            let count = self.count(items)?;
            if count == 0 {
                return Ok(());
            }
            for _ in 0..count {
                let start = self.take(|c| c.prefixed())?;
                let place = keys.len();
                let bytes: &'a [u8] = self.cursor.bytes;
                keys.push(&bytes[start..self.cursor.at]);
                if dropped.contains(&place) {
                    self.skip(&items.written, 0)?;
                } else {
                    self.push_text(start, &mut v.keys)?;
                    self.value(&items.value, &mut v.values)?;
                }
            }
        }
    }

    #[cold]
    fn ancient(&mut self) -> Result<(), Bad> {
        self.fail(
            "a date before 1582-10-15 or a time before 1900 may be of the Julian calendar: set datetimeRebaseMode \
             to LEGACY or CORRECTED",
        )
    }

    /// Notes the name of the field in which reading stopped.
    #[cold]
    fn note(&mut self, place: usize, step: &Step, v: &StructColumn) {
        self.path.push(match step {
            Step::Field(index, _) => v.fields[*index].name().clone(),
            Step::Skip(_) => format!("(field {place} of the writer)"),
        });
    }
}

/// Places of the entries whose key comes again behind them.
fn repeated(keys: &[&[u8]]) -> HashSet<usize> {
    if keys.len() <= FEW_ENTRIES {
        let again = |at: &usize| keys[at + 1..].contains(&keys[*at]);
        return (0..keys.len()).filter(again).collect();
    }
    let mut seen = HashSet::with_capacity(keys.len());
    (0..keys.len()).rev().filter(|at| !seen.insert(keys[*at])).collect()
}

#[inline(always)]
fn is_utf8(value: &[u8]) -> bool {
    value.is_ascii() || std::str::from_utf8(value).is_ok()
}

/// The number in two's complement, big endian. As Spark: for up to 18 digits only the lowest eight bytes count.
fn decimal(bytes: &[u8], precision: u8) -> Result<i128, &'static str> {
    const WIDE: &str = "a decimal has more digits than its type";
    let Some(first) = bytes.first() else { return Err("a decimal has no bytes") };
    let sign = if *first >= 0x80 { 0xFF } else { 0 };
    let mut number = [sign; 16];
    let low = &bytes[bytes.len().saturating_sub(16)..];
    number[16 - low.len()..].copy_from_slice(low);
    let mut number = i128::from_be_bytes(number);
    if precision <= 18 {
        number = i128::from(number as i64);
    } else if bytes.len() > 16 {
        let high = &bytes[..bytes.len() - 16];
        if high.iter().any(|byte| *byte != sign) || (number < 0) != (sign != 0) {
            return Err(WIDE);
        }
    }
    let limit = 10i128.pow(u32::from(precision).min(38));
    if number > -limit && number < limit { Ok(number) } else { Err(WIDE) }
}
