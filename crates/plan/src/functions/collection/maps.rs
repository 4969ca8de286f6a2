//! Maps from arrays and back: `map_keys`, `map_from_arrays`, `map_concat`, `str_to_map`, and how maps are checked.
//!
//! A key that is NULL is refused. A key that stands twice is refused too, unless `spark.sql.mapKeyDedupPolicy` is
//! LAST_WIN: then the first place and the last value stay.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, MapArray, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use millstream_columnar::datetime::TimeZone;
use millstream_columnar::text::cast_to_string;

use super::pick::{Lists, OfCollections, comparable, items_at, too_many};
use super::typing::array_of;
use crate::analyzer::{Conf, Expected, Typed, cast_to, common_type, errors};
use crate::error::{Error, SparkError};
use crate::functions::call::{Arity, Call, Function};
use crate::functions::external;
use crate::types::{SparkType, StructField, StructType};

const ONE: Arity = Arity::exactly(1);

/// The family's functions.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "map_keys", arity: ONE, build: map_keys },
    Function { name: "map_values", arity: ONE, build: map_values },
    Function { name: "map_entries", arity: ONE, build: map_entries },
    Function { name: "map_from_arrays", arity: Arity::exactly(2), build: map_from_arrays },
    Function { name: "map_from_entries", arity: ONE, build: map_from_entries },
    Function { name: "map_concat", arity: Arity::at_least(0), build: map_concat },
];

/// The setting that keeps the last of equal keys.
const POLICY: &str = "spark.sql.mapKeyDedupPolicy";

type Run = fn(&[ArrayRef], &DataType) -> Result<ArrayRef>;

/// Whether the last of equal keys wins.
pub(crate) fn last_wins(conf: &Conf) -> bool {
    conf.get(POLICY).is_some_and(|policy| policy.eq_ignore_ascii_case("LAST_WIN"))
}

fn map_arg(call: &Call<'_>) -> crate::error::Result<(Typed, SparkType, SparkType, bool)> {
    let arg = call.take(0, &Expected::Map)?;
    let SparkType::Map(key, value, nulls) = &arg.data_type else {
        return Err(errors::unexpected_input(&call.sql(), 0, "\"MAP\"", &call.args[0]));
    };
    let (key, value, nulls) = ((**key).clone(), (**value).clone(), *nulls);
    Ok((arg, key, value, nulls))
}

fn map_keys(call: &Call<'_>) -> crate::error::Result<Typed> {
    let (arg, key, _, _) = map_arg(call)?;
    let returns = SparkType::Array(Box::new(key), false);
    let run: Run = |args, returns| column_of(args, returns, 0);
    Ok(call.finish(OfCollections { name: "map_keys", returns: returns.clone(), run }, vec![arg], returns))
}

fn map_values(call: &Call<'_>) -> crate::error::Result<Typed> {
    let (arg, _, value, nulls) = map_arg(call)?;
    let returns = SparkType::Array(Box::new(value), nulls);
    let run: Run = |args, returns| column_of(args, returns, 1);
    Ok(call.finish(OfCollections { name: "map_values", returns: returns.clone(), run }, vec![arg], returns))
}

fn map_entries(call: &Call<'_>) -> crate::error::Result<Typed> {
    let (arg, key, value, nulls) = map_arg(call)?;
    let pair = StructType::new().add("key", key, false).add("value", value, nulls);
    let returns = SparkType::Array(Box::new(SparkType::Struct(pair)), false);
    let run: Run = |args, returns| {
        let map = args[0].as_map();
        let DataType::List(field) = returns else { return Err(no_array(returns)) };
        let DataType::Struct(fields) = field.data_type() else { return Err(no_array(returns)) };
        let columns = vec![Arc::clone(map.keys()), Arc::clone(map.values())];
        let pairs = Arc::new(StructArray::try_new(fields.clone(), columns, None)?);
        let nulls = map.nulls().cloned();
        Ok(Arc::new(ListArray::try_new(Arc::clone(field), map.offsets().clone(), pairs, nulls)?))
    };
    Ok(call.finish(OfCollections { name: "map_entries", returns: returns.clone(), run }, vec![arg], returns))
}

fn column_of(args: &[ArrayRef], returns: &DataType, which: usize) -> Result<ArrayRef> {
    let map = args[0].as_map();
    let DataType::List(field) = returns else { return Err(no_array(returns)) };
    let values = Arc::clone(if which == 0 { map.keys() } else { map.values() });
    let nulls = map.nulls().cloned();
    Ok(Arc::new(ListArray::try_new(Arc::clone(field), map.offsets().clone(), values, nulls)?))
}

fn map_from_arrays(call: &Call<'_>) -> crate::error::Result<Typed> {
    let (keys, values) = (array_of(call, 0)?, array_of(call, 1)?);
    let (SparkType::Array(key, _), SparkType::Array(value, nulls)) = (&keys.data_type, &values.data_type)
    else {
        return Err(Error::unsupported(call.sql()));
    };
    let returns = SparkType::Map(key.clone(), value.clone(), *nulls);
    let strict: Run = |args, returns| from_arrays(args, returns, false);
    let lenient: Run = |args, returns| from_arrays(args, returns, true);
    finish(call, "map_from_arrays", vec![keys, values], returns, [strict, lenient])
}

fn finish(
    call: &Call<'_>,
    name: &'static str,
    args: Vec<Typed>,
    returns: SparkType,
    [strict, lenient]: [Run; 2],
) -> crate::error::Result<Typed> {
    let last = last_wins(call.conf);
    let run = if last { lenient } else { strict };
    // The name tells the two policies apart in a plan.
    let name = match (name, last) {
        ("map_from_arrays", true) => "map_from_arrays (last wins)",
        ("map_from_entries", true) => "map_from_entries (last wins)",
        ("map_concat", true) => "map_concat (last wins)",
        _ => name,
    };
    Ok(call.finish(OfCollections { name, returns: returns.clone(), run }, args, returns))
}

fn from_arrays(args: &[ArrayRef], returns: &DataType, last: bool) -> Result<ArrayRef> {
    let (keys, values) = (Lists::of(&args[0]), Lists::of(&args[1]));
    let mut rows = Entries::new();
    for row in 0..keys.len() {
        if keys.is_null(row) || values.is_null(row) {
            rows.null();
            continue;
        }
        if keys.range(row).len() != values.range(row).len() {
            let legacy = SparkError::new::<&str, &str>("_LEGACY_ERROR_TEMP_2128", []);
            return Err(external(legacy));
        }
        rows.row(keys.range(row).zip(values.range(row)));
    }
    rows.finish(keys.items(), values.items(), returns, last)
}

fn map_from_entries(call: &Call<'_>) -> crate::error::Result<Typed> {
    let arg = array_of(call, 0)?;
    let pair = match &arg.data_type {
        SparkType::Array(item, nulls) => match &**item {
            SparkType::Struct(fields) if fields.fields.len() == 2 => Some((fields.fields.clone(), *nulls)),
            _ => None,
        },
        _ => None,
    };
    let Some((fields, nulls)) = pair else {
        let required = "\"ARRAY\" of pair \"STRUCT\"";
        return Err(errors::unexpected_input(&call.sql(), 0, required, &call.args[0]));
    };
    let part = |f: &StructField| Box::new(f.data_type.clone());
    let returns = SparkType::Map(part(&fields[0]), part(&fields[1]), fields[1].nullable);
    let strict: Run = |args, returns| from_entries(args, returns, false);
    let lenient: Run = |args, returns| from_entries(args, returns, true);
    let nullable = arg.nullable || nulls;
    finish(call, "map_from_entries", vec![arg], returns, [strict, lenient]).map(|t| t.nullable(nullable))
}

/// NULL if one of the pairs is.
fn from_entries(args: &[ArrayRef], returns: &DataType, last: bool) -> Result<ArrayRef> {
    let lists = Lists::of(&args[0]);
    let pairs = lists.items().as_struct();
    let mut rows = Entries::new();
    for row in 0..lists.len() {
        if lists.is_null(row) || lists.range(row).any(|i| pairs.is_null(i)) {
            rows.null();
        } else {
            rows.row(lists.range(row).map(|i| (i, i)));
        }
    }
    rows.finish(pairs.column(0), pairs.column(1), returns, last)
}

fn map_concat(call: &Call<'_>) -> crate::error::Result<Typed> {
    let mut found = SparkType::Map(Box::new(SparkType::String), Box::new(SparkType::String), false);
    for (i, arg) in call.args.iter().enumerate() {
        if !matches!(arg.data_type, SparkType::Map(..)) {
            return Err(errors::spark(
                "DATATYPE_MISMATCH.MAP_CONCAT_DIFF_TYPES",
                [
                    ("sqlExpr", format!("\"{}\"", call.sql())),
                    ("functionName", "`map_concat`".to_owned()),
                    ("dataType", types_of(call)),
                ],
            ));
        }
        found = if i == 0 { arg.data_type.clone() } else { wider(&found, arg, call)? };
    }
    let args = call.args.iter().map(|a| cast_to(a.clone(), &found, call.conf));
    let args = args.collect::<crate::error::Result<Vec<_>>>()?;
    let strict: Run = |args, returns| concat(args, returns, false);
    let lenient: Run = |args, returns| concat(args, returns, true);
    if args.is_empty() {
        return Err(Error::unsupported("map_concat without a map"));
    }
    finish(call, "map_concat", args, found, [strict, lenient])
}

fn wider(found: &SparkType, arg: &Typed, call: &Call<'_>) -> crate::error::Result<SparkType> {
    common_type(found, &arg.data_type, call.conf).ok_or_else(|| {
        let types: Vec<SparkType> = call.args.iter().map(|a| a.data_type.clone()).collect();
        errors::different_types(&call.sql(), "map_concat", &types)
    })
}

fn types_of(call: &Call<'_>) -> String {
    let types: Vec<String> = call.args.iter().map(|a| errors::quoted_type(&a.data_type)).collect();
    format!("[{}]", types.join(", "))
}

fn concat(args: &[ArrayRef], returns: &DataType, last: bool) -> Result<ArrayRef> {
    let maps: Vec<&MapArray> = args.iter().map(|a| a.as_map()).collect();
    let all = |part: fn(&MapArray) -> &ArrayRef| {
        let columns: Vec<&dyn Array> = maps.iter().map(|m| part(m).as_ref()).collect();
        arrow_select::concat::concat(&columns)
    };
    let (keys, values) = (all(MapArray::keys)?, all(MapArray::values)?);
    let mut rows = Entries::new();
    for row in 0..maps.first().map_or(0, |m| m.len()) {
        if maps.iter().any(|m| m.is_null(row)) {
            rows.null();
            continue;
        }
        let mut before = 0;
        let mut places = Vec::new();
        for map in &maps {
            let at = |i: usize| usize::try_from(map.value_offsets()[i]).unwrap_or(0);
            places.extend((at(row)..at(row + 1)).map(|i| (before + i, before + i)));
            before += map.keys().len();
        }
        rows.row(places.into_iter());
    }
    rows.finish(&keys, &values, returns, last)
}

/// The entries of maps to be, by the places of keys and values in their columns.
pub(crate) struct Entries {
    places: Vec<(usize, usize)>,
    ends: Vec<usize>,
    valid: Vec<bool>,
}

impl Entries {
    /// No row yet.
    pub fn new() -> Self {
        Self { places: Vec::new(), ends: Vec::new(), valid: Vec::new() }
    }

    /// One more map.
    pub fn row(&mut self, places: impl Iterator<Item = (usize, usize)>) {
        self.places.extend(places);
        self.ends.push(self.places.len());
        self.valid.push(true);
    }

    /// One more map, which is NULL.
    pub fn null(&mut self) {
        self.ends.push(self.places.len());
        self.valid.push(false);
    }

    /// The maps, of type `returns`.
    ///
    /// # Errors
    /// A key that is NULL, or that stands twice unless the last one wins.
    pub fn finish(
        self,
        keys: &ArrayRef,
        values: &ArrayRef,
        returns: &DataType,
        last: bool,
    ) -> Result<ArrayRef> {
        let DataType::Map(entries, sorted) = returns else { return Err(no_array(returns)) };
        let DataType::Struct(fields) = entries.data_type() else { return Err(no_array(returns)) };
        if self.places.iter().any(|&(k, _)| keys.is_null(k) || *keys.data_type() == DataType::Null) {
            return Err(external(SparkError::new::<&str, &str>("NULL_MAP_KEY", [])));
        }
        let compared = comparable(&[keys])?;
        let (mut kept, mut offsets): (Vec<(usize, usize)>, Vec<i32>) = (Vec::new(), vec![0]);
        let mut from = 0;
        for &end in &self.ends {
            let mut seen = HashMap::new();
            for &(key, value) in &self.places[from..end] {
                match seen.entry(compared[0].row(key)) {
                    std::collections::hash_map::Entry::Vacant(place) => {
                        place.insert(kept.len());
                        kept.push((key, value));
                    }
                    std::collections::hash_map::Entry::Occupied(place) if last => {
                        kept[*place.get()].1 = value
                    }
                    std::collections::hash_map::Entry::Occupied(_) => return Err(duplicate(keys, key)),
                }
            }
            offsets.push(i32::try_from(kept.len()).map_err(|_| too_many())?);
            from = end;
        }
        let keys = items_at(keys, kept.iter().map(|&(k, _)| Some(k)).collect())?;
        let values = items_at(values, kept.iter().map(|&(_, v)| Some(v)).collect())?;
        let pairs = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let nulls = NullBuffer::from(self.valid);
        Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, pairs, Some(nulls), *sorted)?))
    }
}

fn duplicate(keys: &ArrayRef, at: usize) -> DataFusionError {
    let shown = cast_to_string(keys.slice(at, 1).as_ref(), &TimeZone::UTC);
    let shown = shown.map_or_else(|_| String::new(), |text| text.value(0).to_owned());
    external(SparkError::new(
        "DUPLICATED_MAP_KEY",
        [("key", shown), ("mapKeyDedupPolicy", format!("\"{POLICY}\""))],
    ))
}

fn no_array(data_type: &DataType) -> DataFusionError {
    DataFusionError::Internal(format!("{data_type} is not the type of a collection"))
}
