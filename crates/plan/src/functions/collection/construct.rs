//! `struct`, `named_struct`, `array`, `map`.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, ListArray, StructArray};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, FieldRef};
use arrow_select::interleave::interleave;
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use super::maps::{Entries, last_wins};
use crate::analyzer::{Conf, Label, Typed, cast_to, common_type, errors};
use crate::error::SparkError;
use crate::functions::call::Call;
use crate::functions::external;
use crate::functions::udf::{self, Evaluation, Kernel};
use crate::types::{SparkType, StructField, StructType};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct MakeStruct {
    fields: StructType,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct MakeArray {
    element: SparkType,
    contains_null: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct MakeMap {
    key: SparkType,
    value: SparkType,
    contains_null: bool,
    last_wins: bool,
}

/// A struct of named values.
pub(crate) fn named_struct(named: Vec<(String, Typed)>, sql: String) -> Typed {
    let foldable = named.iter().all(|(_, v)| v.foldable);
    let fields: StructType = named
        .iter()
        .map(|(name, v)| StructField::new(name.as_str(), v.data_type.clone(), v.nullable))
        .collect();
    let args = named.into_iter().map(|(_, v)| v.expr).collect();
    let expr = udf::call(MakeStruct { fields: fields.clone() }, args);
    Typed { expr, data_type: SparkType::Struct(fields), nullable: false, sql, label: Label::Sql, foldable }
}

pub(super) fn struct_of(call: &Call<'_>) -> crate::error::Result<Typed> {
    let named = call.args.iter().enumerate().map(|(i, arg)| {
        let name = match &arg.label {
            Label::Attribute(name) | Label::Field(name) | Label::Alias(name) => name.clone(),
            Label::Cast(_) | Label::Sql => format!("col{}", i + 1),
        };
        (name, arg.clone())
    });
    Ok(named_struct(named.collect(), call.sql()))
}

pub(super) fn named_struct_call(call: &Call<'_>) -> crate::error::Result<Typed> {
    if !call.args.len().is_multiple_of(2) {
        return Err(errors::wrong_num_args(&call.name, "2n (n > 0)", call.args.len()));
    }
    let names = || call.args.iter().step_by(2);
    if names().any(|n| !n.foldable || n.data_type != SparkType::String) {
        let shown: Vec<String> = names().map(Typed::quoted_sql).collect();
        return Err(errors::spark(
            "DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING",
            [("sqlExpr", format!("\"{}\"", call.sql())), ("inputExprs", format!("[{}]", shown.join(", ")))],
        ));
    }
    let mut named = Vec::with_capacity(call.args.len() / 2);
    for i in (0..call.args.len()).step_by(2) {
        let name = call.constant_text(i, "name")?.ok_or_else(|| {
            errors::spark(
                "DATATYPE_MISMATCH.UNEXPECTED_NULL",
                [("exprName", "`name`".to_owned()), ("sqlExpr", format!("\"{}\"", call.sql()))],
            )
        })?;
        named.push((name, call.args[i + 1].clone()));
    }
    Ok(named_struct(named, call.sql()))
}

pub(super) fn array(call: &Call<'_>) -> crate::error::Result<Typed> {
    let element = common(&call.args, call, "array")?.unwrap_or(SparkType::Null);
    let args = cast_all(&call.args, &element, call.conf)?;
    let contains_null = args.iter().any(|a| a.nullable);
    let kernel = MakeArray { element: element.clone(), contains_null };
    let data_type = SparkType::Array(Box::new(element), contains_null);
    Ok(call.finish(kernel, args, data_type).nullable(false))
}

/// An array of expressions that have one type.
pub(crate) fn array_of_typed(items: Vec<Typed>, sql: &str) -> Typed {
    let element = items.first().map_or(SparkType::Null, |i| i.data_type.clone());
    let contains_null = items.iter().any(|i| i.nullable);
    let foldable = items.iter().all(|i| i.foldable);
    let kernel = MakeArray { element: element.clone(), contains_null };
    let data_type = SparkType::Array(Box::new(element), contains_null);
    let expr = udf::call(kernel, items.into_iter().map(|i| i.expr).collect());
    Typed { foldable, ..Typed::new(expr, data_type, sql).nullable(false) }
}

pub(super) fn map(call: &Call<'_>) -> crate::error::Result<Typed> {
    if !call.args.len().is_multiple_of(2) {
        return Err(errors::wrong_num_args(&call.name, "2n (n > 0)", call.args.len()));
    }
    let every = |start: usize| call.args.iter().skip(start).step_by(2).cloned().collect::<Vec<_>>();
    let (keys, values) = (every(0), every(1));
    let key = common(&keys, call, "map")?.unwrap_or(SparkType::Null);
    let value = common(&values, call, "map")?.unwrap_or(SparkType::Null);
    if matches!(key, SparkType::Map(..)) {
        return Err(errors::spark(
            "DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE",
            [("keyType", errors::quoted_type(&key)), ("sqlExpr", format!("\"{}\"", call.sql()))],
        ));
    }
    let (keys, values) = (cast_all(&keys, &key, call.conf)?, cast_all(&values, &value, call.conf)?);
    let contains_null = values.iter().any(|v| v.nullable);
    let data_type = SparkType::Map(Box::new(key.clone()), Box::new(value.clone()), contains_null);
    let args = keys.into_iter().zip(values).flat_map(|(k, v)| [k, v]).collect();
    let last_wins = last_wins(call.conf);
    Ok(call.finish(MakeMap { key, value, contains_null, last_wins }, args, data_type).nullable(false))
}

fn common(args: &[Typed], call: &Call<'_>, function: &str) -> crate::error::Result<Option<SparkType>> {
    let Some((first, rest)) = args.split_first() else { return Ok(None) };
    let mut found = first.data_type.clone();
    for arg in rest {
        found = common_type(&found, &arg.data_type, call.conf).ok_or_else(|| {
            let types: Vec<SparkType> = args.iter().map(|a| a.data_type.clone()).collect();
            errors::different_types(&call.sql(), function, &types)
        })?;
    }
    Ok(Some(found))
}

fn cast_all(args: &[Typed], to: &SparkType, conf: &Conf) -> crate::error::Result<Vec<Typed>> {
    args.iter().map(|a| cast_to(a.clone(), to, conf)).collect()
}

impl Kernel for MakeStruct {
    fn name(&self) -> &str {
        "named_struct"
    }

    fn return_type(&self) -> DataType {
        DataType::Struct(self.fields.to_arrow_fields())
    }

    fn evaluate(&self, args: &[ArrayRef], context: &Evaluation<'_>) -> Result<ArrayRef> {
        if args.is_empty() {
            return Ok(Arc::new(StructArray::new_empty_fields(context.rows, None)));
        }
        Ok(Arc::new(StructArray::try_new(self.fields.to_arrow_fields(), args.to_vec(), None)?))
    }
}

impl Kernel for MakeArray {
    fn name(&self) -> &str {
        "array"
    }

    fn return_type(&self) -> DataType {
        SparkType::Array(Box::new(self.element.clone()), self.contains_null).to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], context: &Evaluation<'_>) -> Result<ArrayRef> {
        let DataType::List(field) = self.return_type() else { return Err(not_a(&self.return_type())) };
        let values = interleaved(args, &field, context.rows)?;
        let list = ListArray::try_new(field, equal_offsets(args.len(), context.rows)?, values, None)?;
        Ok(Arc::new(list))
    }
}

impl Kernel for MakeMap {
    fn name(&self) -> &str {
        "map"
    }

    fn return_type(&self) -> DataType {
        let (key, value) = (Box::new(self.key.clone()), Box::new(self.value.clone()));
        SparkType::Map(key, value, self.contains_null).to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], context: &Evaluation<'_>) -> Result<ArrayRef> {
        let returns = self.return_type();
        let DataType::Map(entries, _) = &returns else {
            return Err(not_a(&returns));
        };
        let DataType::Struct(fields) = entries.data_type().clone() else {
            return Err(not_a(entries.data_type()));
        };
        let keys: Vec<ArrayRef> = args.iter().step_by(2).cloned().collect();
        let values: Vec<ArrayRef> = args.iter().skip(1).step_by(2).cloned().collect();
        if keys.iter().any(|k| k.null_count() > 0 || (*k.data_type() == DataType::Null && !k.is_empty())) {
            return Err(external(SparkError::new::<&str, &str>("NULL_MAP_KEY", [])));
        }
        let pairs = keys.len();
        let keys = interleaved(&keys, &fields[0], context.rows)?;
        let values = interleaved(&values, &fields[1], context.rows)?;
        let mut rows = Entries::new();
        for row in 0..context.rows {
            rows.row((row * pairs..(row + 1) * pairs).map(|i| (i, i)));
        }
        rows.finish(&keys, &values, &returns, self.last_wins)
    }
}

/// Row by row, one value of each column.
fn interleaved(columns: &[ArrayRef], field: &FieldRef, rows: usize) -> Result<ArrayRef> {
    if columns.is_empty() {
        return Ok(arrow_array::new_empty_array(field.data_type()));
    }
    if *field.data_type() == DataType::Null {
        return Ok(arrow_array::new_null_array(&DataType::Null, rows * columns.len()));
    }
    let columns: Vec<&dyn Array> = columns.iter().map(AsRef::as_ref).collect();
    let indices: Vec<(usize, usize)> =
        (0..rows).flat_map(|row| (0..columns.len()).map(move |column| (column, row))).collect();
    Ok(interleave(&columns, &indices)?)
}

fn equal_offsets(length: usize, rows: usize) -> Result<OffsetBuffer<i32>> {
    let offsets: Option<Vec<i32>> = (0..=rows).map(|row| i32::try_from(row * length).ok()).collect();
    let offsets = offsets
        .ok_or_else(|| DataFusionError::ResourcesExhausted("more than 2^31 elements in one batch".into()))?;
    Ok(OffsetBuffer::new(ScalarBuffer::from(offsets)))
}

fn not_a(data_type: &DataType) -> DataFusionError {
    DataFusionError::Internal(format!("{data_type} is not the type of a collection"))
}
