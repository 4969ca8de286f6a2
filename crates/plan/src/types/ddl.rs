//! Schemas as text: `name STRING, age INT NOT NULL, tags ARRAY<STRING>`.
use super::{SparkType, StructType};
use crate::error::{Error, Result};

impl SparkType {
    /// Parses one type, such as `array<struct<a: int>>`.
    pub fn parse_ddl(text: &str) -> Result<Self> {
        let _ = text;
        Err(Error::unsupported("DDL"))
    }
}

impl StructType {
    /// Parses a list of columns, or `struct<...>`.
    pub fn parse_ddl(text: &str) -> Result<Self> {
        let _ = text;
        Err(Error::unsupported("DDL"))
    }

    /// The list of columns as text that [`StructType::parse_ddl`] reads back.
    pub fn to_ddl(&self) -> String {
        String::new()
    }
}
