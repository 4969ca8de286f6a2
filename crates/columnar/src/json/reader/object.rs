//! Objects to structs, and what Spark does when a value inside does not fit.
//!
//! Spark's parser is a loop over Jackson's tokens per object: a value that does not fit its field makes the
//! field null, and the loop goes on *at the token where the conversion stopped*. If that was inside of an
//! array or map, the loop sees the rest of it as if it stood in the object: its names are looked up among the
//! object's fields, and the first closing brace ends the object. `Parser::open` holds the containers that a
//! failed conversion left open, and `leftover` walks them; as long as it is empty, which is always for good
//! documents, the fast loop runs.

use std::sync::Arc;

use arrow_array::{ArrayRef, StructArray};
use arrow_buffer::Buffer;
use arrow_schema::Fields;

use super::column::Column;
use super::convert::{Outcome, Reading};
use super::parser::{Bad, Container};
use crate::Result;
use crate::values::Nulls;

/// A struct while it is filled.
#[derive(Debug)]
pub(super) struct StructColumn {
    fields: Fields,
    pub columns: Vec<FieldColumn>,
    pub len: usize,
    nulls: Nulls,
    /// Which field stood at each place of the last object; documents of a topic mostly agree.
    hints: Vec<Hint>,
}

#[derive(Debug)]
pub(super) struct FieldColumn {
    name: Box<[u8]>,
    pub column: Column,
}

#[derive(Debug)]
struct Hint {
    /// A name with its closing quote.
    name: Box<[u8]>,
    field: Option<u32>,
}

/// Objects with more members than this are looked up name by name.
const MOST_HINTS: usize = 128;
/// Longer names are not remembered.
const LONGEST_HINT: usize = 64;

/// What comes next in the leftovers of a failed conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leftover {
    /// The position is at a name.
    Name,
    /// The position is at an element of an array.
    Element,
    /// An array was closed.
    EndArray,
    /// An object was closed.
    EndObject,
}

impl StructColumn {
    pub fn new(fields: &Fields) -> Result<Self> {
        let columns = fields
            .iter()
            .map(|field| {
                let column = Column::new(field.data_type())?;
                Ok(FieldColumn { name: field.name().as_bytes().into(), column })
            })
            .collect::<Result<_>>()?;
        Ok(Self { fields: fields.clone(), columns, len: 0, nulls: Nulls::default(), hints: Vec::new() })
    }

    pub fn push_null(&mut self) {
        self.nulls.push_null(self.len);
        self.push_empty();
    }

    /// Appends a struct whose fields are all null.
    pub fn push_empty(&mut self) {
        self.truncate_fields(self.len);
        self.complete();
    }

    /// Takes the rows from `from` to `to` out.
    pub fn drain(&mut self, from: usize, to: usize) {
        for field in &mut self.columns {
            field.column.drain(from, to);
        }
        self.nulls.drain(from, to);
        self.len -= to - from;
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
        }
    }

    /// Ends a row: fields that were not there are null.
    #[inline(always)]
    fn complete(&mut self) {
        for field in &mut self.columns {
            if field.column.len() == self.len {
                field.column.push_null();
            }
        }
        self.len += 1;
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
        self.columns.iter().position(|field| *field.name == *name).map(|index| index as u32)
    }
}

impl Reading<'_> {
    /// Reads the object at the position as a struct and appends it.
    pub(super) fn object(&mut self, column: &mut StructColumn) -> Result<Outcome, Bad> {
        let base = self.parser.open.len();
        self.parser.at += 1;
        self.parser.enter()?;
        let mut outcome = Outcome::Good;
        let mut place = 0;
        while self.parser.next_name(place == 0)? {
            let field = self.field(column, place)?;
            place += 1;
            let Some(field) = field else {
                self.parser.skip_value()?;
                continue;
            };
            if self.assign(column, field)? != Outcome::Good {
                outcome = Outcome::Partial;
                if self.parser.open.len() > base && self.object_leftovers(column, base)? {
                    break;
                }
            }
        }
        column.complete();
        Ok(outcome)
    }

    /// Reads a name and its colon and finds the field. `place` is the number of names before it.
    #[inline(always)]
    fn field(&mut self, column: &mut StructColumn, place: usize) -> Result<Option<u32>, Bad> {
        let parser = &mut self.parser;
        if let Some(hint) = column.hints.get(place)
            && parser.byte() == b'"'
            && parser.text[parser.at + 1..].starts_with(&hint.name)
        {
            parser.at += 1 + hint.name.len();
            parser.colon()?;
            return Ok(hint.field);
        }
        self.other_field(column, place)
    }

    #[inline(never)]
    fn other_field(&mut self, column: &mut StructColumn, place: usize) -> Result<Option<u32>, Bad> {
        let quoted = self.parser.byte() == b'"';
        let name = self.parser.name()?;
        let value = self.parser.value_of(name);
        let field = column.find(value);
        if quoted && !name.escaped && value.len() <= LONGEST_HINT && place < MOST_HINTS {
            let hint = Hint { name: [value, b"\""].concat().into(), field };
            if place < column.hints.len() {
                column.hints[place] = hint;
            } else if place == column.hints.len() {
                column.hints.push(hint);
            }
        }
        self.parser.colon()?;
        Ok(field)
    }

    /// Reads the value at the position into a field of the row that is being filled. Of repeated names the
    /// last value that fits counts.
    #[inline(always)]
    fn assign(&mut self, column: &mut StructColumn, field: u32) -> Result<Outcome, Bad> {
        let row = column.len;
        let field = &mut column.columns[field as usize];
        if field.column.len() > row {
            return self.assign_again(field, row);
        }
        self.value(&mut field.column)
    }

    /// The new value goes behind the old one, which leaves only if the new one fits: nothing is read twice, so
    /// that names repeated without end cost no more than their bytes.
    #[inline(never)]
    fn assign_again(&mut self, field: &mut FieldColumn, row: usize) -> Result<Outcome, Bad> {
        let outcome = self.value(&mut field.column)?;
        if outcome != Outcome::Mismatch {
            field.column.drain(row, row + 1);
        }
        Ok(outcome)
    }

    /// Goes on in containers that a failed conversion left open above `base`. True when a closing brace ended
    /// this object too early; its container then stays open for the caller.
    #[cold]
    fn object_leftovers(&mut self, column: &mut StructColumn, base: usize) -> Result<bool, Bad> {
        while self.parser.open.len() > base {
            match self.leftover()? {
                Leftover::Name => {
                    let name = self.parser.name()?;
                    let field = column.find(self.parser.value_of(name));
                    self.parser.colon()?;
                    match field {
                        Some(field) => drop(self.assign(column, field)?),
                        None => self.parser.skip_value()?,
                    }
                }
                Leftover::Element => self.parser.skip_value()?,
                Leftover::EndArray => {}
                Leftover::EndObject => {
                    self.parser.open.insert(base, Container::Object);
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The next step inside of the innermost container that was left open.
    #[cold]
    pub(super) fn leftover(&mut self) -> Result<Leftover, Bad> {
        let innermost = self.parser.open.last().copied();
        let more = match innermost {
            Some(Container::Object) => self.parser.next_name(false)?,
            _ => self.parser.next_element(false)?,
        };
        Ok(match (innermost, more) {
            (Some(Container::Object), true) => Leftover::Name,
            (_, true) => Leftover::Element,
            (Some(Container::Object), false) => {
                self.parser.open.pop();
                Leftover::EndObject
            }
            (_, false) => {
                self.parser.open.pop();
                Leftover::EndArray
            }
        })
    }
}
