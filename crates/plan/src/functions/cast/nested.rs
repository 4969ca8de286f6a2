//! Arrays, maps and structs: their parts are cast one by one, by position.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, MapArray, StructArray};
use arrow_schema::{DataType, Fields};
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use super::Cast;
use crate::types::{SparkType, StructType};

impl Cast<'_> {
    pub(super) fn nested(&self, array: &ArrayRef, from: &SparkType, to: &SparkType) -> Result<ArrayRef> {
        match (from, to, to.to_arrow()) {
            (SparkType::Array(from, _), SparkType::Array(to, _), DataType::List(field)) => {
                let list = array.as_list::<i32>();
                let values = self.run(list.values(), from, to)?;
                let list = ListArray::try_new(field, list.offsets().clone(), values, list.nulls().cloned())?;
                Ok(Arc::new(list))
            }
            (SparkType::Map(fk, fv, _), SparkType::Map(tk, tv, _), DataType::Map(field, sorted)) => {
                let map = array.as_map();
                let keys = self.run(map.keys(), fk, tk)?;
                let values = self.run(map.values(), fv, tv)?;
                let DataType::Struct(fields) = field.data_type() else {
                    return Err(DataFusionError::Internal("a map's entries are a struct".into()));
                };
                let entries = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
                let (offsets, nulls) = (map.offsets().clone(), map.nulls().cloned());
                Ok(Arc::new(MapArray::try_new(field, offsets, entries, nulls, sorted)?))
            }
            (SparkType::Struct(from), SparkType::Struct(to), DataType::Struct(fields)) => {
                self.structs(array.as_struct(), from, to, fields)
            }
            _ => Err(DataFusionError::Internal(format!("no cast from {from} to {to}"))),
        }
    }

    fn structs(
        &self,
        array: &StructArray,
        from: &StructType,
        to: &StructType,
        fields: Fields,
    ) -> Result<ArrayRef> {
        let pairs = from.fields.iter().zip(&to.fields).zip(array.columns());
        let columns = pairs
            .map(|((from, to), column)| self.run(column, &from.data_type, &to.data_type))
            .collect::<Result<Vec<_>>>()?;
        if columns.is_empty() {
            return Ok(Arc::new(StructArray::new_empty_fields(array.len(), array.nulls().cloned())));
        }
        Ok(Arc::new(StructArray::try_new(fields, columns, array.nulls().cloned())?))
    }
}
