//! The unresolved tree: what the user said, before names and types are looked up.
//!
//! SQL text, `select_expr`, the Rust API and later Python and Spark Connect all build this tree, and nothing else; it
//! is Spark Connect's set of nodes in our terms. It is plain data (`Clone`, `PartialEq`, serde), so a frame is only a
//! handle on a [`Relation`].
mod builder;
mod expr;
pub mod functions;
mod options;
mod relation;
#[cfg(test)]
mod tests;
mod value;

pub use builder::{call, col, expr, lit, star, when};
pub use expr::{Call, CastMode, Expr, FrameBound, FrameUnit, SortOrder, Window, WindowFrame};
pub use options::Options;
pub use relation::{Grouping, JoinCondition, JoinKind, Read, Relation, SetKind};
pub use value::Value;
