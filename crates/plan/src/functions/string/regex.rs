//! Regular expressions with Java's meaning: `rlike`, `regexp_replace`, `regexp_extract`, `split`.
//!
//! Java's `\d \w \s \b` mean ASCII. Look-around, back references and possessive quantifiers are refused by name: the
//! engine used here runs in linear time and has none of them.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringViewBuilder};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, Field};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use regex::{Captures, Regex, RegexBuilder};

use super::{INT, TEXT};
use crate::analyzer::{Expected, Typed};
use crate::error::{Error, SparkError};
use crate::functions::call::{Arity, Call, Function};
use crate::functions::computed::Computed;
use crate::functions::defaulted::{Default, Defaulted};
use crate::functions::external;
use crate::functions::rows::{booleans, int, ints, text, texts, to_int};
use crate::functions::simple::Simple;
use crate::types::SparkType;

const fn row(
    name: &'static str,
    params: &'static [Expected],
    returns: SparkType,
    run: fn(&[ArrayRef]) -> Result<ArrayRef>,
) -> Simple {
    Simple { name, params, optional: 0, returns, run }
}

/// Functions of fixed types.
pub(crate) static SIMPLE: &[Simple] = &[row("regexp_count", &[TEXT, TEXT], SparkType::Integer, regexp_count)];

/// Functions with default values.
pub(crate) static DEFAULTED: &[Defaulted] = &[
    Defaulted {
        simple: row("regexp_replace", &[TEXT, TEXT, TEXT, INT], SparkType::String, regexp_replace),
        defaults: &[Default::Int(1)],
    },
    Defaulted {
        simple: row("regexp_extract", &[TEXT, TEXT, INT], SparkType::String, regexp_extract),
        defaults: &[Default::Int(1)],
    },
    Defaulted {
        simple: row("regexp_instr", &[TEXT, TEXT, INT], SparkType::Integer, regexp_instr),
        defaults: &[Default::Int(0)],
    },
];

/// Functions with rules of their own.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "rlike", arity: Arity::exactly(2), build: rlike },
    Function { name: "regexp", arity: Arity::exactly(2), build: rlike },
    Function { name: "regexp_like", arity: Arity::exactly(2), build: rlike },
    Function { name: "regexp_substr", arity: Arity::exactly(2), build: substr },
    Function { name: "split", arity: Arity::between(2, 3), build: split },
    Function { name: "regexp_extract_all", arity: Arity::between(2, 3), build: extract_all },
];

fn list_of_texts() -> SparkType {
    SparkType::Array(Box::new(SparkType::String), true)
}

fn rlike(call: &Call<'_>) -> crate::error::Result<Typed> {
    static RLIKE: Simple = row("rlike", &[TEXT, TEXT], SparkType::Boolean, run_rlike);
    let typed = RLIKE.build(call)?;
    Ok(Typed { sql: format!("RLIKE({}, {})", call.args[0].sql, call.args[1].sql), ..typed })
}

fn substr(call: &Call<'_>) -> crate::error::Result<Typed> {
    static SUBSTR: Simple = row("regexp_substr", &[TEXT, TEXT], SparkType::String, regexp_substr);
    SUBSTR.build(call).map(|typed| typed.nullable(true))
}

fn split(call: &Call<'_>) -> crate::error::Result<Typed> {
    lists(call, run_split, -1)
}

fn extract_all(call: &Call<'_>) -> crate::error::Result<Typed> {
    lists(call, run_extract_all, 1)
}

/// A function of text, pattern and a number that may be left out, which gives an array of strings.
fn lists(
    call: &Call<'_>,
    run: fn(&[ArrayRef]) -> Result<ArrayRef>,
    default: i32,
) -> crate::error::Result<Typed> {
    let mut args = call.args.clone();
    if args.len() == 2 {
        args.push(crate::analyzer::integer_literal(default));
    }
    let full = Call { name: call.name.clone(), args, conf: call.conf };
    let cast = vec![full.take(0, &TEXT)?, full.take(1, &TEXT)?, full.take(2, &INT)?];
    let kernel = Computed { name: call.name.clone(), returns: list_of_texts(), run };
    Ok(full.finish(kernel, cast, list_of_texts()))
}

/// The pattern of the last row, compiled; patterns are mostly constants.
#[derive(std::default::Default)]
pub(super) struct Patterns {
    last: Option<(String, Regex)>,
}

impl Patterns {
    pub(super) fn get(&mut self, pattern: &str, function: &str) -> Result<&Regex> {
        let known = self.last.as_ref().is_some_and(|(text, _)| text == pattern);
        if !known {
            self.last = Some((pattern.to_owned(), compile(pattern, function)?));
        }
        match &self.last {
            Some((_, regex)) => Ok(regex),
            None => Err(DataFusionError::Internal("a compiled pattern was lost".into())),
        }
    }
}

/// A Java pattern.
fn compile(pattern: &str, function: &str) -> Result<Regex> {
    let translated = translate(pattern).map_err(|what| {
        external(Error::unsupported(format!("{what} in the regular expression '{pattern}'")))
    })?;
    RegexBuilder::new(&translated).size_limit(10 << 20).build().map_err(|_| {
        let parameters = [
            ("parameter", "`regexp`".to_owned()),
            ("functionName", format!("`{function}`")),
            ("value", format!("'{pattern}'")),
        ];
        external(SparkError::new("INVALID_PARAMETER_VALUE.PATTERN", parameters))
    })
}

/// Java's syntax as that of the crate `regex`, or what it does not have.
fn translate(pattern: &str) -> Result<String, &'static str> {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.chars().peekable();
    let (mut in_class, mut after_quantifier) = (0usize, false);
    while let Some(c) = chars.next() {
        let was_quantifier = std::mem::take(&mut after_quantifier);
        match c {
            '\\' => match chars.next() {
                Some('d') => out.push_str("[0-9]"),
                Some('D') => out.push_str("[^0-9]"),
                Some('w') => out.push_str("[A-Za-z0-9_]"),
                Some('W') => out.push_str("[^A-Za-z0-9_]"),
                Some('s') => out.push_str(r"[ \t\n\x0B\f\r]"),
                Some('S') => out.push_str(r"[^ \t\n\x0B\f\r]"),
                Some('h') => out.push_str(r"[ \t\u{A0}]"),
                Some('b') if in_class == 0 => out.push_str(r"(?-u:\b)"),
                Some('Z') => out.push_str(r"(?:\n?\z)"),
                Some('R') => out.push_str(r"(?:\r\n|[\n\x0B\f\r\u{85}\u{2028}\u{2029}])"),
                Some('e') => out.push_str(r"\x1B"),
                Some('Q') => quoted(&mut chars, &mut out),
                Some('1'..='9' | 'k') if in_class == 0 => return Err("a back reference"),
                Some('G') => return Err(r"\G"),
                Some(other) if other.is_ascii_alphanumeric() => out.extend(['\\', other]),
                Some(other) => out.push_str(&regex::escape(&other.to_string())),
                None => out.push('\\'),
            },
            '[' => {
                in_class += 1;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    out.push('^');
                }
                if chars.peek() == Some(&']') {
                    chars.next();
                    out.push_str(r"\]");
                }
            }
            ']' if in_class > 0 => {
                in_class -= 1;
                out.push(']');
            }
            '(' if in_class == 0 && chars.peek() == Some(&'?') => {
                let mut ahead = chars.clone();
                ahead.next();
                match (ahead.next(), ahead.next()) {
                    (Some('=' | '!'), _) | (Some('<'), Some('=' | '!')) => return Err("look-around"),
                    (Some('>'), _) => return Err("an atomic group"),
                    _ => out.push('('),
                }
            }
            '+' if in_class == 0 && was_quantifier => return Err("a possessive quantifier"),
            '*' | '+' | '?' | '}' if in_class == 0 => {
                after_quantifier = true;
                out.push(c);
            }
            '~' | '-' if in_class > 0 && chars.peek() == Some(&c) => {
                // `--` and `~~` are operators of sets in our engine, not in Java's.
                out.extend(['\\', c]);
            }
            other => out.push(other),
        }
    }
    Ok(out)
}

/// What stands between `\Q` and `\E`.
fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    let rest: String = chars.clone().collect();
    let length = rest.find(r"\E").unwrap_or(rest.len());
    out.push_str(&regex::escape(&rest[..length]));
    let consumed = rest[..length].chars().count() + if length < rest.len() { 2 } else { 0 };
    if consumed > 0 {
        chars.nth(consumed - 1);
    }
}

fn run_rlike(args: &[ArrayRef]) -> Result<ArrayRef> {
    let mut patterns = Patterns::default();
    booleans(args, |row| {
        let regex = patterns.get(text(args, 1).value(row), "rlike")?;
        Ok(Some(regex.is_match(text(args, 0).value(row))))
    })
}

fn regexp_count(args: &[ArrayRef]) -> Result<ArrayRef> {
    let mut patterns = Patterns::default();
    ints(args, |row| {
        let regex = patterns.get(text(args, 1).value(row), "regexp_count")?;
        Ok(Some(to_int(regex.find_iter(text(args, 0).value(row)).count())))
    })
}

/// The first match, NULL if there is none.
fn regexp_substr(args: &[ArrayRef]) -> Result<ArrayRef> {
    let mut patterns = Patterns::default();
    texts(args, |row| {
        let regex = patterns.get(text(args, 1).value(row), "regexp_substr")?;
        Ok(regex.find(text(args, 0).value(row)).map(|found| found.as_str().to_owned()))
    })
}

/// Where the first match begins, from 1; 0 if there is none. The third argument has no meaning, as in Spark.
fn regexp_instr(args: &[ArrayRef]) -> Result<ArrayRef> {
    let mut patterns = Patterns::default();
    ints(args, |row| {
        let value = text(args, 0).value(row);
        let regex = patterns.get(text(args, 1).value(row), "regexp_instr")?;
        let before = regex.find(value).map(|found| value[..found.start()].encode_utf16().count());
        Ok(Some(before.map_or(0, |before| to_int(before + 1))))
    })
}

/// All matches from a 1-based position on are replaced; `$1` in the new text is a group.
fn regexp_replace(args: &[ArrayRef]) -> Result<ArrayRef> {
    let mut patterns = Patterns::default();
    texts(args, |row| {
        let (value, replacement) = (text(args, 0).value(row), text(args, 2).value(row));
        let start = usize::try_from(int(args, 3).value(row).saturating_sub(1)).unwrap_or(0);
        let regex = patterns.get(text(args, 1).value(row), "regexp_replace")?;
        let from = match value.char_indices().map(|(at, _)| at).chain([value.len()]).nth(start) {
            Some(from) => from,
            None => return Ok(Some(value.to_owned())),
        };
        let replaced =
            regex.replace_all(&value[from..], |found: &Captures<'_>| expand(replacement, found)).into_owned();
        Ok(Some(format!("{}{replaced}", &value[..from])))
    })
}

/// Java's replacement text: `$1` and `${name}` are groups, a backslash takes the next character as it is.
fn expand(replacement: &str, found: &Captures<'_>) -> String {
    let mut out = String::new();
    let mut rest = replacement;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' => {
                if let Some(next) = rest.chars().next() {
                    out.push(next);
                    rest = &rest[next.len_utf8()..];
                }
            }
            '$' => {
                if let Some((name, behind)) = rest.strip_prefix('{').and_then(|r| r.split_once('}')) {
                    out.push_str(found.name(name).map_or("", |group| group.as_str()));
                    rest = behind;
                    continue;
                }
                // As many digits as still name a group.
                let mut group = 0;
                while let Some(digit) = rest.chars().next().and_then(|c| c.to_digit(10)) {
                    let longer = group * 10 + digit as usize;
                    if group > 0 && longer >= found.len() {
                        break;
                    }
                    group = longer;
                    rest = &rest[1..];
                }
                out.push_str(found.get(group).map_or("", |group| group.as_str()));
            }
            other => out.push(other),
        }
    }
    out
}

/// A group by its number, which the pattern must have.
fn group<'t>(found: &Captures<'t>, index: i32, function: &str) -> Result<&'t str> {
    let at = usize::try_from(index).ok().filter(|at| *at < found.len());
    let at = at.ok_or_else(|| group_missing(found.len() - 1, index, function))?;
    Ok(found.get(at).map_or("", |group| group.as_str()))
}

fn group_missing(groups: usize, index: i32, function: &str) -> DataFusionError {
    let parameters = [
        ("parameter", "`idx`".to_owned()),
        ("functionName", format!("`{function}`")),
        ("groupCount", groups.to_string()),
        ("groupIndex", index.to_string()),
    ];
    external(SparkError::new("INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX", parameters))
}

/// A group of the first match; empty if there is none.
fn regexp_extract(args: &[ArrayRef]) -> Result<ArrayRef> {
    let mut patterns = Patterns::default();
    texts(args, |row| {
        let regex = patterns.get(text(args, 1).value(row), "regexp_extract")?;
        let index = int(args, 2).value(row);
        match regex.captures(text(args, 0).value(row)) {
            Some(found) => group(&found, index, "regexp_extract").map(|group| Some(group.to_owned())),
            None => Ok(Some(String::new())),
        }
    })
}

/// A list of strings for each row in which no argument is NULL.
fn string_lists(args: &[ArrayRef], mut f: impl FnMut(usize) -> Result<Vec<String>>) -> Result<ArrayRef> {
    let element = Arc::new(Field::new("element", DataType::Utf8View, true));
    let mut lists = ListBuilder::new(StringViewBuilder::new()).with_field(element);
    for row in 0..args[0].len() {
        if args.iter().any(|arg| arg.is_null(row)) {
            lists.append_null();
            continue;
        }
        for item in f(row)? {
            lists.values().append_value(item);
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

fn run_extract_all(args: &[ArrayRef]) -> Result<ArrayRef> {
    let mut patterns = Patterns::default();
    string_lists(args, |row| {
        let regex = patterns.get(text(args, 1).value(row), "regexp_extract_all")?;
        let index = int(args, 2).value(row);
        regex
            .captures_iter(text(args, 0).value(row))
            .map(|found| group(&found, index, "regexp_extract_all").map(str::to_owned))
            .collect()
    })
}

/// Java's `split`: at most `limit` parts if it is positive; an empty match at the start splits off nothing.
fn run_split(args: &[ArrayRef]) -> Result<ArrayRef> {
    let mut splitter = Splitter::default();
    string_lists(args, |row| {
        splitter.split(text(args, 0).value(row), text(args, 1).value(row), int(args, 2).value(row))
    })
}

/// Splits texts by a pattern that is mostly the same.
#[derive(std::default::Default)]
pub(crate) struct Splitter {
    patterns: Patterns,
}

impl Splitter {
    /// The parts of a text, at most `limit` if that is positive.
    pub fn split(&mut self, value: &str, pattern: &str, limit: i32) -> Result<Vec<String>> {
        let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        if pattern.is_empty() && !value.is_empty() {
            return Ok(characters(value, limit));
        }
        let regex = self.patterns.get(pattern, "split")?;
        let (mut parts, mut from) = (Vec::new(), 0);
        for found in regex.find_iter(value) {
            if parts.len() + 1 >= limit {
                break;
            }
            if found.end() == 0 || (found.is_empty() && found.start() == value.len()) {
                continue;
            }
            parts.push(value[from..found.start()].to_owned());
            from = found.end();
        }
        parts.push(value[from..].to_owned());
        Ok(parts)
    }
}

/// Each character, the rest in the last part if there is a limit.
fn characters(value: &str, limit: usize) -> Vec<String> {
    let starts: Vec<usize> = value.char_indices().map(|(at, _)| at).take(limit).collect();
    let ends = starts.iter().skip(1).copied().chain([value.len()]);
    starts.iter().zip(ends).map(|(from, to)| value[*from..to].to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_classes_are_ascii_and_what_is_missing_is_named() {
        assert!(compile(r"^\d+\s[\w.-]+$", "f").unwrap().is_match("12 a.b-c"));
        assert!(!compile(r"^\d$", "f").unwrap().is_match("٣"));
        assert!(compile(r"\Qa.b\E+", "f").unwrap().is_match("a.bbb"));
        assert!(compile(r"[\]\[a]", "f").unwrap().is_match("]"));
        assert!(compile(r"\/\-\_\#", "f").unwrap().is_match("/-_#"));
        for (pattern, what) in [("(?=a)", "look-around"), (r"(a)\1", "back reference"), ("a++", "possessive")]
        {
            assert!(compile(pattern, "f").unwrap_err().to_string().contains(what), "{pattern}");
        }
        assert!(SparkError::find(&compile("(", "f").unwrap_err()).is_some());
    }

    #[test]
    fn replacement_groups_take_as_many_digits_as_there_are_groups() {
        let regex = Regex::new("(?<y>a)(b)").unwrap();
        let found = regex.captures("ab").unwrap();
        assert_eq!(expand(r"$2-$1-$10-${y}\$", &found), "b-a-a0-a$");
    }
}
