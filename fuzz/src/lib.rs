//! Fuzz targets: every decoder of the workspace that reads a stranger's bytes.
//!
//! Each target is a plain function from bytes to nothing that panics on what must not be. `cargo xtask fuzz` searches
//! for such bytes with libFuzzer; `cargo test` replays the inputs kept under `corpus/`, one folder a target. A crash
//! that was found and fixed stays there as an input, and as a named test in the crate that it was found in.

pub mod cells;
pub mod input;
pub mod json_tree;
pub mod json_twin;
pub mod proto_files;
pub mod proto_twin;
pub mod schemas;
pub mod slow_batches;
pub mod targets;
