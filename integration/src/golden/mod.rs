//! Golden cases: what a real Spark on a real Kafka did, run again here from the recordings.

pub mod case;
pub mod cell;
pub mod cluster;
pub mod compare;
pub mod frames;
pub mod literal;
pub mod outcome;
