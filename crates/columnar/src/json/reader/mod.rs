//! `from_json`: a column of documents to a column of the target type, by Spark's rules.
//!
//! A null or blank document gives null. PERMISSIVE: bad syntax gives a struct of nulls (null for arrays and
//! maps); a value that does not fit its field gives null for that field and keeps the rest; either way the
//! document's text goes to the corrupt-record field, if the target has one. FAILFAST: either is an error.
//! What follows the first value of a document is ignored. Names are matched exactly; of repeated names the
//! last value that fits counts.
//!
//! Strings without escapes stay where they are: the result's views point into the documents' buffers. No
//! document costs an allocation of its own, and none costs its neighbours anything.

mod column;
mod convert;
pub(super) mod number;
mod object;
pub(super) mod parser;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod twin;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringViewArray, StructArray};
use arrow_schema::{DataType, Field, FieldRef, Fields};

use self::column::Column;
use self::convert::{Formats, Outcome, Reading};
use self::object::StructColumn;
use self::parser::{Bad, Parser, Syntax};
use super::options::{JsonReadOptions, ParseMode};
use crate::datetime::Pattern;
use crate::records::long_parts;
use crate::text::{row_text, utf8_lossy_java};
use crate::values::{Home, Views};
use crate::{Error, JsonFault, Result};

/// A compiled `from_json`: target type and options. Cheap to share; [`Self::read`] takes `&self`.
#[derive(Debug)]
pub struct JsonReader {
    target: DataType,
    /// Fields of a struct target that are read from documents.
    fields: Fields,
    /// Where the corrupt-record field stands in the target.
    corrupt: Option<usize>,
    mode: ParseMode,
    syntax: Syntax,
    formats: Formats,
}

/// Documents of one call may take this many bytes together, so that offsets of 32 bits always do.
const MAX_BYTES: usize = 1 << 30;

/// What a document was.
enum Verdict {
    Blank,
    Good,
    /// The row is there, with nulls for what did not fit.
    Partial,
    /// Nothing of it can be used.
    Failed(JsonFault),
}

impl JsonReader {
    /// Compiles the target (a struct, list or map of the table's types) and the options. All fields of the
    /// result are nullable, whatever the target says.
    pub fn new(target: &DataType, options: JsonReadOptions) -> Result<Self> {
        let target = nullable(target);
        let (mut fields, mut corrupt) = (Fields::empty(), None);
        match &target {
            DataType::Struct(all) => {
                corrupt = all.iter().position(|field| *field.name() == options.corrupt_record_column);
                if corrupt.is_some_and(|index| all[index].data_type() != &DataType::Utf8View) {
                    return Err(Error::BadOption {
                        option: "columnNameOfCorruptRecord".into(),
                        value: options.corrupt_record_column,
                        why: "the field for corrupt records must be a nullable string".into(),
                    });
                }
                let read = all.iter().enumerate().filter(|(index, _)| Some(*index) != corrupt);
                fields = read.map(|(_, field)| Arc::clone(field)).collect();
                StructColumn::new(&fields)?;
            }
            DataType::List(_) | DataType::Map(_, _) => drop(Column::new(&target)?),
            other => {
                return Err(Error::UnsupportedType { operation: "from_json", data_type: other.clone() });
            }
        }
        let compile = |format: &Option<String>| format.as_deref().map(Pattern::compile).transpose();
        Ok(Self {
            target,
            fields,
            corrupt,
            mode: options.mode,
            syntax: Syntax::from(&options),
            formats: Formats {
                date: compile(&options.date_format)?,
                timestamp: compile(&options.timestamp_format)?,
                timestamp_ntz: compile(&options.timestamp_ntz_format)?,
                zone: options.time_zone,
            },
        })
    }

    /// The type of the arrays that [`Self::read`] makes.
    pub fn data_type(&self) -> &DataType {
        &self.target
    }

    /// Parses each document of a Utf8View or BinaryView array. Bytes that are not UTF-8 are decoded as Java
    /// does.
    ///
    /// Under FAILFAST the first bad document is an [`Error::MalformedJson`].
    pub fn read(&self, documents: &dyn Array) -> Result<ArrayRef> {
        self.read_in(documents, self.mode)
    }

    fn read_in(&self, documents: &dyn Array, mode: ParseMode) -> Result<ArrayRef> {
        let documents = match documents.data_type() {
            DataType::Utf8View => documents.as_string_view().clone(),
            DataType::BinaryView => utf8_lossy_java(documents.as_binary_view()).0,
            other => {
                return Err(Error::UnsupportedType { operation: "from_json of", data_type: other.clone() });
            }
        };
        let bytes = documents.views().iter().map(|view| *view as u32 as usize).sum::<usize>();
        if bytes > MAX_BYTES {
            return Err(Error::LimitExceeded {
                what: "the documents of one batch".into(),
                unit: "bytes",
                found: bytes,
                limit: MAX_BYTES,
                setting: "the number of batches (smaller ones)",
            });
        }
        match &self.target {
            DataType::Struct(all) => self.structs(&documents, all, mode),
            _ => self.values(&documents, mode),
        }
    }

    fn structs(&self, documents: &StringViewArray, all: &Fields, mode: ParseMode) -> Result<ArrayRef> {
        let mut column = StructColumn::new(&self.fields)?;
        let mut corrupt = Views::default();
        let mut reading = self.reading();
        for row in 0..documents.len() {
            let verdict = if documents.is_null(row) {
                Verdict::Blank
            } else {
                reading.start(documents, row);
                reading.struct_document(&mut column)
            };
            match &verdict {
                Verdict::Blank => column.push_null(),
                Verdict::Failed(_) => column.push_empty(),
                Verdict::Good | Verdict::Partial => {}
            }
            self.check(&verdict, mode, documents, row)?;
            if self.corrupt.is_some() {
                match verdict {
                    Verdict::Blank | Verdict::Good => corrupt.push_null(),
                    Verdict::Partial | Verdict::Failed(_) => {
                        let text = reading.parser.text;
                        corrupt.push_slice(text, 0, text.len(), reading.home);
                    }
                }
            }
        }
        let ((_, mut columns), nulls) = column.finish_columns(documents.data_buffers())?;
        if let Some(index) = self.corrupt {
            columns.insert(index, corrupt.finish_strings(documents.data_buffers()));
        }
        if columns.is_empty() {
            return Ok(Arc::new(StructArray::new_empty_fields(documents.len(), nulls)));
        }
        Ok(Arc::new(StructArray::try_new(all.clone(), columns, nulls)?))
    }

    /// Arrays and maps as roots.
    fn values(&self, documents: &StringViewArray, mode: ParseMode) -> Result<ArrayRef> {
        let mut column = Column::new(&self.target)?;
        let mut reading = self.reading();
        for row in 0..documents.len() {
            let verdict = if documents.is_null(row) {
                Verdict::Blank
            } else {
                reading.start(documents, row);
                reading.value_document(&mut column)
            };
            if matches!(verdict, Verdict::Blank | Verdict::Failed(_)) {
                column.truncate(row);
                column.push_null();
            }
            self.check(&verdict, mode, documents, row)?;
        }
        column.finish(documents.data_buffers())
    }

    fn reading(&self) -> Reading<'_> {
        Reading {
            parser: Parser::new(self.syntax),
            formats: &self.formats,
            home: Home::default(),
            scratch: String::new(),
            bytes: Vec::new(),
        }
    }

    /// Turns a bad document into an error under FAILFAST.
    fn check(
        &self,
        verdict: &Verdict,
        mode: ParseMode,
        documents: &StringViewArray,
        row: usize,
    ) -> Result<()> {
        let fault = match verdict {
            Verdict::Blank | Verdict::Good => return Ok(()),
            Verdict::Failed(fault) => fault.clone(),
            Verdict::Partial => JsonFault::Malformed { what: "a value does not fit its field".into() },
        };
        if mode == ParseMode::Permissive {
            return Ok(());
        }
        let record = match fault {
            JsonFault::ArraysAsStructs => documents.value(row).to_string(),
            _ => row_text(&*self.read_in(&documents.slice(row, 1), ParseMode::Permissive)?),
        };
        Err(Error::MalformedJson { record, fault })
    }
}

impl<'a> Reading<'a> {
    /// Begins a document.
    #[inline(always)]
    fn start(&mut self, documents: &'a StringViewArray, row: usize) {
        let place = long_parts(documents.views()[row]);
        self.home = Home { place: place.map(|(_, buffer, offset)| (buffer as u32, offset as u32)) };
        self.parser.restart(documents.value(row).as_bytes());
    }

    #[inline(always)]
    fn struct_document(&mut self, column: &mut StructColumn) -> Verdict {
        match self.parser.next() {
            Ok(b'{') => match self.object(column) {
                Ok(Outcome::Good) => Verdict::Good,
                Ok(_) => Verdict::Partial,
                Err(bad) => failed(bad),
            },
            Ok(0) if self.parser.at >= self.parser.text.len() => Verdict::Blank,
            Ok(b'[') => Verdict::Failed(JsonFault::ArraysAsStructs),
            Ok(_) => self.scalar_document(),
            Err(bad) => failed(bad),
        }
    }

    fn value_document(&mut self, column: &mut Column) -> Verdict {
        let row = column.len();
        let outcome = match (self.parser.next(), &mut *column) {
            (Ok(0), _) if self.parser.at >= self.parser.text.len() => return Verdict::Blank,
            // One object stands for an array of one.
            (Ok(b'{'), Column::List(list)) => match &mut list.values {
                Column::Struct(element) => self.object(element).inspect(|_| {
                    list.ends.push(element.len as i32);
                }),
                _ => return self.scalar_document(),
            },
            (Ok(b'n'), _) => return self.scalar_document(),
            (Ok(_), column) => self.value(column),
            (Err(bad), _) => Err(bad),
        };
        match outcome {
            Ok(Outcome::Good) => Verdict::Good,
            Ok(Outcome::Partial) => Verdict::Partial,
            Ok(Outcome::Mismatch) => Verdict::Failed(JsonFault::Malformed {
                what: "the document is not of the target's type".into(),
            }),
            Err(bad) => {
                column.truncate(row);
                failed(bad)
            }
        }
    }

    /// A document that is a single value, or none.
    #[cold]
    fn scalar_document(&mut self) -> Verdict {
        let is_null = self.parser.byte() == b'n';
        match self.parser.skip_value() {
            Ok(()) if is_null => Verdict::Failed(JsonFault::RootNull),
            Ok(()) => Verdict::Failed(JsonFault::Malformed { what: "the document is a single value".into() }),
            Err(bad) => failed(bad),
        }
    }
}

#[cold]
fn failed(bad: Bad) -> Verdict {
    Verdict::Failed(JsonFault::Malformed { what: format!("{} at byte {}", bad.what, bad.at) })
}

/// The type with every field nullable, except map keys.
fn nullable(data_type: &DataType) -> DataType {
    let field = |field: &FieldRef| -> Field {
        field.as_ref().clone().with_data_type(nullable(field.data_type())).with_nullable(true)
    };
    match data_type {
        DataType::List(element) => DataType::List(Arc::new(field(element))),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        DataType::Map(entries, sorted) => match entries.data_type() {
            DataType::Struct(kv) if kv.len() == 2 => {
                let kv = Fields::from(vec![kv[0].as_ref().clone(), field(&kv[1])]);
                let entries = entries.as_ref().clone().with_data_type(DataType::Struct(kv));
                DataType::Map(Arc::new(entries), *sorted)
            }
            _ => data_type.clone(),
        },
        other => other.clone(),
    }
}
