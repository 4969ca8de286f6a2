//! Numbers and booleans to numbers and booleans.
//!
//! ANSI: a value outside the target's range is an error. Otherwise integers wrap around, doubles saturate and
//! decimals become NULL, as on the JVM.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use arrow_array::{Array, ArrayRef, BooleanArray, Decimal128Array, PrimitiveArray};
use arrow_cast::cast::cast;
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use super::{Cast, Overflow, failure};
use crate::functions::{decimal, signed};
use crate::types::SparkType;

impl Cast<'_> {
    pub(super) fn numeric(&self, array: &ArrayRef, from: &SparkType, to: &SparkType) -> Result<ArrayRef> {
        use SparkType as T;
        match (from, to) {
            (T::Boolean, T::Decimal(p, s)) => {
                let ints = cast(array, &DataType::Int32)?;
                self.to_decimal(&ints, &T::Integer, *p, *s)
            }
            (T::Boolean, _) => Ok(cast(array, &to.to_arrow())?),
            (_, T::Boolean) => not_zero(array),
            (_, T::Decimal(p, s)) => self.to_decimal(array, from, *p, *s),
            (T::Decimal(_, scale), T::Float | T::Double) => decimal_to_float(array, *scale, to),
            (T::Decimal(_, scale), _) => self.decimal_to_integer(array, from, *scale, to),
            (T::Float | T::Double, T::Float | T::Double) => Ok(cast(array, &to.to_arrow())?),
            (T::Float | T::Double, _) => self.float_to_integer(array, from, to),
            (_, T::Float | T::Double) => Ok(cast(array, &to.to_arrow())?),
            _ => self.between_integers(array, from, to),
        }
    }

    fn between_integers(&self, array: &ArrayRef, from: &SparkType, to: &SparkType) -> Result<ArrayRef> {
        let wide = cast(array, &DataType::Int64)?;
        let wide = wide.as_primitive::<Int64Type>();
        match to {
            SparkType::Byte => self.narrow::<Int8Type>(wide, from, to),
            SparkType::Short => self.narrow::<Int16Type>(wide, from, to),
            SparkType::Integer => self.narrow::<Int32Type>(wide, from, to),
            SparkType::Long => Ok(Arc::new(wide.clone())),
            other => Err(DataFusionError::Internal(format!("no cast from {from} to {other}"))),
        }
    }

    fn narrow<T: ArrowPrimitiveType>(
        &self,
        wide: &PrimitiveArray<Int64Type>,
        from: &SparkType,
        to: &SparkType,
    ) -> Result<ArrayRef>
    where
        T::Native: TryFrom<i64> + Wrap,
    {
        let one = |value: i64| match T::Native::try_from(value) {
            Ok(fits) => Ok(Some(fits)),
            Err(_) => match self.overflow {
                Overflow::Error => Err(failure::overflow(&integer_sql(value, from), from, to)),
                Overflow::Null => Ok(None),
                Overflow::Legacy => Ok(Some(T::Native::wrap(value))),
            },
        };
        let array: PrimitiveArray<T> = wide.iter().map(|v| v.map_or(Ok(None), one)).collect::<Result<_>>()?;
        Ok(Arc::new(array))
    }

    fn float_to_integer(&self, array: &ArrayRef, from: &SparkType, to: &SparkType) -> Result<ArrayRef> {
        let doubles = cast(array, &DataType::Float64)?;
        let (low, high) = match to {
            SparkType::Byte => (f64::from(i8::MIN), f64::from(i8::MAX)),
            SparkType::Short => (f64::from(i16::MIN), f64::from(i16::MAX)),
            SparkType::Integer => (f64::from(i32::MIN), f64::from(i32::MAX)),
            _ => (-9_223_372_036_854_775_808.0, 9_223_372_036_854_775_807.0),
        };
        let suffix = if *from == SparkType::Double { "D" } else { "" };
        let one = |value: f64| {
            // A value between the largest integer and the next one is cut down to it.
            let fits = value.floor() <= high && value.ceil() >= low;
            match self.overflow {
                Overflow::Error if !fits => {
                    let mut shown = String::new();
                    millstream_columnar::text::append_f64(value, &mut shown);
                    let suffix = if value.is_finite() { suffix } else { "" };
                    Err(failure::overflow(&format!("{shown}{suffix}"), from, to))
                }
                Overflow::Null if !fits => Ok(None),
                // The JVM saturates to BIGINT or INT; smaller types take the low bits of the INT.
                _ if *to == SparkType::Long =>
                {
                    #[expect(clippy::cast_possible_truncation, reason = "saturates as on the JVM")]
                    Ok(Some(value as i64))
                }
                _ =>
                {
                    #[expect(clippy::cast_possible_truncation, reason = "saturates as on the JVM")]
                    Ok(Some(i64::from(value as i32)))
                }
            }
        };
        let doubles = doubles.as_primitive::<Float64Type>();
        let wide: PrimitiveArray<Int64Type> =
            doubles.iter().map(|v| v.map_or(Ok(None), one)).collect::<Result<_>>()?;
        let wide: ArrayRef = Arc::new(wide);
        Cast { overflow: Overflow::Legacy, zone: self.zone }.between_integers(&wide, &SparkType::Long, to)
    }

    fn to_decimal(&self, array: &ArrayRef, from: &SparkType, precision: u8, scale: u8) -> Result<ArrayRef> {
        let values: Decimal128Array = match from {
            SparkType::Float | SparkType::Double => {
                let doubles = cast(array, &DataType::Float64)?;
                let single = *from == SparkType::Float;
                let doubles = doubles.as_primitive::<Float64Type>();
                let one = |v: f64| self.decimal_of_text(&double_text(v, single), precision, scale);
                doubles.iter().map(|v| v.map_or(Ok(None), one)).collect::<Result<_>>()?
            }
            SparkType::Decimal(_, from_scale) => {
                let one = |v: i128| self.rescaled(v, *from_scale, precision, scale);
                let values = array.as_primitive::<Decimal128Type>();
                values.iter().map(|v| v.map_or(Ok(None), one)).collect::<Result<_>>()?
            }
            _ => {
                let wide = cast(array, &DataType::Int64)?;
                let one = |v: i64| self.rescaled(i128::from(v), 0, precision, scale);
                let wide = wide.as_primitive::<Int64Type>();
                wide.iter().map(|v| v.map_or(Ok(None), one)).collect::<Result<_>>()?
            }
        };
        Ok(Arc::new(values.with_precision_and_scale(precision, signed(scale))?))
    }

    fn rescaled(&self, value: i128, from: u8, precision: u8, scale: u8) -> Result<Option<i128>> {
        match decimal::rescale(value, from, scale).filter(|v| decimal::fits(*v, precision)) {
            Some(fits) => Ok(Some(fits)),
            None => self.no_decimal(&decimal_text(value, from), precision, scale),
        }
    }

    fn decimal_of_text(&self, text: &str, precision: u8, scale: u8) -> Result<Option<i128>> {
        match decimal::parse(text, precision, scale) {
            decimal::Parsed::Value(value) => Ok(Some(value)),
            decimal::Parsed::TooLarge(shown) => self.no_decimal(&shown, precision, scale),
            // Infinity and NaN have no decimal; Spark makes them NULL without an error.
            decimal::Parsed::Invalid => Ok(None),
        }
    }

    fn no_decimal(&self, shown: &str, precision: u8, scale: u8) -> Result<Option<i128>> {
        match self.overflow {
            Overflow::Error => Err(failure::decimal_overflow(shown, precision, scale)),
            Overflow::Null | Overflow::Legacy => Ok(None),
        }
    }

    fn decimal_to_integer(
        &self,
        array: &ArrayRef,
        from: &SparkType,
        scale: u8,
        to: &SparkType,
    ) -> Result<ArrayRef> {
        let unit = decimal::power_of_ten(u32::from(scale));
        let limits = match to {
            SparkType::Byte => (i64::from(i8::MIN), i64::from(i8::MAX)),
            SparkType::Short => (i64::from(i16::MIN), i64::from(i16::MAX)),
            SparkType::Integer => (i64::from(i32::MIN), i64::from(i32::MAX)),
            _ => (i64::MIN, i64::MAX),
        };
        let checked = |fits: &i64| self.overflow == Overflow::Legacy || (limits.0..=limits.1).contains(fits);
        let one = |value: i128| match i64::try_from(value / unit).ok().filter(checked) {
            Some(fits) => Ok(Some(fits)),
            None => match self.overflow {
                Overflow::Error => {
                    Err(failure::overflow(&format!("{}BD", decimal_text(value, scale)), from, to))
                }
                Overflow::Null => Ok(None),
                #[expect(clippy::cast_possible_truncation, reason = "wraps as on the JVM")]
                Overflow::Legacy => Ok(Some((value / unit) as i64)),
            },
        };
        let values = array.as_primitive::<Decimal128Type>();
        let wide: PrimitiveArray<Int64Type> =
            values.iter().map(|v| v.map_or(Ok(None), one)).collect::<Result<_>>()?;
        let wide: ArrayRef = Arc::new(wide);
        self.between_integers(&wide, from, to)
    }
}

/// The low bits of a number, as the JVM narrows.
trait Wrap {
    fn wrap(value: i64) -> Self;
}

macro_rules! wrap {
    ($($integer:ty),*) => {$(
        impl Wrap for $integer {
            #[expect(clippy::cast_possible_truncation, reason = "wraps as on the JVM")]
            fn wrap(value: i64) -> Self {
                value as $integer
            }
        }
    )*};
}
wrap!(i8, i16, i32);

fn not_zero(array: &ArrayRef) -> Result<ArrayRef> {
    let bools: BooleanArray = if let DataType::Decimal128(..) = array.data_type() {
        array.as_primitive::<Decimal128Type>().iter().map(|v| v.map(|v| v != 0)).collect()
    } else {
        let doubles = cast(array, &DataType::Float64)?;
        doubles.as_primitive::<Float64Type>().iter().map(|v| v.map(|v| v != 0.0)).collect()
    };
    Ok(Arc::new(bools))
}

fn decimal_to_float(array: &ArrayRef, scale: u8, to: &SparkType) -> Result<ArrayRef> {
    let values = array.as_primitive::<Decimal128Type>();
    let text = |v: i128| decimal_text(v, scale);
    Ok(match to {
        SparkType::Float => {
            let floats: PrimitiveArray<Float32Type> =
                values.iter().map(|v| v.and_then(|v| text(v).parse().ok())).collect();
            Arc::new(floats)
        }
        _ => {
            let doubles: PrimitiveArray<Float64Type> =
                values.iter().map(|v| v.and_then(|v| text(v).parse().ok())).collect();
            Arc::new(doubles)
        }
    })
}

fn decimal_text(unscaled: i128, scale: u8) -> String {
    let mut text = String::new();
    millstream_columnar::text::append_decimal(unscaled, signed(scale), &mut text);
    text
}

fn double_text(value: f64, single: bool) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "the value was an f32")]
    if single { (value as f32).to_string() } else { value.to_string() }
}

pub(super) fn integer_sql(value: i64, from: &SparkType) -> String {
    let suffix = match from {
        SparkType::Byte => "Y",
        SparkType::Short => "S",
        SparkType::Long => "L",
        _ => "",
    };
    format!("{value}{suffix}")
}

/// TINYINT to DECIMAL.
pub(super) fn is_number(data_type: &SparkType) -> bool {
    use SparkType as T;
    matches!(data_type, T::Byte | T::Short | T::Integer | T::Long | T::Float | T::Double | T::Decimal(..))
}

/// The bytes of whole numbers, the highest first.
pub(super) fn big_endian(array: &ArrayRef) -> Result<ArrayRef> {
    let bytes: arrow_array::BinaryViewArray = match array.data_type() {
        DataType::Int8 => {
            array.as_primitive::<Int8Type>().iter().map(|v| v.map(|v| v.to_be_bytes().to_vec())).collect()
        }
        DataType::Int16 => {
            array.as_primitive::<Int16Type>().iter().map(|v| v.map(|v| v.to_be_bytes().to_vec())).collect()
        }
        DataType::Int32 => {
            array.as_primitive::<Int32Type>().iter().map(|v| v.map(|v| v.to_be_bytes().to_vec())).collect()
        }
        _ => array.as_primitive::<Int64Type>().iter().map(|v| v.map(|v| v.to_be_bytes().to_vec())).collect(),
    };
    Ok(Arc::new(bytes))
}
