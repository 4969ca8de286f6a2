//! All scalar functions by name.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::call::{Call, Function};
use super::simple::Simple;
use super::zoned::Zoned;
use super::{access, arithmetic, collection, conditional, json, row_id, string, temporal};
use crate::analyzer::Typed;
use crate::error::Result;

/// A function that a call may name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Entry {
    /// Has rules of its own.
    Built(&'static Function),
    /// Fixed types.
    Simple(&'static Simple),
    /// Fixed types and the session's time zone.
    Zoned(&'static Zoned),
}

impl Entry {
    /// The call as an expression.
    pub fn build(self, call: &Call<'_>) -> Result<Typed> {
        match self {
            Self::Built(function) => {
                call.check(function.arity)?;
                (function.build)(call)
            }
            Self::Simple(simple) => simple.build(call),
            Self::Zoned(zoned) => zoned.build(call),
        }
    }
}

/// The function of a lower-case name.
pub(crate) fn lookup(name: &str) -> Option<Entry> {
    TABLE.get(name).copied()
}

static TABLE: LazyLock<HashMap<&'static str, Entry>> = LazyLock::new(|| {
    let built: [&'static [Function]; 8] = [
        access::FUNCTIONS,
        arithmetic::FUNCTIONS,
        collection::FUNCTIONS,
        conditional::FUNCTIONS,
        json::FUNCTIONS,
        row_id::FUNCTIONS,
        string::FUNCTIONS,
        temporal::FUNCTIONS,
    ];
    let simple: [&'static [Simple]; 3] = [json::SIMPLE, string::SIMPLE, temporal::SIMPLE];
    let zoned = temporal::ZONED.iter().map(|f| (f.name, Entry::Zoned(f)));
    let built = built.into_iter().flatten().map(|f| (f.name, Entry::Built(f)));
    let simple = simple.into_iter().flatten().map(|f| (f.name, Entry::Simple(f)));
    built.chain(simple).chain(zoned).collect()
});
