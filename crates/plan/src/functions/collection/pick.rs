//! Arrays made of the items of others: which item of which column stands where.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, ListArray, UInt64Array, new_empty_array, new_null_array};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;
use arrow_select::interleave::interleave;
use arrow_select::take::take;
use datafusion::arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use crate::functions::udf::{Evaluation, Kernel};
use crate::types::SparkType;

/// A function of collections by its name; its type is known when it is called.
#[derive(Debug, Clone)]
pub(super) struct OfCollections {
    /// Lower case; tells functions apart.
    pub name: &'static str,
    /// Type of the result.
    pub returns: SparkType,
    /// Columns and the type of the result to column.
    pub run: fn(&[ArrayRef], &DataType) -> Result<ArrayRef>,
}

impl PartialEq for OfCollections {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.returns == other.returns
    }
}

impl Eq for OfCollections {}

impl std::hash::Hash for OfCollections {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.returns.hash(state);
    }
}

impl Kernel for OfCollections {
    fn name(&self) -> &str {
        self.name
    }

    fn return_type(&self) -> DataType {
        self.returns.to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        (self.run)(args, &self.returns.to_arrow())
    }
}

/// Builds a column of arrays, row by row, from the items of `sources`.
pub(super) struct Picker {
    sources: Vec<ArrayRef>,
    picks: Vec<(usize, usize)>,
    offsets: Vec<i32>,
    valid: Vec<bool>,
}

impl Picker {
    /// Items are named by the place of their column in `sources` and their place there.
    pub fn new(sources: Vec<ArrayRef>) -> Self {
        Self { sources, picks: Vec::new(), offsets: vec![0], valid: Vec::new() }
    }

    /// One more item for the row at hand.
    pub fn push(&mut self, source: usize, index: usize) {
        self.picks.push((source, index));
    }

    /// NULL as one more item for the row at hand.
    pub fn push_null(&mut self) {
        self.picks.push((self.sources.len(), 0));
    }

    /// Items of the row at hand.
    pub fn row(&mut self) -> &mut [(usize, usize)] {
        let from = self.offsets.last().map_or(0, |&at| usize::try_from(at).unwrap_or(0));
        &mut self.picks[from..]
    }

    /// Ends the row.
    pub fn end(&mut self) -> Result<()> {
        self.close(true)
    }

    /// Makes the row NULL.
    pub fn null(&mut self) -> Result<()> {
        self.close(false)
    }

    fn close(&mut self, valid: bool) -> Result<()> {
        self.offsets.push(i32::try_from(self.picks.len()).map_err(|_| too_many())?);
        self.valid.push(valid);
        Ok(())
    }

    /// The column, of type `returns`, an array.
    pub fn finish(mut self, returns: &DataType) -> Result<ArrayRef> {
        let DataType::List(field) = returns else {
            return Err(DataFusionError::Internal(format!("{returns} is no array")));
        };
        let values = if self.picks.is_empty() {
            new_empty_array(field.data_type())
        } else if *field.data_type() == DataType::Null {
            new_null_array(&DataType::Null, self.picks.len())
        } else {
            self.sources.push(new_null_array(field.data_type(), 1));
            let sources: Vec<&dyn Array> = self.sources.iter().map(AsRef::as_ref).collect();
            interleave(&sources, &self.picks)?
        };
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        let nulls = NullBuffer::from(self.valid);
        Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, Some(nulls))?))
    }
}

/// A column of arrays with its items and where those of each row are.
pub(super) struct Lists<'a> {
    list: &'a ListArray,
}

impl<'a> Lists<'a> {
    /// Of a column of type ARRAY.
    pub fn of(array: &'a ArrayRef) -> Self {
        Self { list: array.as_list::<i32>() }
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The items of all rows.
    pub fn items(&self) -> &ArrayRef {
        self.list.values()
    }

    /// Whether the array itself is NULL.
    pub fn is_null(&self, row: usize) -> bool {
        self.list.is_null(row)
    }

    /// Places of the row's items; none if the array is NULL.
    pub fn range(&self, row: usize) -> std::ops::Range<usize> {
        if self.list.is_null(row) {
            return 0..0;
        }
        let at = |i: usize| usize::try_from(self.list.value_offsets()[i]).unwrap_or(0);
        at(row)..at(row + 1)
    }
}

/// Items in a form that compares bytewise: NULL first, NaN last and equal to itself, both zeros equal.
pub(super) fn comparable(columns: &[&ArrayRef]) -> Result<Vec<Rows>> {
    let Some(first) = columns.first() else { return Ok(Vec::new()) };
    let converter = RowConverter::new(vec![SortField::new(first.data_type().clone())])?;
    columns.iter().map(|column| converter_rows(&converter, &one_zero(column))).collect()
}

fn converter_rows(converter: &RowConverter, column: &ArrayRef) -> Result<Rows> {
    Ok(converter.convert_columns(&[Arc::clone(column)])?)
}

/// -0.0 as 0.0, and every NaN as one.
fn one_zero(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Float64 => Arc::new(
            column
                .as_primitive::<Float64Type>()
                .unary::<_, Float64Type>(|v| if v.is_nan() { f64::NAN } else { v + 0.0 }),
        ),
        DataType::Float32 => Arc::new(
            column
                .as_primitive::<Float32Type>()
                .unary::<_, Float32Type>(|v| if v.is_nan() { f32::NAN } else { v + 0.0 }),
        ),
        _ => Arc::clone(column),
    }
}

/// The items at `places`; NULL where there is none.
pub(super) fn items_at(items: &ArrayRef, places: Vec<Option<usize>>) -> Result<ArrayRef> {
    let places: UInt64Array = places.into_iter().map(|p| p.map(|p| p as u64)).collect();
    Ok(take(items, &places, None)?)
}

/// More items than a column of arrays holds.
pub(super) fn too_many() -> DataFusionError {
    DataFusionError::ResourcesExhausted("more than 2^31 elements in one batch".into())
}
