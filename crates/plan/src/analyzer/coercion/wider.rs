//! The type that two types have in common.

use crate::analyzer::Conf;
use crate::types::{SparkType, StructField, StructType};

use SparkType::{
    Array, Binary, Boolean, Byte, Date, DayTimeInterval, Decimal, Double, Float, Integer, Long, Map, Null,
    Short, String, Struct, Timestamp, TimestampNtz, YearMonthInterval,
};

/// Digits that a decimal has at most.
const MAX_PRECISION: u8 = 38;

/// The decimal that holds every value of an integral type.
pub(crate) fn decimal_for(data_type: &SparkType) -> Option<(u8, u8)> {
    match data_type {
        Byte => Some((3, 0)),
        Short => Some((5, 0)),
        Integer => Some((10, 0)),
        Long => Some((20, 0)),
        Float => Some((14, 7)),
        Double => Some((30, 15)),
        Decimal(p, s) => Some((*p, *s)),
        _ => None,
    }
}

/// The type that both can be cast to without losing anything, strings aside.
pub(crate) fn tightest(a: &SparkType, b: &SparkType) -> Option<SparkType> {
    if a == b {
        return Some(a.clone());
    }
    match (a, b) {
        (Null, other) | (other, Null) => Some(other.clone()),
        (Float, Byte | Short | Integer | Long) | (Byte | Short | Integer | Long, Float) => Some(Double),
        (Decimal(..), Float | Double) | (Float | Double, Decimal(..)) => Some(Double),
        (Decimal(..), _) | (_, Decimal(..)) => wider_decimal(decimal_for(a)?, decimal_for(b)?),
        (Date, Timestamp) | (Timestamp, Date | TimestampNtz) | (TimestampNtz, Timestamp) => Some(Timestamp),
        (Date, TimestampNtz) | (TimestampNtz, Date) => Some(TimestampNtz),
        (DayTimeInterval(af, at), DayTimeInterval(bf, bt)) => Some(DayTimeInterval(*af.min(bf), *at.max(bt))),
        (YearMonthInterval(af, at), YearMonthInterval(bf, bt)) => {
            Some(YearMonthInterval(*af.min(bf), *at.max(bt)))
        }
        _ => {
            let (a, b) = (rank(a)?, rank(b)?);
            [Byte, Short, Integer, Long, Float, Double].get(a.max(b)).cloned()
        }
    }
}

/// The type of a column that holds values of both: branches of CASE, elements of an array, sides of a UNION.
pub(crate) fn common_type(a: &SparkType, b: &SparkType, conf: &Conf) -> Option<SparkType> {
    if let Some(found) = tightest(a, b).or_else(|| nested(a, b, conf)) {
        return Some(found);
    }
    match (a, b) {
        (String, other) | (other, String) if conf.ansi() => beside_string(other),
        (String, other) | (other, String) if atomic(other) && *other != Boolean && *other != Binary => {
            Some(String)
        }
        _ => None,
    }
}

/// The type in which two values are compared.
pub(crate) fn comparison_type(a: &SparkType, b: &SparkType, conf: &Conf) -> Option<SparkType> {
    if conf.ansi() {
        return common_type(a, b, conf);
    }
    match (a, b) {
        (String, other) | (other, String) if atomic(other) => Some(other.clone()),
        _ => common_type(a, b, conf),
    }
}

fn beside_string(other: &SparkType) -> Option<SparkType> {
    match other {
        Byte | Short | Integer | Long => Some(Long),
        Float | Double | Decimal(..) => Some(Double),
        other if atomic(other) => Some(other.clone()),
        _ => None,
    }
}

fn nested(a: &SparkType, b: &SparkType, conf: &Conf) -> Option<SparkType> {
    match (a, b) {
        (Array(a, an), Array(b, bn)) => Some(Array(Box::new(common_type(a, b, conf)?), *an || *bn)),
        (Map(ak, av, an), Map(bk, bv, bn)) => {
            Some(Map(Box::new(common_type(ak, bk, conf)?), Box::new(common_type(av, bv, conf)?), *an || *bn))
        }
        (Struct(a), Struct(b)) if a.fields.len() == b.fields.len() => {
            let fields: Option<StructType> =
                a.fields.iter().zip(&b.fields).map(|(a, b)| common_field(a, b, conf)).collect();
            Some(Struct(fields?))
        }
        _ => None,
    }
}

fn common_field(a: &StructField, b: &StructField, conf: &Conf) -> Option<StructField> {
    if !crate::analyzer::scope::same_name(&a.name, &b.name, conf.case_sensitive()) {
        return None;
    }
    let data_type = common_type(&a.data_type, &b.data_type, conf)?;
    Some(StructField::new(a.name.clone(), data_type, a.nullable || b.nullable))
}

fn wider_decimal(a: (u8, u8), b: (u8, u8)) -> Option<SparkType> {
    let scale = a.1.max(b.1);
    let range = (a.0 - a.1).max(b.0 - b.1);
    if range + scale <= MAX_PRECISION {
        return Some(Decimal(range + scale, scale));
    }
    // Digits before the point matter more than those behind it.
    let lost = (range + scale - MAX_PRECISION).min(scale);
    Some(Decimal(MAX_PRECISION, scale - lost))
}

fn rank(data_type: &SparkType) -> Option<usize> {
    [Byte, Short, Integer, Long, Float, Double].iter().position(|t| t == data_type)
}

fn atomic(data_type: &SparkType) -> bool {
    !matches!(data_type, Array(..) | Map(..) | Struct(_) | Null)
}
