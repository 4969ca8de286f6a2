//! Default values: JSON in the schema, encoded once as Avro, so that they are read like what a writer wrote.
//!
//! JSON's form by type (specification 1.12, "field default values"): bytes and fixed are text whose characters
//! U+0000 to U+00FF are the bytes; a union takes the first of its branches that fits.

use serde_json::Value;

use super::schema::{Kind, Schema, Type};
use super::sql_type::MOST_LEVELS;
use super::writer::{write_bytes, write_long};

/// None if the value is not one of the type.
pub(super) fn encode_default(schema: &Schema, of: &Type, value: &Value) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    encode(schema, of, value, &mut out, 0)?;
    Some(out)
}

fn encode(schema: &Schema, of: &Type, value: &Value, out: &mut Vec<u8>, depth: usize) -> Option<()> {
    if depth > MOST_LEVELS {
        return None;
    }
    match of {
        Type::Null => value.is_null().then_some(())?,
        Type::Boolean => out.push(u8::from(value.as_bool()?)),
        Type::Int(_) => write_long(i64::from(i32::try_from(value.as_i64()?).ok()?), out),
        Type::Long(_) => write_long(value.as_i64()?, out),
        Type::Float => out.extend_from_slice(&(number(value)? as f32).to_le_bytes()),
        Type::Double => out.extend_from_slice(&number(value)?.to_le_bytes()),
        Type::Bytes(_) => write_bytes(&bytes(value)?, out),
        Type::String => write_bytes(value.as_str()?.as_bytes(), out),
        Type::Array(items) => {
            let values = value.as_array()?;
            block(values.len(), out);
            for value in values {
                encode(schema, items, value, out, depth + 1)?;
            }
            out.push(0);
        }
        Type::Map(of) => {
            let values = value.as_object()?;
            block(values.len(), out);
            for (key, value) in values {
                write_bytes(key.as_bytes(), out);
                encode(schema, of, value, out, depth + 1)?;
            }
            out.push(0);
        }
        Type::Union(branches) => {
            let start = out.len();
            let fits = branches.iter().enumerate().any(|(index, branch)| {
                out.truncate(start);
                write_long(index as i64, out);
                encode(schema, branch, value, out, depth + 1).is_some()
            });
            fits.then_some(())?;
        }
        Type::Named(index) => match &schema.named(*index).kind {
            Kind::Fixed { size, .. } => {
                let bytes = bytes(value)?;
                (bytes.len() == *size).then(|| out.extend_from_slice(&bytes))?;
            }
            Kind::Enum { symbols, .. } => {
                let text = value.as_str()?;
                write_long(symbols.iter().position(|symbol| symbol == text)? as i64, out);
            }
            Kind::Record(fields) => {
                let values = value.as_object()?;
                for field in fields {
                    let value = values.get(&field.name).or(field.default.as_ref())?;
                    encode(schema, &field.of, value, out, depth + 1)?;
                }
            }
        },
    }
    Some(())
}

fn block(count: usize, out: &mut Vec<u8>) {
    if count > 0 {
        write_long(count as i64, out);
    }
}

/// Numbers, and the texts that stand for what JSON cannot write.
fn number(value: &Value) -> Option<f64> {
    match value.as_str() {
        Some("NaN") => Some(f64::NAN),
        Some("Infinity" | "INF") => Some(f64::INFINITY),
        Some("-Infinity" | "-INF") => Some(f64::NEG_INFINITY),
        Some(_) => None,
        None => value.as_f64(),
    }
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    value.as_str()?.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}
