//! The schema of JSON documents: `schema_of_json`, and the schema of a file source from its documents.
//!
//! Spark's rules: integers are bigint, longer ones decimal, other numbers double (or decimal with
//! `prefersDecimal`); fields are sorted by name; null and empty strings say nothing, and what stays unsaid is
//! string; empty structs vanish; types that do not go together become string.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field};

use super::options::JsonReadOptions;
use super::reader::number::{Form, Number};
use super::reader::parser::{Bad, Parser, Syntax};
use crate::{Error, JsonFault, Result, types};

/// Largest precision of a decimal.
const MAX_PRECISION: usize = 38;

/// What is known of a value's type.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Unknown,
    Boolean,
    Long,
    Double,
    Decimal { precision: usize, scale: usize },
    String,
    Array(Box<Kind>),
    Struct(BTreeMap<String, Kind>),
}

/// The type of one document, as `schema_of_json` tells it. A document that is not JSON is an
/// [`Error::MalformedJson`].
pub fn schema_of_json(document: &str, options: &JsonReadOptions) -> Result<DataType> {
    let kind = infer(document, options).map_err(|bad| malformed(document, bad))?;
    let is_struct = matches!(kind, Kind::Struct(_));
    Ok(match (canonical(kind), is_struct) {
        (Some(data_type), _) => data_type,
        (None, true) => DataType::Struct(Vec::<Field>::new().into()),
        (None, false) => DataType::Utf8View,
    })
}

/// Gathers the schema of many documents.
#[derive(Debug)]
pub struct SchemaInference {
    options: JsonReadOptions,
    kind: Kind,
    corrupt: bool,
}

impl SchemaInference {
    /// With nothing seen.
    pub fn new(options: JsonReadOptions) -> Self {
        Self { options, kind: Kind::Unknown, corrupt: false }
    }

    /// Adds a document. Under PERMISSIVE one that is not JSON only adds the corrupt-record field; under
    /// FAILFAST it is an error. Blank documents are passed over.
    pub fn add(&mut self, document: &str) -> Result<()> {
        match infer(document, &self.options) {
            Ok(Kind::Unknown) => {}
            // A line may hold an array of objects.
            Ok(Kind::Array(element)) if matches!(*element, Kind::Struct(_)) => self.merge(*element),
            Ok(kind @ Kind::Struct(_)) => self.merge(kind),
            Ok(_) => self.corrupt = true,
            Err(bad) if self.options.mode == super::ParseMode::FailFast => {
                return Err(malformed(document, bad));
            }
            Err(_) => self.corrupt = true,
        }
        Ok(())
    }

    fn merge(&mut self, kind: Kind) {
        let known = std::mem::replace(&mut self.kind, Kind::Unknown);
        self.kind = compatible(known, kind);
    }

    /// The struct that fits all documents.
    pub fn finish(self) -> DataType {
        let mut fields = match canonical(self.kind) {
            Some(DataType::Struct(fields)) => fields.iter().map(|field| field.as_ref().clone()).collect(),
            _ => Vec::new(),
        };
        if self.corrupt {
            let name = &self.options.corrupt_record_column;
            let at = fields.partition_point(|field: &Field| field.name() < name);
            fields.insert(at, Field::new(name, DataType::Utf8View, true));
        }
        DataType::Struct(fields.into())
    }
}

fn malformed(document: &str, bad: Bad) -> Error {
    let (before, rest) = document.split_at_checked(bad.at as usize).unwrap_or((document, ""));
    let found = rest.chars().next().map(|c| format!(", where {c:?} (code {}) stands", u32::from(c)));
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    let what = format!("{} at line {line}, column {column}{}", bad.what, found.unwrap_or_default());
    Error::MalformedJson { record: document.into(), fault: JsonFault::Malformed { what } }
}

fn infer(document: &str, options: &JsonReadOptions) -> Result<Kind, Bad> {
    let mut parser = Parser::new(Syntax::from(options));
    parser.restart(document.as_bytes());
    if parser.next()? == 0 && parser.at >= document.len() {
        return Ok(Kind::Unknown);
    }
    value(&mut parser, options)
}

fn value(parser: &mut Parser<'_>, options: &JsonReadOptions) -> Result<Kind, Bad> {
    match parser.byte() {
        b'{' => {
            parser.at += 1;
            parser.enter()?;
            let (mut fields, mut first) = (BTreeMap::new(), true);
            while parser.next_name(first)? {
                first = false;
                let name = parser.name()?;
                let name = String::from_utf8_lossy(parser.value_of(name)).into_owned();
                parser.colon()?;
                let kind = value(parser, options)?;
                fields.insert(name, kind);
            }
            Ok(Kind::Struct(fields))
        }
        b'[' => {
            parser.at += 1;
            parser.enter()?;
            let (mut element, mut first) = (Kind::Unknown, true);
            while parser.next_element(first)? {
                first = false;
                element = compatible(element, value(parser, options)?);
            }
            Ok(Kind::Array(Box::new(element)))
        }
        b'n' => parser.literal("null").map(|()| Kind::Unknown),
        b't' | b'f' => {
            parser.skip_value()?;
            Ok(if options.primitives_as_string { Kind::String } else { Kind::Boolean })
        }
        quote @ (b'"' | b'\'') if quote == b'"' || parser.syntax.single_quotes => {
            let quoted = parser.string(quote)?;
            let text = parser.value_of(quoted);
            Ok(match (text.is_empty(), options.prefers_decimal) {
                (true, _) => Kind::Unknown,
                (false, true) => decimal_of(text).unwrap_or(Kind::String),
                (false, false) => Kind::String,
            })
        }
        _ => {
            let number = parser.number()?;
            Ok(if options.primitives_as_string { Kind::String } else { number_kind(number, parser, options) })
        }
    }
}

fn number_kind(number: Number, parser: &Parser<'_>, options: &JsonReadOptions) -> Kind {
    let lexeme = || number.lexeme(parser.text).as_bytes();
    match number.form {
        Form::Integer if number.to_i64(parser.text).is_some() => Kind::Long,
        Form::Integer => decimal_of(lexeme()).unwrap_or(Kind::Double),
        Form::Float if options.prefers_decimal => decimal_of(lexeme()).unwrap_or(Kind::Double),
        Form::Float | Form::NonNumeric | Form::Infinite => Kind::Double,
    }
}

/// The decimal that holds exactly the number written; None if there is none.
fn decimal_of(text: &[u8]) -> Option<Kind> {
    let text = std::str::from_utf8(text).ok()?;
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let mantissa = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.len() + fraction.len() == 0 || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let digits = whole.len() + fraction.len();
    let zeros = whole.bytes().chain(fraction.bytes()).take_while(|byte| *byte == b'0').count();
    let significant = (digits - zeros).max(1) as i64;
    let scale = fraction.len() as i64 - exponent;
    let (precision, scale) =
        if scale < 0 { (significant - scale, 0) } else { (significant.max(scale), scale) };
    let (precision, scale) = (usize::try_from(precision).ok()?, usize::try_from(scale).ok()?);
    (precision <= MAX_PRECISION).then_some(Kind::Decimal { precision, scale })
}

/// The type that takes both.
fn compatible(a: Kind, b: Kind) -> Kind {
    use Kind::*;
    match (a, b) {
        (a, b) if a == b => a,
        (Unknown, known) | (known, Unknown) => known,
        (Long | Double, Double) | (Double, Long) | (Decimal { .. }, Double) | (Double, Decimal { .. }) => {
            Double
        }
        (Long, decimal @ Decimal { .. }) | (decimal @ Decimal { .. }, Long) => {
            wider(decimal, Decimal { precision: 20, scale: 0 })
        }
        (a @ Decimal { .. }, b @ Decimal { .. }) => wider(a, b),
        (Array(a), Array(b)) => Array(Box::new(compatible(*a, *b))),
        (Struct(mut fields), Struct(more)) => {
            for (name, kind) in more {
                let known = fields.remove(&name).unwrap_or(Unknown);
                fields.insert(name, compatible(known, kind));
            }
            Struct(fields)
        }
        _ => String,
    }
}

fn wider(a: Kind, b: Kind) -> Kind {
    let (Kind::Decimal { precision: p, scale: s }, Kind::Decimal { precision: q, scale: t }) = (a, b) else {
        return Kind::Double;
    };
    let (scale, range) = (s.max(t), (p - s.min(p)).max(q - t.min(q)));
    let precision = scale + range;
    if precision > MAX_PRECISION { Kind::Double } else { Kind::Decimal { precision, scale } }
}

fn canonical(kind: Kind) -> Option<DataType> {
    Some(match kind {
        Kind::Unknown | Kind::String => DataType::Utf8View,
        Kind::Boolean => DataType::Boolean,
        Kind::Long => DataType::Int64,
        Kind::Double => DataType::Float64,
        Kind::Decimal { precision, scale } => DataType::Decimal128(precision as u8, scale as i8),
        Kind::Array(element) => types::list(canonical(*element)?, true),
        Kind::Struct(fields) => {
            let fields: Vec<Arc<Field>> = fields
                .into_iter()
                .filter(|(name, _)| !name.is_empty())
                .filter_map(|(name, kind)| Some(Arc::new(Field::new(name, canonical(kind)?, true))))
                .collect();
            if fields.is_empty() {
                return None;
            }
            DataType::Struct(fields.into())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(document: &str) -> String {
        describe(&schema_of_json(document, &JsonReadOptions::default()).unwrap())
    }

    fn describe(data_type: &DataType) -> String {
        match data_type {
            DataType::Struct(fields) => {
                let fields: Vec<_> = fields
                    .iter()
                    .map(|field| format!("{}:{}", field.name(), describe(field.data_type())))
                    .collect();
                format!("{{{}}}", fields.join(","))
            }
            DataType::List(element) => format!("[{}]", describe(element.data_type())),
            other => other.to_string(),
        }
    }

    #[test]
    fn schemas_are_those_that_spark_tells() {
        for (document, expected) in [
            (
                r#"{"a":1,"b":"x","c":[1.5,2],"d":{"e":true,"f":null},"g":12345678901234567890}"#,
                "{a:Int64,b:Utf8View,c:[Float64],d:{e:Boolean,f:Utf8View},g:Decimal128(20, 0)}",
            ),
            (r#"[{"a":1},{"a":2.5,"b":"x"}]"#, "[{a:Float64,b:Utf8View}]"),
            (r#"{"a":[]}"#, "{a:[Utf8View]}"),
            (r#"{"a b":1,"B":{}}"#, "{a b:Int64}"),
            ("1", "Int64"),
            (r#"[1,"a",null]"#, "[Utf8View]"),
            (r#"{"b":1,"a":2}"#, "{a:Int64,b:Int64}"),
            ("{}", "{}"),
            ("[1,12345678901234567890]", "[Decimal128(20, 0)]"),
        ] {
            assert_eq!(schema(document), expected, "{document}");
        }
        assert!(matches!(
            schema_of_json("{bad", &JsonReadOptions::default()),
            Err(Error::MalformedJson { .. })
        ));
        let mut options = JsonReadOptions { prefers_decimal: true, ..JsonReadOptions::default() };
        assert_eq!(describe(&schema_of_json("[1.25,\"3.5\"]", &options).unwrap()), "[Decimal128(3, 2)]");
        options.primitives_as_string = true;
        assert_eq!(describe(&schema_of_json("[1.25,true]", &options).unwrap()), "[Utf8View]");
    }

    #[test]
    fn documents_of_a_file_are_merged() {
        let mut inference = SchemaInference::new(JsonReadOptions::default());
        for document in [r#"{"a":1}"#, "", r#"{"a":2.5,"b":[]}"#, r#"{"b":[1]}"#, "{oops"] {
            inference.add(document).unwrap();
        }
        assert_eq!(describe(&inference.finish()), "{_corrupt_record:Utf8View,a:Float64,b:[Int64]}");
    }
}
