//! A message as prost-reflect has read it, as the cell that Spark's rules make of it.

use prost_reflect::{DynamicMessage, Kind, MapKey, ReflectMessage as _, Value};

use crate::cells::Cell;

/// A message. Maps come in the order of their shown keys, as [`maps_in_order`] leaves them.
pub fn cell(message: &DynamicMessage) -> Cell {
    let descriptor = message.descriptor();
    let fields = descriptor.fields().map(|field| {
        let there = field.is_list() || field.is_map() || message.has_field(&field);
        if there { value(&message.get_field(&field), &field.kind()) } else { Cell::Null }
    });
    // prost-reflect lists fields by their numbers, which is also the order in which our descriptors name them.
    Cell::Struct(fields.collect())
}

fn value(value: &Value, kind: &Kind) -> Cell {
    match value {
        Value::Bool(value) => Cell::Boolean(*value),
        Value::I32(value) => Cell::Number((*value).into()),
        Value::U32(value) => Cell::Number((*value as i32).into()),
        Value::I64(value) => Cell::Number((*value).into()),
        Value::U64(value) => Cell::Number((*value as i64).into()),
        Value::F32(value) => Cell::float(*value),
        Value::F64(value) => Cell::double(*value),
        Value::String(text) => Cell::Text(text.clone()),
        Value::Bytes(bytes) => Cell::Bytes(bytes.to_vec()),
        Value::EnumNumber(code) => {
            let kind = kind.as_enum().expect("the field is an enum's");
            let name = kind.get_value(*code).map(|value| value.name().to_owned());
            Cell::Text(name.unwrap_or_else(|| format!("UNKNOWN_ENUM_VALUE_{}_{code}", kind.name())))
        }
        Value::Message(message) => cell(message),
        Value::List(values) => Cell::List(values.iter().map(|one| self::value(one, kind)).collect()),
        Value::Map(entries) => {
            let of = kind.as_message().expect("entries are messages").map_entry_value_field().kind();
            let key = |key: &MapKey| match key {
                MapKey::String(text) => Cell::Text(text.clone()),
                MapKey::I32(number) => Cell::Number((*number).into()),
                other => panic!("no field has the key {other:?}"),
            };
            maps_in_order(Cell::Map(
                entries.iter().map(|(name, one)| (key(name), self::value(one, &of))).collect(),
            ))
        }
    }
}

/// The same value with each map in the order of its keys as they are shown; of equal keys the last.
pub fn maps_in_order(cell: Cell) -> Cell {
    let all = |cells: Vec<Cell>| cells.into_iter().map(maps_in_order).collect();
    match cell {
        Cell::List(values) => Cell::List(all(values)),
        Cell::Struct(values) => Cell::Struct(all(values)),
        Cell::Map(entries) => {
            let sorted: std::collections::BTreeMap<String, (Cell, Cell)> = entries
                .into_iter()
                .map(|(key, value)| (format!("{key:?}"), (key, maps_in_order(value))))
                .collect();
            Cell::Map(sorted.into_values().collect())
        }
        other => other,
    }
}

/// Whether they are equal, but for a zero with a sign in a field without presence: Java, and so we, take it for a
/// value, prost-reflect for nothing.
pub fn same(ours: &Cell, twin: &Cell) -> bool {
    let all = |left: &[Cell], right: &[Cell]| {
        left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
    };
    match (ours, twin) {
        (Cell::Double(bits), Cell::Null) => *bits == (-0.0f64).to_bits(),
        (Cell::Float(bits), Cell::Null) => *bits == (-0.0f32).to_bits(),
        (Cell::List(left), Cell::List(right)) | (Cell::Struct(left), Cell::Struct(right)) => all(left, right),
        (Cell::Map(left), Cell::Map(right)) => {
            let pairs = || left.iter().zip(right);
            left.len() == right.len()
                && pairs().all(|(left, right)| left.0 == right.0 && same(&left.1, &right.1))
        }
        (left, right) => left == right,
    }
}
