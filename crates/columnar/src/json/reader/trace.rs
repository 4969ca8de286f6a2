//! Where the first value stands that does not fit, and what it is, for the error of FAILFAST. Paths are built from
//! the inside out, while the conversion returns.

use arrow_schema::DataType;

use super::convert::Reading;
use super::formats::Formats;
use super::number::{Form, Number};
use super::parser::Quoted;
use crate::{JsonFault, JsonValueFault};

/// The way to the first value that does not fit.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// Names and indexes from the innermost outwards.
    path: Vec<String>,
    /// Depth of the container that was noted last; 0 while nothing is.
    depth: usize,
    /// What the value is, where Spark says it.
    unfit: Option<Unfit>,
    /// A value that was met just now and is not noted yet.
    met: Option<Unfit>,
}

/// What stands in the wrong place.
#[derive(Debug)]
enum Unfit {
    /// A string where a float or double should.
    StringForNumber(String),
    /// An empty string, which only strings and binaries may be.
    Empty,
    /// Jackson's name of the token, and its text.
    Token(&'static str, String),
    /// A string that is no date, time or interval.
    Text(String),
    /// A number with more digits than a decimal has.
    TooLarge(String),
}

impl Trace {
    /// Notes a string that stands where a float or double should.
    pub fn string_for_number(&mut self, text: &[u8]) {
        self.met = Some(match text {
            [] => Unfit::Empty,
            text => Unfit::StringForNumber(String::from_utf8_lossy(text).into_owned()),
        });
    }

    /// Notes that the value of `name`, in a container of this depth, does not fit as a whole or in parts. Of
    /// several such values the first counts.
    pub fn climb(&mut self, depth: usize, name: impl FnOnce() -> String) {
        let met = self.met.take();
        if self.depth == 0 {
            self.unfit = met;
        } else if self.depth != depth + 1 {
            return;
        }
        self.path.push(name());
        self.depth = depth;
    }

    /// What does not fit, and the path to it, as `a.b.2.c`; empty for the document itself.
    pub fn finish(mut self, target: &DataType, formats: &Formats) -> (JsonFault, String) {
        let innermost = self.path.first().cloned().unwrap_or_default();
        self.path.reverse();
        let path = self.path.join(".");
        if let Some(Unfit::StringForNumber(value)) = self.unfit {
            return (JsonFault::StringForNumber { field: innermost, value }, path);
        }
        let place = place(target, &self.path);
        let value = self.unfit.zip(place).and_then(|(unfit, place)| unfit.fault(place, innermost, formats));
        let value = value.map(Box::new);
        (JsonFault::Malformed { what: "a value does not fit its field".into(), value }, path)
    }
}

impl Unfit {
    fn fault(
        self,
        (named, data_type): (bool, DataType),
        name: String,
        formats: &Formats,
    ) -> Option<JsonValueFault> {
        let is_interval = matches!(data_type, DataType::Duration(_) | DataType::Interval(_));
        let has_format = match data_type {
            DataType::Date32 => formats.date.is_some(),
            DataType::Timestamp(_, Some(_)) => formats.timestamp.is_some(),
            DataType::Timestamp(_, None) => formats.timestamp_ntz.is_some(),
            _ => false,
        };
        Some(match self {
            Self::Empty if is_interval => JsonValueFault::Text { text: String::new(), data_type },
            Self::Empty => JsonValueFault::Empty { data_type },
            Self::Token(token, text) => {
                JsonValueFault::Token { field: named.then_some(name), text, token, data_type }
            }
            Self::Text(text) if !has_format => JsonValueFault::Text { text, data_type },
            Self::TooLarge(text) => JsonValueFault::TooLarge { text, data_type },
            Self::Text(_) | Self::StringForNumber(_) => return None,
        })
    }
}

/// The type at the end of a path, and whether it has a name there. None where Spark does not say what is wrong: in a
/// map, and in an array that is in no struct.
fn place(target: &DataType, path: &[String]) -> Option<(bool, DataType)> {
    let (mut named, mut in_struct, mut found) = (false, false, target);
    for step in path {
        // A single object stands for an array of one.
        if let (DataType::List(element), Err(_)) = (found, step.parse::<usize>()) {
            found = element.data_type();
        }
        (named, in_struct, found) = match found {
            DataType::Struct(fields) => {
                (true, true, fields.iter().rfind(|field| field.name() == step)?.data_type())
            }
            DataType::List(element) => (false, in_struct, element.data_type()),
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(pair) => (true, false, pair.get(1)?.data_type()),
                _ => return None,
            },
            _ => return None,
        };
    }
    in_struct.then(|| (named, found.clone()))
}

impl Reading<'_> {
    /// Notes the value at a position, a token of which the column's type makes nothing. Only in a trace.
    #[cold]
    #[inline(never)]
    pub(super) fn note(&mut self, at: usize) {
        if self.trace.is_none() {
            return;
        }
        let behind = std::mem::replace(&mut self.parser.at, at);
        let met = self.token();
        self.parser.at = behind;
        if let Some(trace) = &mut self.trace {
            trace.met = met;
        }
    }

    /// Notes a string that is no date, time or interval. Only in a trace.
    #[cold]
    #[inline(never)]
    pub(super) fn note_text(&mut self, quoted: Quoted) {
        if self.trace.is_some() {
            let text = String::from_utf8_lossy(self.parser.value_of(quoted)).into_owned();
            self.trace = self.trace.take().map(|trace| Trace { met: Some(Unfit::Text(text)), ..trace });
        }
    }

    /// Notes a number that a decimal cannot hold. Only in a trace.
    #[cold]
    #[inline(never)]
    pub(super) fn note_number(&mut self, number: Number) {
        if let (Some(trace), Form::Integer | Form::Float) = (&mut self.trace, number.form) {
            let text = String::from_utf8_lossy(&self.parser.text[number.start..number.end]);
            trace.met = Some(Unfit::TooLarge(text.into_owned()));
        }
    }

    /// None if it cannot be read.
    fn token(&mut self) -> Option<Unfit> {
        let word = |token, text: &str| Some(Unfit::Token(token, text.to_owned()));
        match self.parser.byte() {
            b'{' => word("START_OBJECT", "{"),
            b'[' => word("START_ARRAY", "["),
            b't' => word("VALUE_TRUE", "true"),
            b'f' => word("VALUE_FALSE", "false"),
            quote @ (b'"' | b'\'') => {
                let quoted = self.parser.string(quote).ok()?;
                let text = self.parser.value_of(quoted);
                if text.is_empty() {
                    return Some(Unfit::Empty);
                }
                word("VALUE_STRING", &String::from_utf8_lossy(text))
            }
            _ => {
                let number = self.parser.number().ok()?;
                let token = match number.form {
                    Form::Integer => "VALUE_NUMBER_INT",
                    Form::Float | Form::NonNumeric | Form::Infinite => "VALUE_NUMBER_FLOAT",
                };
                word(token, &String::from_utf8_lossy(&self.parser.text[number.start..number.end]))
            }
        }
    }
}
