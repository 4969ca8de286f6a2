//! The one test binary: suites over a bootstrap address, run on the embedded broker and on real Apache Kafka.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

mod client;
mod disk_full;
mod dump_log;
mod faults;
mod interop;
mod kafka_tools;
mod kill;
mod programs;
mod registered_formats;
mod registry;
mod spark_moves;
