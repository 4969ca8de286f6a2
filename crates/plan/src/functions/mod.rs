//! Spark's functions, one file a family.
//!
//! The analyzer looks a call's name up here; the family checks and casts the arguments by Spark's rules and
//! gives back a typed expression. What DataFusion computes as Spark does is its own expression, everything
//! else is a [`udf::Kernel`].

mod batch_time;
pub mod udf;

pub use batch_time::BatchTime;
