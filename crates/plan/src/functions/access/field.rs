//! Fields of structs, and of the structs in an array.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, StructArray};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Expr;

use super::element::{array_item, map_value};
use crate::analyzer::{Conf, Label, Typed, errors};
use crate::functions::FromJson;
use crate::functions::udf::{self, Evaluation, Kernel};
use crate::types::{SparkType, StructType};

/// Field number `index` of a struct, by position because names may repeat.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct StructFieldKernel {
    /// Position.
    pub index: usize,
    /// Name, for plans.
    pub name: Arc<str>,
    /// Type of the field.
    pub data_type: SparkType,
}

/// The same field of every struct in an array.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ArrayFieldKernel {
    index: usize,
    data_type: SparkType,
    contains_null: bool,
}

/// `child.name` or `child[key]`: what that means depends on the type of `child`.
///
/// # Errors
/// `FIELD_NOT_FOUND`, and `INVALID_EXTRACT_BASE_FIELD_TYPE` for types without parts.
pub(crate) fn extract(child: &Typed, key: &Typed, conf: &Conf) -> crate::error::Result<Typed> {
    match (&child.data_type, key.text()) {
        (SparkType::Struct(fields), Some(name)) => struct_field(child, fields, name, conf),
        (SparkType::Array(element, nulls), Some(name)) if matches!(**element, SparkType::Struct(_)) => {
            let SparkType::Struct(fields) = &**element else { return Err(not_nested(child, key)) };
            array_field(child, fields, *nulls, name, conf)
        }
        (SparkType::Array(..), _) => array_item(child, key, conf),
        (SparkType::Map(..), _) => map_value(child, key, conf),
        _ => Err(not_nested(child, key)),
    }
}

/// The field `name` of a struct.
///
/// # Errors
/// `FIELD_NOT_FOUND`; `AMBIGUOUS_REFERENCE_TO_FIELDS` if several fields have the name.
fn struct_field(child: &Typed, fields: &StructType, name: &str, conf: &Conf) -> crate::error::Result<Typed> {
    Ok(field_at(child, fields, position(fields, name, conf)?))
}

/// Field number `index` of a struct.
pub(crate) fn field_at(child: &Typed, fields: &StructType, index: usize) -> Typed {
    let field = &fields.fields[index];
    let (source, index) = match only_field(child, index) {
        Some(parser) => (parser, 0),
        None => (child.expr.clone(), index),
    };
    let kernel = StructFieldKernel { index, name: field.name.clone(), data_type: field.data_type.clone() };
    Typed {
        expr: udf::call(kernel, vec![source]),
        data_type: field.data_type.clone(),
        nullable: child.nullable || field.nullable,
        sql: format!("{}.{}", child.sql, field.name),
        label: Label::Field(field.name.to_string()),
        foldable: child.foldable,
    }
}

fn array_field(
    child: &Typed,
    fields: &StructType,
    element_nulls: bool,
    name: &str,
    conf: &Conf,
) -> crate::error::Result<Typed> {
    let index = position(fields, name, conf)?;
    let field = &fields.fields[index];
    let contains_null = element_nulls || field.nullable;
    let (source, index) = match only_field(child, index) {
        Some(parser) => (parser, 0),
        None => (child.expr.clone(), index),
    };
    let kernel = ArrayFieldKernel { index, data_type: field.data_type.clone(), contains_null };
    Ok(Typed {
        expr: udf::call(kernel, vec![source]),
        data_type: SparkType::Array(Box::new(field.data_type.clone()), contains_null),
        nullable: child.nullable,
        sql: format!("{}.{}", child.sql, field.name),
        label: Label::Field(field.name.to_string()),
        foldable: child.foldable,
    })
}

/// `from_json(text, schema)` for one of several fields, when `child` is such a call without options: Spark parses only
/// that field then, which also shows (`_corrupt_record` alone is always NULL).
fn only_field(child: &Typed, index: usize) -> Option<Expr> {
    let (parser, args) = udf::as_call::<FromJson>(&child.expr)?;
    Some(udf::call(parser.of_field(index)?, args.to_vec()))
}

fn position(fields: &StructType, name: &str, conf: &Conf) -> crate::error::Result<usize> {
    let same = |i: &usize| crate::analyzer::same_name(&fields.fields[*i].name, name, conf.case_sensitive());
    let found: Vec<usize> = (0..fields.fields.len()).filter(same).collect();
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let names: Vec<String> = fields.fields.iter().map(|f| f.name.to_string()).collect();
            Err(errors::field_not_found(name, &names))
        }
        several => Err(errors::spark(
            "AMBIGUOUS_REFERENCE_TO_FIELDS",
            [("field", errors::identifier(&[name])), ("count", several.len().to_string())],
        )),
    }
}

fn not_nested(child: &Typed, _key: &Typed) -> crate::error::Error {
    errors::spark(
        "INVALID_EXTRACT_BASE_FIELD_TYPE",
        [("base", child.quoted_sql()), ("other", errors::quoted_type(&child.data_type))],
    )
}

impl Kernel for StructFieldKernel {
    fn name(&self) -> &str {
        "get_field"
    }

    fn return_type(&self) -> DataType {
        self.data_type.to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        field_of(args[0].as_struct(), self.index)
    }
}

impl Kernel for ArrayFieldKernel {
    fn name(&self) -> &str {
        "get_array_field"
    }

    fn return_type(&self) -> DataType {
        SparkType::Array(Box::new(self.data_type.clone()), self.contains_null).to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let DataType::List(field) = self.return_type() else {
            return Err(DataFusionError::Internal("an array is a list".into()));
        };
        let list = args[0].as_list::<i32>();
        let values = field_of(list.values().as_struct(), self.index)?;
        let list = ListArray::try_new(field, list.offsets().clone(), values, list.nulls().cloned())?;
        Ok(Arc::new(list))
    }
}

/// A column of a struct array, NULL where the struct is.
fn field_of(array: &StructArray, index: usize) -> Result<ArrayRef> {
    let column = array.column(index);
    let Some(outer) = array.nulls().filter(|n| n.null_count() > 0) else { return Ok(Arc::clone(column)) };
    let nulls = NullBuffer::union(Some(outer), column.nulls());
    if *column.data_type() == DataType::Null {
        return Ok(Arc::clone(column));
    }
    let data = column.to_data().into_builder().nulls(nulls).build()?;
    Ok(arrow_array::make_array(data))
}
