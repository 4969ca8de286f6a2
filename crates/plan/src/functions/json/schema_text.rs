//! The JSON Schema (draft 7) of a column's type: what `to_json` writes of it.
//!
//! | Spark | JSON Schema |
//! |---|---|
//! | tinyint, smallint, int, bigint | integer |
//! | float, double, decimal | number |
//! | boolean | boolean |
//! | binary | string of `contentEncoding` base64 |
//! | date, timestamps, intervals, string | string |
//! | array | array |
//! | map | object of `additionalProperties` |
//! | struct | object of `properties`; `required` are those that are never null |
//!
//! What may be null may also be the type `null`. The title is that of Avro's records without a name.

use serde_json::{Map, Value, json};

use crate::types::SparkType;

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";
const TITLE: &str = "topLevelRecord";

/// The text of the schema of a column whose NULLs are not written.
pub(super) fn of(data_type: &SparkType) -> String {
    let mut schema =
        Map::from_iter([("$schema".to_owned(), json!(DRAFT)), ("title".to_owned(), json!(TITLE))]);
    schema.extend(node(data_type, false));
    Value::Object(schema).to_string()
}

fn node(data_type: &SparkType, nullable: bool) -> Map<String, Value> {
    let mut node = Map::new();
    let name = match data_type {
        SparkType::Byte | SparkType::Short | SparkType::Integer | SparkType::Long => "integer",
        SparkType::Float | SparkType::Double | SparkType::Decimal(..) => "number",
        SparkType::Boolean => "boolean",
        SparkType::Array(..) => "array",
        SparkType::Map(..) | SparkType::Struct(_) => "object",
        SparkType::Null => "null",
        _ => "string",
    };
    let nullable = nullable && name != "null";
    node.insert("type".into(), if nullable { json!([name, "null"]) } else { json!(name) });
    match data_type {
        SparkType::Binary => drop(node.insert("contentEncoding".into(), json!("base64"))),
        SparkType::Array(element, nulls) => {
            node.insert("items".into(), Value::Object(self::node(element, *nulls)));
        }
        SparkType::Map(_, value, nulls) => {
            node.insert("additionalProperties".into(), Value::Object(self::node(value, *nulls)));
        }
        SparkType::Struct(fields) => {
            let property = |f: &crate::types::StructField| {
                (f.name.to_string(), self::node(&f.data_type, f.nullable).into())
            };
            let properties: Map<String, Value> = fields.fields.iter().map(property).collect();
            node.insert("properties".into(), properties.into());
            let required = fields.fields.iter().filter(|f| !f.nullable).map(|f| json!(*f.name));
            let required: Vec<Value> = required.collect();
            if !required.is_empty() {
                node.insert("required".into(), required.into());
            }
        }
        _ => {}
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_gives_its_schema() {
        let ddl =
            "a INT NOT NULL, b ARRAY<STRING>, m MAP<STRING, STRUCT<d: DECIMAL(5,2), x: BINARY>>, t TIMESTAMP";
        let schema: Value =
            serde_json::from_str(&of(&SparkType::Struct(crate::types::StructType::parse_ddl(ddl).unwrap())))
                .unwrap();
        let expected = json!({
            "$schema": DRAFT, "title": TITLE, "type": "object",
            "properties": {
                "a": {"type": "integer"},
                "b": {"type": ["array", "null"], "items": {"type": ["string", "null"]}},
                "m": {"type": ["object", "null"], "additionalProperties": {
                    "type": ["object", "null"],
                    "properties": {
                        "d": {"type": ["number", "null"]},
                        "x": {"type": ["string", "null"], "contentEncoding": "base64"},
                    },
                }},
                "t": {"type": ["string", "null"]},
            },
            "required": ["a"],
        });
        assert_eq!(schema, expected);
    }
}
