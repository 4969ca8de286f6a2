//! Schemas as text: `name STRING, age INT NOT NULL, tags ARRAY<STRING>`.
use super::names::quote_if_needed;
use super::{SparkType, StructType};
use crate::error::Result;
use crate::sql::{parse_columns, parse_data_type};

impl SparkType {
    /// Parses a type, such as `array<struct<a: int>>`; a list of columns is a struct.
    ///
    /// # Errors
    /// `PARSE_SYNTAX_ERROR`, or `UNSUPPORTED_DATATYPE` for an unknown name.
    pub fn parse_ddl(text: &str) -> Result<Self> {
        parse_data_type(text).or_else(|error| parse_columns(text).map(Self::Struct).map_err(|_| error))
    }
}

impl StructType {
    /// Parses a list of columns, such as `name STRING, age INT NOT NULL`, or `struct<...>`.
    ///
    /// # Errors
    /// `PARSE_SYNTAX_ERROR`, or `UNSUPPORTED_DATATYPE` for an unknown name.
    pub fn parse_ddl(text: &str) -> Result<Self> {
        parse_columns(text).or_else(|error| match parse_data_type(text) {
            Ok(SparkType::Struct(fields)) => Ok(fields),
            _ => Err(error),
        })
    }

    /// The list of columns as text that [`StructType::parse_ddl`] reads back, as far as DDL can say it: that elements
    /// are never NULL cannot be said.
    pub fn to_ddl(&self) -> String {
        let column = |field: &super::StructField| {
            let not_null = if field.nullable { "" } else { " NOT NULL" };
            format!("{} {}{not_null}", quote_if_needed(&field.name), field.data_type.sql())
        };
        self.fields.iter().map(column).collect::<Vec<_>>().join(",")
    }
}
