//! Spark types as Arrow types, one to one.
//!
//! Only these physical types cross operators: Utf8View, BinaryView, Timestamp(us, "UTC"), Timestamp(us), Date32,
//! Decimal128, Int8 to Int64, Float32/64, Boolean, List("element"), Struct, Map("entries", "key", "value"), Null, and
//! Duration(us) and Interval(YearMonth) for the two kinds of interval.
use std::sync::Arc;

use arrow_schema::{DataType, Field, FieldRef, Fields, IntervalUnit, Schema, SchemaRef, TimeUnit};

use super::{SparkType, StructField, StructType};
use crate::error::{Error, Result};

impl SparkType {
    /// The Arrow type that holds values of this type.
    pub fn to_arrow(&self) -> DataType {
        match self {
            Self::Null => DataType::Null,
            Self::Boolean => DataType::Boolean,
            Self::Byte => DataType::Int8,
            Self::Short => DataType::Int16,
            Self::Integer => DataType::Int32,
            Self::Long => DataType::Int64,
            Self::Float => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Decimal(precision, scale) => DataType::Decimal128(*precision, *scale as i8),
            Self::String => DataType::Utf8View,
            Self::Binary => DataType::BinaryView,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::TimestampNtz => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::DayTimeInterval(..) => DataType::Duration(TimeUnit::Microsecond),
            Self::YearMonthInterval(..) => DataType::Interval(IntervalUnit::YearMonth),
            Self::Array(element, nulls) => {
                DataType::List(Arc::new(Field::new("element", element.to_arrow(), *nulls)))
            }
            Self::Map(key, value, nulls) => {
                let entries = Fields::from(vec![
                    Field::new("key", key.to_arrow(), false),
                    Field::new("value", value.to_arrow(), *nulls),
                ]);
                DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
            }
            Self::Struct(fields) => DataType::Struct(fields.to_arrow_fields()),
        }
    }

    /// The type whose values an Arrow type holds. Types of the same meaning that Spark does not have in this form
    /// (Utf8, LargeList, dictionaries, other time units) are accepted; unsigned integers take the next wider type.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for Arrow types without a Spark twin.
    pub fn from_arrow(data_type: &DataType) -> Result<Self> {
        Ok(match data_type {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Boolean,
            DataType::Int8 => Self::Byte,
            DataType::Int16 | DataType::UInt8 => Self::Short,
            DataType::Int32 | DataType::UInt16 => Self::Integer,
            DataType::Int64 | DataType::UInt32 => Self::Long,
            DataType::UInt64 => Self::Decimal(20, 0),
            DataType::Float16 | DataType::Float32 => Self::Float,
            DataType::Float64 => Self::Double,
            DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s) if *s >= 0 => {
                Self::Decimal(*p, s.unsigned_abs())
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::String,
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => Self::Binary,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Timestamp(_, Some(_)) => Self::Timestamp,
            DataType::Timestamp(_, None) => Self::TimestampNtz,
            DataType::Duration(_) => Self::DAY_TIME,
            DataType::Interval(IntervalUnit::YearMonth) => Self::YEAR_MONTH,
            DataType::List(element)
            | DataType::LargeList(element)
            | DataType::ListView(element)
            | DataType::LargeListView(element)
            | DataType::FixedSizeList(element, _) => {
                Self::Array(Box::new(Self::from_arrow(element.data_type())?), element.is_nullable())
            }
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) if fields.len() == 2 => Self::Map(
                    Box::new(Self::from_arrow(fields[0].data_type())?),
                    Box::new(Self::from_arrow(fields[1].data_type())?),
                    fields[1].is_nullable(),
                ),
                other => return Err(Error::unsupported(format!("a map with entries of type {other}"))),
            },
            DataType::Struct(fields) => Self::Struct(StructType::from_arrow_fields(fields)?),
            DataType::Dictionary(_, values) => Self::from_arrow(values)?,
            other => return Err(Error::unsupported(format!("the Arrow type {other}"))),
        })
    }
}

impl StructType {
    /// As fields of an Arrow struct.
    pub fn to_arrow_fields(&self) -> Fields {
        self.fields.iter().map(StructField::to_arrow).collect()
    }

    /// As the schema of record batches.
    pub fn to_arrow(&self) -> SchemaRef {
        Arc::new(Schema::new(self.to_arrow_fields()))
    }

    /// From the schema of record batches.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for Arrow types without a Spark twin.
    pub fn from_arrow(schema: &Schema) -> Result<Self> {
        Self::from_arrow_fields(schema.fields())
    }

    /// From the fields of an Arrow struct.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for Arrow types without a Spark twin.
    pub fn from_arrow_fields(fields: &Fields) -> Result<Self> {
        fields
            .iter()
            .map(|f| {
                Ok(StructField::new(
                    f.name().as_str(),
                    SparkType::from_arrow(f.data_type())?,
                    f.is_nullable(),
                ))
            })
            .collect::<Result<Vec<_>>>()
            .map(|fields| Self { fields })
    }
}

impl StructField {
    /// As an Arrow field.
    pub fn to_arrow(&self) -> FieldRef {
        Arc::new(Field::new(self.name.as_ref(), self.data_type.to_arrow(), self.nullable))
    }
}
