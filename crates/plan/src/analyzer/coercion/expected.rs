//! What functions take, and the implicit cast of an argument to it.

use crate::analyzer::{Conf, Typed};
use crate::error::Result;
use crate::types::SparkType;

use super::cast_to;

/// The type that a function wants for an argument.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expected {
    /// This type.
    Exactly(SparkType),
    /// TINYINT to DECIMAL.
    Numeric,
    /// TINYINT to BIGINT.
    Integral,
    /// Any ARRAY.
    Array,
    /// Any MAP.
    Map,
    /// The first of these that fits.
    OneOf(&'static [Expected]),
}

impl Expected {
    /// STRING or else BINARY.
    pub const TEXT_OR_BYTES: Expected =
        Expected::OneOf(&[Expected::Exactly(SparkType::String), Expected::Exactly(SparkType::Binary)]);

    /// As `requiredType` of an error has it.
    pub fn describe(&self) -> String {
        match self {
            Self::OneOf(options) => {
                let names: Vec<String> = options.iter().map(Self::describe).collect();
                format!("({})", names.join(" or "))
            }
            Self::Exactly(data_type) => format!("\"{}\"", data_type.sql()),
            Self::Numeric => "\"NUMERIC\"".to_owned(),
            Self::Integral => "\"INTEGRAL\"".to_owned(),
            Self::Array => "\"ARRAY\"".to_owned(),
            Self::Map => "\"MAP\"".to_owned(),
        }
    }

    fn accepts(&self, data_type: &SparkType) -> bool {
        use SparkType as T;
        match self {
            Self::Exactly(expected) => expected == data_type,
            Self::Numeric => is_numeric(data_type),
            Self::Integral => is_integral(data_type),
            Self::Array => matches!(data_type, T::Array(..)),
            Self::Map => matches!(data_type, T::Map(..)),
            Self::OneOf(options) => options.iter().any(|o| o.accepts(data_type)),
        }
    }

    fn target(&self, from: &SparkType) -> Option<SparkType> {
        use SparkType as T;
        if self.accepts(from) {
            return Some(from.clone());
        }
        match (self, from) {
            (Self::OneOf(options), _) => options.iter().find_map(|o| o.target(from)),
            (Self::Exactly(expected), T::Null) => Some(expected.clone()),
            (Self::Numeric, T::Null | T::String) => Some(T::Double),
            (Self::Integral, T::Null) => Some(T::Integer),
            (Self::Integral, T::String) => Some(T::Long),
            (Self::Exactly(expected), from) if implicit(from, expected) => Some(expected.clone()),
            _ => None,
        }
    }
}

/// `typed` cast to what is expected, or none if it has a type that is not cast implicitly.
///
/// # Errors
/// A session time zone that does not exist.
pub(crate) fn implicit_cast(typed: &Typed, expected: &Expected, conf: &Conf) -> Result<Option<Typed>> {
    match expected.target(&typed.data_type) {
        Some(to) => cast_to(typed.clone(), &to, conf).map(Some),
        None => Ok(None),
    }
}

/// TINYINT to DECIMAL.
pub(crate) fn is_numeric(data_type: &SparkType) -> bool {
    use SparkType as T;
    is_integral(data_type) || matches!(data_type, T::Float | T::Double | T::Decimal(..))
}

/// TINYINT to BIGINT.
pub(crate) fn is_integral(data_type: &SparkType) -> bool {
    use SparkType as T;
    matches!(data_type, T::Byte | T::Short | T::Integer | T::Long)
}

fn implicit(from: &SparkType, to: &SparkType) -> bool {
    use SparkType as T;
    let nested = |t: &SparkType| matches!(t, T::Array(..) | T::Map(..) | T::Struct(_));
    match (from, to) {
        (from, to) if is_numeric(from) && is_numeric(to) => true,
        (T::String, to) => !nested(to),
        (from, T::String) => !nested(from),
        (T::Date | T::Timestamp | T::TimestampNtz, T::Date | T::Timestamp | T::TimestampNtz) => true,
        (T::DayTimeInterval(..), T::DayTimeInterval(..)) => true,
        (T::YearMonthInterval(..), T::YearMonthInterval(..)) => true,
        (T::Array(from, _), T::Array(to, _)) => from == to || implicit(from, to),
        _ => false,
    }
}
