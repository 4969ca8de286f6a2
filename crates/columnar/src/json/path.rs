//! Values picked out of documents: `get_json_object` and `json_tuple`.
//!
//! A path is `$` followed by `.name`, `['name']`, `[3]`, `[*]` or `.*`. The rules are Hive's, which Spark
//! keeps: strings are given without quotes, everything else as Jackson copies it; of repeated names the first
//! that gives something counts; several values from `[*]` make an array, one stands alone; two wildcards in a
//! row flatten.

use super::copy::copy_value;
use super::options::JsonReadOptions;
use super::reader::parser::{Bad, Parser, Syntax};

/// A compiled path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(u64),
    EachElement,
    /// `.*`: it finds nothing, as in Spark.
    EachField,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// A string without quotes.
    Raw,
    Quoted,
    /// Quoted, and an array's elements instead of the array.
    Flatten,
}

impl JsonPath {
    /// Compiles a path; None for a text that is none.
    pub fn parse(path: &str) -> Option<Self> {
        let mut rest = path.strip_prefix('$')?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, length) = parse_step(rest)?;
            steps.push(step);
            rest = &rest[length..];
        }
        Some(Self { steps })
    }

    /// Appends what the path finds in the document. False, with nothing appended, if it finds nothing or the
    /// document is not JSON.
    pub fn evaluate(&self, document: &str, out: &mut String) -> bool {
        let mut parser = Parser::new(Syntax::from(&JsonReadOptions::default()));
        parser.restart(document.as_bytes());
        let start = out.len();
        let found = match parser.next() {
            Ok(0) => Ok(false),
            Ok(_) => evaluate(&mut parser, &self.steps, Style::Raw, out),
            Err(bad) => Err(bad),
        };
        let found = found.unwrap_or(false);
        if !found {
            out.truncate(start);
        }
        found
    }
}

/// The step at the start of `rest` and its length.
fn parse_step(rest: &str) -> Option<(Step, usize)> {
    if rest == ".*" || rest.starts_with(".*.") || rest.starts_with(".*[") {
        return Some((Step::EachField, 2));
    }
    if let Some(name) = rest.strip_prefix('.') {
        let length = name.find(['.', '[']).unwrap_or(name.len());
        return (length > 0).then(|| (Step::Name(name[..length].into()), 1 + length));
    }
    let inner = rest.strip_prefix('[')?;
    if let Some(name) = inner.strip_prefix('\'') {
        let length = name.find('\'')?;
        if length == 0 || !name[length..].starts_with("']") {
            return None;
        }
        let step = if &name[..length] == "*" { Step::EachField } else { Step::Name(name[..length].into()) };
        return Some((step, length + 4));
    }
    let length = inner.find(']')?;
    let step = match &inner[..length] {
        "*" => Step::EachElement,
        index if index.bytes().all(|byte| byte.is_ascii_digit()) => Step::Index(index.parse().ok()?),
        _ => return None,
    };
    Some((step, length + 2))
}

/// Evaluates the steps on the value at the position and passes over it. True if something was written; what
/// is written for several values is separated by commas.
fn evaluate(parser: &mut Parser<'_>, steps: &[Step], style: Style, out: &mut String) -> Result<bool, Bad> {
    let separate = |out: &mut String| {
        // Inside of an array every value but the first follows a comma.
        if style != Style::Raw && !out.is_empty() && !out.ends_with('[') {
            out.push(',');
        }
    };
    match (parser.byte(), steps) {
        (quote @ b'"', []) if style == Style::Raw => {
            let quoted = parser.string(quote)?;
            out.push_str(std::str::from_utf8(parser.value_of(quoted)).unwrap_or_default());
            Ok(true)
        }
        (b'[', []) if style == Style::Flatten => {
            each_element(parser, &[], Style::Flatten, out).map(|n| n > 0)
        }
        (_, []) => {
            separate(out);
            copy_value(parser, out)?;
            Ok(true)
        }
        (b'{', [Step::Name(name), rest @ ..]) => member(parser, name, rest, style, out),
        (b'[', [Step::EachElement, Step::EachElement, rest @ ..]) => {
            separate(out);
            out.push('[');
            let found = each_element(parser, rest, Style::Flatten, out)?;
            out.push(']');
            Ok(found > 0)
        }
        (b'[', [Step::EachElement, rest @ ..]) if style != Style::Quoted => {
            let inner = if style == Style::Raw { Style::Quoted } else { Style::Flatten };
            let mut matches = String::from("[");
            // Spark gathers these in a writer of characters.
            let before = std::mem::replace(&mut parser.copies_characters, true);
            let found = each_element(parser, rest, inner, &mut matches)?;
            parser.copies_characters = before;
            matches.push(']');
            match found {
                0 => {}
                1 => {
                    separate(out);
                    out.push_str(&matches[1..matches.len() - 1]);
                }
                _ => {
                    separate(out);
                    out.push_str(&matches);
                }
            }
            Ok(found > 0)
        }
        (b'[', [Step::EachElement, rest @ ..]) => {
            separate(out);
            out.push('[');
            let found = each_element(parser, rest, Style::Quoted, out)?;
            out.push(']');
            Ok(found > 0)
        }
        (b'[', [Step::Index(index), rest @ ..]) => {
            let style = if matches!(rest, [Step::EachElement, ..]) { Style::Quoted } else { style };
            element(parser, *index, rest, style, out)
        }
        _ => parser.skip_value().map(|()| false),
    }
}

fn member(
    parser: &mut Parser<'_>,
    name: &str,
    rest: &[Step],
    style: Style,
    out: &mut String,
) -> Result<bool, Bad> {
    parser.at += 1;
    parser.enter()?;
    let (mut first, mut found) = (true, false);
    while parser.next_name(first)? {
        first = false;
        let key = parser.name()?;
        let matches = !found && parser.value_of(key) == name.as_bytes();
        parser.colon()?;
        if matches && parser.byte() != b'n' {
            found = evaluate(parser, rest, style, out)?;
        } else {
            parser.skip_value()?;
        }
    }
    Ok(found)
}

/// The number of elements that gave something.
fn each_element(
    parser: &mut Parser<'_>,
    rest: &[Step],
    style: Style,
    out: &mut String,
) -> Result<usize, Bad> {
    parser.at += 1;
    parser.enter()?;
    let (mut first, mut found) = (true, 0);
    while parser.next_element(first)? {
        first = false;
        found += usize::from(evaluate(parser, rest, style, out)?);
    }
    Ok(found)
}

fn element(
    parser: &mut Parser<'_>,
    index: u64,
    rest: &[Step],
    style: Style,
    out: &mut String,
) -> Result<bool, Bad> {
    parser.at += 1;
    parser.enter()?;
    let (mut at, mut found) = (0, false);
    while parser.next_element(at == 0)? {
        if at == index {
            found = evaluate(parser, rest, style, out)?;
        } else {
            parser.skip_value()?;
        }
        at += 1;
    }
    Ok(found)
}

/// `json_tuple`: the values of top-level fields, strings without quotes. All are None unless the document is
/// an object; of repeated names the last counts.
pub fn json_tuple(document: &str, names: &[&str]) -> Vec<Option<String>> {
    let mut values = vec![None; names.len()];
    let mut parser = Parser::new(Syntax::from(&JsonReadOptions::default()));
    parser.restart(document.as_bytes());
    match tuple(&mut parser, names, &mut values) {
        Ok(()) => values,
        Err(_) => vec![None; names.len()],
    }
}

fn tuple(parser: &mut Parser<'_>, names: &[&str], values: &mut [Option<String>]) -> Result<(), Bad> {
    if parser.next()? != b'{' {
        return Ok(());
    }
    parser.at += 1;
    parser.enter()?;
    let mut first = true;
    while parser.next_name(first)? {
        first = false;
        let key = parser.name()?;
        let key = parser.value_of(key);
        let wanted: Vec<usize> = (0..names.len()).filter(|&at| names[at].as_bytes() == key).collect();
        parser.colon()?;
        if wanted.is_empty() || parser.byte() == b'n' {
            parser.skip_value()?;
            continue;
        }
        let mut text = String::new();
        evaluate(parser, &[], Style::Raw, &mut text)?;
        for at in wanted {
            values[at] = Some(text.clone());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RICH: &str = concat!(
        r#"{"a":{"b":[1,{"c":"x"},null]},"s":"str","n":1.50,"t":true,"#,
        r#""z":null,"a.b":"dot","arr":[[1,2],[3]]}"#
    );

    #[test]
    fn paths_find_what_spark_finds() {
        let two = r#"{"a":{"b":[{"c":1},{"c":2}]}}"#;
        for (document, path, expected) in [
            (RICH, "$.a", Some(r#"{"b":[1,{"c":"x"},null]}"#)),
            (RICH, "$.a.b", Some(r#"[1,{"c":"x"},null]"#)),
            (RICH, "$.a.b[0]", Some("1")),
            (RICH, "$.a.b[1].c", Some("x")),
            (two, "$.a.b[1].c", Some("2")),
            (RICH, "$.a.b[*].c", Some("\"x\"")),
            (two, "$.a.b[*].c", Some("[1,2]")),
            (RICH, "$.a.b[9]", None),
            ("\"top\"", "$", Some("top")),
            (r#"[{"a":1},{"a":2}]"#, "$[0].a", Some("1")),
            (r#"[{"a":1},{"a":2}]"#, "$[*].a", Some("[1,2]")),
            (r#"{"s":"x","s":"y"}"#, "$.s", Some("x")),
            (RICH, "$.n", Some("1.5")),
            (RICH, "$.t", Some("true")),
            (RICH, "$.z", None),
            (RICH, "$['a.b']", Some("dot")),
            (RICH, "$.arr[*][0]", Some("[1,3]")),
            (RICH, "$.arr[0]", Some("[1,2]")),
            (RICH, "$.arr[*][*]", Some("[1,2,3]")),
            (RICH, "$.*", None),
            (RICH, "$.S", None),
            (r#"{"a":"1""#, "$.a", None),
            ("{\"a\":\"\\u00e9\\n\"}", "$.a", Some("\u{e9}\n")),
            ("", "$", None),
        ] {
            let mut out = String::new();
            let found = JsonPath::parse(path).unwrap().evaluate(document, &mut out);
            assert_eq!(found.then_some(out.as_str()), expected, "{path} of {document}");
        }
        for bad in ["a", "$..c", "$.a.", "$[x]", "$['a]", "$[1", ""] {
            assert_eq!(JsonPath::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn tuples_take_the_last_of_repeated_names_and_nothing_from_bad_documents() {
        let texts = |document: &str, names: &[&str]| {
            json_tuple(document, names)
                .iter()
                .map(|value| value.clone().unwrap_or("-".into()))
                .collect::<Vec<_>>()
        };
        assert_eq!(texts(RICH, &["a", "s", "n", "no"]), [r#"{"b":[1,{"c":"x"},null]}"#, "str", "1.5", "-"]);
        assert_eq!(texts(r#"{"s":"x","s":"y"}"#, &["s"]), ["y"]);
        assert_eq!(texts(r#"{"a":1,"b":"#, &["a"]), ["-"]);
        assert_eq!(texts("[1]", &["a"]), ["-"]);
    }
}
