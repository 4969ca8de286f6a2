//! Which column type an Avro schema has, and which schema a column type gets; Spark's `SchemaConverters`.
//!
//! | Avro | column |
//! |---|---|
//! | null, boolean, int, long, float, double | void, boolean, int, bigint, float, double |
//! | bytes, string | binary, string |
//! | int date | date |
//! | long timestamp-millis, timestamp-micros | timestamp |
//! | long local-timestamp-millis, local-timestamp-micros | timestamp_ntz |
//! | bytes or fixed decimal(p, s) | decimal(p, s) |
//! | int time-millis, long time-micros, long timestamp-nanos | int, bigint, bigint |
//! | fixed duration, string uuid | binary, string |
//! | enum, fixed | string, binary |
//! | array, map, record | array, map with string keys, struct |
//! | union of null and others | as the others, nullable |
//! | union of int and long, of float and double | bigint, double |
//! | any other union | struct, a field for each branch |
//!
//! Spark 4.2 gives time-micros its type time(6), which the table of types here does not have.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, IntervalUnit, TimeUnit};

use super::AvroReadOptions;
use super::schema::{Decimal, Kind, Logical, Name, Named, RecordField, Schema, Type};
use crate::{Error, Result, types};

/// A column type and whether a value may be null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlType {
    /// A type of [`crate::types`].
    pub data_type: DataType,
    /// Whether null may stand there.
    pub nullable: bool,
}

/// Fields and types of a converted schema; named types that are used often multiply.
const MOST_NODES: usize = 20_000;
/// Largest precision of a decimal column.
const MOST_DIGITS: u32 = 38;
/// Levels of nesting; what reads and writes values recurs that deep.
pub(super) const MOST_LEVELS: usize = 200;

/// The column type of a schema; `mode` and `avroSchema` of the options have no influence.
///
/// # Errors
/// Recursive types without `recursiveFieldMaxDepth`; decimals of more than 38 digits; more than 20,000 fields or 200
/// levels.
pub fn sql_type(schema: &Schema, options: &AvroReadOptions) -> Result<SqlType> {
    let mut converter =
        Converter { schema, options, depths: vec![0; schema.names.len()], nodes: 0, level: 0 };
    converter.of(&schema.root)?.ok_or_else(|| refused("nothing is left of it at this depth"))
}

fn refused(why: impl Into<String>) -> Error {
    Error::BadSchema { why: why.into() }
}

struct Converter<'a> {
    schema: &'a Schema,
    options: &'a AvroReadOptions,
    /// How often each record is open around the current place.
    depths: Vec<u32>,
    nodes: usize,
    level: usize,
}

impl Converter<'_> {
    /// None for what is dropped below the deepest level of a recursive type.
    fn of(&mut self, of: &Type) -> Result<Option<SqlType>> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(refused(format!("it unfolds to more than {MOST_NODES} fields")));
        }
        if self.level >= MOST_LEVELS {
            return Err(refused(format!("it is nested deeper than {MOST_LEVELS} levels")));
        }
        self.level += 1;
        let found = self.any(of);
        self.level -= 1;
        found
    }

    fn any(&mut self, of: &Type) -> Result<Option<SqlType>> {
        let data_type = match of {
            Type::Null => return Ok(Some(SqlType { data_type: DataType::Null, nullable: true })),
            Type::Boolean => DataType::Boolean,
            Type::Int(Some(Logical::Date)) => DataType::Date32,
            Type::Int(Some(Logical::YearMonth)) => DataType::Interval(IntervalUnit::YearMonth),
            Type::Int(_) => DataType::Int32,
            Type::Long(Some(Logical::TimestampMillis | Logical::TimestampMicros)) => types::timestamp(),
            Type::Long(Some(Logical::LocalTimestampMillis | Logical::LocalTimestampMicros)) => {
                types::timestamp_ntz()
            }
            Type::Long(Some(Logical::DayTime)) => DataType::Duration(TimeUnit::Microsecond),
            Type::Long(_) => DataType::Int64,
            Type::Float => DataType::Float32,
            Type::Double => DataType::Float64,
            Type::Bytes(decimal) => binary_or_decimal(*decimal)?,
            Type::String => DataType::Utf8View,
            Type::Array(items) => match self.of(items)? {
                Some(element) => types::list(element.data_type, element.nullable),
                None => return Ok(None),
            },
            Type::Map(values) => match self.of(values)? {
                Some(value) => types::map(DataType::Utf8View, value.data_type, value.nullable),
                None => return Ok(None),
            },
            Type::Union(branches) => return self.union(branches),
            Type::Named(index) => match &self.schema.named(*index).kind {
                Kind::Enum { .. } => DataType::Utf8View,
                Kind::Fixed { decimal, .. } => binary_or_decimal(*decimal)?,
                Kind::Record(fields) => match self.record(*index, fields)? {
                    Some(data_type) => data_type,
                    None => return Ok(None),
                },
            },
        };
        Ok(Some(SqlType { data_type, nullable: false }))
    }

    fn record(&mut self, index: usize, fields: &[RecordField]) -> Result<Option<DataType>> {
        let depth = self.depths[index];
        match self.options.recursive_field_max_depth {
            None if depth > 0 => {
                return Err(refused(format!(
                    "Found recursive reference in Avro schema, which can not be processed by default: {}. \
                     Try setting the option `recursiveFieldMaxDepth` to 1 - 15.",
                    self.schema.named(index).name.full()
                )));
            }
            Some(most) if depth >= most => return Ok(None),
            _ => {}
        }
        self.depths[index] += 1;
        let mut columns = Vec::with_capacity(fields.len());
        for field in fields {
            if let Some(found) = self.of(&field.of)? {
                columns.push(Field::new(&field.name, found.data_type, found.nullable));
            }
        }
        self.depths[index] -= 1;
        Ok(Some(DataType::Struct(columns.into())))
    }

    fn union(&mut self, branches: &[Type]) -> Result<Option<SqlType>> {
        let nullable = branches.contains(&Type::Null);
        let others: Vec<&Type> = non_null(branches).collect();
        let found = match shape(branches) {
            UnionShape::One(index) => self.of(&branches[index])?,
            UnionShape::Long => Some(SqlType { data_type: DataType::Int64, nullable: false }),
            UnionShape::Double => Some(SqlType { data_type: DataType::Float64, nullable: false }),
            UnionShape::Members => {
                let mut names = HashSet::new();
                let mut fields = Vec::with_capacity(others.len());
                for (index, branch) in others.into_iter().enumerate() {
                    if let Some(found) = self.of(branch)? {
                        let name = self.member(index, branch, &mut names)?;
                        fields.push(Field::new(name, found.data_type, true));
                    }
                }
                Some(SqlType { data_type: DataType::Struct(fields.into()), nullable: false })
            }
        };
        Ok(found.map(|found| SqlType { nullable: nullable || found.nullable, ..found }))
    }

    fn member(&self, index: usize, branch: &Type, names: &mut HashSet<String>) -> Result<String> {
        if !self.options.stable_union_ids {
            return Ok(format!("member{index}"));
        }
        let of = match branch {
            Type::Named(index) => self.schema.named(*index).name.simple.clone(),
            other => self.schema.type_name(other),
        };
        let name = format!("{}{of}", self.options.stable_union_prefix);
        if !names.insert(name.to_lowercase()) {
            return Err(refused(format!(
                "Cannot generate stable identifier for Avro union type due to name conflict of type name {of}"
            )));
        }
        Ok(name)
    }
}

/// What a union becomes, apart from null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UnionShape {
    /// The type of the branch at this place.
    One(usize),
    /// Of int and long.
    Long,
    /// Of float and double.
    Double,
    /// A struct with a field for each branch that is not null.
    Members,
}

pub(super) fn non_null(branches: &[Type]) -> impl Iterator<Item = &Type> {
    branches.iter().filter(|branch| **branch != Type::Null)
}

pub(super) fn shape(branches: &[Type]) -> UnionShape {
    let others: Vec<usize> = (0..branches.len()).filter(|index| branches[*index] != Type::Null).collect();
    match others.as_slice() {
        [one] => UnionShape::One(*one),
        [one, two] => match (&branches[*one], &branches[*two]) {
            (Type::Int(_), Type::Long(_)) | (Type::Long(_), Type::Int(_)) => UnionShape::Long,
            (Type::Float, Type::Double) | (Type::Double, Type::Float) => UnionShape::Double,
            _ => UnionShape::Members,
        },
        _ => UnionShape::Members,
    }
}

fn binary_or_decimal(decimal: Option<Decimal>) -> Result<DataType> {
    let Some(Decimal { precision, scale }) = decimal else { return Ok(DataType::BinaryView) };
    match (u8::try_from(precision), i8::try_from(scale)) {
        (Ok(p), Ok(s)) if precision <= MOST_DIGITS => Ok(DataType::Decimal128(p, s)),
        _ => Err(refused(format!("a decimal of {precision} digits is beyond the {MOST_DIGITS} of a column"))),
    }
}

/// The type with every part nullable, as PERMISSIVE reads it.
pub(super) fn as_nullable(data_type: &DataType) -> DataType {
    match data_type {
        DataType::List(element) => types::list(as_nullable(element.data_type()), true),
        DataType::Struct(fields) => DataType::Struct(
            fields.iter().map(|f| Field::new(f.name(), as_nullable(f.data_type()), true)).collect::<Fields>(),
        ),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(kv) if kv.len() == 2 => {
                types::map(as_nullable(kv[0].data_type()), as_nullable(kv[1].data_type()), true)
            }
            _ => data_type.clone(),
        },
        other => other.clone(),
    }
}

/// The schema that Spark gives to a column: records are named by their field (the root is `topLevelRecord`) in the
/// namespace of the records around them; what may be null is a union with null behind.
///
/// # Errors
/// A type that Avro has no place for: maps whose keys are not strings.
pub fn schema_of_type(data_type: &DataType, nullable: bool) -> Result<Schema> {
    let mut names = Vec::new();
    let root = to_avro(data_type, nullable, "topLevelRecord", "", &mut names)?;
    Ok(Schema { root, names: Arc::from(names) })
}

fn to_avro(
    of: &DataType,
    nullable: bool,
    record: &str,
    namespace: &str,
    names: &mut Vec<Named>,
) -> Result<Type> {
    let found = match of {
        DataType::Null => return Ok(Type::Null),
        DataType::Boolean => Type::Boolean,
        DataType::Int8 | DataType::Int16 | DataType::Int32 => Type::Int(None),
        DataType::Int64 => Type::Long(None),
        DataType::Float32 => Type::Float,
        DataType::Float64 => Type::Double,
        DataType::Date32 => Type::Int(Some(Logical::Date)),
        DataType::Timestamp(_, Some(_)) => Type::Long(Some(Logical::TimestampMicros)),
        DataType::Timestamp(_, None) => Type::Long(Some(Logical::LocalTimestampMicros)),
        DataType::Interval(IntervalUnit::YearMonth) => Type::Int(Some(Logical::YearMonth)),
        DataType::Duration(TimeUnit::Microsecond) => Type::Long(Some(Logical::DayTime)),
        DataType::Utf8View => Type::String,
        DataType::BinaryView => Type::Bytes(None),
        DataType::Decimal128(precision, scale) => {
            let decimal = Decimal { precision: u32::from(*precision), scale: scale.unsigned_abs().into() };
            let around = if namespace.is_empty() { record.into() } else { format!("{namespace}.{record}") };
            let name = Name { namespace: around, simple: "fixed".into() };
            let kind = Kind::Fixed { size: bytes_of_digits(decimal.precision), decimal: Some(decimal) };
            define(Named { name, aliases: Vec::new(), kind }, names)?
        }
        DataType::List(element) => {
            let items = to_avro(element.data_type(), element.is_nullable(), record, namespace, names)?;
            Type::Array(Box::new(items))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(kv) if kv.len() == 2 && kv[0].data_type() == &DataType::Utf8View => {
                let values = to_avro(kv[1].data_type(), kv[1].is_nullable(), record, namespace, names)?;
                Type::Map(Box::new(values))
            }
            _ => return Err(Error::UnsupportedType { operation: "to_avro", data_type: of.clone() }),
        },
        DataType::Struct(fields) => {
            let inner = if namespace.is_empty() { record.into() } else { format!("{namespace}.{record}") };
            let convert = |field: &Arc<Field>, names: &mut Vec<Named>| {
                let of = to_avro(field.data_type(), field.is_nullable(), field.name(), &inner, names)?;
                Ok(RecordField { name: field.name().clone(), aliases: Vec::new(), of, default: None })
            };
            let fields = fields.iter().map(|field| convert(field, names)).collect::<Result<_>>()?;
            let name = Name { namespace: namespace.into(), simple: record.into() };
            define(Named { name, aliases: Vec::new(), kind: Kind::Record(fields) }, names)?
        }
        _ => return Err(Error::UnsupportedType { operation: "to_avro", data_type: of.clone() }),
    };
    Ok(if nullable { Type::Union(vec![found, Type::Null]) } else { found })
}

/// Two equal definitions of one name are one type.
fn define(named: Named, names: &mut Vec<Named>) -> Result<Type> {
    let full = named.name.full();
    if let Some(index) = names.iter().position(|known| known.name.full() == full) {
        if names[index] == named {
            return Ok(Type::Named(index));
        }
        return Err(refused(format!("it would define {full:?} twice: name the fields differently")));
    }
    names.push(named);
    Ok(Type::Named(names.len() - 1))
}

/// Bytes of two's complement that hold so many digits.
fn bytes_of_digits(precision: u32) -> usize {
    let largest = 10i128.checked_pow(precision).map_or(i128::MAX, |power| power - 1);
    (1..16).find(|bytes| largest < 1i128 << (8 * bytes - 1)).unwrap_or(16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, options: &AvroReadOptions) -> Result<SqlType> {
        sql_type(&Schema::parse(text).unwrap(), options)
    }

    #[test]
    fn recursive_types_are_refused_or_cut_at_the_depth() {
        let node = r#"{"type":"record","name":"N","fields":[{"name":"v","type":"int"},
            {"name":"next","type":["null","N"]},{"name":"all","type":{"type":"array","items":"N"}}]}"#;
        let refused = of(node, &AvroReadOptions::default()).unwrap_err().to_string();
        assert!(refused.contains("recursiveFieldMaxDepth"), "{refused}");
        let mut options = AvroReadOptions { recursive_field_max_depth: Some(1), ..Default::default() };
        let int = Field::new("v", DataType::Int32, false);
        assert_eq!(
            of(node, &options).unwrap().data_type,
            DataType::Struct(vec![int].into()),
            "as Spark drops them"
        );
        options.recursive_field_max_depth = Some(15);
        assert!(of(node, &options).unwrap_err().to_string().contains("20000 fields"), "2^15 records");
    }

    #[test]
    fn types_that_double_at_each_level_do_not_explode() {
        let mut text = r#"{"type":"record","name":"R0","fields":[{"name":"a","type":"int"}]}"#.to_owned();
        for level in 1..30 {
            text = format!(
                r#"{{"type":"record","name":"R{level}","fields":[{{"name":"a","type":{text}}},
                   {{"name":"b","type":"R{}"}}]}}"#,
                level - 1
            );
        }
        assert!(of(&text, &AvroReadOptions::default()).unwrap_err().to_string().contains("20000"));
    }

    #[test]
    fn a_derived_schema_gives_the_type_back() {
        let inner = DataType::Struct(vec![Field::new("d", DataType::Decimal128(20, 3), true)].into());
        let fields = vec![
            Field::new("a", DataType::Int32, false),
            Field::new("l", types::list(inner.clone(), true), true),
            Field::new("m", types::map(DataType::Utf8View, types::timestamp(), false), false),
            Field::new("n", types::timestamp_ntz(), true),
            Field::new("x", inner, false),
        ];
        let data_type = DataType::Struct(fields.into());
        let schema = schema_of_type(&data_type, true).unwrap();
        let found = sql_type(&schema, &AvroReadOptions::default()).unwrap();
        assert_eq!(found, SqlType { data_type, nullable: true });
        assert!(schema.to_json().contains(r#""namespace":"topLevelRecord.l.d""#), "{}", schema.to_json());
        assert_eq!(Schema::parse(&schema.to_json()).unwrap().to_json(), schema.to_json());
        assert_eq!([1, 2, 3, 9, 18, 19, 38].map(bytes_of_digits), [1, 1, 2, 4, 8, 9, 16]);
    }
}
