//! A schema to JSON text.

use serde_json::{Map, Value, json};

use super::{Decimal, Kind, Logical, Schema, Type};

pub(super) fn render(schema: &Schema) -> String {
    let mut written = vec![false; schema.names.len()];
    of_type(schema, &schema.root, "", &mut written).to_string()
}

fn of_type(schema: &Schema, of: &Type, namespace: &str, written: &mut [bool]) -> Value {
    match of {
        Type::Int(Some(logical)) => with_logical("int", *logical),
        Type::Long(Some(logical)) => with_logical("long", *logical),
        Type::Bytes(Some(decimal)) => {
            let mut object = Map::from_iter([("type".to_owned(), json!("bytes"))]);
            add_decimal(&mut object, *decimal);
            Value::Object(object)
        }
        Type::Array(items) => {
            json!({"type": "array", "items": of_type(schema, items, namespace, written)})
        }
        Type::Map(values) => json!({"type": "map", "values": of_type(schema, values, namespace, written)}),
        Type::Union(branches) => {
            branches.iter().map(|b| of_type(schema, b, namespace, written)).collect::<Vec<_>>().into()
        }
        Type::Named(index) => named(schema, *index, namespace, written),
        primitive => json!(schema.type_name(primitive)),
    }
}

fn named(schema: &Schema, index: usize, around: &str, written: &mut [bool]) -> Value {
    let named = schema.named(index);
    if written[index] {
        let same = named.name.namespace == around;
        return if same { json!(named.name.simple) } else { json!(named.name.full()) };
    }
    written[index] = true;
    let kind = match &named.kind {
        Kind::Record(_) => "record",
        Kind::Enum { .. } => "enum",
        Kind::Fixed { .. } => "fixed",
    };
    let mut object = Map::new();
    object.insert("type".into(), json!(kind));
    object.insert("name".into(), json!(named.name.simple));
    if named.name.namespace != around {
        object.insert("namespace".into(), json!(named.name.namespace));
    }
    if !named.aliases.is_empty() {
        object.insert("aliases".into(), json!(named.aliases));
    }
    match &named.kind {
        Kind::Record(fields) => {
            let fields = fields.iter().map(|field| {
                let of = of_type(schema, &field.of, &named.name.namespace, written);
                let mut object = Map::new();
                object.insert("name".into(), json!(field.name));
                object.insert("type".into(), of);
                if let Some(default) = &field.default {
                    object.insert("default".into(), default.clone());
                }
                if !field.aliases.is_empty() {
                    object.insert("aliases".into(), json!(field.aliases));
                }
                Value::Object(object)
            });
            object.insert("fields".into(), fields.collect::<Vec<_>>().into());
        }
        Kind::Enum { symbols, default } => {
            object.insert("symbols".into(), json!(symbols));
            if let Some(default) = default {
                object.insert("default".into(), json!(symbols[*default]));
            }
        }
        Kind::Fixed { size, decimal } => {
            object.insert("size".into(), json!(size));
            if let Some(decimal) = decimal {
                add_decimal(&mut object, *decimal);
            }
        }
    }
    Value::Object(object)
}

fn add_decimal(object: &mut Map<String, Value>, decimal: Decimal) {
    object.insert("logicalType".into(), json!("decimal"));
    object.insert("precision".into(), json!(decimal.precision));
    object.insert("scale".into(), json!(decimal.scale));
}

fn with_logical(of: &str, logical: Logical) -> Value {
    let name = match logical {
        Logical::Date => "date",
        Logical::TimestampMillis => "timestamp-millis",
        Logical::TimestampMicros => "timestamp-micros",
        Logical::LocalTimestampMillis => "local-timestamp-millis",
        Logical::LocalTimestampMicros => "local-timestamp-micros",
        Logical::YearMonth => {
            return json!({"type": of, "spark.sql.catalyst.type": "interval year to month"});
        }
        Logical::DayTime => {
            return json!({"type": of, "spark.sql.catalyst.type": "interval day to second"});
        }
    };
    json!({"type": of, "logicalType": name})
}
