//! Collections from side by side: `arrays_zip`, and `str_to_map` from a text of pairs.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, ListArray, StringViewArray, StructArray};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use super::maps::{Entries, last_wins};
use super::pick::{Lists, OfCollections, items_at, too_many};
use super::typing::array_of;
use crate::analyzer::{Label, Typed};
use crate::functions::call::Call;
use crate::functions::{Splitter, literal_text};
use crate::types::{SparkType, StructType};

/// An array of structs; the shorter arrays are filled with NULL. Fields have the names of the arguments, or their
/// places from 0.
pub(super) fn arrays_zip(call: &Call<'_>) -> crate::error::Result<Typed> {
    let mut args = Vec::with_capacity(call.args.len());
    let mut fields = StructType::new();
    for i in 0..call.args.len() {
        let arg = array_of(call, i)?;
        let name = match &call.args[i].label {
            Label::Attribute(name) | Label::Field(name) | Label::Alias(name) => name.clone(),
            Label::Cast(_) | Label::Sql => i.to_string(),
        };
        if let SparkType::Array(element, _) = &arg.data_type {
            fields = fields.add(name, (**element).clone(), true);
        }
        args.push(arg);
    }
    if args.is_empty() {
        return Err(crate::error::Error::unsupported("arrays_zip without an array"));
    }
    let returns = SparkType::Array(Box::new(SparkType::Struct(fields)), false);
    Ok(call.finish(
        OfCollections { name: "arrays_zip", returns: returns.clone(), run: zipped },
        args,
        returns,
    ))
}

fn zipped(args: &[ArrayRef], returns: &DataType) -> Result<ArrayRef> {
    let lists: Vec<Lists<'_>> = args.iter().map(Lists::of).collect();
    let DataType::List(field) = returns else { return Err(wrong(returns)) };
    let DataType::Struct(fields) = field.data_type() else { return Err(wrong(returns)) };
    let rows = lists.first().map_or(0, Lists::len);
    let mut places: Vec<Vec<Option<usize>>> = vec![Vec::new(); lists.len()];
    let (mut offsets, mut valid) = (vec![0], Vec::with_capacity(rows));
    for row in 0..rows {
        valid.push(!lists.iter().any(|l| l.is_null(row)));
        if valid[row] {
            let longest = lists.iter().map(|l| l.range(row).len()).max().unwrap_or(0);
            for (list, places) in lists.iter().zip(&mut places) {
                let range = list.range(row);
                places.extend((0..longest).map(|i| (i < range.len()).then_some(range.start + i)));
            }
        }
        offsets.push(i32::try_from(places[0].len()).map_err(|_| too_many())?);
    }
    let columns = lists.iter().zip(places).map(|(list, places)| items_at(list.items(), places));
    let items = Arc::new(StructArray::try_new(fields.clone(), columns.collect::<Result<_>>()?, None)?);
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, items, Some(NullBuffer::from(valid)))?))
}

fn wrong(data_type: &DataType) -> DataFusionError {
    DataFusionError::Internal(format!("{data_type} is not an array of structs"))
}

/// Pairs and the parts of a pair are parted by patterns, `,` and `:` if none are given.
pub(super) fn str_to_map(call: &Call<'_>) -> crate::error::Result<Typed> {
    let mut args = vec![call.take_as(0, SparkType::String)?];
    for (i, default) in [(1, ","), (2, ":")] {
        args.push(match call.args.get(i) {
            Some(_) => call.take_as(i, SparkType::String)?,
            None => literal_text(default),
        });
    }
    let text = Box::new(SparkType::String);
    let returns = SparkType::Map(text.clone(), text, true);
    let shown: Vec<String> = args.iter().map(|a| a.sql.clone()).collect();
    let strict = |args: &[ArrayRef], returns: &DataType| pairs(args, returns, false);
    let lenient = |args: &[ArrayRef], returns: &DataType| pairs(args, returns, true);
    let kernel = if last_wins(call.conf) {
        OfCollections { name: "str_to_map (last wins)", returns: returns.clone(), run: lenient }
    } else {
        OfCollections { name: "str_to_map", returns: returns.clone(), run: strict }
    };
    let typed = call.finish(kernel, args, returns);
    Ok(Typed { sql: format!("str_to_map({})", shown.join(", ")), ..typed })
}

fn pairs(args: &[ArrayRef], returns: &DataType, last: bool) -> Result<ArrayRef> {
    use arrow_array::cast::AsArray;
    let [texts, between, inside] = [0, 1, 2].map(|i: usize| args[i].as_string_view());
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    let mut rows = Entries::new();
    let (mut outer, mut inner) = (Splitter::default(), Splitter::default());
    for row in 0..texts.len() {
        if texts.is_null(row) || between.is_null(row) || inside.is_null(row) {
            rows.null();
            continue;
        }
        let from = keys.len();
        for pair in outer.split(texts.value(row), between.value(row), -1)? {
            let mut parts = inner.split(&pair, inside.value(row), 2)?.into_iter();
            keys.push(parts.next());
            values.push(parts.next());
        }
        rows.row((from..keys.len()).map(|i| (i, i)));
    }
    let keys: ArrayRef = Arc::new(keys.into_iter().collect::<StringViewArray>());
    let values: ArrayRef = Arc::new(values.into_iter().collect::<StringViewArray>());
    rows.finish(&keys, &values, returns, last)
}
