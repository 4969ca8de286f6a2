//! Micro-batches: how a query plans once and runs again and again.
//!
//! Read in this order: `driver` (the life of a query), `pace` (when it looks), `sources` (what there is),
//! `recovery` (what the checkpoint says), `compile` and [`scan`] (the plan and its leaf), `run` and
//! `batch_rows` (one batch into a sink or a function), `report` (what is told), [`crash`] (where tests stop
//! it).

mod batch_rows;
mod compile;
pub mod crash;
mod driver;
mod pace;
mod recovery;
mod report;
mod run;
pub mod scan;
mod sources;

pub(crate) use driver::{Driver, Work};

#[cfg(test)]
mod tests;
