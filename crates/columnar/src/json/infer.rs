//! The schema of JSON documents: `schema_of_json`, and the schema of a file source from its documents.
//!
//! Spark's rules: integers are bigint, longer ones decimal, other numbers double (or decimal with
//! `prefersDecimal`); strings are strings unless `prefersDecimal` or `inferTimestamp` makes more of them; fields
//! are sorted by name as Java compares strings, and a name that one document repeats stays repeated; null and
//! empty strings say nothing, and what stays unsaid is string (or left out with `dropFieldIfAllNull`); empty
//! structs vanish; types that do not go together become string.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_schema::{DataType, Field};

use super::options::{JsonReadOptions, ParseMode};
use super::reader::Formats;
use super::reader::number::{Form, Number};
use super::reader::parser::{Bad, Parser, Syntax};
use crate::{Error, JsonFault, Result, types};

/// Largest precision of a decimal.
const MAX_PRECISION: i64 = 38;

/// What is known of a value's type.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Unknown,
    Boolean,
    Long,
    Double,
    Decimal {
        precision: i64,
        scale: i64,
    },
    Timestamp,
    String,
    Array(Box<Kind>),
    /// Sorted by name.
    Struct(Vec<(String, Kind)>),
}

/// The type of one document, as `schema_of_json` tells it. A document that is not JSON is an
/// [`Error::MalformedJson`].
pub fn schema_of_json(document: &str, options: &JsonReadOptions) -> Result<DataType> {
    let reading = Inferring::new(options.clone())?;
    let kind = reading.document(document).map_err(|bad| malformed(document, bad))?;
    check_scales(&kind)?;
    let empty = || DataType::Struct(Vec::<Field>::new().into());
    Ok(match kind {
        Kind::Array(element) => match reading.canonical(*element) {
            Some(element) => types::list(element, true),
            None => types::list(empty(), true),
        },
        Kind::Unknown => DataType::Utf8View,
        known => reading.canonical(known).unwrap_or_else(empty),
    })
}

/// Gathers the schema of many documents.
#[derive(Debug)]
pub struct SchemaInference {
    reading: Inferring,
    kind: Kind,
}

impl SchemaInference {
    /// With nothing seen.
    ///
    /// # Errors
    /// Formats that cannot be compiled.
    pub fn new(options: JsonReadOptions) -> Result<Self> {
        Ok(Self { reading: Inferring::new(options)?, kind: Kind::Struct(Vec::new()) })
    }

    /// Adds a document. Under PERMISSIVE one that is not an object, or an array of objects, only adds the
    /// corrupt-record field; under FAILFAST it is an error; under DROPMALFORMED it says nothing. So do blank
    /// documents and `null`.
    pub fn add(&mut self, document: &str) -> Result<()> {
        let mode = self.reading.options.mode;
        let mut kind = match self.reading.document(document) {
            Ok(kind) => kind,
            Err(bad) => match mode {
                ParseMode::Permissive => Kind::Struct(vec![self.corrupt()]),
                ParseMode::FailFast => return Err(malformed(document, bad)),
                ParseMode::DropMalformed => return Ok(()),
            },
        };
        while let Kind::Array(element) = kind {
            kind = *element;
        }
        let known = std::mem::replace(&mut self.kind, Kind::Unknown);
        self.kind = match (known, kind) {
            (known, Kind::Unknown) => known,
            (known, kind @ Kind::Struct(_)) => compatible(known, kind),
            (Kind::Struct(mut fields), _) => {
                match mode {
                    ParseMode::FailFast => {
                        let what = "the document is neither an object nor an array of objects".into();
                        return Err(fault(document, what));
                    }
                    ParseMode::DropMalformed => {}
                    ParseMode::Permissive => {
                        let corrupt = self.corrupt();
                        if !fields.iter().any(|(name, _)| *name == corrupt.0) {
                            fields.push(corrupt);
                            fields.sort_by(|a, b| java_order(&a.0, &b.0));
                        }
                    }
                }
                Kind::Struct(fields)
            }
            (known, _) => known,
        };
        Ok(())
    }

    fn corrupt(&self) -> (String, Kind) {
        (self.reading.options.corrupt_record_column.clone(), Kind::String)
    }

    /// The struct that fits all documents.
    ///
    /// # Errors
    /// A decimal of a negative scale, which `prefersDecimal` makes of `1e10`.
    pub fn finish(self) -> Result<DataType> {
        check_scales(&self.kind)?;
        let empty = || DataType::Struct(Vec::<Field>::new().into());
        Ok(self.reading.canonical(self.kind).unwrap_or_else(empty))
    }
}

fn check_scales(kind: &Kind) -> Result<()> {
    if !has_negative_scale(kind) {
        return Ok(());
    }
    Err(Error::BadOption {
        option: "prefersDecimal".into(),
        value: "true".into(),
        why:
            "a number such as 1e10 is a decimal of negative scale, which Spark refuses; set it to false, or \
              give a schema"
                .into(),
    })
}

fn has_negative_scale(kind: &Kind) -> bool {
    match kind {
        Kind::Decimal { scale, .. } => *scale < 0,
        Kind::Array(element) => has_negative_scale(element),
        Kind::Struct(fields) => fields.iter().any(|(_, kind)| has_negative_scale(kind)),
        _ => false,
    }
}

fn malformed(document: &str, bad: Bad) -> Error {
    let (before, rest) = document.split_at_checked(bad.at as usize).unwrap_or((document, ""));
    let found = rest.chars().next().map(|c| format!(", where {c:?} (code {}) stands", u32::from(c)));
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    let what = format!("{} at line {line}, column {column}{}", bad.what, found.unwrap_or_default());
    fault(document, what)
}

fn fault(document: &str, what: String) -> Error {
    let fault = JsonFault::Malformed { what, value: None };
    Error::MalformedJson { record: document.into(), fault, row: 0, path: String::new() }
}

/// Java compares UTF-16 units.
fn java_order(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

#[derive(Debug)]
struct Inferring {
    options: JsonReadOptions,
    formats: Formats,
}

impl Inferring {
    fn new(options: JsonReadOptions) -> Result<Self> {
        Ok(Self { formats: Formats::new(&options)?, options })
    }

    fn document(&self, document: &str) -> Result<Kind, Bad> {
        let mut parser = Parser::new(Syntax::from(&self.options));
        parser.restart(document.as_bytes());
        if parser.first()? == 0 && parser.at >= document.len() {
            return Ok(Kind::Unknown);
        }
        self.value(&mut parser)
    }

    fn value(&self, parser: &mut Parser<'_>) -> Result<Kind, Bad> {
        match parser.byte() {
            b'{' => self.object(parser),
            b'[' => {
                parser.at += 1;
                parser.enter()?;
                let (mut element, mut first) = (Kind::Unknown, true);
                while parser.next_element(first)? {
                    first = false;
                    element = compatible(element, self.value(parser)?);
                }
                Ok(Kind::Array(Box::new(element)))
            }
            b'n' => parser.literal("null").map(|()| Kind::Unknown),
            b't' | b'f' => {
                parser.skip_value()?;
                Ok(if self.options.primitives_as_string { Kind::String } else { Kind::Boolean })
            }
            quote @ (b'"' | b'\'') if quote == b'"' || parser.syntax.single_quotes => {
                let quoted = parser.string(quote)?;
                Ok(self.string_kind(parser.value_of(quoted)))
            }
            _ => {
                let number = parser.number()?;
                if self.options.primitives_as_string {
                    return Ok(Kind::String);
                }
                if self.options.prefers_decimal && matches!(number.form, Form::NonNumeric | Form::Infinite) {
                    return parser.bad(&"a number that is no decimal");
                }
                Ok(number_kind(number, parser, &self.options))
            }
        }
    }

    fn object(&self, parser: &mut Parser<'_>) -> Result<Kind, Bad> {
        parser.at += 1;
        parser.enter()?;
        let (mut fields, mut first) = (Vec::new(), true);
        while parser.next_name(first)? {
            first = false;
            let name = parser.name()?;
            let name = String::from_utf8_lossy(parser.value_of(name)).into_owned();
            parser.colon()?;
            fields.push((name, self.value(parser)?));
        }
        fields.sort_by(|a, b| java_order(&a.0, &b.0));
        Ok(Kind::Struct(fields))
    }

    fn string_kind(&self, text: &[u8]) -> Kind {
        if text.is_empty() {
            return Kind::Unknown;
        }
        let text = std::str::from_utf8(text).unwrap_or_default();
        if self.options.prefers_decimal
            && let Some(decimal) = decimal_of(text.replace(',', "").as_bytes())
                .filter(|kind| !matches!(kind, Kind::Decimal { scale, .. } if *scale < 0))
        {
            return decimal;
        }
        let is_timestamp = self.options.infer_timestamp
            && (self.formats.timestamp_ntz(text).is_some()
                || self.formats.by_timestamp_format(text).is_some());
        if is_timestamp { Kind::Timestamp } else { Kind::String }
    }

    /// The type in the end; None for what vanishes.
    fn canonical(&self, kind: Kind) -> Option<DataType> {
        Some(match kind {
            Kind::Unknown if self.options.drop_field_if_all_null => return None,
            Kind::Unknown | Kind::String => DataType::Utf8View,
            Kind::Boolean => DataType::Boolean,
            Kind::Long => DataType::Int64,
            Kind::Double => DataType::Float64,
            Kind::Timestamp => types::timestamp(),
            Kind::Decimal { precision, scale } => DataType::Decimal128(precision as u8, scale as i8),
            Kind::Array(element) => types::list(self.canonical(*element)?, true),
            Kind::Struct(fields) => {
                let fields: Vec<Arc<Field>> = fields
                    .into_iter()
                    .filter(|(name, _)| !name.is_empty())
                    .filter_map(|(name, kind)| Some(Arc::new(Field::new(name, self.canonical(kind)?, true))))
                    .collect();
                if fields.is_empty() {
                    return None;
                }
                DataType::Struct(fields.into())
            }
        })
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

/// The decimal that holds exactly the number written, as Java's BigDecimal reads it; None if it has too many
/// digits.
fn decimal_of(text: &[u8]) -> Option<Kind> {
    let text = std::str::from_utf8(text).ok()?;
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let mantissa = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().count() == 0 || !digits().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let zeros = digits().take_while(|byte| *byte == b'0').count();
    let significant = (digits().count() - zeros).max(1) as i64;
    let scale = fraction.len() as i64 - exponent;
    let precision = significant.max(scale);
    let fits = precision <= MAX_PRECISION && scale >= -MAX_PRECISION;
    fits.then_some(Kind::Decimal { precision, scale })
}

/// The type that takes both.
fn compatible(a: Kind, b: Kind) -> Kind {
    use Kind::*;
    match (a, b) {
        (a, b) if a == b && !matches!(a, Struct(_) | Array(_)) => a,
        (Unknown, known) | (known, Unknown) => known,
        (Long | Decimal { .. }, Double) | (Double, Long | Decimal { .. }) => Double,
        (Long, decimal @ Decimal { .. }) | (decimal @ Decimal { .. }, Long) => {
            wider(decimal, Decimal { precision: 20, scale: 0 })
        }
        (a @ Decimal { .. }, b @ Decimal { .. }) => wider(a, b),
        (Array(a), Array(b)) => Array(Box::new(compatible(*a, *b))),
        (Struct(a), Struct(b)) => Struct(merged(a, b)),
        _ => String,
    }
}

/// Fields of both, which are sorted. Of repeated names each meets one of the other's.
fn merged(a: Vec<(String, Kind)>, b: Vec<(String, Kind)>) -> Vec<(String, Kind)> {
    let (mut a, mut b) = (a.into_iter().peekable(), b.into_iter().peekable());
    let mut fields = Vec::new();
    loop {
        let order = match (a.peek(), b.peek()) {
            (Some((a, _)), Some((b, _))) => java_order(a, b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return fields,
        };
        match order {
            Ordering::Less => fields.extend(a.next()),
            Ordering::Greater => fields.extend(b.next()),
            Ordering::Equal => {
                if let (Some((name, a)), Some((_, b))) = (a.next(), b.next()) {
                    fields.push((name, compatible(a, b)));
                }
            }
        }
    }
}

fn wider(a: Kind, b: Kind) -> Kind {
    let (Kind::Decimal { precision: p, scale: s }, Kind::Decimal { precision: q, scale: t }) = (a, b) else {
        return Kind::Double;
    };
    let (scale, range) = (s.max(t), (p - s).max(q - t));
    let precision = scale + range;
    if precision > MAX_PRECISION { Kind::Double } else { Kind::Decimal { precision, scale } }
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
        let mut inference = SchemaInference::new(JsonReadOptions::default()).unwrap();
        for document in [r#"{"a":1}"#, "", r#"{"a":2.5,"b":[]}"#, r#"{"b":[1]}"#, "{oops"] {
            inference.add(document).unwrap();
        }
        assert_eq!(describe(&inference.finish().unwrap()), "{_corrupt_record:Utf8View,a:Float64,b:[Int64]}");
    }
}
