//! Items of arrays and values of maps.
//!
//! `a[i]` counts from 0 and `element_at(a, i)` from 1, or from the end when negative. An index outside the
//! array is an error under ANSI, NULL otherwise and in `get` and `try_element_at`. A key that a map does not
//! have is NULL.

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, ListArray, UInt64Array};
use arrow_schema::DataType;
use arrow_select::take::take;
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use crate::analyzer::{Conf, Expected, Label, Typed, cast_to, comparison_type, errors, implicit_cast};
use crate::error::SparkError;
use crate::functions::call::Call;
use crate::functions::external;
use crate::functions::udf::{self, Evaluation, Kernel};
use crate::types::SparkType;

/// How an index is counted and what happens outside the array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Indexing {
    /// `a[i]`: from 0; whether outside is an error.
    Subscript { strict: bool },
    /// `element_at`: from 1; whether outside is an error.
    ElementAt { strict: bool },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ArrayItem {
    element: SparkType,
    indexing: Indexing,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct MapValue {
    value: SparkType,
}

/// `child[index]`.
///
/// # Errors
/// An index that is not a number.
pub(crate) fn array_item(child: &Typed, index: &Typed, conf: &Conf) -> crate::error::Result<Typed> {
    item(
        child,
        index,
        Indexing::Subscript { strict: conf.ansi() },
        conf,
        format!("{}[{}]", child.sql, index.sql),
    )
}

/// `child[key]`.
///
/// # Errors
/// A key of another type than the map's.
pub(crate) fn map_value(child: &Typed, key: &Typed, conf: &Conf) -> crate::error::Result<Typed> {
    value(child, key, conf, format!("{}[{}]", child.sql, key.sql))
}

pub(super) fn element_at(call: &Call<'_>) -> crate::error::Result<Typed> {
    by_element(call, call.conf.ansi())
}

pub(super) fn try_element_at(call: &Call<'_>) -> crate::error::Result<Typed> {
    by_element(call, false)
}

pub(super) fn get(call: &Call<'_>) -> crate::error::Result<Typed> {
    if !matches!(call.args[0].data_type, SparkType::Array(..)) {
        call.take(0, &Expected::Array)?;
    }
    let [array, index] = [&call.args[0], &call.args[1]];
    item(array, index, Indexing::Subscript { strict: false }, call.conf, call.sql())
}

fn by_element(call: &Call<'_>, strict: bool) -> crate::error::Result<Typed> {
    let [child, key] = [&call.args[0], &call.args[1]];
    match child.data_type {
        SparkType::Array(..) => item(child, key, Indexing::ElementAt { strict }, call.conf, call.sql()),
        SparkType::Map(..) => value(child, key, call.conf, call.sql()),
        _ => Err(errors::unexpected_input(
            &call.sql(),
            0,
            &Expected::OneOf(&[Expected::Array, Expected::Map]).describe(),
            child,
        )),
    }
}

fn item(
    child: &Typed,
    index: &Typed,
    indexing: Indexing,
    conf: &Conf,
    sql: String,
) -> crate::error::Result<Typed> {
    let SparkType::Array(element, _) = &child.data_type else {
        return Err(errors::unexpected_input(&sql, 0, "\"ARRAY\"", child));
    };
    let index = match implicit_cast(index, &Expected::Integral, conf)? {
        Some(_) if index.data_type == SparkType::String => {
            return Err(errors::unexpected_input(&sql, 1, "\"INTEGRAL\"", index));
        }
        Some(index) => cast_to(index, &SparkType::Integer, conf)?,
        None => return Err(errors::unexpected_input(&sql, 1, "\"INTEGRAL\"", index)),
    };
    let foldable = child.foldable && index.foldable;
    let kernel = ArrayItem { element: (**element).clone(), indexing };
    Ok(Typed {
        expr: udf::call(kernel, vec![child.expr.clone(), index.expr]),
        data_type: (**element).clone(),
        nullable: true,
        sql,
        label: Label::Sql,
        foldable,
    })
}

fn value(child: &Typed, key: &Typed, conf: &Conf, sql: String) -> crate::error::Result<Typed> {
    let SparkType::Map(key_type, value_type, _) = &child.data_type else {
        return Err(errors::unexpected_input(&sql, 0, "\"MAP\"", child));
    };
    let common = comparison_type(key_type, &key.data_type, conf);
    if common.as_ref() != Some(&**key_type) {
        return Err(errors::unexpected_input(&sql, 1, &errors::quoted_type(key_type), key));
    }
    let key = cast_to(key.clone(), key_type, conf)?;
    Ok(Typed {
        expr: udf::call(MapValue { value: (**value_type).clone() }, vec![child.expr.clone(), key.expr]),
        data_type: (**value_type).clone(),
        nullable: true,
        sql,
        label: Label::Sql,
        foldable: child.foldable && key.foldable,
    })
}

impl Kernel for ArrayItem {
    fn name(&self) -> &str {
        match self.indexing {
            Indexing::Subscript { .. } => "get",
            Indexing::ElementAt { .. } => "element_at",
        }
    }

    fn return_type(&self) -> DataType {
        self.element.to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let list = args[0].as_list::<i32>();
        let index = args[1].as_primitive::<Int32Type>();
        let positions: UInt64Array = (0..list.len())
            .map(|row| {
                if list.is_null(row) || index.is_null(row) {
                    return Ok(None);
                }
                self.position(list, row, index.value(row))
            })
            .collect::<Result<_>>()?;
        Ok(take(list.values(), &positions, None)?)
    }
}

impl ArrayItem {
    /// Where in the list's values the item is; none if it is outside and that is no error.
    fn position(&self, list: &ListArray, row: usize, index: i32) -> Result<Option<u64>> {
        let length = list.value_length(row);
        let (within, strict, condition) = match self.indexing {
            Indexing::Subscript { strict } => (Some(index), strict, "INVALID_ARRAY_INDEX"),
            Indexing::ElementAt { strict } => {
                let within = match index {
                    0 => return Err(external(SparkError::new::<&str, &str>("INVALID_INDEX_OF_ZERO", []))),
                    from_start @ 1.. => Some(from_start - 1),
                    from_end => from_end.checked_add(length),
                };
                (within, strict, "INVALID_ARRAY_INDEX_IN_ELEMENT_AT")
            }
        };
        match within.filter(|i| (0..length).contains(i)) {
            Some(i) => Ok(u64::try_from(list.value_offsets()[row] + i).ok()),
            None if strict => Err(external(SparkError::new(
                condition,
                [("indexValue", index.to_string()), ("arraySize", length.to_string())],
            ))),
            None => Ok(None),
        }
    }
}

impl Kernel for MapValue {
    fn name(&self) -> &str {
        "map_value"
    }

    fn return_type(&self) -> DataType {
        self.value.to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let map = args[0].as_map();
        let wanted = &args[1];
        let owner = owners(map.value_offsets(), map.keys().len());
        let aligned = take(wanted, &owner, None)?;
        let equal = arrow_ord_eq(map.keys(), &aligned)?;
        let mut positions: Vec<Option<u64>> = vec![None; map.len()];
        for row in 0..map.len() {
            if map.is_null(row) {
                continue;
            }
            let offsets = map.value_offsets();
            let (start, end) = (index(offsets[row])?, index(offsets[row + 1])?);
            positions[row] = (start..end).find(|&i| equal.is_valid(i) && equal.value(i)).map(|i| i as u64);
        }
        Ok(take(map.values(), &UInt64Array::from(positions), None)?)
    }
}

/// For each entry of a list or map the row that it belongs to.
fn owners(offsets: &[i32], entries: usize) -> UInt64Array {
    let mut owner = vec![0_u64; entries];
    for (row, window) in offsets.windows(2).enumerate() {
        for i in window[0]..window[1] {
            if let Some(slot) = usize::try_from(i).ok().and_then(|i| owner.get_mut(i)) {
                *slot = row as u64;
            }
        }
    }
    UInt64Array::from(owner)
}

fn index(offset: i32) -> Result<usize> {
    usize::try_from(offset).map_err(|_| DataFusionError::Internal("a negative offset".into()))
}

fn arrow_ord_eq(a: &ArrayRef, b: &ArrayRef) -> Result<arrow_array::BooleanArray> {
    use datafusion::logical_expr::Operator;
    use datafusion::physical_expr_common::datum::compare_op_for_nested;
    if a.data_type().is_nested() {
        return compare_op_for_nested(Operator::Eq, a, b);
    }
    Ok(datafusion::arrow::compute::kernels::cmp::eq(a, b)?)
}
