//! The types that targets read payloads into: a few of fixed shape, chosen by a byte of the input.

use arrow_schema::{DataType, Field};
use millstream_columnar::types;

/// Number of schemas that [`schema`] knows.
pub const COUNT: usize = 6;

/// A struct type.
pub fn schema(choice: usize) -> DataType {
    let flat = vec![
        ("a", DataType::Int64),
        ("b", DataType::Utf8View),
        ("c", DataType::Float64),
        ("d", DataType::Boolean),
    ];
    match choice % COUNT {
        0 => structure(flat),
        1 => structure(vec![
            ("a", DataType::Int8),
            ("b", DataType::Int16),
            ("c", DataType::Int32),
            ("d", DataType::Float32),
            ("e", DataType::Decimal128(10, 2)),
            ("f", DataType::Decimal128(38, 18)),
            ("", DataType::Utf8View),
        ]),
        2 => structure(vec![
            ("a", types::list(DataType::Int64, true)),
            ("b", structure(flat)),
            ("c", map(DataType::Int32)),
            ("d", types::list(structure(vec![("x", DataType::Utf8View), ("y", DataType::Int32)]), true)),
        ]),
        3 => structure(vec![
            ("a", map(types::list(DataType::Utf8View, true))),
            ("b", types::list(map(DataType::Float64), true)),
            ("c", types::list(types::list(DataType::Boolean, true), true)),
            ("\u{e9}\u{20ac}", DataType::Utf8View),
        ]),
        4 => structure(vec![
            ("a", DataType::Date32),
            ("b", types::timestamp()),
            ("c", types::timestamp_ntz()),
            ("d", DataType::BinaryView),
            ("_corrupt_record", DataType::Utf8View),
        ]),
        _ => structure(vec![
            ("a", DataType::Utf8View),
            ("_corrupt_record", DataType::Utf8View),
            ("b", DataType::Null),
        ]),
    }
}

/// A struct of nullable fields.
pub fn structure(fields: Vec<(&str, DataType)>) -> DataType {
    DataType::Struct(fields.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect())
}

fn map(value: DataType) -> DataType {
    types::map(DataType::Utf8View, value, true)
}
