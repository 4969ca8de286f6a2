//! An embedded broker that speaks Kafka's protocol, in memory or on disk, with faults on request.
//!
//! The core is sans-io: [`Broker::handle`] takes the bytes of one request, the time and a waker, and answers
//! with bytes, with silence, or with a [`Parked`] request that is asked again when its waker is woken or its
//! deadline has come. It reads no clock and owns no socket, so that a client can be run against it on virtual
//! time. Module [`net`] (feature `net`, on by default) puts sockets around it.
//!
//! A record's way through the crate: `net` -> `broker` (frame, faults) -> `api` (one file per API) ->
//! `partition` (offsets, sequences, transactions) -> `log` (memory or disk).
//!
//! It is one process that plays `nodes` brokers over one shared log: leaders, epochs and wrong-node answers
//! are real, replication is not. What each API keeps and leaves out stands at the head of its file under
//! `api/`.

#![forbid(unsafe_code)]

mod api;
mod broker;
mod cluster;
mod config;
mod error;
mod faults;
mod groups;
mod log;
#[cfg(feature = "net")]
pub mod net;
mod options;
mod partition;
mod producers;
mod store;
#[cfg(test)]
mod testing;
mod topic;
mod transactions;
mod waiting;

pub use api::served_apis;
pub use broker::{Answer, Broker, Connection, Now, Parked, Reply};
pub use error::{Error, Result};
pub use faults::{Act, RequestView, RuleHandle};
pub use options::BrokerOptions;
