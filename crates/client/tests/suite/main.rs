//! The client against the embedded broker: what must come out exactly, and what must happen when things
//! break.

#![allow(clippy::unwrap_used, missing_docs)]

mod connecting;
mod offsets;
mod reading;
mod records;
mod setup;
mod writing;
