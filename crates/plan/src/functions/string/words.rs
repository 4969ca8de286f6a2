//! Texts as words: `initcap`, `concat_ws`, `elt`, `soundex`, `quote`, `format_string`.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use datafusion::common::Result;
use datafusion::scalar::ScalarValue;

use super::format;
use super::{INT, TEXT};
use crate::analyzer::Typed;
use crate::error::SparkError;
use crate::functions::call::{Arity, Call, Function};
use crate::functions::computed::Computed;
use crate::functions::external;
use crate::functions::rows::{int, text, texts};
use crate::functions::simple::Simple;
use crate::types::SparkType;

const fn of_text(name: &'static str, run: fn(&[ArrayRef]) -> Result<ArrayRef>) -> Simple {
    Simple { name, params: &[TEXT], optional: 0, returns: SparkType::String, run }
}

/// Functions of fixed types.
pub(crate) static SIMPLE: &[Simple] =
    &[of_text("initcap", initcap), of_text("soundex", soundex), of_text("quote", quote)];

/// Functions with rules of their own.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "concat_ws", arity: Arity::at_least(1), build: concat_ws },
    Function { name: "elt", arity: Arity::at_least(2), build: elt },
    Function { name: "format_string", arity: Arity::at_least(1), build: format_string },
    Function { name: "printf", arity: Arity::at_least(1), build: format_string },
];

/// The first letter of each word behind a blank in upper case, the others in lower case.
fn initcap(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let mut begins = true;
        let mut out = String::new();
        for c in text(args, 0).value(row).chars() {
            if begins {
                out.extend(c.to_uppercase());
            } else {
                out.extend(c.to_lowercase());
            }
            begins = c == ' ';
        }
        Ok(Some(out))
    })
}

/// American Soundex; texts that do not begin with a letter stay as they are.
fn soundex(args: &[ArrayRef]) -> Result<ArrayRef> {
    const CODES: &[u8; 26] = b"01230120022455012623010202";
    let code = |c: char| CODES[usize::from(c.to_ascii_uppercase() as u8 - b'A')];
    texts(args, |row| {
        let value = text(args, 0).value(row);
        let Some(first) = value.chars().next().filter(char::is_ascii_alphabetic) else {
            return Ok(Some(value.to_owned()));
        };
        let (mut out, mut last) = (String::from(first.to_ascii_uppercase()), code(first));
        for c in value.chars().skip(1).filter(char::is_ascii_alphabetic) {
            let next = code(c);
            if next != b'0' && next != last && out.len() < 4 {
                out.push(char::from(next));
            }
            // H and W do not part two letters of one code.
            if !matches!(c.to_ascii_uppercase(), 'H' | 'W') {
                last = next;
            }
        }
        Ok(Some(format!("{out:0<4}")))
    })
}

/// In single quotes, with a backslash in front of those inside.
fn quote(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| Ok(Some(format!("'{}'", text(args, 0).value(row).replace('\'', "\\'")))))
}

/// Strings and the strings of arrays, those that are not NULL, with a separator between them.
fn concat_ws(call: &Call<'_>) -> crate::error::Result<Typed> {
    let list = SparkType::Array(Box::new(SparkType::String), true);
    let mut args = vec![call.take(0, &TEXT)?];
    for i in 1..call.args.len() {
        args.push(match call.args[i].data_type {
            SparkType::Array(..) => call.take_as(i, list.clone())?,
            _ => call.take(i, &TEXT)?,
        });
    }
    let nullable = args[0].nullable;
    let kernel = Computed { name: "concat_ws".to_owned(), returns: SparkType::String, run: run_concat_ws };
    Ok(call.finish(kernel, args, SparkType::String).nullable(nullable))
}

fn run_concat_ws(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(&args[..1], |row| {
        let mut parts: Vec<&str> = Vec::new();
        for arg in &args[1..] {
            if arg.is_null(row) {
                continue;
            }
            match arg.as_string_view_opt() {
                Some(texts) => parts.push(texts.value(row)),
                None => {
                    let list = arg.as_list::<i32>();
                    let (from, to) =
                        (list.value_offsets()[row] as usize, list.value_offsets()[row + 1] as usize);
                    let items = list.values().as_string_view();
                    parts.extend((from..to).filter(|i| items.is_valid(*i)).map(|i| items.value(i)));
                }
            }
        }
        Ok(Some(parts.join(text(args, 0).value(row))))
    })
}

/// The n-th of the other arguments; outside them an error under ANSI.
fn elt(call: &Call<'_>) -> crate::error::Result<Typed> {
    let mut args = vec![call.take(0, &INT)?];
    for i in 1..call.args.len() {
        args.push(call.take(i, &TEXT)?);
    }
    let run = if call.conf.ansi() { elt_strict } else { elt_lenient };
    let name = if call.conf.ansi() { "elt" } else { "elt_or_null" };
    let kernel = Computed { name: name.to_owned(), returns: SparkType::String, run };
    Ok(call.finish(kernel, args, SparkType::String).nullable(true))
}

fn elt_strict(args: &[ArrayRef]) -> Result<ArrayRef> {
    run_elt(args, true)
}

fn elt_lenient(args: &[ArrayRef]) -> Result<ArrayRef> {
    run_elt(args, false)
}

fn run_elt(args: &[ArrayRef], strict: bool) -> Result<ArrayRef> {
    texts(&args[..1], |row| {
        let index = int(args, 0).value(row);
        let at = usize::try_from(index).ok().filter(|at| (1..args.len()).contains(at));
        match at {
            Some(at) => Ok(args[at].is_valid(row).then(|| text(args, at).value(row).to_owned())),
            None if strict => {
                let size = (args.len() - 1).to_string();
                let parameters = [("indexValue", index.to_string()), ("arraySize", size)];
                Err(external(SparkError::new("INVALID_ARRAY_INDEX", parameters)))
            }
            None => Ok(None),
        }
    })
}

/// Java's `Formatter` for the conversions s d x X o c b e f g and %.
fn format_string(call: &Call<'_>) -> crate::error::Result<Typed> {
    let mut args = vec![call.take(0, &TEXT)?];
    args.extend_from_slice(&call.args[1..]);
    let nullable = args[0].nullable;
    let kernel = Computed { name: "format_string".to_owned(), returns: SparkType::String, run: run_format };
    Ok(call.finish(kernel, args, SparkType::String).nullable(nullable))
}

fn run_format(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(&args[..1], |row| {
        let values =
            args[1..].iter().map(|arg| ScalarValue::try_from_array(arg, row)).collect::<Result<Vec<_>>>()?;
        format::format(text(args, 0).value(row), &values).map(Some)
    })
}
