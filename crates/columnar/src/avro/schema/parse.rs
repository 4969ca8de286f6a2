//! JSON text to a schema.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{Decimal, Kind, Logical, Name, Named, RecordField, Schema, Type};
use crate::{Error, Result};

/// Types in one schema, each use counted.
const MOST_TYPES: usize = 100_000;
/// Symbols, branches and fields of one type.
const MOST_MEMBERS: usize = 65_536;

/// Records of a schema that was parsed for its names only are dropped with it.
pub(super) fn parse(text: &str, references: &[String]) -> Result<Schema> {
    let mut parser = Parser { names: Vec::new(), known: HashMap::new(), types: 0 };
    for reference in references {
        parser.document(reference)?;
    }
    let root = parser.document(text)?;
    let names: Option<Vec<Named>> = parser.names.into_iter().collect();
    let names = names.ok_or_else(|| bad("a named type was left without its definition"))?;
    Ok(Schema { root, names: names.into() })
}

struct Parser {
    /// None while the type's own definition is being read.
    names: Vec<Option<Named>>,
    known: HashMap<String, usize>,
    types: usize,
}

fn bad(why: impl Into<String>) -> Error {
    Error::BadSchema { why: why.into() }
}

impl Parser {
    fn document(&mut self, text: &str) -> Result<Type> {
        // A bare name such as `string` is no JSON; Avro's own parser refuses it too.
        let value: Value = serde_json::from_str(text).map_err(|e| bad(format!("it is not JSON: {e}")))?;
        self.any(&value, "")
    }

    fn any(&mut self, value: &Value, namespace: &str) -> Result<Type> {
        self.types += 1;
        if self.types > MOST_TYPES {
            return Err(bad(format!("it has more than {MOST_TYPES} types")));
        }
        match value {
            Value::String(name) => self.by_name(name, namespace),
            Value::Array(branches) => self.union(branches, namespace),
            Value::Object(object) => self.object(object, namespace),
            other => Err(bad(format!("{other} is not a type: write a name, an object or an array"))),
        }
    }

    fn by_name(&self, name: &str, namespace: &str) -> Result<Type> {
        if let Some(primitive) = primitive(name) {
            return Ok(primitive);
        }
        let full = qualified(name, namespace).full();
        match self.known.get(&full).or_else(|| self.known.get(name)) {
            Some(index) => Ok(Type::Named(*index)),
            None => Err(bad(format!("the type {full:?} is not defined: define it before it is used"))),
        }
    }

    fn union(&mut self, branches: &[Value], namespace: &str) -> Result<Type> {
        members(branches.len())?;
        let branches: Vec<Type> =
            branches.iter().map(|branch| self.any(branch, namespace)).collect::<Result<_>>()?;
        let mut seen = std::collections::HashSet::new();
        for branch in &branches {
            if matches!(branch, Type::Union(_)) {
                return Err(bad("a union may not directly hold a union"));
            }
            if !seen.insert(branch_key(branch)) {
                return Err(bad("a union holds two branches of the same type"));
            }
        }
        Ok(Type::Union(branches))
    }

    fn object(&mut self, object: &Map<String, Value>, namespace: &str) -> Result<Type> {
        let of = match object.get("type") {
            Some(Value::String(name)) => name.as_str(),
            // {"type": {"type": "int"}} is the inner type.
            Some(inner @ (Value::Object(_) | Value::Array(_))) => return self.any(inner, namespace),
            _ => return Err(bad("an object has no \"type\"")),
        };
        match of {
            "record" | "error" | "enum" | "fixed" => self.define(of, object, namespace),
            "array" => {
                let items = object.get("items").ok_or_else(|| bad("an array has no \"items\""))?;
                Ok(Type::Array(Box::new(self.any(items, namespace)?)))
            }
            "map" => {
                let values = object.get("values").ok_or_else(|| bad("a map has no \"values\""))?;
                Ok(Type::Map(Box::new(self.any(values, namespace)?)))
            }
            name => Ok(with_logical(self.by_name(name, namespace)?, object)),
        }
    }

    fn define(&mut self, of: &str, object: &Map<String, Value>, around: &str) -> Result<Type> {
        let written = text(object, "name").ok_or_else(|| bad(format!("a type {of} has no \"name\"")))?;
        let name = qualified(written, text(object, "namespace").unwrap_or(around));
        check_name(&name.simple)?;
        let full = name.full();
        if self.known.contains_key(&full) {
            return Err(bad(format!("the type {full:?} is defined twice")));
        }
        let index = self.names.len();
        self.known.insert(full.clone(), index);
        self.names.push(None);
        let kind = match of {
            "enum" => enumeration(object, &full)?,
            "fixed" => fixed(object, &full)?,
            _ => Kind::Record(self.record_fields(object, &full, &name.namespace)?),
        };
        let aliases = texts(object, "aliases").map(|a| qualified(a, &name.namespace).full()).collect();
        self.names[index] = Some(Named { name, aliases, kind });
        Ok(Type::Named(index))
    }

    fn record_fields(
        &mut self,
        object: &Map<String, Value>,
        full: &str,
        namespace: &str,
    ) -> Result<Vec<RecordField>> {
        let fields = object.get("fields").and_then(Value::as_array);
        let fields = fields.ok_or_else(|| bad(format!("the record {full:?} has no \"fields\"")))?;
        members(fields.len())?;
        let mut seen = std::collections::HashSet::new();
        let mut out = Vec::with_capacity(fields.len());
        for field in fields {
            let object = field.as_object();
            let name = object.and_then(|o| text(o, "name"));
            let (Some(object), Some(name)) = (object, name) else {
                return Err(bad(format!("a field of the record {full:?} has no \"name\"")));
            };
            check_name(name)?;
            if !seen.insert(name) {
                return Err(bad(format!("the record {full:?} has two fields {name:?}")));
            }
            let written = object.get("type");
            let written =
                written.ok_or_else(|| bad(format!("the field {name:?} of {full:?} has no \"type\"")))?;
            out.push(RecordField {
                name: name.to_owned(),
                aliases: texts(object, "aliases").map(str::to_owned).collect(),
                of: self.any(written, namespace)?,
                default: object.get("default").cloned(),
            });
        }
        Ok(out)
    }
}

fn primitive(name: &str) -> Option<Type> {
    Some(match name {
        "null" => Type::Null,
        "boolean" => Type::Boolean,
        "int" => Type::Int(None),
        "long" => Type::Long(None),
        "float" => Type::Float,
        "double" => Type::Double,
        "bytes" => Type::Bytes(None),
        "string" => Type::String,
        _ => return None,
    })
}

/// A primitive type with the object's logical type, if both fit.
fn with_logical(of: Type, object: &Map<String, Value>) -> Type {
    let catalyst = || text(object, "spark.sql.catalyst.type").map(str::to_ascii_lowercase);
    let logical = text(object, "logicalType");
    match of {
        Type::Int(_) => Type::Int(match logical {
            Some("date") => Some(Logical::Date),
            _ => catalyst().filter(|t| t.starts_with("interval")).map(|_| Logical::YearMonth),
        }),
        Type::Long(_) => Type::Long(match logical {
            Some("timestamp-millis") => Some(Logical::TimestampMillis),
            Some("timestamp-micros") => Some(Logical::TimestampMicros),
            Some("local-timestamp-millis") => Some(Logical::LocalTimestampMillis),
            Some("local-timestamp-micros") => Some(Logical::LocalTimestampMicros),
            _ => catalyst().filter(|t| t.starts_with("interval")).map(|_| Logical::DayTime),
        }),
        Type::Bytes(_) => Type::Bytes(decimal(object, None)),
        other => other,
    }
}

/// The decimal of an object, if it is one and valid.
fn decimal(object: &Map<String, Value>, size: Option<usize>) -> Option<Decimal> {
    if text(object, "logicalType") != Some("decimal") {
        return None;
    }
    let number = |key: &str| object.get(key).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let precision = number("precision").filter(|p| *p > 0)?;
    let scale = if object.contains_key("scale") { number("scale")? } else { 0 };
    // Digits that `size` bytes of two's complement hold: floor(log10(2^(8 size - 1) - 1)).
    let most = size.map_or(f64::INFINITY, |size| ((8.0 * size as f64 - 1.0) * 2f64.log10()).floor());
    (scale <= precision && f64::from(precision) <= most).then_some(Decimal { precision, scale })
}

fn enumeration(object: &Map<String, Value>, full: &str) -> Result<Kind> {
    let written = object.get("symbols").and_then(Value::as_array);
    let written = written.ok_or_else(|| bad(format!("the enum {full:?} has no \"symbols\"")))?;
    members(written.len())?;
    let symbols: Option<Vec<String>> = written.iter().map(|s| s.as_str().map(str::to_owned)).collect();
    let symbols = symbols.ok_or_else(|| bad(format!("a symbol of the enum {full:?} is not a string")))?;
    let different: std::collections::HashSet<&String> = symbols.iter().collect();
    if different.len() < symbols.len() {
        return Err(bad(format!("the enum {full:?} has a symbol twice")));
    }
    let default = match text(object, "default") {
        None => None,
        Some(default) => match symbols.iter().position(|symbol| symbol == default) {
            None => {
                return Err(bad(format!("the default {default:?} of the enum {full:?} is not a symbol")));
            }
            found => found,
        },
    };
    Ok(Kind::Enum { symbols, default })
}

fn fixed(object: &Map<String, Value>, full: &str) -> Result<Kind> {
    let size = object.get("size").and_then(Value::as_u64).filter(|size| *size <= i32::MAX as u64);
    let size = size.ok_or_else(|| bad(format!("the fixed {full:?} has no valid \"size\"")))? as usize;
    Ok(Kind::Fixed { size, decimal: decimal(object, Some(size)) })
}

fn qualified(name: &str, namespace: &str) -> Name {
    let (namespace, simple) = name.rsplit_once('.').unwrap_or((namespace, name));
    Name { namespace: namespace.to_owned(), simple: simple.to_owned() }
}

/// Letters, digits and `_`, not a digit first; letters of any script, as Avro's Java library takes them.
fn check_name(name: &str) -> Result<()> {
    let first = name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    if first && name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Ok(());
    }
    Err(bad(format!("{name:?} is not a name: use letters, digits and _, not beginning with a digit")))
}

fn members(count: usize) -> Result<()> {
    if count > MOST_MEMBERS {
        return Err(bad(format!("a type has more than {MOST_MEMBERS} members")));
    }
    Ok(())
}

/// Branches with equal keys may not stand in one union.
fn branch_key(branch: &Type) -> (std::mem::Discriminant<Type>, usize) {
    let index = match branch {
        Type::Named(index) => *index,
        _ => 0,
    };
    (std::mem::discriminant(branch), index)
}

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

fn texts<'a>(object: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a str> {
    object.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
