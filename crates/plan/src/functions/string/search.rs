//! Looking for parts of texts: `instr`, `locate`, `contains`, `replace`, `translate`, `substring_index`, `split_part`.

use arrow_array::ArrayRef;
use datafusion::common::Result;

use super::{INT, TEXT};
use crate::analyzer::{Expected, Typed};
use crate::error::SparkError;
use crate::functions::call::{Arity, Call, Function};
use crate::functions::defaulted::{Default, Defaulted};
use crate::functions::external;
use crate::functions::rows::{booleans, int, ints, text, texts, to_int};
use crate::functions::simple::Simple;
use crate::types::SparkType;

const fn of_texts(
    name: &'static str,
    returns: SparkType,
    run: fn(&[ArrayRef]) -> Result<ArrayRef>,
) -> Simple {
    Simple { name, params: &[TEXT, TEXT], optional: 0, returns, run }
}

/// Functions of fixed types.
pub(crate) static SIMPLE: &[Simple] = &[
    of_texts("instr", SparkType::Integer, instr),
    of_texts("find_in_set", SparkType::Integer, find_in_set),
    of_texts("contains", SparkType::Boolean, contains),
    of_texts("startswith", SparkType::Boolean, startswith),
    of_texts("endswith", SparkType::Boolean, endswith),
    Simple {
        name: "translate",
        params: &[TEXT, TEXT, TEXT],
        optional: 0,
        returns: SparkType::String,
        run: translate,
    },
    Simple {
        name: "substring_index",
        params: &[TEXT, TEXT, INT],
        optional: 0,
        returns: SparkType::String,
        run: substring_index,
    },
    Simple {
        name: "split_part",
        params: &[TEXT, TEXT, INT],
        optional: 0,
        returns: SparkType::String,
        run: split_part,
    },
];

/// Functions with rules of their own.
pub(crate) static FUNCTIONS: &[Function] =
    &[Function { name: "levenshtein", arity: Arity::between(2, 3), build: levenshtein }];

const fn locate_as(name: &'static str) -> Defaulted {
    let params = &[TEXT, TEXT, INT];
    let simple = Simple { name, params, optional: 0, returns: SparkType::Integer, run: locate };
    Defaulted { simple, defaults: &[Default::Int(1)] }
}

/// Functions with default values.
pub(crate) static DEFAULTED: &[Defaulted] = &[
    locate_as("locate"),
    locate_as("position"),
    locate_as("charindex"),
    Defaulted {
        simple: Simple {
            name: "replace",
            params: &[TEXT, TEXT, TEXT],
            optional: 0,
            returns: SparkType::String,
            run: replace,
        },
        defaults: &[Default::Text("")],
    },
];

/// 1-based position of a part at or behind a number of characters; 0 if there is none.
fn position(text: &str, part: &str, skipped: usize) -> i32 {
    let from = text.char_indices().nth(skipped).map_or(text.len(), |(at, _)| at);
    match text[from..].find(part) {
        Some(at) if skipped <= text.chars().count() => to_int(text[..from + at].chars().count() + 1),
        _ => 0,
    }
}

fn instr(args: &[ArrayRef]) -> Result<ArrayRef> {
    ints(args, |row| Ok(Some(position(text(args, 0).value(row), text(args, 1).value(row), 0))))
}

fn locate(args: &[ArrayRef]) -> Result<ArrayRef> {
    ints(args, |row| {
        let start = int(args, 2).value(row);
        let skipped = usize::try_from(start.saturating_sub(1));
        Ok(Some(
            skipped
                .map_or(0, |skipped| position(text(args, 1).value(row), text(args, 0).value(row), skipped)),
        ))
    })
}

/// Place of a text in a list with commas; 0 if it is not there, or holds a comma.
fn find_in_set(args: &[ArrayRef]) -> Result<ArrayRef> {
    ints(args, |row| {
        let (word, list) = (text(args, 0).value(row), text(args, 1).value(row));
        Ok(Some(list.split(',').position(|item| item == word).map_or(0, |at| to_int(at + 1))))
    })
}

fn contains(args: &[ArrayRef]) -> Result<ArrayRef> {
    booleans(args, |row| Ok(Some(text(args, 0).value(row).contains(text(args, 1).value(row)))))
}

fn startswith(args: &[ArrayRef]) -> Result<ArrayRef> {
    booleans(args, |row| Ok(Some(text(args, 0).value(row).starts_with(text(args, 1).value(row)))))
}

fn endswith(args: &[ArrayRef]) -> Result<ArrayRef> {
    booleans(args, |row| Ok(Some(text(args, 0).value(row).ends_with(text(args, 1).value(row)))))
}

/// The number of edits from one text to the other; -1 where it is over the third argument.
fn levenshtein(call: &Call<'_>) -> crate::error::Result<Typed> {
    const PARAMS: &[Expected] = &[TEXT, TEXT, INT];
    static DISTANCE: Simple = Simple {
        name: "levenshtein",
        params: PARAMS,
        optional: 1,
        returns: SparkType::Integer,
        run: distance,
    };
    DISTANCE.build(call)
}

fn distance(args: &[ArrayRef]) -> Result<ArrayRef> {
    ints(args, |row| {
        let edits = to_int(strsim::levenshtein(text(args, 0).value(row), text(args, 1).value(row)));
        let limit = args.get(2).map_or(i32::MAX, |_| int(args, 2).value(row));
        Ok(Some(if edits > limit { -1 } else { edits }))
    })
}

fn replace(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let (value, search) = (text(args, 0).value(row), text(args, 1).value(row));
        Ok(Some(if search.is_empty() {
            value.to_owned()
        } else {
            value.replace(search, text(args, 2).value(row))
        }))
    })
}

/// Characters of the first set become those of the second; those without a partner go.
fn translate(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let (from, to): (Vec<char>, Vec<char>) =
            (text(args, 1).value(row).chars().collect(), text(args, 2).value(row).chars().collect());
        let changed =
            text(args, 0).value(row).chars().filter_map(|c| match from.iter().position(|f| *f == c) {
                Some(at) => to.get(at).copied(),
                None => Some(c),
            });
        Ok(Some(changed.collect()))
    })
}

/// What stands before the n-th delimiter, counted from the end if negative.
fn substring_index(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let (value, delimiter, count) =
            (text(args, 0).value(row), text(args, 1).value(row), int(args, 2).value(row));
        let nth = count.unsigned_abs() as usize;
        if delimiter.is_empty() || nth == 0 {
            return Ok(Some(String::new()));
        }
        let cut = if count > 0 {
            value.match_indices(delimiter).nth(nth - 1).map_or(value, |(at, _)| &value[..at])
        } else {
            value
                .rmatch_indices(delimiter)
                .nth(nth - 1)
                .map_or(value, |(at, _)| &value[at + delimiter.len()..])
        };
        Ok(Some(cut.to_owned()))
    })
}

/// The n-th part, counted from the end if negative; empty outside.
fn split_part(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let (value, delimiter, number) =
            (text(args, 0).value(row), text(args, 1).value(row), int(args, 2).value(row));
        if number == 0 {
            return Err(external(SparkError::new::<&str, &str>("INVALID_INDEX_OF_ZERO", [])));
        }
        let parts: Vec<&str> =
            if delimiter.is_empty() { vec![value] } else { value.split(delimiter).collect() };
        let nth = number.unsigned_abs() as usize;
        let at = if number > 0 { Some(nth - 1) } else { parts.len().checked_sub(nth) };
        Ok(Some(at.and_then(|at| parts.get(at)).map_or(String::new(), |part| (*part).to_owned())))
    })
}
