//! The walk itself.
//!
//! It recurses along the table, never along the input, so its depth is that of the deepest table.

use super::field::{Field, Kind, Schema, smallest, smallest_struct};
use crate::cursor::{Cursor, Tag};
use crate::{Limits, Result};

/// A walk over one message.
pub(super) struct Walk<'a> {
    cursor: Cursor<'a>,
    rules: Rules<'a>,
}

/// What does not change on the way, and how much of the limits has been used.
struct Rules<'a> {
    version: i16,
    flexible: bool,
    limits: &'a Limits,
    elements: usize,
    unknown_tags: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(schema: &Schema, version: i16, body: &'a [u8], limits: &'a Limits) -> Self {
        let flexible = version >= schema.flexible;
        let cursor = Cursor::new(body, schema.api, version, limits);
        Self { cursor, rules: Rules { version, flexible, limits, elements: 0, unknown_tags: 0 } }
    }

    /// Walks `fields` and then expects the end.
    pub(super) fn message(mut self, fields: &[Field]) -> Result<()> {
        self.rules.structure(&mut self.cursor, fields)?;
        self.cursor.finish()
    }
}

impl Rules<'_> {
    fn structure(&mut self, cursor: &mut Cursor<'_>, fields: &[Field]) -> Result<()> {
        for field in fields {
            if field.tag.is_none() && field.is_present(self.version) {
                self.field(cursor, field)?;
            }
        }
        if !self.flexible {
            return Ok(());
        }
        let version = self.version;
        cursor.tags(|tag, bytes| {
            let known = fields.iter().find(|field| field.tag == Some(tag) && field.is_present(version));
            let Some(field) = known else {
                // They are kept in a map by what decodes the message, so all of a message's are counted.
                self.unknown_tags += 1;
                Limits::check("tagged_fields", self.limits.tagged_fields, self.unknown_tags)?;
                return Ok(Tag::Unknown);
            };
            self.field(bytes, field)?;
            Ok(Tag::Read)
        })
    }

    fn field(&mut self, cursor: &mut Cursor<'_>, field: &Field) -> Result<()> {
        let is_null = match field.kind {
            Kind::Struct(fields) if field.is_nullable(self.version) => {
                let is_null = cursor.i8()? < 0;
                if !is_null {
                    self.structure(cursor, fields)?;
                }
                return Ok(());
            }
            kind => self.value(cursor, &kind)?,
        };
        if is_null && !field.is_nullable(self.version) {
            return Err(cursor.fault(format!("{} is null", field.name)));
        }
        Ok(())
    }

    /// Walks one value and says whether it is null.
    fn value(&mut self, cursor: &mut Cursor<'_>, kind: &Kind) -> Result<bool> {
        let length = match kind {
            Kind::Bool | Kind::I8 => return cursor.take(1).map(|_| false),
            Kind::I16 => return cursor.take(2).map(|_| false),
            Kind::I32 => return cursor.take(4).map(|_| false),
            Kind::I64 => return cursor.take(8).map(|_| false),
            Kind::Uuid => return cursor.take(16).map(|_| false),
            Kind::Struct(fields) => return self.structure(cursor, fields).map(|()| false),
            Kind::Array(element) => return self.array(cursor, element),
            Kind::List(fields) => return self.list(cursor, fields),
            Kind::Text | Kind::Bytes if self.flexible => cursor.compact_length()?,
            Kind::Text => cursor.length_16()?,
            Kind::Bytes => cursor.length_32()?,
        };
        match (length, kind) {
            (None, _) => return Ok(true),
            (Some(length), Kind::Text) => cursor.text(length).map(|_| ())?,
            (Some(length), _) => cursor.take(length).map(|_| ())?,
        }
        Ok(false)
    }

    fn array(&mut self, cursor: &mut Cursor<'_>, element: &Kind) -> Result<bool> {
        let count = cursor.count(self.flexible, smallest(element, self.version, self.flexible))?;
        let Some(count) = count else { return Ok(true) };
        if matches!(element, Kind::Text | Kind::Bytes) {
            self.take_elements(count)?;
        }
        for _ in 0..count {
            if self.value(cursor, element)? {
                return Err(cursor.fault("an element is null"));
            }
        }
        Ok(false)
    }

    fn list(&mut self, cursor: &mut Cursor<'_>, fields: &[Field]) -> Result<bool> {
        let count = cursor.count(self.flexible, smallest_struct(fields, self.version, self.flexible))?;
        let Some(count) = count else { return Ok(true) };
        self.take_elements(count)?;
        for _ in 0..count {
            self.structure(cursor, fields)?;
        }
        Ok(false)
    }

    /// Structures and texts take more room decoded than on the wire, so all of a message's are counted.
    fn take_elements(&mut self, count: usize) -> Result<()> {
        self.elements = self.elements.saturating_add(count);
        Limits::check("array_elements", self.limits.array_elements, self.elements)
    }
}
