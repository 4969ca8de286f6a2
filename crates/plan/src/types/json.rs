//! Schemas as Spark writes them in JSON: `{"type":"struct","fields":[...]}`. Serde uses this form.
use serde_json::{Value, json};

use super::{SparkType, StructField, StructType};

impl From<SparkType> for Value {
    fn from(data_type: SparkType) -> Self {
        match data_type {
            SparkType::Array(element, nulls) => {
                json!({"type": "array", "elementType": Value::from(*element), "containsNull": nulls})
            }
            SparkType::Map(key, value, nulls) => json!({
                "type": "map", "keyType": Value::from(*key), "valueType": Value::from(*value),
                "valueContainsNull": nulls
            }),
            SparkType::Struct(fields) => fields.into(),
            other => Value::String(other.type_name()),
        }
    }
}

impl From<StructType> for Value {
    fn from(of: StructType) -> Self {
        let fields: Vec<Value> = of.fields.into_iter().map(field_to_json).collect();
        json!({"type": "struct", "fields": fields})
    }
}

fn field_to_json(field: StructField) -> Value {
    json!({
        "name": field.name.as_ref(), "type": Value::from(field.data_type), "nullable": field.nullable,
        "metadata": {}
    })
}

impl TryFrom<Value> for SparkType {
    type Error = String;

    fn try_from(json: Value) -> Result<Self, String> {
        from_json(&json, 0)
    }
}

impl TryFrom<Value> for StructType {
    type Error = String;

    fn try_from(json: Value) -> Result<Self, String> {
        match from_json(&json, 0)? {
            SparkType::Struct(fields) => Ok(fields),
            other => Err(format!("expected a struct, found {}", other.simple_string())),
        }
    }
}

fn from_json(json: &Value, depth: usize) -> Result<SparkType, String> {
    if depth > super::MAX_DEPTH {
        return Err(format!("the type is nested deeper than {} levels", super::MAX_DEPTH));
    }
    if let Value::String(name) = json {
        return SparkType::parse_ddl(name).map_err(|_| format!("unknown type name {name:?}"));
    }
    let part = |key: &str| json.get(key).ok_or_else(|| format!("a type lacks {key:?}"));
    let flag = |key: &str| part(key)?.as_bool().ok_or_else(|| format!("{key:?} is not a boolean"));
    match part("type")?.as_str() {
        Some("array") => {
            Ok(SparkType::Array(Box::new(from_json(part("elementType")?, depth + 1)?), flag("containsNull")?))
        }
        Some("map") => Ok(SparkType::Map(
            Box::new(from_json(part("keyType")?, depth + 1)?),
            Box::new(from_json(part("valueType")?, depth + 1)?),
            flag("valueContainsNull")?,
        )),
        Some("struct") => {
            let fields = part("fields")?.as_array().ok_or("\"fields\" is not a list")?;
            fields
                .iter()
                .map(|f| field_from_json(f, depth + 1))
                .collect::<Result<_, _>>()
                .map(SparkType::Struct)
        }
        other => Err(format!("unknown kind of type {other:?}")),
    }
}

fn field_from_json(json: &Value, depth: usize) -> Result<StructField, String> {
    let name = json.get("name").and_then(Value::as_str).ok_or("a field lacks \"name\"")?;
    let data_type = json.get("type").ok_or_else(|| format!("the field {name:?} lacks \"type\""))?;
    let nullable = json.get("nullable").and_then(Value::as_bool).unwrap_or(true);
    Ok(StructField::new(name, from_json(data_type, depth)?, nullable))
}
