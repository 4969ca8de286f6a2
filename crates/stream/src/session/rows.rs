//! Rows that a program holds, and what counts as a schema.

use millstream_plan::SparkError;
use millstream_plan::tree::Value;
use millstream_plan::types::{SparkType, StructType};

use crate::error::{Error, Result};

/// A row of values; write one with [`row!`](crate::row) where a tuple is too short.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(pub Vec<Value>);

/// A row of any values that a [`Value`] can be made of: `row!["James", 3000, None::<&str>]`.
#[macro_export]
macro_rules! row {
    ($($value:expr),* $(,)?) => {
        $crate::Row(vec![$($crate::Value::from($value)),*])
    };
}

/// What can be a row of [`Session::create_data_frame`](crate::Session::create_data_frame): [`Row`], a vector of values,
/// or a tuple.
pub trait IntoRow {
    /// The values of the row.
    fn into_row(self) -> Vec<Value>;
}

impl IntoRow for Row {
    fn into_row(self) -> Vec<Value> {
        self.0
    }
}

impl IntoRow for Vec<Value> {
    fn into_row(self) -> Vec<Value> {
        self
    }
}

macro_rules! tuple_rows {
    ($(($($name:ident),+))*) => {$(
        impl<$($name: Into<Value>),+> IntoRow for ($($name,)+) {
            #[expect(non_snake_case, reason = "a tuple's members have the names of their types")]
            fn into_row(self) -> Vec<Value> {
                let ($($name,)+) = self;
                vec![$($name.into()),+]
            }
        }
    )*};
}

tuple_rows! {
    (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) (A, B, C, D, E, F, G)
    (A, B, C, D, E, F, G, H) (A, B, C, D, E, F, G, H, I) (A, B, C, D, E, F, G, H, I, J)
}

/// What can be a schema: a [`StructType`], or text such as `name string, age int`.
pub trait IntoSchema {
    /// The schema.
    ///
    /// # Errors
    /// A text that does not parse.
    fn into_schema(self) -> Result<StructType>;
}

impl IntoSchema for StructType {
    fn into_schema(self) -> Result<StructType> {
        Ok(self)
    }
}

impl IntoSchema for &StructType {
    fn into_schema(self) -> Result<StructType> {
        Ok(self.clone())
    }
}

impl IntoSchema for &str {
    fn into_schema(self) -> Result<StructType> {
        Ok(StructType::parse_ddl(self)?)
    }
}

impl IntoSchema for String {
    fn into_schema(self) -> Result<StructType> {
        self.as_str().into_schema()
    }
}

/// Checks rows against a schema and gives each value its column's type.
pub(super) fn fit_rows<R: IntoRow>(
    rows: impl IntoIterator<Item = R>,
    schema: &StructType,
) -> Result<Vec<Vec<Value>>> {
    rows.into_iter().enumerate().map(|(number, row)| fit_row(number, row.into_row(), schema)).collect()
}

fn fit_row(number: usize, row: Vec<Value>, schema: &StructType) -> Result<Vec<Value>> {
    if row.len() != schema.fields.len() {
        let parameters =
            [("axis_length", row.len().to_string()), ("expected_length", schema.fields.len().to_string())];
        let mut error = SparkError::new("AXIS_LENGTH_MISMATCH", parameters);
        error.message = format!(
            "row {number} has {} values, the schema has {} columns; give one value for each column",
            row.len(),
            schema.fields.len()
        );
        return Err(error.into());
    }
    let fit_one = |(value, field): (Value, &millstream_plan::types::StructField)| {
        if !field.nullable && matches!(value, Value::Null | Value::NullOf(_)) {
            return Err(misfit(number, &field.name, "NULL", "a value: the column is NOT NULL"));
        }
        let given = format!("{value:?}");
        fit(value, &field.data_type)
            .ok_or_else(|| misfit(number, &field.name, &given, &field.data_type.simple_string()))
    };
    row.into_iter().zip(&schema.fields).map(fit_one).collect()
}

fn misfit(row: usize, column: &str, given: &str, wanted: &str) -> Error {
    Error::Misuse(format!("row {row}, column {column}: {given} does not fit; it must be {wanted}"))
}

/// The value in the given type, or none when that would change it.
fn fit(value: Value, to: &SparkType) -> Option<Value> {
    let integer = match &value {
        Value::Byte(number) => Some(i64::from(*number)),
        Value::Short(number) => Some(i64::from(*number)),
        Value::Integer(number) => Some(i64::from(*number)),
        Value::Long(number) => Some(*number),
        _ => None,
    };
    match (value, to, integer) {
        (Value::Null | Value::NullOf(_), _, _) => Some(Value::NullOf(to.clone())),
        (_, SparkType::Byte, Some(number)) => number.try_into().ok().map(Value::Byte),
        (_, SparkType::Short, Some(number)) => number.try_into().ok().map(Value::Short),
        (_, SparkType::Integer, Some(number)) => number.try_into().ok().map(Value::Integer),
        (_, SparkType::Long, Some(number)) => Some(Value::Long(number)),
        (Value::Float(number), SparkType::Double, _) => Some(Value::Double(number.into())),
        (Value::Double(number), SparkType::Float, _) => Some(Value::Float(number as f32)),
        (Value::String(text), SparkType::Binary, _) => Some(Value::Binary(text.into_bytes())),
        (Value::Array(items), SparkType::Array(element, _), _) => {
            items.into_iter().map(|item| fit(item, element)).collect::<Option<_>>().map(Value::Array)
        }
        (Value::Map(entries), SparkType::Map(key, item, _), _) => entries
            .into_iter()
            .map(|(k, v)| Some((fit(k, key)?, fit(v, item)?)))
            .collect::<Option<_>>()
            .map(Value::Map),
        (Value::Struct(fields), SparkType::Struct(schema), _) if fields.len() == schema.fields.len() => {
            fields
                .into_iter()
                .zip(&schema.fields)
                .map(|((_, value), field)| Some((field.name.to_string(), fit(value, &field.data_type)?)))
                .collect::<Option<_>>()
                .map(Value::Struct)
        }
        (value, to, _) => has_type(&value, to).then_some(value),
    }
}

fn has_type(value: &Value, to: &SparkType) -> bool {
    matches!(
        (value, to),
        (Value::Boolean(_), SparkType::Boolean)
            | (Value::Float(_), SparkType::Float)
            | (Value::Double(_), SparkType::Double)
            | (Value::String(_), SparkType::String)
            | (Value::Binary(_), SparkType::Binary)
            | (Value::Date(_), SparkType::Date)
            | (Value::Timestamp(_), SparkType::Timestamp)
            | (Value::TimestampNtz(_), SparkType::TimestampNtz)
            | (Value::DayTimeInterval { .. }, SparkType::DayTimeInterval(..))
            | (Value::YearMonthInterval { .. }, SparkType::YearMonthInterval(..))
    ) || matches!((value, to), (Value::Decimal { scale, .. }, SparkType::Decimal(_, s)) if scale == s)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> StructType {
        StructType::new().add("name", SparkType::String, true).add("age", SparkType::Long, false)
    }

    #[test]
    fn values_take_the_types_of_their_columns() {
        let rows = fit_rows([("a", 1), ("b", 2)], &schema()).unwrap();
        assert_eq!(rows[1], [Value::String("b".into()), Value::Long(2)]);
        let rows = fit_rows([crate::row![None::<&str>, 7i64]], &schema()).unwrap();
        assert_eq!(rows[0][0], Value::NullOf(SparkType::String));
    }

    #[test]
    fn what_does_not_fit_is_named_by_row_and_column() {
        let error = fit_rows([("a", "x")], &schema()).unwrap_err().to_string();
        assert!(error.contains("row 0, column age"), "{error}");
        let error = fit_rows([("a", None::<i64>)], &schema()).unwrap_err().to_string();
        assert!(error.contains("NOT NULL"), "{error}");
        assert!(fit_rows([("a",)], &schema()).unwrap_err().spark().is_some());
        let narrow = StructType::new().add("n", SparkType::Byte, true);
        assert!(fit_rows([(300,)], &narrow).is_err());
    }
}
