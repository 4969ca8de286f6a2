//! A message as a struct, by Spark's table of types.
//!
//! | Protobuf | Spark |
//! |---|---|
//! | bool, float, double, string, bytes | boolean, float, double, string, binary |
//! | int32, sint32, sfixed32, fixed32, uint32 | int; uint32 is bigint with `upcast.unsigned.ints` |
//! | int64, sint64, sfixed64, fixed64, uint64 | bigint; uint64 is decimal(20,0) with `upcast.unsigned.ints` |
//! | an enum | string, its value's name; int with `enums.as.ints` |
//! | a message, a group | struct |
//! | a message named Timestamp or Duration of `seconds` and `nanos` | timestamp, interval day to second |
//! | `google.protobuf.Int64Value` and the like | struct; the value's type with `unwrap.primitive.wrapper.types` |
//! | repeated, map | array, map; their elements are never null, but for unwrapped wrappers |
//!
//! A message inside of itself is refused, or left out beyond `recursive.fields.max.depth`. A message without
//! fields is left out, or has one dummy field.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, TimeUnit};

use super::declared::{FieldDescriptor, UNRESOLVED};
use super::descriptor::{DescriptorSet, Enum, Message};
use super::options::ProtobufOptions;
use crate::{Error, Result, types};

/// Name of the field that keeps a struct without fields.
const DUMMY: &str = "__dummy_field_in_empty_struct";
/// Fields of a schema, all levels together: a small set can describe a tree of any size.
const MAX_FIELDS: usize = 20_000;
/// Levels of a schema.
const MAX_LEVELS: usize = 64;

/// A message with what its fields become.
#[derive(Debug)]
pub(super) struct Plan {
    pub name: String,
    pub fields: Vec<FieldPlan>,
    /// Field by number: for small numbers a table, else a search in `sorted`.
    table: Vec<u16>,
    sorted: Vec<(u32, u16)>,
    /// The struct's fields.
    pub arrow: Fields,
    /// Whether the struct has but the dummy field.
    pub dummy: bool,
}

/// A field. Fields that are left out have no plan and are skipped as unknown ones are.
#[derive(Debug, Clone)]
pub(super) struct FieldPlan {
    pub name: String,
    pub number: u32,
    pub kind: Kind,
    pub shape: Shape,
    pub required: bool,
    /// False: a zero on the wire is as if nothing were there.
    pub presence: bool,
    /// The value where nothing was there, if that is not null.
    pub absent: Option<Scalar>,
    pub oneof: Option<u32>,
    /// How the writer writes repeated numbers.
    pub packed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Single,
    Repeated,
    Map,
}

/// What stands on the wire, and what it becomes.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Bool,
    Int32,
    Sint32,
    Fixed32,
    Uint32,
    /// As bigint.
    Uint32Long,
    Int64,
    Sint64,
    Fixed64,
    Uint64,
    /// As decimal(20,0).
    Uint64Decimal,
    Float,
    Double,
    /// Whether bytes that are not UTF-8 are refused.
    String {
        strict: bool,
    },
    Bytes,
    EnumName(Arc<Enum>, String),
    EnumNumber(Arc<Enum>),
    Message(Arc<Plan>),
    Group(Arc<Plan>),
    Timestamp,
    Duration,
    /// A wrapper message as its value.
    Wrapped(Box<FieldPlan>),
    /// Entries of a map: key and value.
    Entry(Box<FieldPlan>, Box<FieldPlan>),
}

/// A default value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Bool(bool),
    /// Integers and enums, by their number.
    Integer(i64),
    Float(f64),
    Bytes(Vec<u8>),
}

impl Plan {
    #[inline(always)]
    pub fn field(&self, number: u32) -> Option<usize> {
        if let Some(index) = self.table.get(number as usize) {
            return (*index != u16::MAX).then_some(usize::from(*index));
        }
        let found = self.sorted.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        Some(usize::from(self.sorted[found].1))
    }

    fn new(name: String, fields: Vec<FieldPlan>, arrow: Fields, dummy: bool) -> Self {
        let mut sorted: Vec<(u32, u16)> =
            fields.iter().enumerate().map(|(index, field)| (field.number, index as u16)).collect();
        sorted.sort_unstable();
        let longest = sorted.iter().map(|(number, _)| *number as usize + 1).filter(|n| *n <= 256).max();
        let mut table = vec![u16::MAX; longest.unwrap_or(0)];
        for (number, index) in &sorted {
            if let Some(place) = table.get_mut(*number as usize) {
                *place = *index;
            }
        }
        Self { name, fields, table, sorted, arrow, dummy }
    }

    /// Compiles a message.
    pub fn compile(set: &DescriptorSet, message: &Message, options: &ProtobufOptions) -> Result<Arc<Self>> {
        let mut building = Building { set, options, depths: HashMap::new(), fields: 0, levels: 0 };
        building.depths.insert(message.full_name.clone(), 1);
        building.message(message)
    }
}

struct Building<'a> {
    set: &'a DescriptorSet,
    options: &'a ProtobufOptions,
    /// How often each message stands on the way from the root.
    depths: HashMap<String, usize>,
    fields: usize,
    levels: usize,
}

impl Building<'_> {
    fn message(&mut self, message: &Message) -> Result<Arc<Plan>> {
        self.levels += 1;
        if self.levels > MAX_LEVELS {
            return Err(too_large("levels", self.levels, MAX_LEVELS));
        }
        let mut fields = Vec::new();
        for field in &message.fields {
            fields.extend(self.field(field)?);
        }
        self.levels -= 1;
        let mut arrow: Vec<Field> = fields.iter().map(FieldPlan::arrow).collect();
        let dummy = arrow.is_empty() && self.options.retain_empty_message_types;
        if dummy {
            arrow.push(Field::new(DUMMY, DataType::Utf8View, true));
        }
        Ok(Arc::new(Plan::new(message.full_name.clone(), fields, arrow.into(), dummy)))
    }

    fn field(&mut self, field: &FieldDescriptor) -> Result<Option<FieldPlan>> {
        self.fields += 1;
        if self.fields > MAX_FIELDS {
            return Err(too_large("fields", self.fields, MAX_FIELDS));
        }
        let mut shape = if field.repeated { Shape::Repeated } else { Shape::Single };
        let Some(kind) = self.kind(field)? else { return Ok(None) };
        if matches!(kind, Kind::Entry(..)) {
            shape = Shape::Map;
        }
        let is_message = matches!(field.kind, 10 | 11);
        let presence = is_message || !field.proto3 || field.oneof.is_some() || field.proto3_optional;
        let absent = match (&field.default, shape) {
            (Some(text), Shape::Single) => Some(scalar(text, &kind)?),
            (None, Shape::Single) if !presence && self.options.emit_default_values => Some(kind.zero()),
            _ => None,
        };
        let numeric = !matches!(field.kind, 9..=12);
        Ok(Some(FieldPlan {
            name: field.name.clone(),
            number: field.number,
            kind,
            shape,
            required: field.required,
            presence,
            absent,
            oneof: field.oneof,
            packed: numeric && field.packed.unwrap_or(field.proto3),
        }))
    }

    /// None where the field is left out.
    fn kind(&mut self, field: &FieldDescriptor) -> Result<Option<Kind>> {
        let upcast = self.options.upcast_unsigned_ints;
        Ok(Some(match field.kind {
            1 => Kind::Double,
            2 => Kind::Float,
            3 => Kind::Int64,
            4 if upcast => Kind::Uint64Decimal,
            4 => Kind::Uint64,
            5 => Kind::Int32,
            6 | 16 => Kind::Fixed64,
            7 | 15 => Kind::Fixed32,
            8 => Kind::Bool,
            9 => Kind::String { strict: field.proto3 },
            10 => return self.nested(field),
            11 => return self.nested(field),
            12 => Kind::Bytes,
            13 if upcast => Kind::Uint32Long,
            13 => Kind::Uint32,
            14 => {
                let found = self.set.enums.get(&field.type_name).ok_or_else(|| missing(&field.type_name))?;
                if self.options.enums_as_ints {
                    Kind::EnumNumber(Arc::clone(found))
                } else {
                    Kind::EnumName(Arc::clone(found), field.type_name.as_ref().to_owned())
                }
            }
            17 => Kind::Sint32,
            18 => Kind::Sint64,
            UNRESOLVED if !field.type_name.is_empty() => return Err(missing(&field.type_name)),
            other => {
                return Err(Error::BadDescriptor {
                    why: format!("field {} has the type {other}", field.name),
                });
            }
        }))
    }

    fn nested(&mut self, field: &FieldDescriptor) -> Result<Option<Kind>> {
        let message = self.set.messages.get(&field.type_name).ok_or_else(|| missing(&field.type_name))?;
        let message = Arc::clone(message);
        let short = message.full_name.rsplit('.').next().unwrap_or_default();
        let names: Vec<&str> = message.fields.iter().map(|field| field.name.as_str()).collect();
        if names == ["seconds", "nanos"] && short == "Duration" {
            return Ok(Some(Kind::Duration));
        }
        if names == ["seconds", "nanos"] && short == "Timestamp" {
            return Ok(Some(Kind::Timestamp));
        }
        let wraps_one = names == ["value"] && is_wrapper(&message.full_name) && is_scalar(&message.fields[0]);
        if self.options.unwrap_primitive_wrapper_types && wraps_one {
            return Ok(self.field(&message.fields[0])?.map(|value| Kind::Wrapped(Box::new(value))));
        }
        if field.repeated && message.is_map_entry {
            let by_name = |name| message.fields.iter().find(|field| field.name == name);
            let key = by_name("key").filter(|key| is_scalar(key));
            let value = by_name("value").filter(|value| !value.repeated);
            let (Some(key), Some(value)) = (key, value) else {
                return Err(Error::BadDescriptor { why: format!("{} is no map entry", message.full_name) });
            };
            return Ok(match (self.field(key)?, self.field(value)?) {
                (Some(key), Some(value)) => Some(Kind::Entry(Box::new(key), Box::new(value))),
                _ => None,
            });
        }
        let depth = self.depths.get(&message.full_name).copied().unwrap_or(0);
        if depth > 0 {
            match self.options.recursive_fields_max_depth {
                None => {
                    return Err(Error::RecursiveMessage {
                        field: format!("{} {}", message.full_name, field.name),
                    });
                }
                Some(limit) if depth >= limit => return Ok(None),
                Some(_) => {}
            }
        }
        self.depths.insert(message.full_name.clone(), depth + 1);
        let plan = self.message(&message)?;
        match depth {
            0 => drop(self.depths.remove(&message.full_name)),
            _ => drop(self.depths.insert(message.full_name.clone(), depth)),
        }
        if plan.fields.is_empty() && !plan.dummy {
            return Ok(None);
        }
        Ok(Some(if field.kind == 10 { Kind::Group(plan) } else { Kind::Message(plan) }))
    }
}

/// Whether it is one value, and no message or group.
fn is_scalar(field: &FieldDescriptor) -> bool {
    !field.repeated && !matches!(field.kind, 10 | 11)
}

pub(super) fn is_wrapper(name: &str) -> bool {
    const WRAPPERS: [&str; 9] = [
        "BoolValue",
        "Int32Value",
        "UInt32Value",
        "Int64Value",
        "UInt64Value",
        "StringValue",
        "BytesValue",
        "FloatValue",
        "DoubleValue",
    ];
    name.strip_prefix("google.protobuf.").is_some_and(|short| WRAPPERS.contains(&short))
}

fn missing(name: &str) -> Error {
    let why = format!(
        "{name} is used but not described; write a descriptor set with --include_imports, register a schema with \
         references to what it imports"
    );
    Error::BadDescriptor { why }
}

fn too_large(unit: &'static str, found: usize, limit: usize) -> Error {
    Error::LimitExceeded {
        what: "the message's schema".into(),
        unit,
        found,
        limit,
        setting: "the option recursive.fields.max.depth (lower it)",
    }
}

impl FieldPlan {
    fn arrow(&self) -> Field {
        Field::new(&self.name, self.data_type(), !self.required || self.kind.may_be_null())
    }

    /// The column's type.
    pub fn data_type(&self) -> DataType {
        match (&self.kind, self.shape) {
            (kind @ Kind::Entry(..), _) => kind.data_type(),
            (kind, Shape::Repeated) => types::list(kind.data_type(), kind.may_be_null()),
            (kind, _) => kind.data_type(),
        }
    }
}

impl Kind {
    pub fn data_type(&self) -> DataType {
        match self {
            Kind::Bool => DataType::Boolean,
            Kind::Int32 | Kind::Uint32 | Kind::Sint32 | Kind::Fixed32 | Kind::EnumNumber(_) => {
                DataType::Int32
            }
            Kind::Uint32Long | Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 => DataType::Int64,
            Kind::Uint64Decimal => DataType::Decimal128(20, 0),
            Kind::Float => DataType::Float32,
            Kind::Double => DataType::Float64,
            Kind::String { .. } | Kind::EnumName(..) => DataType::Utf8View,
            Kind::Bytes => DataType::BinaryView,
            Kind::Message(plan) | Kind::Group(plan) => DataType::Struct(plan.arrow.clone()),
            Kind::Timestamp => types::timestamp(),
            Kind::Duration => DataType::Duration(TimeUnit::Microsecond),
            Kind::Wrapped(value) => value.kind.data_type(),
            Kind::Entry(key, value) => {
                types::map(key.kind.data_type(), value.kind.data_type(), value.kind.may_be_null())
            }
        }
    }

    /// Whether a value that is there can be null: an unwrapped wrapper without its value.
    pub fn may_be_null(&self) -> bool {
        matches!(self, Kind::Wrapped(_))
    }

    /// The value of a field that is not on the wire.
    pub fn zero(&self) -> Scalar {
        match self {
            Kind::Bool => Scalar::Bool(false),
            Kind::Float | Kind::Double => Scalar::Float(0.0),
            Kind::String { .. } | Kind::Bytes => Scalar::Bytes(Vec::new()),
            Kind::EnumName(values, _) | Kind::EnumNumber(values) => {
                Scalar::Integer(values.values.first().map_or(0, |(_, code)| (*code).into()))
            }
            Kind::Wrapped(value) => value.kind.zero(),
            _ => Scalar::Integer(0),
        }
    }
}

/// A default of proto2 as its descriptor has it.
fn scalar(text: &str, kind: &Kind) -> Result<Scalar> {
    let bad = || Error::BadDescriptor { why: format!("the default value {text:?} does not fit its field") };
    Ok(match kind {
        Kind::Bool => Scalar::Bool(text == "true"),
        Kind::Float | Kind::Double => Scalar::Float(match text {
            "inf" => f64::INFINITY,
            "-inf" => f64::NEG_INFINITY,
            "nan" => f64::NAN,
            number => number.parse().map_err(|_| bad())?,
        }),
        Kind::String { .. } => Scalar::Bytes(text.as_bytes().to_vec()),
        Kind::Bytes => Scalar::Bytes(unescaped(text).ok_or_else(bad)?),
        Kind::EnumName(values, _) | Kind::EnumNumber(values) => {
            let found = values.values.iter().find(|(name, _)| name == text);
            Scalar::Integer(found.ok_or_else(bad)?.1.into())
        }
        _ => match text.parse::<i64>() {
            Ok(number) => Scalar::Integer(number),
            // Unsigned numbers keep their bits.
            Err(_) => Scalar::Integer(text.parse::<u64>().map_err(|_| bad())? as i64),
        },
    })
}

/// Bytes with C's escapes.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        out.push(match bytes.next()? {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'v' => 11,
            first @ b'0'..=b'7' => {
                let mut value = u32::from(first - b'0');
                for _ in 0..2 {
                    match bytes.peek() {
                        Some(digit @ b'0'..=b'7') => value = value * 8 + u32::from(digit - b'0'),
                        _ => break,
                    }
                    bytes.next();
                }
                u8::try_from(value).ok()?
            }
            b'x' | b'X' => {
                let digits: String =
                    std::iter::from_fn(|| bytes.next_if(u8::is_ascii_hexdigit)).map(char::from).collect();
                u8::from_str_radix(&digits, 16).ok()?
            }
            other => other,
        });
    }
    Some(out)
}
