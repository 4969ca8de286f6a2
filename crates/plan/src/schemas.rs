//! What the functions on registered schemas ask the session for: this crate knows no network.
//!
//! `from_avro(data, subject, address)` needs the subject's latest schema when it is analyzed, and the schemas of the
//! ids that a batch brings before that batch is decoded; `to_avro(data, subject, address)` needs an id for its schema.
//! So do the functions on Protobuf and JSON.
//! All calls may wait, each up to a deadline of the registry's, and what a registry once said of an id holds forever.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use millstream_columnar::framing::{SchemaFormat, SchemaId};

use crate::error::Result;

/// A schema that a registry holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredSchema {
    /// In its registry.
    pub id: SchemaId,
    /// `AVRO`, `JSON` or `PROTOBUF`.
    pub format: String,
    /// As it was registered.
    pub text: String,
    /// Names and texts of the schemas that it refers to, the referred before the referring.
    pub references: Vec<(String, String)>,
}

/// A schema for a registry to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSchema {
    /// What the text is written in.
    pub format: SchemaFormat,
    /// The text.
    pub text: String,
    /// Names of those of `referred` that it refers to by itself.
    pub references: Vec<String>,
    /// What it and they refer to, the referred before the referring. Each is held under the subject of its name, as
    /// Confluent's serializers have it.
    pub referred: Vec<ReferredSchema>,
}

/// A schema that others refer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferredSchema {
    /// By which others refer to it, such as a Protobuf import's path; also its subject.
    pub name: String,
    /// The text.
    pub text: String,
    /// Names of those before it that it refers to by itself.
    pub references: Vec<String>,
}

impl NewSchema {
    /// A schema that refers to no other.
    pub fn alone(format: SchemaFormat, text: String) -> Self {
        Self { format, text, references: Vec::new(), referred: Vec::new() }
    }
}

/// What registries call a format.
pub fn format_name(format: SchemaFormat) -> &'static str {
    match format {
        SchemaFormat::Avro => "AVRO",
        SchemaFormat::Protobuf => "PROTOBUF",
        SchemaFormat::Json => "JSON",
    }
}

/// One registry, by address and credentials.
pub trait SchemaRegistry: Debug + Send + Sync {
    /// The latest version of a subject's schema.
    ///
    /// # Errors
    /// No such subject, or no answer within the deadline.
    fn latest(&self, subject: &str) -> Result<RegisteredSchema>;

    /// The schemas of ids. None stands for an id of which the registry says that it does not exist.
    ///
    /// # Errors
    /// No answer within the deadline; known ids need none.
    fn by_ids(&self, ids: &[SchemaId]) -> Result<Vec<Option<RegisteredSchema>>>;

    /// The subject of a topic's schema by a strategy of Confluent's serializers (`TopicNameStrategy`,
    /// `RecordNameStrategy`, `TopicRecordNameStrategy`, with or without their package). `record` is the schema's full
    /// name, if it has one.
    ///
    /// # Errors
    /// No such strategy, or one that wants a record's name where there is none.
    fn subject(&self, strategy: &str, topic: &str, is_key: bool, record: Option<&str>) -> Result<String>;

    /// The id of a schema under a subject; registers it, and what it refers to, if `register` says so and it is not
    /// there.
    ///
    /// # Errors
    /// The registry refuses it, or does not know it, or gives no answer within the deadline.
    fn id_of(&self, subject: &str, schema: &NewSchema, register: bool) -> Result<SchemaId>;
}

/// The registries that a session has connections to.
pub trait SchemaRegistries: Debug + Send + Sync {
    /// The registry at an address (URLs between commas) with these options.
    ///
    /// # Errors
    /// Options that have no meaning.
    fn open(&self, address: &str, options: &BTreeMap<String, String>) -> Result<Arc<dyn SchemaRegistry>>;
}
