//! What the suites share: real Apache Kafka and Spark, and the readers of the golden data.

#![allow(clippy::unwrap_used, reason = "a failed expectation of a test harness is a failed test")]

pub mod golden;
pub mod programs;
pub mod real_kafka;
pub mod real_registry;
pub mod spark;
pub mod transaction;
