//! What a real Spark 4.2 gave for some thousand documents, schemas and options: `recorded/json` in this crate,
//! written by the script beside it.

use std::sync::Arc;

use arrow_array::StringViewArray;
use arrow_array::cast::AsArray;
use arrow_schema::{DataType, Field, IntervalUnit, TimeUnit};
use serde_json::Value;

use super::*;
use crate::datetime::TimeZone;
use crate::text::{Renderer, Style};
use crate::{Error, Result, types};

/// Differences that are meant: part of the header, the document or nothing for all of them, and why.
const MEANT: [(&str, &str, &str); 8] = [
    ("f float", r#"{"f":1.17549435E-38}"#, "the one float of which JDK 17 writes a digit too many"),
    ("decimal(5,2)", "{\"a\":\"\u{661}\"}", "digits of other alphabets are no numbers here"),
    ("a void", r#"{"a":{},"b":1}"#, "Spark goes on inside of an object that stands for a void"),
    ("a void", r#"{"a":{"b":7},"b":1}"#, "the same"),
    ("$x", "{\u{20ac}:1,a:2}", "unquoted names are letters and digits, no currency signs"),
    (r#""timestampFormat":"invalid""#, "", "refused at once, not row by row"),
    ("de-DE", "", "refused: only English is known"),
    ("", "null", "FAILFAST: of Spark's two conditions the inner one, INVALID_JSON_ROOT_FIELD"),
];
/// The day of the recording, which Spark takes for times without a date.
const TODAY: i32 = 20778;

fn is_meant(header: &str, document: &str) -> bool {
    MEANT.iter().any(|(part, whole, _)| header.contains(part) && (whole.is_empty() || *whole == document))
}

/// Reads Spark's DDL: a type, or the columns of a struct.
struct Ddl<'a>(&'a str);

impl Ddl<'_> {
    fn parse(text: &str) -> DataType {
        let mut ddl = Ddl(text);
        let one = ["array<", "map<", "struct<"].iter().any(|start| text.starts_with(start));
        let parsed = if one { ddl.data_type() } else { DataType::Struct(ddl.fields().into()) };
        assert!(ddl.0.is_empty(), "{text}: {}", ddl.0);
        parsed
    }

    fn eat(&mut self, token: &str) -> bool {
        let trimmed = self.0.trim_start();
        let found = trimmed.strip_prefix(token);
        self.0 = found.unwrap_or(self.0);
        found.is_some()
    }

    fn word(&mut self) -> String {
        let text = self.0.trim_start();
        if let Some(quoted) = text.strip_prefix('`') {
            let (name, rest) = quoted.split_once('`').unwrap();
            self.0 = rest;
            return name.into();
        }
        let end = text.find([' ', ':', ',', '<', '>', '(', ')']).unwrap_or(text.len());
        self.0 = &text[end..];
        text[..end].into()
    }

    fn fields(&mut self) -> Vec<Field> {
        let mut fields = Vec::new();
        while !self.0.trim_start().is_empty() && !self.0.trim_start().starts_with('>') {
            let name = self.word();
            self.eat(":");
            fields.push(Field::new(name, self.data_type(), true));
            self.eat(",");
        }
        fields
    }

    fn data_type(&mut self) -> DataType {
        match self.word().as_str() {
            "void" => DataType::Null,
            "boolean" => DataType::Boolean,
            "tinyint" => DataType::Int8,
            "smallint" => DataType::Int16,
            "int" => DataType::Int32,
            "bigint" => DataType::Int64,
            "float" => DataType::Float32,
            "double" => DataType::Float64,
            "string" => DataType::Utf8View,
            "binary" => DataType::BinaryView,
            "date" => DataType::Date32,
            "timestamp" => types::timestamp(),
            "timestamp_ntz" => types::timestamp_ntz(),
            "decimal" => {
                assert!(self.eat("("));
                let precision = self.word().parse().unwrap();
                assert!(self.eat(","));
                let scale = self.word().parse().unwrap();
                assert!(self.eat(")"));
                DataType::Decimal128(precision, scale)
            }
            "interval" => {
                let days = self.eat("day to second");
                assert!(days || self.eat("year to month"));
                if days {
                    DataType::Duration(TimeUnit::Microsecond)
                } else {
                    DataType::Interval(IntervalUnit::YearMonth)
                }
            }
            kind => {
                assert!(self.eat("<"), "{kind}: {}", self.0);
                let made = match kind {
                    "array" => types::list(self.data_type(), true),
                    "struct" => DataType::Struct(self.fields().into()),
                    "map" => {
                        let key = self.data_type();
                        assert!(self.eat(","));
                        types::map(key, self.data_type(), true)
                    }
                    other => panic!("{other}"),
                };
                assert!(self.eat(">"));
                made
            }
        }
    }
}

fn lines(text: &str) -> impl Iterator<Item = Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap())
}

fn options(value: &Value) -> Vec<(&str, &str)> {
    let pairs = value.as_object().unwrap();
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect()
}

fn read_options(pairs: &[(&str, &str)]) -> Result<JsonReadOptions> {
    let mut options = JsonReadOptions { today: Some(TODAY), ..JsonReadOptions::default() };
    for (name, value) in pairs {
        options.set(name, value)?;
    }
    Ok(options)
}

fn read(target: &DataType, options: &JsonReadOptions, documents: &[&str]) -> Result<arrow_array::ArrayRef> {
    JsonReader::new(target, options.clone())?.read(&StringViewArray::from_iter_values(documents))
}

fn row(array: &dyn arrow_array::Array, row: usize) -> Option<String> {
    let mut text = String::new();
    Renderer::new(array, &TimeZone::UTC, Style::Cast).unwrap().append(row, &mut text);
    array.is_valid(row).then_some(text)
}

/// The condition and the record that FAILFAST names; None if it does not fail.
fn failure(target: &DataType, options: &JsonReadOptions, document: &str) -> Option<(String, String)> {
    let options = JsonReadOptions { mode: ParseMode::FailFast, ..options.clone() };
    match read(target, &options, &[document]) {
        Ok(_) => None,
        Err(Error::MalformedJson { record, fault, .. }) => Some((fault.condition().into(), record)),
        Err(other) => Some(("error".into(), other.to_string())),
    }
}

#[test]
fn documents_are_read_as_spark_reads_them() {
    let (mut target, mut chosen, mut header) = (DataType::Null, None, String::new());
    let (mut differences, mut compared) = (Vec::new(), 0);
    for line in lines(include_str!("../../recorded/json/from_json.jsonl")) {
        let Some(case) = line.as_array() else {
            if let Some(schema) = line.get("schema") {
                header = line.to_string();
                target = Ddl::parse(schema.as_str().unwrap());
                let parsed = read_options(&options(&line["options"]));
                chosen = parsed
                    .and_then(|options| JsonReader::new(&target, options.clone()).map(|_| options))
                    .ok();
            } else if chosen.is_some() {
                differences.push(format!("{header}\n  spark {line}"));
            }
            continue;
        };
        let document = case[0].as_str().unwrap();
        if is_meant(&header, document) {
            continue;
        }
        let Some(chosen) = &chosen else {
            differences.push(format!("{header}\n  refused"));
            continue;
        };
        compared += 1;
        let found = row(&*read(&target, chosen, &[document]).unwrap(), 0);
        if found.as_deref() != case[1].as_str() {
            differences.push(format!("{header}\n  {document:?}\n  spark {}\n  ours  {found:?}", case[1]));
        }
        let text = |at: usize| case.get(at).map(|value| value.as_str().unwrap().to_string());
        let (found, expected) = (failure(&target, chosen, document), text(2).zip(text(3)));
        if found != expected && !header.contains("mode") {
            differences
                .push(format!("{header}\n  {document:?} FAILFAST\n  spark {expected:?}\n  ours  {found:?}"));
        }
    }
    assert!(compared > 800, "{compared}");
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn values_are_written_as_spark_writes_them() {
    let (mut target, mut writer, mut shown) = (DataType::Null, None, String::new());
    let mut differences = Vec::new();
    for line in lines(include_str!("../../recorded/json/to_json.jsonl")) {
        let Some(case) = line.as_array() else {
            if let Some(schema) = line.get("schema") {
                shown = line.to_string();
                target = Ddl::parse(schema.as_str().unwrap());
                let mut chosen = JsonWriteOptions::default();
                let set = options(&line["options"])
                    .into_iter()
                    .try_for_each(|(name, value)| chosen.set(name, value).map(drop));
                writer = set.and_then(|()| JsonWriter::new(&target, chosen)).ok();
            } else {
                let document = line["document"].as_str().unwrap();
                let values = read(&target, &JsonReadOptions::default(), &[document]).unwrap();
                let written = writer.as_ref().map(|writer| writer.write(&values));
                if let Some(Ok(written)) = written {
                    differences.push(format!(
                        "{shown}\n  {document} refused by spark: {}\n  ours {:?}",
                        line["refused"],
                        row(&written, 0)
                    ));
                }
            }
            continue;
        };
        let document = case[0].as_str().unwrap();
        let values = read(&target, &JsonReadOptions::default(), &[document]).unwrap();
        let Some(writer) = &writer else {
            differences.push(format!("{shown}: refused"));
            continue;
        };
        let found = writer
            .write(&values)
            .map(|text| text.as_string_view().iter().next().unwrap().map(str::to_string));
        if found.as_ref().ok().and_then(Option::as_deref) != case[1].as_str() {
            differences.push(format!("{shown}\n  {document:?}\n  spark {}\n  ours  {found:?}", case[1]));
        }
    }
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}

fn ddl(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "void".into(),
        DataType::Boolean => "boolean".into(),
        DataType::Int64 => "bigint".into(),
        DataType::Float64 => "double".into(),
        DataType::Utf8View => "string".into(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        DataType::Timestamp(_, Some(_)) => "timestamp".into(),
        DataType::Timestamp(_, None) => "timestamp_ntz".into(),
        DataType::List(element) => format!("array<{}>", ddl(element.data_type())),
        DataType::Struct(fields) => {
            let fields = fields
                .iter()
                .map(|field: &Arc<Field>| format!("{}:{}", field.name(), ddl(field.data_type())));
            format!("struct<{}>", fields.collect::<Vec<_>>().join(","))
        }
        other => panic!("{other}"),
    }
}

#[test]
fn schemas_are_inferred_as_spark_infers_them() {
    let mut differences = Vec::new();
    for line in lines(include_str!("../../recorded/json/infer.jsonl")) {
        let infer = || -> Result<String> {
            let mut inference = SchemaInference::new(read_options(&options(&line["options"]))?)?;
            for document in line["documents"].as_array().unwrap() {
                inference.add(document.as_str().unwrap())?;
            }
            Ok(ddl(&inference.finish()?))
        };
        let found = infer();
        if found.as_ref().ok().map(String::as_str) != line.get("schema").map(|text| text.as_str().unwrap()) {
            differences.push(format!("{line}\n  ours {found:?}"));
        }
    }
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn schemas_of_single_documents_are_those_of_spark() {
    let mut differences = Vec::new();
    for line in lines(include_str!("../../recorded/json/schema_of.jsonl")) {
        let document = line["document"].as_str().unwrap();
        let found =
            read_options(&options(&line["options"])).and_then(|options| schema_of_json(document, &options));
        let found = found.map(|found| ddl(&found)).ok();
        // The recording is SQL: upper case, and names in backticks where they need them.
        let plain = |text: &str| text.to_lowercase().replace(['`', ' '], "");
        let expected = line.get("schema").map(|text| plain(text.as_str().unwrap()));
        if found.as_deref().map(plain) != expected {
            differences.push(format!("{line}\n  ours {found:?}"));
        }
    }
    assert!(differences.is_empty(), "{} differences\n{}", differences.len(), differences.join("\n"));
}
