//! Arrays of the items of other arrays: `array_distinct`, `array_union`, `slice`, `sort_array`, `flatten` and the like.

use std::collections::HashSet;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use datafusion::common::Result;

use super::pick::{Lists, OfCollections, Picker, comparable};
use super::typing::{array_and_value, array_of, same_arrays};
use crate::analyzer::{Typed, cast_to, common_type, errors};
use crate::error::SparkError;
use crate::functions::call::{Arity, Call, Function};
use crate::functions::external;
use crate::functions::rows::int;
use crate::types::SparkType;

const ONE: Arity = Arity::exactly(1);
const TWO: Arity = Arity::exactly(2);

/// The family's functions.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "array_distinct", arity: ONE, build: |c| same(c, "array_distinct", distinct) },
    Function { name: "array_compact", arity: ONE, build: array_compact },
    Function { name: "array_union", arity: TWO, build: |c| sets(c, "array_union", union) },
    Function { name: "array_intersect", arity: TWO, build: |c| sets(c, "array_intersect", intersect) },
    Function { name: "array_except", arity: TWO, build: |c| sets(c, "array_except", except) },
    Function { name: "array_remove", arity: TWO, build: array_remove },
    Function { name: "array_append", arity: TWO, build: |c| grown(c, "array_append", append) },
    Function { name: "array_prepend", arity: TWO, build: |c| grown(c, "array_prepend", prepend) },
    Function { name: "array_insert", arity: Arity::exactly(3), build: array_insert },
    Function { name: "array_repeat", arity: TWO, build: array_repeat },
    Function { name: "slice", arity: Arity::exactly(3), build: slice },
    Function { name: "sort_array", arity: Arity::between(1, 2), build: sort_array },
    Function { name: "flatten", arity: ONE, build: flatten },
];

/// `concat` of arrays.
pub(crate) fn concat(call: &Call<'_>) -> crate::error::Result<Typed> {
    let mut found = call.args[0].data_type.clone();
    for arg in &call.args[1..] {
        found = common_type(&found, &arg.data_type, call.conf).ok_or_else(|| {
            let types: Vec<SparkType> = call.args.iter().map(|a| a.data_type.clone()).collect();
            errors::different_types(&call.sql(), "concat", &types)
        })?;
    }
    let args = call.args.iter().map(|a| cast_to(a.clone(), &found, call.conf));
    let args = args.collect::<crate::error::Result<Vec<_>>>()?;
    Ok(call.finish(OfCollections { name: "concat", returns: found.clone(), run: joined }, args, found))
}

/// `reverse` of an array.
pub(crate) fn reverse(call: &Call<'_>) -> crate::error::Result<Typed> {
    same(call, "reverse", reversed)
}

/// `array_sort` without a comparison: NULL last.
pub(crate) fn array_sort(call: &Call<'_>) -> crate::error::Result<Typed> {
    same(call, "array_sort", |args, returns| sorted(args, returns, |_| Order::NullsLast))
}

type Run = fn(&[ArrayRef], &DataType) -> Result<ArrayRef>;

fn same(call: &Call<'_>, name: &'static str, run: Run) -> crate::error::Result<Typed> {
    let arg = array_of(call, 0)?;
    let returns = arg.data_type.clone();
    Ok(call.finish(OfCollections { name, returns: returns.clone(), run }, vec![arg], returns))
}

fn sets(call: &Call<'_>, name: &'static str, run: Run) -> crate::error::Result<Typed> {
    let (args, returns) = same_arrays(call)?;
    Ok(call.finish(OfCollections { name, returns: returns.clone(), run }, args, returns))
}

fn array_compact(call: &Call<'_>) -> crate::error::Result<Typed> {
    let arg = array_of(call, 0)?;
    let returns = match &arg.data_type {
        SparkType::Array(element, _) => SparkType::Array(element.clone(), false),
        other => other.clone(),
    };
    let run: Run = |args, returns| kept(args, returns, |items, i| items.is_valid(i));
    Ok(call.finish(
        OfCollections { name: "array_compact", returns: returns.clone(), run },
        vec![arg],
        returns,
    ))
}

fn array_remove(call: &Call<'_>) -> crate::error::Result<Typed> {
    let (args, element) = array_and_value(call)?;
    let nulls = matches!(args[0].data_type, SparkType::Array(_, true));
    let returns = SparkType::Array(Box::new(element), nulls);
    Ok(call.finish(
        OfCollections { name: "array_remove", returns: returns.clone(), run: removed },
        args,
        returns,
    ))
}

/// The array with one more item, which may be NULL.
fn grown(call: &Call<'_>, name: &'static str, run: Run) -> crate::error::Result<Typed> {
    let (args, element) = array_and_value(call)?;
    let nulls = matches!(args[0].data_type, SparkType::Array(_, true)) || args[1].nullable;
    let returns = SparkType::Array(Box::new(element), nulls);
    let nullable = args[0].nullable;
    let typed = call.finish(OfCollections { name, returns: returns.clone(), run }, args, returns);
    Ok(typed.nullable(nullable))
}

fn array_insert(call: &Call<'_>) -> crate::error::Result<Typed> {
    let pair = Call {
        name: call.name.clone(),
        args: vec![call.args[0].clone(), call.args[2].clone()],
        conf: call.conf,
    };
    let (mut args, element) = array_and_value(&pair)?;
    let returns = SparkType::Array(Box::new(element), true);
    args.insert(1, call.take_as(1, SparkType::Integer)?);
    let kernel = OfCollections { name: "array_insert", returns: returns.clone(), run: inserted };
    Ok(call.finish(kernel, args, returns))
}

fn array_repeat(call: &Call<'_>) -> crate::error::Result<Typed> {
    let (item, count) = (call.args[0].clone(), call.take_as(1, SparkType::Integer)?);
    let returns = SparkType::Array(Box::new(item.data_type.clone()), item.nullable);
    let nullable = count.nullable;
    let kernel = OfCollections { name: "array_repeat", returns: returns.clone(), run: repeated };
    Ok(call.finish(kernel, vec![item, count], returns).nullable(nullable))
}

fn slice(call: &Call<'_>) -> crate::error::Result<Typed> {
    let arg = array_of(call, 0)?;
    let returns = arg.data_type.clone();
    let args = vec![arg, call.take_as(1, SparkType::Integer)?, call.take_as(2, SparkType::Integer)?];
    Ok(call.finish(OfCollections { name: "slice", returns: returns.clone(), run: sliced }, args, returns))
}

/// Ascending with NULL first, or descending with NULL last.
fn sort_array(call: &Call<'_>) -> crate::error::Result<Typed> {
    let arg = array_of(call, 0)?;
    let returns = arg.data_type.clone();
    let ascending = match call.args.get(1) {
        Some(_) => call.take_as(1, SparkType::Boolean)?,
        None => super::typing::truth(),
    };
    let run: Run = |args, returns| {
        let ascending = args[1].as_boolean();
        sorted(args, returns, |row| if ascending.value(row) { Order::Ascending } else { Order::Descending })
    };
    let typed = call.finish(
        OfCollections { name: "sort_array", returns: returns.clone(), run },
        vec![arg, ascending],
        returns,
    );
    let second = call.args.get(1).map_or("true", |a| a.sql.as_str());
    Ok(Typed { sql: format!("sort_array({}, {second})", call.args[0].sql), ..typed })
}

fn flatten(call: &Call<'_>) -> crate::error::Result<Typed> {
    let arg = &call.args[0];
    let returns = match &arg.data_type {
        SparkType::Array(inner, nulls) => match &**inner {
            SparkType::Array(element, more) => Some((SparkType::Array(element.clone(), *more), *nulls)),
            SparkType::Null => Some((SparkType::Array(Box::new(SparkType::Null), true), true)),
            _ => None,
        },
        _ => None,
    };
    let Some((returns, nulls)) = returns else {
        return Err(errors::unexpected_input(&call.sql(), 0, "\"ARRAY\" of \"ARRAY\"", arg));
    };
    let kernel = OfCollections { name: "flatten", returns: returns.clone(), run: flattened };
    Ok(call.finish(kernel, vec![arg.clone()], returns).nullable(nulls || arg.nullable))
}

/// The items that `keep` keeps.
fn kept(args: &[ArrayRef], returns: &DataType, keep: impl Fn(&ArrayRef, usize) -> bool) -> Result<ArrayRef> {
    let lists = Lists::of(&args[0]);
    let mut out = Picker::new(vec![lists.items().clone()]);
    for row in 0..lists.len() {
        if lists.is_null(row) {
            out.null()?;
            continue;
        }
        for i in lists.range(row).filter(|&i| keep(lists.items(), i)) {
            out.push(0, i);
        }
        out.end()?;
    }
    out.finish(returns)
}

fn distinct(args: &[ArrayRef], returns: &DataType) -> Result<ArrayRef> {
    let lists = Lists::of(&args[0]);
    let keys = comparable(&[lists.items()])?;
    let mut out = Picker::new(vec![lists.items().clone()]);
    for row in 0..lists.len() {
        if lists.is_null(row) {
            out.null()?;
            continue;
        }
        let mut seen = HashSet::new();
        for i in lists.range(row) {
            if seen.insert(keys[0].row(i)) {
                out.push(0, i);
            }
        }
        out.end()?;
    }
    out.finish(returns)
}

/// Of two arrays each item once, if `wanted` says so of (in the first array, in the second).
fn once(args: &[ArrayRef], returns: &DataType, wanted: fn(bool, bool) -> bool) -> Result<ArrayRef> {
    let (left, right) = (Lists::of(&args[0]), Lists::of(&args[1]));
    let keys = comparable(&[left.items(), right.items()])?;
    let mut out = Picker::new(vec![left.items().clone(), right.items().clone()]);
    for row in 0..left.len() {
        if left.is_null(row) || right.is_null(row) {
            out.null()?;
            continue;
        }
        let first: HashSet<_> = left.range(row).map(|i| keys[0].row(i)).collect();
        let second: HashSet<_> = right.range(row).map(|i| keys[1].row(i)).collect();
        let mut seen = HashSet::new();
        for (source, range) in [(0, left.range(row)), (1, right.range(row))] {
            for i in range {
                let key = keys[source].row(i);
                if wanted(first.contains(&key), second.contains(&key)) && seen.insert(key) {
                    out.push(source, i);
                }
            }
        }
        out.end()?;
    }
    out.finish(returns)
}

fn union(args: &[ArrayRef], returns: &DataType) -> Result<ArrayRef> {
    once(args, returns, |_, _| true)
}

fn intersect(args: &[ArrayRef], returns: &DataType) -> Result<ArrayRef> {
    once(args, returns, |first, second| first && second)
}

fn except(args: &[ArrayRef], returns: &DataType) -> Result<ArrayRef> {
    once(args, returns, |_, second| !second)
}

fn removed(args: &[ArrayRef], returns: &DataType) -> Result<ArrayRef> {
    let (lists, value) = (Lists::of(&args[0]), &args[1]);
    let keys = comparable(&[lists.items(), value])?;
    let mut out = Picker::new(vec![lists.items().clone()]);
    for row in 0..lists.len() {
        if lists.is_null(row) || value.is_null(row) {
            out.null()?;
            continue;
        }
        for i in lists.range(row).filter(|&i| keys[0].row(i) != keys[1].row(row)) {
            out.push(0, i);
        }
        out.end()?;
    }
    out.finish(returns)
}

/// One array a row, made by `fill`; NULL where the first argument is.
fn filled(
    args: &[ArrayRef],
    value: usize,
    returns: &DataType,
    fill: impl Fn(&mut Picker, usize, std::ops::Range<usize>) -> Result<bool>,
) -> Result<ArrayRef> {
    let lists = Lists::of(&args[0]);
    let mut sources = vec![lists.items().clone()];
    if value > 0 {
        sources.push(args[value].clone());
    }
    let mut out = Picker::new(sources);
    for row in 0..lists.len() {
        if !lists.is_null(row) && fill(&mut out, row, lists.range(row))? {
            out.end()?;
        } else {
            out.null()?;
        }
    }
    out.finish(returns)
}

fn append(args: &[ArrayRef], returns: &DataType) -> Result<ArrayRef> {
    filled(args, 1, returns, |out, row, range| {
        range.for_each(|i| out.push(0, i));
        out.push(1, row);
        Ok(true)
    })
}

fn prepend(args: &[ArrayRef], returns: &DataType) -> Result<ArrayRef> {
    filled(args, 1, returns, |out, row, range| {
        out.push(1, row);
        range.for_each(|i| out.push(0, i));
        Ok(true)
    })
}

/// At a place counted from 1, or from behind when negative; the gap beyond an end is filled with NULL.
fn inserted(args: &[ArrayRef], returns: &DataType) -> Result<ArrayRef> {
    let at = args[1].as_primitive::<Int32Type>();
    filled(args, 2, returns, |out, row, range| {
        if at.is_null(row) {
            return Ok(false);
        }
        let (from, length) = (range.start, range.len());
        let distance = usize::try_from(at.value(row).unsigned_abs()).unwrap_or(usize::MAX);
        match at.value(row) {
            0 => return Err(external(SparkError::new::<&str, &str>("INVALID_INDEX_OF_ZERO", []))),
            1.. if distance > length => {
                range.for_each(|i| out.push(0, i));
                (length + 1..distance).for_each(|_| out.push_null());
                out.push(1, row);
            }
            ..=-1 if distance > length + 1 => {
                out.push(1, row);
                (length + 1..distance).for_each(|_| out.push_null());
                range.for_each(|i| out.push(0, i));
            }
            place => {
                let before = if place > 0 { distance - 1 } else { length + 1 - distance };
                (from..from + before).for_each(|i| out.push(0, i));
                out.push(1, row);
                (from + before..from + length).for_each(|i| out.push(0, i));
            }
        }
        Ok(true)
    })
}

fn repeated(args: &[ArrayRef], returns: &DataType) -> Result<ArrayRef> {
    let count = int(args, 1);
    let mut out = Picker::new(vec![args[0].clone()]);
    for row in 0..args[0].len() {
        if count.is_null(row) {
            out.null()?;
            continue;
        }
        (0..count.value(row)).for_each(|_| out.push(0, row));
        out.end()?;
    }
    out.finish(returns)
}

fn sliced(args: &[ArrayRef], returns: &DataType) -> Result<ArrayRef> {
    let (start, length) = (int(args, 1), int(args, 2));
    let refused = |condition: &str, parameter: &str, value: Option<i32>| {
        let mut parameters =
            vec![("parameter", parameter.to_owned()), ("functionName", "`slice`".to_owned())];
        parameters.extend(value.map(|value| ("length", value.to_string())));
        external(SparkError::new(condition, parameters))
    };
    filled(args, 0, returns, |out, row, range| {
        if start.is_null(row) || length.is_null(row) {
            return Ok(false);
        }
        let (from, count) = (start.value(row), length.value(row));
        if from == 0 {
            return Err(refused("INVALID_PARAMETER_VALUE.START", "`start`", None));
        }
        let Ok(count) = usize::try_from(count) else {
            return Err(refused("INVALID_PARAMETER_VALUE.LENGTH", "`length`", Some(count)));
        };
        let distance = usize::try_from(from.unsigned_abs()).unwrap_or(usize::MAX);
        let first = if from > 0 { Some(distance - 1) } else { range.len().checked_sub(distance) };
        if let Some(first) = first {
            range.skip(first).take(count).for_each(|i| out.push(0, i));
        }
        Ok(true)
    })
}

fn reversed(args: &[ArrayRef], returns: &DataType) -> Result<ArrayRef> {
    filled(args, 0, returns, |out, _, range| {
        range.rev().for_each(|i| out.push(0, i));
        Ok(true)
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Ascending,
    Descending,
    NullsLast,
}

fn sorted(args: &[ArrayRef], returns: &DataType, order: impl Fn(usize) -> Order) -> Result<ArrayRef> {
    let lists = Lists::of(&args[0]);
    let keys = comparable(&[lists.items()])?;
    filled(args, 0, returns, |out, row, range| {
        let order = order(row);
        range.for_each(|i| out.push(0, i));
        out.row().sort_by(|(_, a), (_, b)| {
            let by_value = keys[0].row(*a).cmp(&keys[0].row(*b));
            match order {
                Order::Ascending => by_value,
                Order::Descending => by_value.reverse(),
                Order::NullsLast => {
                    let null = |i: &usize| lists.items().is_null(*i);
                    null(a).cmp(&null(b)).then(by_value)
                }
            }
        });
        Ok(true)
    })
}

/// NULL if one of the inner arrays is.
fn flattened(args: &[ArrayRef], returns: &DataType) -> Result<ArrayRef> {
    let outer = Lists::of(&args[0]);
    if *outer.items().data_type() == DataType::Null {
        return filled(args, 0, returns, |_, _, range| Ok(range.is_empty()));
    }
    let inner = Lists::of(outer.items());
    let mut out = Picker::new(vec![inner.items().clone()]);
    for row in 0..outer.len() {
        if outer.is_null(row) || outer.range(row).any(|i| inner.is_null(i)) {
            out.null()?;
            continue;
        }
        outer.range(row).flat_map(|i| inner.range(i)).for_each(|i| out.push(0, i));
        out.end()?;
    }
    out.finish(returns)
}

fn joined(args: &[ArrayRef], returns: &DataType) -> Result<ArrayRef> {
    let lists: Vec<Lists<'_>> = args.iter().map(Lists::of).collect();
    let mut out = Picker::new(lists.iter().map(|l| l.items().clone()).collect());
    for row in 0..args.first().map_or(0, |a| a.len()) {
        if lists.iter().any(|l| l.is_null(row)) {
            out.null()?;
            continue;
        }
        for (source, list) in lists.iter().enumerate() {
            list.range(row).for_each(|i| out.push(source, i));
        }
        out.end()?;
    }
    out.finish(returns)
}
