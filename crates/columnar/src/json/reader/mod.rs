//! `from_json`: a column of documents to a column of the target type, by Spark's rules.
//!
//! A null or blank document gives null. PERMISSIVE: bad syntax gives a struct of nulls (null for arrays and
//! maps); a value that does not fit its field gives null for that field and keeps the rest; either way the
//! document's text goes to the corrupt-record field, if the target has one. FAILFAST: either is an error with
//! the row and the path to the value.
//! What follows the first value of a document is ignored. Names are matched exactly; of repeated names the
//! last value that fits counts.
//!
//! Strings without escapes stay where they are: the result's views point into the documents' buffers. No
//! document costs an allocation of its own, and none costs its neighbours anything.

#[cfg(test)]
mod captured;
mod column;
mod convert;
mod float;
mod formats;
mod gap;
mod hint;
#[cfg(test)]
mod hostile;
mod known;
pub(super) mod number;
mod object;
pub(super) mod parser;
#[cfg(test)]
mod random;
mod scalar;
mod skip;
#[cfg(test)]
mod tests;
mod trace;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringViewArray, StructArray};
use arrow_schema::{DataType, Field, FieldRef, Fields};

use self::column::Column;
use self::convert::{Outcome, Reading};
pub(super) use self::formats::Formats;
use self::object::StructColumn;
use self::parser::{Bad, Parser, Syntax};
use self::trace::Trace;
use super::options::{JsonReadOptions, ParseMode};
use crate::records::long_parts;
use crate::text::{row_text, utf8_lossy_java};
use crate::values::{Home, Views};
use crate::{Error, JsonFault, Result, payloads};

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

/// What a document was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Blank,
    Good,
    /// The row is there, with nulls for what did not fit.
    Partial,
    /// It is JSON, but not of the target's type.
    Mismatch,
    /// An array where the target is a struct.
    Arrays,
    /// The literal `null`.
    Null,
    /// It is not JSON.
    Bad(Bad),
}

/// A row that the caller knows to be bad.
const UNREADABLE: Verdict = Verdict::Bad(Bad { what: &"it is no document", at: 0 });

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
        if options.mode == ParseMode::DropMalformed {
            return Err(Error::BadOption {
                option: "mode".into(),
                value: "DROPMALFORMED".into(),
                why: "from_json makes a row of each document; use PERMISSIVE or FAILFAST".into(),
            });
        }
        Ok(Self {
            target,
            fields,
            corrupt,
            mode: options.mode,
            syntax: Syntax::from(&options),
            formats: Formats::new(&options)?,
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
        self.read_except(documents, &[])
    }

    /// As [`Self::read`], where the rows that `bad` marks are known to be no documents, whatever they hold; none are
    /// if it is empty.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_except(&self, documents: &dyn Array, bad: &[bool]) -> Result<ArrayRef> {
        let documents = match documents.data_type() {
            DataType::Utf8View => documents.as_string_view().clone(),
            DataType::BinaryView => utf8_lossy_java(documents.as_binary_view()).0,
            other => {
                return Err(Error::UnsupportedType { operation: "from_json of", data_type: other.clone() });
            }
        };
        payloads::check_size(documents.views(), "the documents of one batch")?;
        match &self.target {
            DataType::Struct(all) => self.structs(&documents, bad, all, self.reading()),
            _ => self.values(&documents, bad, self.reading()),
        }
    }

    fn structs<'a>(
        &self,
        documents: &'a StringViewArray,
        bad: &[bool],
        all: &Fields,
        mut reading: Reading<'a>,
    ) -> Result<ArrayRef> {
        let mut column = StructColumn::new(&self.fields)?;
        column.reserve(documents.len());
        let mut corrupt = Views::default();
        for row in 0..documents.len() {
            let verdict = if documents.is_null(row) {
                Verdict::Blank
            } else {
                reading.start(documents, row);
                match bad.get(row) {
                    Some(true) => UNREADABLE,
                    _ => reading.struct_document(&mut column),
                }
            };
            match verdict {
                Verdict::Good | Verdict::Partial => {}
                Verdict::Blank => column.push_null(),
                _ => column.push_empty(),
            }
            let is_bad = !matches!(verdict, Verdict::Blank | Verdict::Good);
            if is_bad {
                self.check(verdict, &reading, documents, row)?;
            }
            if self.corrupt.is_some() {
                if is_bad {
                    let text = reading.parser.text;
                    corrupt.push_slice(text, 0, text.len(), reading.home);
                } else {
                    corrupt.push_null();
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
    fn values<'a>(
        &self,
        documents: &'a StringViewArray,
        bad: &[bool],
        mut reading: Reading<'a>,
    ) -> Result<ArrayRef> {
        let mut column = Column::new(&self.target)?;
        column.reserve(documents.len());
        for row in 0..documents.len() {
            let verdict = if documents.is_null(row) {
                Verdict::Blank
            } else {
                reading.start(documents, row);
                match bad.get(row) {
                    Some(true) => UNREADABLE,
                    _ => reading.value_document(&mut column),
                }
            };
            if !matches!(verdict, Verdict::Good | Verdict::Partial) {
                column.truncate(row);
                column.push_null();
            }
            if !matches!(verdict, Verdict::Blank | Verdict::Good) {
                self.check(verdict, &reading, documents, row)?;
            }
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
            trace: None,
        }
    }

    /// Turns a bad document into an error under FAILFAST, unless it is only traced.
    #[cold]
    fn check(
        &self,
        verdict: Verdict,
        reading: &Reading<'_>,
        documents: &StringViewArray,
        row: usize,
    ) -> Result<()> {
        if self.mode == ParseMode::Permissive || reading.trace.is_some() {
            return Ok(());
        }
        let document = documents.slice(row, 1);
        let (fault, path) = self.trace(verdict, &document)?;
        let record = match &fault {
            JsonFault::ArraysAsStructs | JsonFault::StringForNumber { .. } => document.value(0).to_string(),
            JsonFault::RootNull => String::new(),
            JsonFault::Malformed { .. } => {
                let mut reading = self.reading();
                reading.trace = Some(Trace::default());
                row_text(&*match &self.target {
                    DataType::Struct(all) => self.structs(&document, &[], all, reading)?,
                    _ => self.values(&document, &[], reading)?,
                })
            }
        };
        Err(Error::MalformedJson { record, fault, row, path })
    }

    /// What is wrong with a document, and the path to the value that does not fit.
    fn trace(&self, verdict: Verdict, document: &StringViewArray) -> Result<(JsonFault, String)> {
        let what = match verdict {
            Verdict::Arrays => return Ok((JsonFault::ArraysAsStructs, String::new())),
            Verdict::Null => return Ok((JsonFault::RootNull, String::new())),
            Verdict::Bad(bad) => format!("{} at byte {}", bad.what, bad.at),
            _ => {
                let mut reading = self.reading();
                reading.trace = Some(Trace::default());
                reading.start(document, 0);
                match &self.target {
                    DataType::Struct(_) => {
                        reading.struct_document(&mut StructColumn::new(&self.fields)?);
                    }
                    target => {
                        reading.value_document(&mut Column::new(target)?);
                    }
                }
                return Ok(reading.trace.unwrap_or_default().finish(&self.target, &self.formats));
            }
        };
        Ok((JsonFault::Malformed { what, value: None }, String::new()))
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
        match self.parser.first() {
            Ok(b'{') => match self.object(column) {
                Ok(Outcome::Good) => Verdict::Good,
                Ok(_) => Verdict::Partial,
                Err(bad) => Verdict::Bad(bad),
            },
            Ok(0) if self.parser.at >= self.parser.text.len() => Verdict::Blank,
            Ok(b'[') => Verdict::Arrays,
            Ok(_) => self.scalar_document(),
            Err(bad) => Verdict::Bad(bad),
        }
    }

    fn value_document(&mut self, column: &mut Column) -> Verdict {
        let outcome = match (self.parser.first(), &mut *column) {
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
            Ok(Outcome::Mismatch) => Verdict::Mismatch,
            Err(bad) => Verdict::Bad(bad),
        }
    }

    /// A document of which nothing can be used.
    #[cold]
    fn scalar_document(&mut self) -> Verdict {
        let is_null = self.parser.byte() == b'n';
        match self.parser.skip_value() {
            Ok(()) if is_null => Verdict::Null,
            Ok(()) => Verdict::Mismatch,
            Err(bad) => Verdict::Bad(bad),
        }
    }
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
