//! The one table of physical types. No other Arrow type crosses an operator boundary in Millstream.
//!
//! | Spark | Arrow |
//! |---|---|
//! | boolean | Boolean |
//! | tinyint, smallint, int, bigint | Int8, Int16, Int32, Int64 |
//! | float, double | Float32, Float64 |
//! | decimal(p,s) | Decimal128(p, s) |
//! | string | Utf8View |
//! | binary | BinaryView |
//! | date | Date32 |
//! | timestamp | Timestamp(Microsecond, "UTC") |
//! | timestamp_ntz | Timestamp(Microsecond, none) |
//! | interval day to second | Duration(Microsecond) |
//! | interval year to month | Interval(YearMonth) |
//! | array | List, field `element` |
//! | struct | Struct |
//! | map | Map, field `entries` of `key` and `value`, not sorted |
//! | void | Null |

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, IntervalUnit, TimeUnit};

/// The time zone name that a `timestamp` column carries. Timestamps are instants; the session's zone matters
/// only in functions and rendering.
pub const UTC: &str = "UTC";

/// Name of a list's element field.
pub const LIST_ELEMENT: &str = "element";

/// Spark's `timestamp`.
pub fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

/// Spark's `timestamp_ntz`.
pub fn timestamp_ntz() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

/// A list of `element`, named as the table says.
pub fn list(element: DataType, nullable: bool) -> DataType {
    DataType::List(Arc::new(Field::new(LIST_ELEMENT, element, nullable)))
}

/// A map from `key` (never null) to `value`, named as the table says.
pub fn map(key: DataType, value: DataType, value_nullable: bool) -> DataType {
    let entries =
        Fields::from(vec![Field::new("key", key, false), Field::new("value", value, value_nullable)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
}

/// Whether the type, with everything nested in it, is one of the table's.
pub fn is_canonical(data_type: &DataType) -> bool {
    canonical(data_type).is_some_and(|canonical| canonical == *data_type)
}

/// The table's type for a value of `data_type`, or None when the table has none (unions, times of day,
/// 256-bit decimals, ...). Unsigned integers widen to the next signed type, UInt64 to Decimal128(20, 0).
pub fn canonical(data_type: &DataType) -> Option<DataType> {
    use DataType::*;
    Some(match data_type {
        Null | Boolean | Int8 | Int16 | Int32 | Int64 | Float32 | Float64 | Date32 => data_type.clone(),
        UInt8 => Int16,
        UInt16 => Int32,
        UInt32 => Int64,
        UInt64 => Decimal128(20, 0),
        Float16 => Float32,
        Utf8 | LargeUtf8 | Utf8View => Utf8View,
        Binary | LargeBinary | FixedSizeBinary(_) | BinaryView => BinaryView,
        Date64 => Date32,
        Timestamp(_, Some(_)) => timestamp(),
        Timestamp(_, None) => timestamp_ntz(),
        Duration(_) => Duration(TimeUnit::Microsecond),
        Interval(IntervalUnit::YearMonth) => data_type.clone(),
        Decimal32(p, s) | Decimal64(p, s) | Decimal128(p, s) => Decimal128(*p, *s),
        List(f) | LargeList(f) | ListView(f) | LargeListView(f) | FixedSizeList(f, _) => {
            list(canonical(f.data_type())?, f.is_nullable())
        }
        Struct(fields) => Struct(canonical_fields(fields)?),
        Map(entries, _) => match entries.data_type() {
            Struct(kv) if kv.len() == 2 => {
                map(canonical(kv[0].data_type())?, canonical(kv[1].data_type())?, kv[1].is_nullable())
            }
            _ => return None,
        },
        Dictionary(_, value) => canonical(value)?,
        RunEndEncoded(_, values) => canonical(values.data_type())?,
        _ => return None,
    })
}

fn canonical_fields(fields: &Fields) -> Option<Fields> {
    fields
        .iter()
        .map(|f| Some(f.as_ref().clone().with_data_type(canonical(f.data_type())?)))
        .collect::<Option<Vec<Field>>>()
        .map(Fields::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_the_table_is_its_own_canonical_form() {
        let table = [
            DataType::Null,
            DataType::Boolean,
            DataType::Int8,
            DataType::Int64,
            DataType::Float32,
            DataType::Decimal128(38, 18),
            DataType::Utf8View,
            DataType::BinaryView,
            DataType::Date32,
            timestamp(),
            timestamp_ntz(),
            DataType::Duration(TimeUnit::Microsecond),
            DataType::Interval(IntervalUnit::YearMonth),
            list(DataType::Utf8View, true),
            map(DataType::Utf8View, DataType::Int32, true),
            DataType::Struct(Fields::from(vec![Field::new("a", list(timestamp(), false), true)])),
        ];
        for data_type in table {
            assert!(is_canonical(&data_type), "{data_type}");
        }
    }

    #[test]
    fn foreign_types_are_mapped_inside_out() {
        let foreign = DataType::LargeList(Arc::new(Field::new("item", DataType::Utf8, true)));
        assert_eq!(canonical(&foreign), Some(list(DataType::Utf8View, true)));
        assert!(!is_canonical(&foreign));
        assert_eq!(canonical(&DataType::Time32(TimeUnit::Second)), None);
        assert!(!is_canonical(&DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()))));
    }
}
