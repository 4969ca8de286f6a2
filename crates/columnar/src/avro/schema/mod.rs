//! Avro schemas as trees: types by value, named types (records, enums, fixed) once each, in a table.
//!
//! Facts (Avro specification 1.12, "Schema Declaration"): a full name is namespace and name; a name without dots
//! belongs to the namespace around it; a named type may be used, also by itself, wherever its full name is in
//! scope. A logical type that is unknown, or whose attributes are not valid, is as if it were not there.

mod parse;
mod render;

use std::sync::Arc;

use serde_json::Value;

use crate::Result;

/// A parsed schema. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    pub(super) root: Type,
    pub(super) names: Arc<[Named]>,
}

/// A type where it is used.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Type {
    Null,
    Boolean,
    Int(Option<Logical>),
    Long(Option<Logical>),
    Float,
    Double,
    Bytes(Option<Decimal>),
    String,
    Array(Box<Type>),
    Map(Box<Type>),
    Union(Vec<Type>),
    /// Index into [`Schema::names`].
    Named(usize),
}

/// What an int or long stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logical {
    Date,
    TimestampMillis,
    TimestampMicros,
    LocalTimestampMillis,
    LocalTimestampMicros,
    /// `spark.sql.catalyst.type` of an int: months.
    YearMonth,
    /// `spark.sql.catalyst.type` of a long: microseconds.
    DayTime,
}

/// Digits in all and behind the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decimal {
    pub precision: u32,
    pub scale: u32,
}

/// A record, enum or fixed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Named {
    pub name: Name,
    /// Full names by which a reader knows the writer's type.
    pub aliases: Vec<String>,
    pub kind: Kind,
}

/// A name and its namespace, which may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub namespace: String,
    pub simple: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Record(Vec<RecordField>),
    Enum { symbols: Vec<String>, default: Option<usize> },
    Fixed { size: usize, decimal: Option<Decimal> },
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct RecordField {
    pub name: String,
    pub aliases: Vec<String>,
    pub of: Type,
    pub default: Option<Value>,
}

impl Name {
    /// `namespace.name`, or the name alone.
    pub fn full(&self) -> String {
        match self.namespace.as_str() {
            "" => self.simple.clone(),
            namespace => format!("{namespace}.{}", self.simple),
        }
    }
}

impl Schema {
    /// Parses the JSON text of a schema.
    ///
    /// # Errors
    /// [`crate::Error::BadSchema`]: not JSON, or not a schema; the message names the place. Nesting of more than 128
    /// levels and more than 100,000 types are refused.
    pub fn parse(text: &str) -> Result<Self> {
        parse::parse(text, &[])
    }

    /// Parses a schema that uses the named types of others (a registry's references), given with the referenced
    /// before the referring.
    ///
    /// # Errors
    /// As [`Schema::parse`].
    pub fn parse_with_references(text: &str, references: &[String]) -> Result<Self> {
        parse::parse(text, references)
    }

    /// The schema as JSON text: every named type written out where it is used first.
    pub fn to_json(&self) -> String {
        render::render(self)
    }

    /// Full name of the root if it is a record, enum or fixed; what the RecordName strategies build subjects from.
    pub fn full_name(&self) -> Option<String> {
        match &self.root {
            Type::Named(index) => Some(self.names[*index].name.full()),
            _ => None,
        }
    }

    pub(super) fn named(&self, index: usize) -> &Named {
        &self.names[index]
    }

    /// The name of a type as Avro's own library tells it, for messages.
    pub(super) fn type_name(&self, of: &Type) -> String {
        match of {
            Type::Null => "null".into(),
            Type::Boolean => "boolean".into(),
            Type::Int(_) => "int".into(),
            Type::Long(_) => "long".into(),
            Type::Float => "float".into(),
            Type::Double => "double".into(),
            Type::Bytes(_) => "bytes".into(),
            Type::String => "string".into(),
            Type::Array(_) => "array".into(),
            Type::Map(_) => "map".into(),
            Type::Union(_) => "union".into(),
            Type::Named(index) => self.named(*index).name.full(),
        }
    }
}

#[cfg(test)]
mod tests;
