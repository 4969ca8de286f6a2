//! What arrays hold: `array_contains`, `array_position`, `arrays_overlap`, `array_min`, `array_max`, `array_join`.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, StringViewArray};
use arrow_schema::DataType;
use datafusion::common::Result;

use super::pick::{Lists, OfCollections, comparable, items_at};
use super::typing::{array_and_value, array_of, map_and_key, same_arrays};
use crate::analyzer::{Typed, cast_to, errors};
use crate::functions::call::{Arity, Call, Function};
use crate::types::SparkType;

const TWO: Arity = Arity::exactly(2);

/// The family's functions.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "array_contains", arity: TWO, build: array_contains },
    Function { name: "array_position", arity: TWO, build: array_position },
    Function { name: "arrays_overlap", arity: TWO, build: arrays_overlap },
    Function { name: "array_min", arity: Arity::exactly(1), build: |c| extreme(c, "array_min", least) },
    Function { name: "array_max", arity: Arity::exactly(1), build: |c| extreme(c, "array_max", greatest) },
    Function { name: "array_join", arity: Arity::between(2, 3), build: array_join },
    Function { name: "map_contains_key", arity: TWO, build: map_contains_key },
];

fn array_contains(call: &Call<'_>) -> crate::error::Result<Typed> {
    let args = searched(call)?;
    let nulls = matches!(args[0].data_type, SparkType::Array(_, true));
    let returns = SparkType::Boolean;
    let kernel = OfCollections { name: "array_contains", returns: returns.clone(), run: contains };
    let typed = call.finish(kernel, args, returns);
    let nullable = nulls || typed.nullable;
    Ok(typed.nullable(nullable))
}

fn array_position(call: &Call<'_>) -> crate::error::Result<Typed> {
    let (args, _) = array_and_value(call)?;
    let returns = SparkType::Long;
    Ok(call.finish(
        OfCollections { name: "array_position", returns: returns.clone(), run: position },
        args,
        returns,
    ))
}

/// An untyped NULL is never found, which Spark refuses.
fn searched(call: &Call<'_>) -> crate::error::Result<Vec<Typed>> {
    if call.args[1].data_type == SparkType::Null {
        return Err(errors::spark(
            "DATATYPE_MISMATCH.NULL_TYPE",
            [("sqlExpr", format!("\"{}\"", call.sql())), ("functionName", format!("`{}`", call.name))],
        ));
    }
    array_and_value(call).map(|(args, _)| args)
}

fn arrays_overlap(call: &Call<'_>) -> crate::error::Result<Typed> {
    let (args, array) = same_arrays(call)?;
    let nulls = matches!(array, SparkType::Array(_, true));
    let kernel = OfCollections { name: "arrays_overlap", returns: SparkType::Boolean, run: overlap };
    let typed = call.finish(kernel, args, SparkType::Boolean);
    let nullable = nulls || typed.nullable;
    Ok(typed.nullable(nullable))
}

type Run = fn(&[ArrayRef], &DataType) -> Result<ArrayRef>;

fn extreme(call: &Call<'_>, name: &'static str, run: Run) -> crate::error::Result<Typed> {
    let arg = array_of(call, 0)?;
    let SparkType::Array(element, _) = &arg.data_type else { return Ok(arg) };
    let returns = (**element).clone();
    Ok(call.finish(OfCollections { name, returns: returns.clone(), run }, vec![arg], returns).nullable(true))
}

/// Items as text with a text between them; NULL items are left out unless there is a text for them.
fn array_join(call: &Call<'_>) -> crate::error::Result<Typed> {
    let arg = array_of(call, 0)?;
    let texts = SparkType::Array(Box::new(SparkType::String), true);
    let mut args = vec![cast_to(arg, &texts, call.conf)?];
    for i in 1..call.args.len() {
        args.push(call.take_as(i, SparkType::String)?);
    }
    let kernel = OfCollections { name: "array_join", returns: SparkType::String, run: join };
    Ok(call.finish(kernel, args, SparkType::String))
}

fn map_contains_key(call: &Call<'_>) -> crate::error::Result<Typed> {
    let args = map_and_key(call, call.conf)?;
    let kernel = OfCollections { name: "map_contains_key", returns: SparkType::Boolean, run: contains_key };
    Ok(call.finish(kernel, args, SparkType::Boolean))
}

fn contains(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef> {
    let (lists, value) = (Lists::of(&args[0]), &args[1]);
    let keys = comparable(&[lists.items(), value])?;
    let found: BooleanArray = (0..lists.len())
        .map(|row| {
            if lists.is_null(row) || value.is_null(row) {
                return None;
            }
            if lists.range(row).any(|i| keys[0].row(i) == keys[1].row(row)) {
                return Some(true);
            }
            if lists.range(row).any(|i| lists.items().is_null(i)) { None } else { Some(false) }
        })
        .collect();
    Ok(Arc::new(found))
}

/// From 1; 0 if it is nowhere.
fn position(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef> {
    let (lists, value) = (Lists::of(&args[0]), &args[1]);
    let keys = comparable(&[lists.items(), value])?;
    let found: Int64Array = (0..lists.len())
        .map(|row| {
            if lists.is_null(row) || value.is_null(row) {
                return None;
            }
            let at = lists.range(row).position(|i| keys[0].row(i) == keys[1].row(row));
            Some(at.and_then(|at| i64::try_from(at + 1).ok()).unwrap_or(0))
        })
        .collect();
    Ok(Arc::new(found))
}

/// NULL if nothing is common, both have items and one has NULL among them.
fn overlap(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef> {
    let (left, right) = (Lists::of(&args[0]), Lists::of(&args[1]));
    let keys = comparable(&[left.items(), right.items()])?;
    let found: BooleanArray = (0..left.len())
        .map(|row| {
            if left.is_null(row) || right.is_null(row) {
                return None;
            }
            let valid = |list: &Lists<'_>, i: usize| list.items().is_valid(i);
            let first: HashSet<_> =
                left.range(row).filter(|&i| valid(&left, i)).map(|i| keys[0].row(i)).collect();
            if right.range(row).any(|i| valid(&right, i) && first.contains(&keys[1].row(i))) {
                return Some(true);
            }
            let has_null =
                left.range(row).any(|i| !valid(&left, i)) || right.range(row).any(|i| !valid(&right, i));
            let both = !left.range(row).is_empty() && !right.range(row).is_empty();
            if both && has_null { None } else { Some(false) }
        })
        .collect();
    Ok(Arc::new(found))
}

fn least(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef> {
    picked(args, |a, b| a < b)
}

fn greatest(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef> {
    picked(args, |a, b| a > b)
}

fn picked(args: &[ArrayRef], better: fn(&[u8], &[u8]) -> bool) -> Result<ArrayRef> {
    let lists = Lists::of(&args[0]);
    let keys = comparable(&[lists.items()])?;
    let place = |row: usize| {
        lists.range(row).filter(|&i| lists.items().is_valid(i)).reduce(|best, i| {
            if better(keys[0].row(i).as_ref(), keys[0].row(best).as_ref()) { i } else { best }
        })
    };
    items_at(lists.items(), (0..lists.len()).map(place).collect())
}

fn join(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef> {
    let lists = Lists::of(&args[0]);
    let (items, between) = (lists.items().as_string_view(), args[1].as_string_view());
    let instead = args.get(2).map(|a| a.as_string_view());
    let joined: StringViewArray = (0..lists.len())
        .map(|row| {
            if lists.is_null(row) || between.is_null(row) || instead.is_some_and(|i| i.is_null(row)) {
                return None;
            }
            let item = |i: usize| {
                if items.is_null(i) { instead.map(|t| t.value(row)) } else { Some(items.value(i)) }
            };
            let parts: Vec<&str> = lists.range(row).filter_map(item).collect();
            Some(parts.join(between.value(row)))
        })
        .collect();
    Ok(Arc::new(joined))
}

fn contains_key(args: &[ArrayRef], _: &DataType) -> Result<ArrayRef> {
    let (map, value) = (args[0].as_map(), &args[1]);
    let keys = comparable(&[map.keys(), value])?;
    let found: BooleanArray = (0..map.len())
        .map(|row| {
            if map.is_null(row) || value.is_null(row) {
                return None;
            }
            let at = |i: usize| usize::try_from(map.value_offsets()[i]).unwrap_or(0);
            Some((at(row)..at(row + 1)).any(|i| keys[0].row(i) == keys[1].row(row)))
        })
        .collect();
    Ok(Arc::new(found))
}
