//! The decisions of the client as plain state machines: no socket, no task, no clock.

pub(crate) mod backoff;
pub(crate) mod budget;
pub(crate) mod cluster;
pub(crate) mod cursor;
pub(crate) mod outbox;
