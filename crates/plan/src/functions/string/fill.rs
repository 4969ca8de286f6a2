//! Ends of texts: trimming, padding, `left`, `right`, `space`, `overlay`.

use arrow_array::ArrayRef;
use datafusion::common::Result;

use super::{BYTES, INT, TEXT};
use crate::analyzer::Typed;
use crate::functions::call::{Arity, Call, Function};
use crate::functions::defaulted::{Default, Defaulted};
use crate::functions::rows::{binaries, binary, int, text, texts};
use crate::functions::simple::Simple;
use crate::types::SparkType;

const fn row(
    name: &'static str,
    params: &'static [crate::analyzer::Expected],
    optional: usize,
    run: fn(&[ArrayRef]) -> Result<ArrayRef>,
) -> Simple {
    Simple { name, params, optional, returns: SparkType::String, run }
}

/// Functions of fixed types.
pub(crate) static SIMPLE: &[Simple] = &[
    row("trim", &[TEXT, TEXT], 1, trim),
    row("ltrim", &[TEXT, TEXT], 1, ltrim),
    row("rtrim", &[TEXT, TEXT], 1, rtrim),
    row("btrim", &[TEXT, TEXT], 1, btrim),
    row("left", &[TEXT, INT], 0, left),
    row("right", &[TEXT, INT], 0, right),
    row("space", &[INT], 0, space),
];

/// Functions with rules of their own.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "lpad", arity: Arity::between(2, 3), build: pad_left },
    Function { name: "rpad", arity: Arity::between(2, 3), build: pad_right },
];

/// Functions with default values.
pub(crate) static DEFAULTED: &[Defaulted] = &[Defaulted {
    simple: row("overlay", &[TEXT, TEXT, INT, INT], 0, overlay),
    defaults: &[Default::Int(-1)],
}];

/// Only blanks are trimmed unless characters are given, as `trim(characters, text)`.
fn trimmed(
    args: &[ArrayRef],
    (of, characters): (usize, usize),
    cut: fn(&str, &dyn Fn(char) -> bool) -> String,
) -> Result<ArrayRef> {
    if args.len() == 1 {
        return texts(args, |row| Ok(Some(cut(text(args, 0).value(row), &|c| c == ' '))));
    }
    texts(args, |row| {
        let set = text(args, characters).value(row);
        Ok(Some(cut(text(args, of).value(row), &|c| set.contains(c))))
    })
}

fn trim(args: &[ArrayRef]) -> Result<ArrayRef> {
    trimmed(args, (1, 0), |text, is| text.trim_matches(is).to_owned())
}

fn ltrim(args: &[ArrayRef]) -> Result<ArrayRef> {
    trimmed(args, (1, 0), |text, is| text.trim_start_matches(is).to_owned())
}

fn rtrim(args: &[ArrayRef]) -> Result<ArrayRef> {
    trimmed(args, (1, 0), |text, is| text.trim_end_matches(is).to_owned())
}

/// `btrim(text, characters)`.
fn btrim(args: &[ArrayRef]) -> Result<ArrayRef> {
    trimmed(args, (0, 1), |text, is| text.trim_matches(is).to_owned())
}

/// The first characters.
fn first(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(at, _)| &text[..at])
}

fn without_first(text: &str, count: usize) -> &str {
    &text[first(text, count).len()..]
}

fn count(value: i32) -> usize {
    usize::try_from(value).unwrap_or(0)
}

fn left(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| Ok(Some(first(text(args, 0).value(row), count(int(args, 1).value(row))).to_owned())))
}

fn right(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let value = text(args, 0).value(row);
        let dropped = value.chars().count().saturating_sub(count(int(args, 1).value(row)));
        Ok(Some(without_first(value, dropped).to_owned()))
    })
}

fn space(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| Ok(Some(" ".repeat(count(int(args, 0).value(row))))))
}

/// What fills a text up to a width: the fill repeated and cut; nothing if the fill is empty.
fn filling(args: &[ArrayRef], row: usize) -> (String, String) {
    let (value, width, fill) =
        (text(args, 0).value(row), count(int(args, 1).value(row)), text(args, 2).value(row));
    let missing = width.saturating_sub(value.chars().count());
    (first(value, width).to_owned(), fill.chars().cycle().take(missing).collect())
}

fn pad_left(call: &Call<'_>) -> crate::error::Result<Typed> {
    static TEXTS: Defaulted =
        Defaulted { simple: row("lpad", &[TEXT, INT, TEXT], 0, lpad), defaults: &[Default::Text(" ")] };
    static ALL_BYTES: Simple = of_bytes("lpad", |args| {
        binaries(args, |row| {
            let (value, filling) = byte_filling(args, row);
            Ok(Some([filling, value].concat()))
        })
    });
    padded(call, &TEXTS, &ALL_BYTES)
}

fn pad_right(call: &Call<'_>) -> crate::error::Result<Typed> {
    static TEXTS: Defaulted =
        Defaulted { simple: row("rpad", &[TEXT, INT, TEXT], 0, rpad), defaults: &[Default::Text(" ")] };
    static ALL_BYTES: Simple = of_bytes("rpad", |args| {
        binaries(args, |row| {
            let (value, filling) = byte_filling(args, row);
            Ok(Some([value, filling].concat()))
        })
    });
    padded(call, &TEXTS, &ALL_BYTES)
}

const fn of_bytes(name: &'static str, run: fn(&[ArrayRef]) -> Result<ArrayRef>) -> Simple {
    Simple { name, params: &[BYTES, INT, BYTES], optional: 1, returns: SparkType::Binary, run }
}

/// BINARY is filled with bytes, zeros if none are given; all else is text.
fn padded(call: &Call<'_>, texts: &'static Defaulted, bytes: &'static Simple) -> crate::error::Result<Typed> {
    let is_binary = |arg: &Typed| arg.data_type == SparkType::Binary;
    let of_bytes = call.args.first().is_some_and(is_binary) && call.args.get(2).is_none_or(is_binary);
    if of_bytes { bytes.build(call) } else { texts.build(call) }
}

fn byte_filling(args: &[ArrayRef], row: usize) -> (Vec<u8>, Vec<u8>) {
    let (value, width) = (binary(args, 0).value(row), count(int(args, 1).value(row)));
    let fill = args.get(2).map_or(&[0][..], |_| binary(args, 2).value(row));
    let missing = width.saturating_sub(value.len());
    (value[..width.min(value.len())].to_vec(), fill.iter().copied().cycle().take(missing).collect())
}

fn lpad(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let (value, filling) = filling(args, row);
        Ok(Some(filling + &value))
    })
}

fn rpad(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let (value, filling) = filling(args, row);
        Ok(Some(value + &filling))
    })
}

/// Replaces characters from a 1-based position; as many as the new text has if the length is negative.
fn overlay(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let (value, new) = (text(args, 0).value(row), text(args, 1).value(row));
        let (position, length) = (int(args, 2).value(row), int(args, 3).value(row));
        let kept = count(position.saturating_sub(1));
        let replaced = usize::try_from(length).unwrap_or_else(|_| new.chars().count());
        let behind = without_first(value, kept.saturating_add(replaced));
        Ok(Some(format!("{}{new}{behind}", first(value, kept))))
    })
}
