//! What the API's bodies hold.

use serde::{Deserialize, Serialize};

/// A schema's reference to another one by subject and version.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// By which the schema names it: an Avro full name, a Protobuf import, a JSON Schema `$ref`.
    pub name: String,
    /// Where it is registered.
    pub subject: String,
    /// Which version.
    pub version: i32,
}

/// A schema as it was registered, with the texts of all that it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// In this registry; 0 for one that is not registered yet.
    pub id: u32,
    /// `AVRO`, `JSON` or `PROTOBUF`.
    pub schema_type: String,
    /// The text.
    pub text: String,
    /// What it refers to by itself.
    pub references: Vec<Reference>,
    /// Name and text of everything referred to, also by those referred to: the referred before the referring, each
    /// once.
    pub resolved: Vec<(String, String)>,
}

impl Schema {
    /// An Avro schema to register.
    pub fn avro(text: impl Into<String>) -> Self {
        Self::of_type("AVRO", text)
    }

    /// A schema of a type to register: `AVRO`, `JSON` or `PROTOBUF`.
    pub fn of_type(schema_type: &str, text: impl Into<String>) -> Self {
        let (references, resolved) = (Vec::new(), Vec::new());
        Self { id: 0, schema_type: schema_type.to_owned(), text: text.into(), references, resolved }
    }
}

/// A version of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaVersion {
    /// The subject.
    pub subject: String,
    /// From 1.
    pub version: i32,
    /// Its schema.
    pub schema: Schema,
}

/// Whether a schema may become the next version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compatibility {
    /// The answer.
    pub is_compatible: bool,
    /// Reasons, where the registry gives them.
    pub messages: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct SchemaBody {
    pub subject: Option<String>,
    pub id: Option<u32>,
    pub version: Option<i32>,
    #[serde(rename = "schemaType")]
    pub schema_type: Option<String>,
    pub schema: String,
    #[serde(default)]
    pub references: Option<Vec<Reference>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct IdBody {
    pub id: u32,
}

#[derive(Debug, Deserialize)]
pub(crate) struct CompatibilityBody {
    pub is_compatible: bool,
    #[serde(default)]
    pub messages: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ErrorBody {
    pub error_code: Option<i64>,
    pub message: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct NewSchema<'a> {
    pub schema: &'a str,
    /// Left out for Avro: old registries know no other.
    #[serde(rename = "schemaType", skip_serializing_if = "Option::is_none")]
    pub schema_type: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Reference]>::is_empty")]
    pub references: &'a [Reference],
}

impl<'a> From<&'a Schema> for NewSchema<'a> {
    fn from(schema: &'a Schema) -> Self {
        let schema_type = Some(schema.schema_type.as_str()).filter(|t| *t != "AVRO");
        Self { schema: &schema.text, schema_type, references: &schema.references }
    }
}

impl SchemaBody {
    pub fn into_schema(self, id: u32) -> Schema {
        Schema {
            id,
            schema_type: self.schema_type.unwrap_or_else(|| "AVRO".into()),
            text: self.schema,
            references: self.references.unwrap_or_default(),
            resolved: Vec::new(),
        }
    }
}
