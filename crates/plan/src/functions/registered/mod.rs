//! What the functions on payloads in the framing of a schema registry have in common, whatever the format.
//!
//! | format | reading | writing |
//! |---|---|---|
//! | Avro | `from_avro(data, subject, address [, options])` | `to_avro(data, subject, address [, options])` |
//! | Protobuf | `from_protobuf(data [, message [, descriptors]], options)` | `to_protobuf(...)`, the same |
//! | JSON Schema | `from_json(data, schema, options)` | `to_json(data, options)` |
//!
//! Where the table has no address, it is the option `schema.registry.address`, whose presence says that the payloads
//! are framed, and the subject is `schema.registry.subject`; those are Databricks' names.
//!
//! Reading ([`FromRegistered`]): a record is read with the schema whose id it carries. The ids of a batch are looked up
//! together before the batch is decoded; the wait has the registry's deadline, and an id once known is never asked for
//! again. A record that is not framed, or whose id the registry does not have, is a bad record; a registry that does
//! not answer is an error of the query in every mode.
//!
//! Writing ([`ToRegistered`]): the schema gets its id with the first rows, and is registered then unless
//! `auto.register.schemas` is false. Analyzing a query registers nothing. With `use.latest.version` the schema is the
//! subject's latest.
//!
//! Where the option `value.subject.name.strategy` or `key.subject.name.strategy` names one of Confluent's strategies,
//! the topic stands in place of the subject, which follows from it and the schema's name.
//!
//! The options hold credentials: they are in no column name, plan or message.

mod place;
mod read;
mod shared;
#[cfg(test)]
pub(super) mod test_registry;
mod write;

pub(super) use place::{Place, framing_options, given_options, shown, take};
pub(crate) use read::{Decode, FromRegistered, Writers};
pub(super) use write::{Encode, ToRegistered};
