//! What generators unnest: arrays and maps as lists of rows.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Int32Array, ListArray, StructArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use super::collection::{array_of_typed, named_struct};
use super::udf::{Evaluation, Kernel};
use crate::analyzer::{Conf, Typed, cast_to, common_type, errors};
use crate::types::{SparkType, StructField, StructType};

/// The rows that an array or map explodes to, as a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct GeneratorRows {
    element: SparkType,
    is_map: bool,
    position: bool,
}

impl GeneratorRows {
    /// Rows of a collection type, with their position first if wanted.
    pub fn new(collection: &SparkType, position: bool) -> Self {
        let field = |name: &str, data_type: &SparkType| StructField::new(name, data_type.clone(), true);
        let mut fields: Vec<StructField> = Vec::new();
        if position {
            fields.push(field("pos", &SparkType::Integer));
        }
        let (element, is_map) = match collection {
            SparkType::Map(key, value, _) => {
                fields.extend([field("key", key), field("value", value)]);
                (SparkType::Struct(StructType { fields }), true)
            }
            SparkType::Array(element, _) if position => {
                fields.push(field("col", element));
                (SparkType::Struct(StructType { fields }), false)
            }
            SparkType::Array(element, _) => ((**element).clone(), false),
            other => (other.clone(), false),
        };
        Self { element, is_map, position }
    }

    /// Type of the list.
    pub fn list(&self) -> SparkType {
        SparkType::Array(Box::new(self.element.clone()), true)
    }

    /// Whether the array is itself the list.
    pub fn changes_nothing(&self) -> bool {
        !self.is_map && !self.position
    }

    fn elements(&self, array: &ArrayRef, offsets: &OffsetBuffer<i32>) -> Result<ArrayRef> {
        let mut columns: Vec<ArrayRef> = Vec::new();
        if self.position {
            let mut positions = vec![0_i32; element_count(array)];
            for window in offsets.windows(2) {
                for (position, index) in (window[0]..window[1]).enumerate() {
                    if let Some(slot) = usize::try_from(index).ok().and_then(|i| positions.get_mut(i)) {
                        *slot = i32::try_from(position).unwrap_or(i32::MAX);
                    }
                }
            }
            columns.push(Arc::new(Int32Array::from(positions)));
        }
        if self.is_map {
            let map = array.as_map();
            columns.extend([Arc::clone(map.keys()), Arc::clone(map.values())]);
        } else if self.position {
            columns.push(Arc::clone(array.as_list::<i32>().values()));
        } else {
            return Ok(Arc::clone(array.as_list::<i32>().values()));
        }
        let DataType::Struct(fields) = self.element.to_arrow() else {
            return Err(DataFusionError::Internal("rows of several columns are structs".into()));
        };
        Ok(Arc::new(StructArray::try_new(fields, columns, None)?))
    }
}

impl Kernel for GeneratorRows {
    fn name(&self) -> &str {
        "rows_of"
    }

    fn return_type(&self) -> DataType {
        self.list().to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let array = &args[0];
        let offsets = if self.is_map { array.as_map().offsets() } else { array.as_list::<i32>().offsets() };
        let elements = self.elements(array, offsets)?;
        let DataType::List(field) = self.return_type() else {
            return Err(DataFusionError::Internal("rows are a list".into()));
        };
        let list = ListArray::try_new(field, offsets.clone(), elements, array.nulls().cloned())?;
        Ok(Arc::new(list))
    }
}

fn element_count(array: &ArrayRef) -> usize {
    match array.data_type() {
        DataType::Map(..) => array.as_map().keys().len(),
        _ => array.as_list::<i32>().values().len(),
    }
}

/// `stack(n, a, b, ...)`: the arguments in n rows; columns are `col0`, `col1`, ...
///
/// # Errors
/// A first argument that is no positive constant, and columns without a common type.
pub(crate) fn stacked(args: &[Typed], sql: &str, conf: &Conf) -> crate::error::Result<Typed> {
    use datafusion::scalar::ScalarValue;
    let Some((count, values)) = args.split_first().filter(|(_, values)| !values.is_empty()) else {
        return Err(errors::wrong_num_args("stack", "> 1", args.len()));
    };
    let rows = match count.literal() {
        Some(ScalarValue::Int32(Some(n))) if *n > 0 => usize::try_from(*n).unwrap_or(1),
        _ => return Err(errors::not_foldable(sql, "n", &SparkType::Integer, count)),
    };
    let width = values.len().div_ceil(rows);
    let mut cells: Vec<Vec<Typed>> = vec![Vec::with_capacity(width); rows];
    for column in 0..width {
        let own: Vec<Typed> = (0..rows)
            .map(|row| values.get(row * width + column).cloned().unwrap_or_else(super::null))
            .collect();
        let mut found = own[0].data_type.clone();
        for cell in &own[1..] {
            found = common_type(&found, &cell.data_type, conf).ok_or_else(|| {
                let types: Vec<SparkType> = own.iter().map(|c| c.data_type.clone()).collect();
                errors::different_types(sql, "stack", &types)
            })?;
        }
        for (row, cell) in own.into_iter().enumerate() {
            cells[row].push(cast_to(cell, &found, conf)?.nullable(true));
        }
    }
    let named = |row: Vec<Typed>| {
        let row = row.into_iter().enumerate().map(|(i, cell)| (format!("col{i}"), cell)).collect();
        named_struct(row, sql.to_owned())
    };
    Ok(array_of_typed(cells.into_iter().map(named).collect(), sql))
}
