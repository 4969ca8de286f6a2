//! Objects to structs, and what Spark does when a value inside does not fit.
//!
//! A value that does not fit its field makes the field null and the row is kept. An array with an element that
//! does not fit does not fit as a whole; the conversion stops at that element, and the rest of the array, which
//! `Parser::open_arrays` counts, is passed over by the struct or map that goes on.

use std::sync::Arc;

use arrow_array::{ArrayRef, StructArray};
use arrow_buffer::Buffer;
use arrow_schema::Fields;

use super::column::Column;
use super::convert::{Outcome, Reading};
use super::hint::{Hints, Next};
use super::parser::Bad;
use crate::Result;
use crate::values::Nulls;

/// A struct while it is filled.
#[derive(Debug)]
pub(super) struct StructColumn {
    fields: Fields,
    columns: Vec<FieldColumn>,
    pub len: usize,
    nulls: Nulls,
    hints: Hints,
    /// Places of the fields, sorted by name; of equal names only the last, as in Spark.
    by_name: Vec<u32>,
}

#[derive(Debug)]
struct FieldColumn {
    column: Column,
    /// The number of rows that the struct has once the row is complete for which a value is here; so it says
    /// whether the current row has one.
    filled: usize,
}

impl StructColumn {
    pub fn new(fields: &Fields) -> Result<Self> {
        let columns = fields
            .iter()
            .map(|field| Ok(FieldColumn { column: Column::new(field.data_type())?, filled: 0 }))
            .collect::<Result<_>>()?;
        let mut by_name: Vec<u32> = (0..fields.len() as u32).rev().collect();
        by_name.sort_by_key(|at| fields[*at as usize].name());
        by_name.dedup_by_key(|at| fields[*at as usize].name());
        let (nulls, hints) = (Nulls::default(), Hints::default());
        Ok(Self { fields: fields.clone(), columns, len: 0, nulls, hints, by_name })
    }

    pub fn reserve(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|field| field.column.reserve(rows));
    }

    pub fn push_null(&mut self) {
        self.nulls.push_null(self.len);
        self.push_empty();
    }

    /// Appends a struct whose fields are all null.
    pub fn push_empty(&mut self) {
        self.truncate_fields(self.len);
        self.complete(0);
    }

    pub fn truncate(&mut self, length: usize) {
        if self.len > length {
            self.len = length;
            self.nulls.truncate(length);
        }
        self.truncate_fields(length);
    }

    fn truncate_fields(&mut self, length: usize) {
        for field in &mut self.columns {
            field.column.truncate(length);
            field.filled = field.filled.min(length);
        }
    }

    /// Takes the rows from `from` to `to` out.
    pub fn drain(&mut self, from: usize, to: usize) {
        self.len -= to - from;
        self.nulls.drain(from, to);
        for field in &mut self.columns {
            field.column.drain(from, to);
            field.filled = field.filled.min(self.len);
        }
    }

    /// Ends a row in which `filled` fields have a value; the others are null.
    #[inline(always)]
    fn complete(&mut self, filled: usize) {
        self.len += 1;
        if filled < self.columns.len() {
            self.fill_up();
        }
    }

    #[inline(never)]
    fn fill_up(&mut self) {
        for field in &mut self.columns {
            if field.filled != self.len {
                field.column.push_null();
                field.filled = self.len;
            }
        }
    }

    pub fn finish(self, source: &[Buffer]) -> Result<ArrayRef> {
        let (columns, nulls) = self.finish_columns(source)?;
        Ok(Arc::new(StructArray::try_new(columns.0, columns.1, nulls)?))
    }

    /// Fields and arrays, and the validity of the struct itself.
    #[expect(clippy::type_complexity, reason = "the two arguments of a struct array")]
    pub fn finish_columns(
        self,
        source: &[Buffer],
    ) -> Result<((Fields, Vec<ArrayRef>), Option<arrow_buffer::NullBuffer>)> {
        let columns =
            self.columns.into_iter().map(|field| field.column.finish(source)).collect::<Result<_>>()?;
        Ok(((self.fields, columns), self.nulls.finish(self.len)))
    }

    fn find(&self, name: &[u8]) -> Option<u32> {
        let name_at = |at: u32| self.fields[at as usize].name().as_bytes();
        let found = self.by_name.binary_search_by(|at| name_at(*at).cmp(name)).ok()?;
        Some(self.by_name[found])
    }
}

impl Reading<'_> {
    /// Reads the object at the position as a struct and appends it.
    pub(super) fn object(&mut self, column: &mut StructColumn) -> Result<Outcome, Bad> {
        self.parser.at = self.parser.at.wrapping_add(1);
        self.parser.enter()?;
        let depth = self.parser.depth;
        let row = column.len + 1;
        let (mut outcome, mut place, mut filled) = (Outcome::Good, 0, 0);
        loop {
            let limits = &self.parser.syntax.limits;
            let passed = column.hints.pass(self.parser.text, self.parser.at, place, limits);
            (self.parser.at, place) = (passed.at, passed.place);
            let field = match passed.next {
                Next::Field(field) => field,
                Next::End => {
                    self.parser.at = self.parser.at.wrapping_add(1);
                    self.parser.depth = self.parser.depth.saturating_sub(1);
                    break;
                }
                Next::Unwanted => {
                    self.parser.skip_other_value()?;
                    continue;
                }
                Next::Other => match self.other_member(column, place)? {
                    Some(Some(field)) => {
                        place += 1;
                        field
                    }
                    Some(None) => {
                        place += 1;
                        self.parser.skip_value()?;
                        continue;
                    }
                    None => break,
                },
            };
            let slot = &mut column.columns[field as usize];
            let fitted = if slot.filled == row {
                self.value_again(&mut slot.column, row)?
            } else {
                let fitted = self.value(&mut slot.column)?;
                if fitted != Outcome::Mismatch {
                    slot.filled = row;
                    filled += 1;
                }
                fitted
            };
            if fitted != Outcome::Good {
                outcome = Outcome::Partial;
                self.climb(depth, || column.fields[field as usize].name().clone());
                self.pass_open_arrays()?;
            }
        }
        column.complete(filled);
        Ok(outcome)
    }

    /// Goes to the next value by its name: the field, if the name is one of the struct's. None behind the
    /// closing brace. `place` is the number of members before it.
    #[inline(never)]
    fn other_member(&mut self, column: &mut StructColumn, place: usize) -> Result<Option<Option<u32>>, Bad> {
        let start = self.parser.at;
        if !self.parser.next_name(place == 0)? {
            return Ok(None);
        }
        let name = self.parser.name()?;
        let field = column.find(self.parser.value_of(name));
        self.parser.colon()?;
        column.hints.learn(&self.parser.text[start..self.parser.at], field, place);
        Ok(Some(field))
    }

    /// Reads the value of a name that the object had before. Of repeated names the last value that fits counts:
    /// it goes behind the old one, which leaves only then, so that nothing is read twice.
    #[inline(never)]
    fn value_again(&mut self, column: &mut Column, row: usize) -> Result<Outcome, Bad> {
        let fitted = self.value(column)?;
        if fitted != Outcome::Mismatch {
            column.drain(row - 1, row);
        }
        Ok(fitted)
    }

    /// Passes over the rest of arrays whose conversion stopped.
    #[cold]
    pub(super) fn pass_open_arrays(&mut self) -> Result<(), Bad> {
        while self.parser.open_arrays > 0 {
            while self.parser.next_element(false)? {
                self.parser.skip_value()?;
            }
            self.parser.open_arrays -= 1;
        }
        Ok(())
    }
}
