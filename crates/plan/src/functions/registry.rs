//! All scalar functions by name.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::call::{Call, Function};
use super::defaulted::Defaulted;
use super::simple::Simple;
use super::zoned::Zoned;
use super::{
    access, arithmetic, avro, collection, conditional, csv, hash, json, kafka, math, protobuf, row_id,
    string, temporal,
};
use crate::analyzer::Typed;
use crate::error::Result;

/// A function that a call may name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Entry {
    /// Has rules of its own.
    Built(&'static Function),
    /// Fixed types.
    Simple(&'static Simple),
    /// Fixed types and default values.
    Defaulted(&'static Defaulted),
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
            Self::Defaulted(defaulted) => defaulted.build(call),
            Self::Zoned(zoned) => zoned.build(call),
        }
    }
}

/// The function of a lower-case name.
pub(crate) fn lookup(name: &str) -> Option<Entry> {
    TABLE.get(name).copied()
}

/// The function, scalar or aggregate, whose name is within two edits of a lower-case name that is none.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let known = TABLE.keys().copied().chain(super::aggregate::NAMES.iter().copied());
    known
        .map(|known| (strsim::osa_distance(known, name), known))
        .filter(|(edits, known)| *edits <= TYPING_ERROR && known.len() > 2 * TYPING_ERROR)
        .min()
        .map(|(_, known)| known)
}

/// Edits between a name and the one that was meant.
const TYPING_ERROR: usize = 2;

static TABLE: LazyLock<HashMap<&'static str, Entry>> = LazyLock::new(|| {
    let families: [&'static [Function]; 19] = [
        access::FUNCTIONS,
        arithmetic::FUNCTIONS,
        avro::FUNCTIONS,
        collection::FUNCTIONS,
        collection::items::FUNCTIONS,
        collection::maps::FUNCTIONS,
        collection::search::FUNCTIONS,
        conditional::FUNCTIONS,
        csv::FUNCTIONS,
        hash::FUNCTIONS,
        json::FUNCTIONS,
        kafka::FUNCTIONS,
        math::FUNCTIONS,
        math::UNARY,
        super::raise::FUNCTIONS,
        super::random::FUNCTIONS,
        protobuf::FUNCTIONS,
        row_id::FUNCTIONS,
        temporal::FUNCTIONS,
    ];
    let built = families.iter().chain(string::BUILT).copied();
    let simple =
        [json::SIMPLE, math::SIMPLE, temporal::SIMPLE].into_iter().chain(string::SIMPLES.iter().copied());
    let defaulted = string::DEFAULTED.iter().copied().flatten();
    let defaulted = defaulted.map(|f| (f.simple.name, Entry::Defaulted(f)));
    let zoned = temporal::ZONED.iter().map(|f| (f.name, Entry::Zoned(f)));
    let built = built.flatten().map(|f| (f.name, Entry::Built(f)));
    let simple = simple.flatten().map(|f| (f.name, Entry::Simple(f)));
    built.chain(simple).chain(defaulted).chain(zoned).collect()
});
