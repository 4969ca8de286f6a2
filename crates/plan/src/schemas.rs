//! What the functions on registered Avro schemas ask the session for: this crate knows no network.
//!
//! `from_avro(data, subject, address)` needs the subject's latest schema when it is analyzed, and the schemas of the
//! ids that a batch brings before that batch is decoded; `to_avro(data, subject, address)` needs an id for its schema.
//! All calls may wait, each up to a deadline of the registry's, and what a registry once said of an id holds forever.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use millstream_columnar::framing::SchemaId;

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
    /// Texts of the schemas that it refers to, the referred before the referring.
    pub references: Vec<String>,
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

    /// The id of an Avro schema under a subject; registers it if `register` says so and it is not there.
    ///
    /// # Errors
    /// The registry refuses it, or does not know it, or gives no answer within the deadline.
    fn id_of(&self, subject: &str, schema: &str, register: bool) -> Result<SchemaId>;
}

/// The registries that a session has connections to.
pub trait SchemaRegistries: Debug + Send + Sync {
    /// The registry at an address (URLs between commas) with these options.
    ///
    /// # Errors
    /// Options that have no meaning.
    fn open(&self, address: &str, options: &BTreeMap<String, String>) -> Result<Arc<dyn SchemaRegistry>>;
}
