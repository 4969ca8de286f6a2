//! A client of schema registries that speak the Confluent API (Confluent, Apicurio, Karapace, Redpanda).
//!
//! [`Registry`] is the client: subjects, versions, schemas by id with their references, registering, compatibility.
//! Answers that cannot change are kept; several callers that want the same wait for one request. Every call has a
//! deadline, in which it tries each URL and backs off between rounds ([`RegistryOptions`]).
//!
//! Payloads and their framing are not known here; a schema is text.
#![forbid(unsafe_code)]

mod answer;
mod cache;
mod client;
mod connection;
mod error;
mod http;
mod options;
mod references;
mod secret;
mod send;
mod subject;
#[cfg(test)]
mod test_server;
#[cfg(test)]
mod tests;
mod tls;

pub use answer::{Compatibility, Reference, Schema, SchemaVersion};
pub use client::{Registry, Version};
pub use error::{Error, Result};
pub use options::{Authentication, RegistryOptions, TlsOptions};
pub use secret::Secret;
pub use subject::SubjectNameStrategy;
