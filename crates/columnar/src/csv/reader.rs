//! `from_csv`: a column of records to a column of structs, by Spark's rules.
//!
//! A null record gives null. PERMISSIVE: a value that does not fit its field gives null for that field and
//! keeps the rest; missing values are null, surplus ones are dropped; in all three cases the record's text
//! goes to the corrupt-record field, if the target has one. An empty record or a comment gives a struct of
//! nulls, and nothing in the corrupt-record field. FAILFAST: each of these is an error. A record over
//! `maxColumns` or `maxCharsPerColumn` is an error in both modes.
//!
//! Values that stand in the record as they are stay there: the result's views point into the records'
//! buffers. No record costs an allocation of its own, and none costs its neighbours anything.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringViewArray, StructArray};
use arrow_buffer::{NullBuffer, NullBufferBuilder};
use arrow_schema::{DataType, Field, Fields};

use super::convert::{Column, Formats, Record};
use super::options::CsvOptions;
use super::syntax::Syntax;
use super::tokenizer::{Cell, Cells, Fault};
use crate::json::ParseMode;
use crate::records::long_parts;
use crate::text::{row_text, utf8_lossy_java};
use crate::values::{Home, Views};
use crate::{CsvFault, Error, Result, payloads};

/// A compiled `from_csv`: target type and options. Cheap to share; [`Self::read`] takes `&self`.
#[derive(Debug)]
pub struct CsvReader {
    target: Fields,
    /// Fields that are read from records.
    fields: Fields,
    /// Where the corrupt-record field stands in the target.
    corrupt: Option<usize>,
    mode: ParseMode,
    syntax: Syntax,
    formats: Formats,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    /// There are no values: all fields are null.
    NoRecord,
    /// Fields are null, or values were dropped.
    Partial(CsvFault),
}

impl CsvReader {
    /// Compiles the target, a struct of scalar types of the table, and the options. All fields of the result
    /// are nullable, whatever the target says.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] for a target or a field that CSV has no text for; [`Error::BadOption`];
    /// [`Error::BadPattern`].
    pub fn new(target: &DataType, options: CsvOptions) -> Result<Self> {
        let DataType::Struct(target) = target else {
            return Err(Error::UnsupportedType { operation: "from_csv", data_type: target.clone() });
        };
        let nullable = |field: &Arc<Field>| field.as_ref().clone().with_nullable(true);
        let target: Fields = target.iter().map(nullable).collect();
        let corrupt = target.iter().position(|field| *field.name() == options.corrupt_record_column);
        if corrupt.is_some_and(|index| target[index].data_type() != &DataType::Utf8View) {
            return Err(Error::BadOption {
                option: "columnNameOfCorruptRecord".into(),
                value: options.corrupt_record_column,
                why: "the field for corrupt records must be a nullable string".into(),
            });
        }
        let read = target.iter().enumerate().filter(|(index, _)| Some(*index) != corrupt);
        let fields: Fields = read.map(|(_, field)| Arc::clone(field)).collect();
        columns(&fields)?;
        Ok(Self {
            target,
            fields,
            corrupt,
            mode: options.mode,
            syntax: Syntax::new(&options)?,
            formats: Formats::new(&options)?,
        })
    }

    /// The type of the arrays that [`Self::read`] makes.
    pub fn data_type(&self) -> DataType {
        DataType::Struct(self.target.clone())
    }

    /// Reads each record of a Utf8View or BinaryView array. Bytes that are not UTF-8 are decoded as Java
    /// does.
    ///
    /// # Errors
    /// [`Error::MalformedCsv`]: see the module.
    pub fn read(&self, records: &dyn Array) -> Result<ArrayRef> {
        let records = match records.data_type() {
            DataType::Utf8View => records.as_string_view().clone(),
            DataType::BinaryView => utf8_lossy_java(records.as_binary_view()).0,
            other => {
                return Err(Error::UnsupportedType { operation: "from_csv of", data_type: other.clone() });
            }
        };
        payloads::check_size(records.views(), "the records of one batch")?;
        let (mut found, corrupt, nulls) = self.rows(&records, self.mode)?;
        if let Some(index) = self.corrupt {
            found.insert(index, corrupt.finish_strings(records.data_buffers()));
        }
        structs(self.target.clone(), found, records.len(), nulls)
    }

    fn rows(
        &self,
        records: &StringViewArray,
        mode: ParseMode,
    ) -> Result<(Vec<ArrayRef>, Views, Option<NullBuffer>)> {
        let mut columns = columns(&self.fields)?;
        let mut corrupt = Views::default();
        let mut nulls = NullBufferBuilder::new(records.len());
        let mut cells = Cells::default();
        for row in 0..records.len() {
            if records.is_null(row) {
                nulls.append_null();
                columns.iter_mut().for_each(Column::push_null);
                corrupt.push_null();
                continue;
            }
            nulls.append_non_null();
            let text = records.value(row);
            let place = long_parts(records.views()[row]);
            let home = Home { place: place.map(|(_, buffer, offset)| (buffer as u32, offset as u32)) };
            let verdict = self.row(text, home, &mut cells, &mut columns)?;
            if mode == ParseMode::FailFast {
                self.check(verdict, records, row)?;
            }
            if self.corrupt.is_some() {
                match verdict {
                    Verdict::Good | Verdict::NoRecord => corrupt.push_null(),
                    Verdict::Partial(_) => {
                        let line = without_line_end(text);
                        corrupt.push_slice(line.as_bytes(), 0, line.len(), home);
                    }
                }
            }
        }
        let found = columns.into_iter().map(|column| column.finish(records.data_buffers())).collect();
        Ok((found, corrupt, nulls.finish()))
    }

    #[inline(always)]
    fn row(&self, text: &str, home: Home, cells: &mut Cells, columns: &mut [Column]) -> Result<Verdict> {
        if columns.is_empty() {
            return Ok(Verdict::Good);
        }
        if let Err(fault) = cells.read(text, &self.syntax) {
            let fault = match fault {
                Fault::NoRecord => {
                    columns.iter_mut().for_each(Column::push_null);
                    return Ok(Verdict::NoRecord);
                }
                Fault::TooManyColumns => CsvFault::TooManyColumns,
                Fault::TooManyChars => CsvFault::TooManyChars,
                Fault::UnescapedQuote => CsvFault::UnescapedQuote,
            };
            return Err(Error::MalformedCsv { record: text.into(), field: String::new(), fault });
        }
        let record = Record { text: text.as_bytes(), home, cells, formats: &self.formats };
        let mut fits = true;
        for (index, column) in columns.iter_mut().enumerate() {
            fits &= column.push_cell(cells.cells.get(index).copied().unwrap_or(Cell::Null), record);
        }
        Ok(if cells.cells.len() != columns.len() {
            Verdict::Partial(CsvFault::WrongCount)
        } else if fits {
            Verdict::Good
        } else {
            Verdict::Partial(CsvFault::Mismatch)
        })
    }

    /// Turns a bad record into an error.
    fn check(&self, verdict: Verdict, records: &StringViewArray, row: usize) -> Result<()> {
        let mut field = String::new();
        let (record, fault) = match verdict {
            Verdict::Good => return Ok(()),
            Verdict::NoRecord => (String::new(), CsvFault::WrongCount),
            Verdict::Partial(CsvFault::Mismatch) => {
                field = self.misfit(records.value(row))?;
                let (found, ..) = self.rows(&records.slice(row, 1), ParseMode::Permissive)?;
                (row_text(&structs(self.fields.clone(), found, 1, None)?), CsvFault::Mismatch)
            }
            Verdict::Partial(fault) => (without_line_end(records.value(row)).to_owned(), fault),
        };
        Err(Error::MalformedCsv { record, field, fault })
    }

    /// The first field whose value does not fit.
    fn misfit(&self, text: &str) -> Result<String> {
        let mut cells = Cells::default();
        if cells.read(text, &self.syntax).is_err() {
            return Ok(String::new());
        }
        // Where it lies does not matter: the columns are dropped.
        let home = Home { place: Some((0, 0)) };
        let record = Record { text: text.as_bytes(), home, cells: &cells, formats: &self.formats };
        let mut pairs = self.fields.iter().zip(columns(&self.fields)?).zip(&cells.cells);
        let found = pairs.find_map(|((field, mut column), cell)| {
            (!column.push_cell(*cell, record)).then(|| field.name().clone())
        });
        Ok(found.unwrap_or_default())
    }
}

fn columns(fields: &Fields) -> Result<Vec<Column>> {
    fields.iter().map(|field| Column::new(field.data_type())).collect()
}

fn structs(
    fields: Fields,
    columns: Vec<ArrayRef>,
    length: usize,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    if columns.is_empty() {
        return Ok(Arc::new(StructArray::new_empty_fields(length, nulls)));
    }
    Ok(Arc::new(StructArray::try_new(fields, columns, nulls)?))
}

/// One line end at the end is no part of a corrupt record.
fn without_line_end(text: &str) -> &str {
    text.strip_suffix("\r\n").or_else(|| text.strip_suffix(['\n', '\r'])).unwrap_or(text)
}
