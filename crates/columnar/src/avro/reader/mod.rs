//! `from_avro`: a column of payloads to a column of the reader schema's type, by Spark's rules.
//!
//! A null payload gives null. PERMISSIVE: a bad payload gives a struct of nulls (null where the root is no record).
//! FAILFAST: it is an error that names the field. What follows the datum is ignored, as Spark ignores it. Strings
//! that are not UTF-8 are decoded as Java decodes them. Strings and binaries stay where they are: the result's views
//! point into the payloads' buffers. No payload costs its neighbours anything.

mod cursor;
mod skip;
#[cfg(test)]
mod tests;
mod value;

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryViewArray};
use arrow_schema::DataType;

use self::cursor::{Cursor, Fault};
use super::column::Column;
use super::resolve::{Read, resolve};
use super::sql_type::as_nullable;
use super::{AvroReadOptions, Schema, sql_type};
use crate::framing::Unreadable;
use crate::json::ParseMode;
use crate::records::long_parts;
use crate::values::Home;
use crate::{Error, Result, payloads};

/// A compiled `from_avro`: the schema to read with, and options. Cheap to share.
#[derive(Debug)]
pub struct AvroReader {
    schema: Schema,
    target: DataType,
    options: AvroReadOptions,
}

/// How payloads of one writer schema are read by one [`AvroReader`]. Cheap to clone.
#[derive(Debug, Clone)]
pub struct WriterPlan {
    writer: Schema,
    read: Arc<Read>,
}

/// What wrote a payload.
#[derive(Debug, Clone, Copy)]
pub enum Writer<'a> {
    /// Read by this plan.
    Plan(&'a WriterPlan),
    /// It cannot be read: null or an error, by the mode.
    Unknown(&'a Unreadable),
}

/// A payload could not be read; the reason lies in the [`Reading`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bad;

/// One payload while it is read.
#[derive(Debug)]
struct Reading<'a> {
    cursor: Cursor<'a>,
    home: Home,
    /// The writer's.
    schema: &'a Schema,
    reader_schema: &'a Schema,
    /// Array items without bytes so far.
    empty_items: u64,
    fault: Cow<'static, str>,
    /// Fields in which reading stopped, the innermost first.
    path: Vec<String>,
}

impl<'a> Reading<'a> {
    fn new(bytes: &'a [u8], home: Home, schema: &'a Schema, reader_schema: &'a Schema) -> Self {
        let cursor = Cursor { bytes, at: 0 };
        let (fault, path) = (Cow::Borrowed(""), Vec::new());
        Self { cursor, home, schema, reader_schema, empty_items: 0, fault, path }
    }

    #[inline(always)]
    fn take<T>(&mut self, step: impl FnOnce(&mut Cursor<'a>) -> Result<T, Fault>) -> Result<T, Bad> {
        match step(&mut self.cursor) {
            Ok(value) => Ok(value),
            Err(fault) => Err(self.bad(fault)),
        }
    }

    #[cold]
    fn bad(&mut self, fault: Fault) -> Bad {
        self.fault = Cow::Borrowed(fault.text());
        Bad
    }

    #[cold]
    fn fail<T>(&mut self, why: impl Into<Cow<'static, str>>) -> Result<T, Bad> {
        self.fault = why.into();
        Err(Bad)
    }
}

impl AvroReader {
    /// Compiles the schema to read with. With the option `avroSchema` that is the reader's schema, and `schema` the
    /// writer's.
    ///
    /// # Errors
    /// Schemas that [`sql_type()`] refuses.
    pub fn new(schema: &Schema, options: AvroReadOptions) -> Result<Self> {
        let schema = match &options.avro_schema {
            Some(text) => Schema::parse(text)?,
            None => schema.clone(),
        };
        let target = sql_type(&schema, &options)?.data_type;
        let target = match options.mode {
            ParseMode::Permissive => as_nullable(&target),
            ParseMode::FailFast | ParseMode::DropMalformed => target,
        };
        Column::new(&target)?;
        Ok(Self { schema, target, options })
    }

    /// The type of the arrays that [`Self::read`] makes. Under PERMISSIVE every part of it is nullable.
    pub fn data_type(&self) -> &DataType {
        &self.target
    }

    /// The schema that is read with.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// How payloads of this writer are read.
    ///
    /// # Errors
    /// Schemas that unfold to too much. Those that do not match make every payload bad, but are no error here.
    pub fn plan(&self, writer: &Schema) -> Result<WriterPlan> {
        let read = resolve(writer, &self.schema, &self.target, self.options.rebase)?;
        Ok(WriterPlan { writer: writer.clone(), read: Arc::new(read) })
    }

    /// Reads payloads of one writer.
    ///
    /// # Errors
    /// Under FAILFAST the first bad payload is an [`Error::MalformedAvro`].
    pub fn read(&self, plan: &WriterPlan, payloads: &BinaryViewArray) -> Result<ArrayRef> {
        self.read_each(payloads, |_| Writer::Plan(plan))
    }

    /// Reads payloads, each by the plan of its writer.
    ///
    /// # Errors
    /// As [`Self::read`]; more than 1 GiB of payloads.
    pub fn read_each<'p>(
        &self,
        payloads: &BinaryViewArray,
        writer: impl Fn(usize) -> Writer<'p>,
    ) -> Result<ArrayRef> {
        payloads::check_size(payloads.views(), "the payloads of one batch")?;
        let mut column = Column::new(&self.target)?;
        if let Column::Struct(root) = &mut column {
            root.reserve(payloads.len());
        }
        for row in 0..payloads.len() {
            if payloads.is_null(row) {
                column.push_null();
                continue;
            }
            match writer(row) {
                Writer::Plan(plan) => self.read_row(plan, payloads, row, &mut column)?,
                Writer::Unknown(why) => self.give_up(row, &why.why, &[], &mut column)?,
            }
        }
        column.finish(payloads.data_buffers())
    }

    #[inline(always)]
    fn read_row(
        &self,
        plan: &WriterPlan,
        payloads: &BinaryViewArray,
        row: usize,
        column: &mut Column,
    ) -> Result<()> {
        let place = long_parts(payloads.views()[row]);
        let home = Home { place: place.map(|(_, buffer, offset)| (buffer as u32, offset as u32)) };
        let mut reading = Reading::new(payloads.value(row), home, &plan.writer, &self.schema);
        if reading.value(&plan.read, column).is_err() {
            let Reading { fault, path, .. } = reading;
            return self.give_up(row, &fault, &path, column);
        }
        Ok(())
    }

    #[cold]
    fn give_up(&self, row: usize, why: &str, path: &[String], column: &mut Column) -> Result<()> {
        if self.options.mode != ParseMode::Permissive {
            let field = path.iter().rev().map(String::as_str).collect::<Vec<_>>().join(".");
            return Err(Error::MalformedAvro { row, field, why: why.to_owned() });
        }
        column.truncate(row);
        match column {
            Column::Struct(root) => root.push_empty(),
            other => other.push_null(),
        }
        Ok(())
    }
}
