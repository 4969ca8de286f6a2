//! `from_json(data, schema, options)` and `to_json(value, options)` with the option `schema.registry.address`:
//! documents in the framing of a schema registry ([`crate::functions::registered`]).
//!
//! Reading, the columns are those of the schema that is given, as ever; of the registry it is asked that the id is one
//! of a JSON Schema. The data is BINARY: a frame is no text. A record that is not framed is bad, also where it is
//! JSON; as corrupt record it is shown as it came.
//!
//! Writing, the result is BINARY. The schema is the option `jsonSchema`, or what the column's type gives, or the
//! subject's latest if `use.latest.version` is true; documents are not checked against it. The name that strategies
//! want is the schema's title.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryViewArray, BooleanArray};
use arrow_schema::DataType;
use arrow_select::zip::zip;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use millstream_columnar::framing::{self, SchemaFormat};
use millstream_columnar::json::{JsonReadOptions, JsonWriteOptions};
use millstream_columnar::{Error as ColumnarError, JsonFault};
use serde_json::Value;

use super::from_json::{self, FromJson, malformed};
use super::to_json::{self, ToJson};
use super::{bad_option, schema_text};
use crate::analyzer::{Typed, errors};
use crate::functions::call::Call;
use crate::functions::external;
use crate::functions::registered::{Decode, Encode, FromRegistered, Place, ToRegistered, Writers};
use crate::functions::udf::Kernel;
use crate::schemas::{NewSchema, RegisteredSchema};
use crate::types::SparkType;

type Options = BTreeMap<String, String>;

/// The options that `set` knows, and the others.
fn split(
    given: Options,
    mut set: impl FnMut(&str, &str) -> millstream_columnar::Result<bool>,
) -> crate::error::Result<(Options, Options)> {
    let (mut own, mut others) = (Options::new(), Options::new());
    for (name, value) in given {
        let is_own = set(&name, &value).map_err(bad_option)?;
        if is_own {
            own.insert(name, value)
        } else {
            others.insert(name, value)
        };
    }
    Ok((own, others))
}

/// The reader's part of a `from_json`.
pub(crate) struct RegisteredJson(FromJson);

pub(super) fn from_json(call: &Call<'_>, given: Options, sql: String) -> crate::error::Result<Typed> {
    let data = match call.args[0].data_type {
        SparkType::Binary | SparkType::Null => call.take_as(0, SparkType::Binary)?,
        _ => {
            call.raw_bytes(0).ok_or_else(|| errors::unexpected_input(&sql, 0, "\"BINARY\"", &call.args[0]))?
        }
    };
    let mut options = JsonReadOptions::default();
    let (own, others) = split(given, |name, value| options.set(name, value))?;
    let json = from_json::compile(call, &sql, own)?;
    let data_type = json.schema.clone();
    let kernel = FromRegistered::new(Place::from_options(call, others)?, RegisteredJson(json));
    let mut result = call.finish(kernel, vec![data], data_type).nullable(true);
    result.sql = sql;
    result.foldable = false;
    Ok(result)
}

impl Decode for RegisteredJson {
    const FUNCTION: &'static str = "from_json";
    const FORMAT: SchemaFormat = SchemaFormat::Json;
    type Writer = ();

    fn data_type(&self) -> DataType {
        self.0.return_type()
    }

    fn fails(&self) -> bool {
        self.0.fails_for_records()
    }

    fn writer(&self, _schema: &RegisteredSchema) -> crate::error::Result<()> {
        Ok(())
    }

    fn read(&self, column: &BinaryViewArray, writers: &Writers<()>) -> Result<ArrayRef> {
        let payloads = framing::payloads(column, Self::FORMAT);
        let reason = |row: usize| match column.is_null(row) {
            true => None,
            false => writers.of(column.value(row)).err(),
        };
        let bad: Vec<bool> = (0..column.len()).map(|row| reason(row).is_some()).collect();
        let Some(first) = bad.iter().position(|bad| *bad) else {
            return self.0.read(&payloads, &[]);
        };
        if self.fails() {
            // What stands before it may be bad in another way.
            self.0.read(&payloads.slice(0, first), &[])?;
            let why = reason(first).map_or("", |unreadable| &unreadable.why);
            let record = String::from_utf8_lossy(column.value(first)).into_owned();
            let fault = JsonFault::Malformed { what: why.to_owned(), value: None };
            return Err(external(malformed(record, &fault, &self.0.schema).about("Cause", why)));
        }
        let documents = zip(&BooleanArray::from(bad.clone()), column, &payloads)?;
        self.0.read(&*documents, &bad)
    }
}

impl Encode for ToJson {
    const FUNCTION: &'static str = "to_json";
    const FORMAT: SchemaFormat = SchemaFormat::Json;

    fn write(&self, values: &dyn Array, header: &[u8]) -> Result<ArrayRef> {
        let texts = Self::write(self, values)?;
        let framed = framing::framed(&*texts, header);
        Ok(Arc::new(framed.map_err(|e| DataFusionError::External(Box::new(e)))?))
    }
}

pub(super) fn to_json(call: &Call<'_>, given: Options) -> crate::error::Result<Typed> {
    let mut options = JsonWriteOptions::default();
    let (own, mut others) = split(given, |name, value| options.set(name, value))?;
    let written = others.keys().find(|name| name.eq_ignore_ascii_case("jsonSchema")).cloned();
    let written = written.and_then(|name| others.remove(&name));
    let (value, json) = to_json::compile(call, own)?;
    let place = Place::from_options(call, others)?;
    let source = value.data_type.clone();
    let kernel = if written.is_none() && place.uses_latest() {
        let subject = place.subject(None)?;
        let id = place.latest(call, &subject, SchemaFormat::Json)?.id;
        ToRegistered::with_id(place, subject, source, json, id)
    } else {
        let text = written.unwrap_or_else(|| schema_text::of(&source));
        let subject = place.subject(title(&text)?.as_deref())?;
        let schema = NewSchema::alone(SchemaFormat::Json, text);
        ToRegistered::with_schema(place, subject, source, json, schema)
    };
    let sql = format!("to_json({})", value.sql);
    let mut result = call.finish(kernel, vec![value], SparkType::Binary);
    result.sql = sql;
    result.foldable = false;
    Ok(result)
}

/// The title of a JSON Schema.
fn title(text: &str) -> crate::error::Result<Option<String>> {
    let parsed: Value = serde_json::from_str(text).map_err(|error| {
        bad_option(ColumnarError::BadOption {
            option: "jsonSchema".into(),
            value: text.chars().take(100).collect(),
            why: format!("it is no JSON: {error}"),
        })
    })?;
    Ok(parsed.get("title").and_then(Value::as_str).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::registered::test_registry::{InMemory, rows};

    fn registry() -> Arc<InMemory> {
        InMemory::new([(1, "JSON", "{}"), (2, "AVRO", "\"int\"")])
    }

    fn options(more: &str) -> String {
        format!(
            "map('schema.registry.address', 'http://r', 'schema.registry.subject', 's', \
             'basic.auth.user.info', 'u:hush'{more})"
        )
    }

    /// `{"a":1}` behind the ids 1, 2 and 9, and without a frame; text that is no JSON; nothing.
    const RECORDS: &str = "VALUES (X'00000000017B2261223A317D'), (X'00000000027B2261223A317D'), \
        (X'00000000097B2261223A317D'), (X'7B2261223A317D'), (X'00000000016E6F7065'), (CAST(NULL AS BINARY)) AS t(v)";

    #[test]
    fn framed_documents_are_read_and_others_are_bad_records() {
        let registry = registry();
        let corrupt = options(", 'columnNameOfCorruptRecord', '_c'");
        let read = |data: &str| {
            rows(
                &format!("SELECT to_json(from_json({data}, 'a INT, _c STRING', {corrupt})) FROM {RECORDS}"),
                &registry,
            )
        };
        let expected = [
            r#"{"a":1}"#,
            "{\"_c\":\"\\u0000\\u0000\\u0000\\u0000\\u0002{\\\"a\\\":1}\"}",
            "{\"_c\":\"\\u0000\\u0000\\u0000\\u0000\\t{\\\"a\\\":1}\"}",
            r#"{"_c":"{\"a\":1}"}"#,
            r#"{"_c":"nope"}"#,
            "NULL",
        ];
        assert_eq!(read("v").unwrap(), expected);
        assert_eq!(registry.asked(), 1, "the ids of a batch are asked for together");
        assert_eq!(read("CAST(v AS STRING)").unwrap(), expected, "the bytes behind the cast");
        let text = read("concat('', CAST(v AS STRING))").unwrap_err().to_string();
        assert!(text.contains("BINARY"), "{text}");
    }

    #[test]
    fn a_bad_record_is_told_under_failfast() {
        for (record, why) in [
            ("00000000027B7D", "from_json takes JSON"),
            ("00000000097B7D", "no schema of the id 9"),
            ("7B2261223A317D", "not the magic byte 0"),
            ("00000000016E6F7065", "MALFORMED_RECORD_IN_PARSING"),
        ] {
            let query =
                format!("SELECT from_json(X'{record}', 'a INT', {})", options(", 'mode', 'FAILFAST'"));
            let error = rows(&query, &registry()).unwrap_err().to_string();
            assert!(
                error.contains("MALFORMED_RECORD_IN_PARSING") && error.contains(why),
                "{record}: {error}"
            );
        }
    }

    #[test]
    fn what_is_written_is_framed_and_its_schema_registered() {
        let registry = registry();
        let write = |more: &str| {
            let query = format!("SELECT hex(to_json(named_struct('a', 1, 'b', NULL), {}))", options(more));
            rows(&query, &registry)
        };
        assert_eq!(write("").unwrap(), ["00000001027B2261223A317D"]);
        assert_eq!(
            write(", 'ignoreNullFields', 'false'").unwrap(),
            ["00000001027B2261223A312C2262223A6E756C6C7D"]
        );
        let titled = r#", 'jsonSchema', '{"title":"demo.Order"}', 'key.subject.name.strategy', 'K'"#;
        assert_eq!(write(titled).unwrap(), ["00000001027B2261223A317D"]);
        assert_eq!(write(", 'use.latest.version', 'true'").unwrap(), ["00000000017B2261223A317D"]);
        let registered = registry.registered();
        let subjects: Vec<&str> = registered.iter().map(|(subject, _)| subject.as_str()).collect();
        assert_eq!(subjects, ["s", "s", "K s true Some(\"demo.Order\")"]);
        assert!(
            registered[0].1.text.contains(r#""properties":{"a":{"type":"integer"},"b":{"type":"null"}}"#)
        );
        assert_eq!(registered[2].1.text, r#"{"title":"demo.Order"}"#);
        let no_json = write(", 'jsonSchema', 'nope'").unwrap_err().to_string();
        assert!(no_json.contains("jsonSchema") && no_json.contains("no JSON"), "{no_json}");
    }
}
