//! `to_protobuf`: a column of structs to a column of messages, by Spark's rules.
//!
//! Fields are matched by name, in any case. A field of the struct that the message has not, and a required field
//! of the message that the struct has not, are errors when it is compiled. Null is not written (a required field
//! gets its default); a zero of proto3 without presence is not written; of several members of a oneof the last
//! one that is not null is. Fields are written in the order of their numbers, numbers of proto3 packed. A primitive
//! value is written as `google.protobuf.Int64Value` and the like where the message has one.
//!
//! Timestamps and durations lose what is below a millisecond, as in Spark.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, BinaryViewArray, StructArray, new_empty_array};
use arrow_buffer::{Buffer, NullBuffer};
use arrow_schema::{DataType, TimeUnit};

use super::descriptor::{DescriptorSet, Enum};
use super::options::ProtobufOptions;
use super::schema::{FieldPlan, Kind, Plan, Scalar, Shape, is_wrapper};
use super::wire::{WireType, push_tag, push_varint, zigzag};
use crate::{Error, Result, payloads, raw};

/// A compiled `to_protobuf`. Cheap to share; writing takes `&self`.
#[derive(Debug)]
pub struct ProtobufWriter {
    source: DataType,
    plan: Arc<Plan>,
}

/// What cannot be written of a row: the path, innermost first, and why.
struct Refusal {
    path: Vec<String>,
    why: Why,
}

enum Why {
    NoPlace(&'static str),
    NotInEnum { data: String, values: String },
}

impl Refusal {
    fn error(self, row: usize, message: &str) -> Error {
        let path = self.path.iter().rev().map(String::as_str);
        let field = std::iter::once(message).chain(path).collect::<Vec<_>>().join(".");
        match self.why {
            Why::NoPlace(what) => Error::UnwritableProtobuf { row, field, what: what.into() },
            Why::NotInEnum { data, values } => Error::UnknownEnumValue { row, field, data, values },
        }
    }
}

type Written = std::result::Result<(), Refusal>;

impl ProtobufWriter {
    /// Compiles a struct and a message.
    ///
    /// # Errors
    /// As for the reader; [`Error::ProtobufMismatch`] where the struct is not the message's.
    pub fn new(source: &DataType, set: &DescriptorSet, message: &str) -> Result<Self> {
        if !matches!(source, DataType::Struct(_)) {
            return Err(Error::UnsupportedType { operation: "to_protobuf", data_type: source.clone() });
        }
        let options = ProtobufOptions { recursive_fields_max_depth: Some(10), ..ProtobufOptions::default() };
        let plan = Plan::compile(set, set.message(message)?, &options)?;
        check_struct(new_empty_array(source).as_struct(), &plan, &mut Vec::new())?;
        Ok(Self { source: source.clone(), plan })
    }

    /// One message a row, as BinaryView; null rows stay null.
    ///
    /// # Errors
    /// [`Error::UnwritableProtobuf`] for a null in an array, [`Error::UnknownEnumValue`].
    pub fn write(&self, values: &dyn Array) -> Result<ArrayRef> {
        if !values.data_type().equals_datatype(&self.source) {
            return Err(Error::Misuse(format!(
                "to_protobuf was compiled for {} and is given {}",
                self.source,
                values.data_type()
            )));
        }
        let rows = values.as_struct();
        let (mut bytes, mut views) = (Vec::new(), Vec::with_capacity(rows.len()));
        let order = Order::of(rows, &self.plan);
        for row in 0..rows.len() {
            let start = bytes.len();
            if rows.is_valid(row) {
                order.write(row, &mut bytes).map_err(|refusal| refusal.error(row, &self.plan.name))?;
            }
            views.push(payloads::written_view(&bytes, start, "the messages of one batch")?);
        }
        let nulls: Option<NullBuffer> = rows.nulls().cloned();
        let messages: BinaryViewArray =
            raw::binary_views(views.into(), Arc::from([Buffer::from(bytes)]), nulls);
        Ok(Arc::new(messages))
    }
}

/// A struct's columns in the order of their fields' numbers.
struct Order<'a> {
    fields: Vec<(&'a FieldPlan, Source<'a>)>,
}

/// A column and, for what is nested in it, the same again.
struct Source<'a> {
    array: &'a dyn Array,
    inner: Option<Box<Order<'a>>>,
    entry: Option<Box<[Source<'a>; 2]>>,
}

impl<'a> Order<'a> {
    fn of(rows: &'a StructArray, plan: &'a Plan) -> Self {
        let mut fields: Vec<_> = rows
            .fields()
            .iter()
            .zip(rows.columns())
            .filter_map(|(sql, column)| {
                let field = plan.fields.iter().find(|field| field.name.eq_ignore_ascii_case(sql.name()))?;
                Some((field, Source::of(&**column, field)))
            })
            .collect();
        fields.sort_by_key(|(field, _)| field.number);
        Self { fields }
    }

    fn write(&self, row: usize, out: &mut Vec<u8>) -> Written {
        for (index, (field, source)) in self.fields.iter().enumerate() {
            if is_null(source.array, row) {
                if field.required && !matches!(field.kind, Kind::Message(_) | Kind::Group(_)) {
                    let zero = field.absent.clone().unwrap_or_else(|| field.kind.zero());
                    append_scalar(&zero, field, out);
                }
                continue;
            }
            let later_member = field.oneof.is_some()
                && self.fields[index + 1..]
                    .iter()
                    .any(|(other, s)| other.oneof == field.oneof && !is_null(s.array, row));
            if !later_member {
                source.field(field, row, out).map_err(|mut refusal| {
                    refusal.path.push(field.name.clone());
                    refusal
                })?;
            }
        }
        Ok(())
    }
}

impl<'a> Source<'a> {
    fn of(array: &'a dyn Array, field: &'a FieldPlan) -> Self {
        let kind = &field.kind;
        let elements: &dyn Array = match array.as_list_opt::<i32>() {
            Some(list) if field.shape == Shape::Repeated => list.values(),
            _ => array,
        };
        if let DataType::Null = array.data_type() {
            return Self { array, inner: None, entry: None };
        }
        let inner = match kind {
            Kind::Message(plan) | Kind::Group(plan) if is_struct(elements) => {
                Some(Box::new(Order::of(elements.as_struct(), plan)))
            }
            _ => None,
        };
        let entry = match kind {
            Kind::Entry(key, value) => {
                let map = array.as_map();
                Some(Box::new([Source::of(map.keys(), key), Source::of(map.values(), value)]))
            }
            _ => None,
        };
        Self { array, inner, entry }
    }

    fn field(&self, field: &FieldPlan, row: usize, out: &mut Vec<u8>) -> Written {
        match field.shape {
            Shape::Single => self.value(self.array, field, row, !field.presence, true, out),
            Shape::Repeated => {
                let list = self.array.as_list::<i32>();
                let (values, offsets) = (list.values(), list.value_offsets());
                let range = offsets[row] as usize..offsets[row + 1] as usize;
                if range.clone().any(|at| is_null(&**values, at)) {
                    return Err(refusal("an element is null, which Protobuf has no value for"));
                }
                if !field.packed {
                    return range
                        .into_iter()
                        .try_for_each(|at| self.value(&**values, field, at, false, true, out));
                }
                if range.is_empty() {
                    return Ok(());
                }
                let mut packed = Vec::new();
                for at in range {
                    self.value(&**values, field, at, false, false, &mut packed)?;
                }
                append_bytes(field.number, &packed, out);
                Ok(())
            }
            Shape::Map => {
                let (Kind::Entry(key, value), Some(sources)) = (&field.kind, &self.entry) else {
                    return Err(refusal("it is no map"));
                };
                let offsets = self.array.as_map().value_offsets();
                for at in offsets[row] as usize..offsets[row + 1] as usize {
                    let mut entry = Vec::new();
                    sources[0].value(sources[0].array, key, at, false, true, &mut entry)?;
                    if !is_null(sources[1].array, at) {
                        sources[1].value(sources[1].array, value, at, false, true, &mut entry)?;
                    }
                    append_bytes(field.number, &entry, out);
                }
                Ok(())
            }
        }
    }

    /// A value that is not null; `implicit`: not if it is zero; `tagged`: with its tag.
    fn value(
        &self,
        array: &dyn Array,
        field: &FieldPlan,
        row: usize,
        implicit: bool,
        tagged: bool,
        out: &mut Vec<u8>,
    ) -> Written {
        if let Some(inner) = &self.inner {
            let mut message = Vec::new();
            inner.write(row, &mut message)?;
            if let Kind::Group(_) = field.kind {
                push_tag(field.number, WireType::StartGroup, out);
                out.extend_from_slice(&message);
                push_tag(field.number, WireType::EndGroup, out);
            } else {
                append_bytes(field.number, &message, out);
            }
            return Ok(());
        }
        if let Kind::Message(wrapper) = &field.kind {
            let mut message = Vec::new();
            self.value(array, &wrapper.fields[0], row, true, true, &mut message)?;
            append_bytes(field.number, &message, out);
            return Ok(());
        }
        let scalar = match (array.data_type(), &field.kind) {
            (DataType::Utf8View, Kind::EnumName(values, _)) => {
                let name = array.as_string_view().value(row);
                let found = values.values.iter().find(|(known, _)| known == name);
                let shown = |(name, _): &(String, i32)| format!("\"{name}\"");
                let code = found.ok_or_else(|| not_in_enum(format!("\"{name}\""), values, shown))?;
                Scalar::Integer(code.1.into())
            }
            (DataType::Int32, Kind::EnumName(values, _)) => {
                let code = array.as_primitive::<Int32Type>().value(row);
                if values.values.iter().all(|(_, value)| *value != code) {
                    return Err(not_in_enum(code.to_string(), values, |(_, code)| code.to_string()));
                }
                Scalar::Integer(code.into())
            }
            (DataType::Timestamp(..), _) => {
                let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
                append_bytes(field.number, &moment(micros.div_euclid(1000)), out);
                return Ok(());
            }
            (DataType::Duration(_), _) => {
                let micros = array.as_primitive::<DurationMicrosecondType>().value(row);
                append_bytes(field.number, &moment(micros.div_euclid(1000)), out);
                return Ok(());
            }
            _ => scalar_of(array, row),
        };
        if implicit && scalar.is_zero() {
            return Ok(());
        }
        if tagged {
            append_scalar(&scalar, field, out)
        } else {
            append_untagged(&scalar, &field.kind, out)
        }
        Ok(())
    }
}

fn refusal(what: &'static str) -> Refusal {
    Refusal { path: Vec::new(), why: Why::NoPlace(what) }
}

fn not_in_enum(data: String, values: &Enum, shown: impl Fn(&(String, i32)) -> String) -> Refusal {
    let values = values.values.iter().map(shown).collect::<Vec<_>>().join(", ");
    Refusal { path: Vec::new(), why: Why::NotInEnum { data, values } }
}

/// Whether a value is null; all of the type Null's are, of which Arrow keeps no mask.
fn is_null(array: &dyn Array, row: usize) -> bool {
    *array.data_type() == DataType::Null || array.is_null(row)
}

fn is_struct(array: &dyn Array) -> bool {
    matches!(array.data_type(), DataType::Struct(_))
}

fn scalar_of(array: &dyn Array, row: usize) -> Scalar {
    match array.data_type() {
        DataType::Boolean => Scalar::Bool(array.as_boolean().value(row)),
        DataType::Int8 => Scalar::Integer(array.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => Scalar::Integer(array.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => Scalar::Integer(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Date32 => Scalar::Integer(array.as_primitive::<Date32Type>().value(row).into()),
        DataType::Int64 => Scalar::Integer(array.as_primitive::<Int64Type>().value(row)),
        DataType::Decimal128(..) => Scalar::Integer(array.as_primitive::<Decimal128Type>().value(row) as i64),
        DataType::Float32 => Scalar::Float(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => Scalar::Float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8View => Scalar::Bytes(array.as_string_view().value(row).as_bytes().to_vec()),
        _ => Scalar::Bytes(array.as_binary_view().value(row).to_vec()),
    }
}

impl Scalar {
    fn is_zero(&self) -> bool {
        match self {
            Scalar::Bool(value) => !value,
            Scalar::Integer(value) => *value == 0,
            Scalar::Float(value) => value.to_bits() == 0,
            Scalar::Bytes(value) => value.is_empty(),
        }
    }
}

fn append_bytes(number: u32, bytes: &[u8], out: &mut Vec<u8>) {
    push_tag(number, WireType::Length, out);
    push_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn append_scalar(scalar: &Scalar, field: &FieldPlan, out: &mut Vec<u8>) {
    let kind = match (&field.kind, scalar) {
        (_, Scalar::Bytes(_)) => WireType::Length,
        (Kind::Fixed64 | Kind::Double, _) => WireType::Fixed64,
        (Kind::Fixed32 | Kind::Float, _) => WireType::Fixed32,
        _ => WireType::Varint,
    };
    push_tag(field.number, kind, out);
    append_untagged(scalar, &field.kind, out);
}

fn append_untagged(scalar: &Scalar, kind: &Kind, out: &mut Vec<u8>) {
    match (scalar, kind) {
        (Scalar::Bool(value), _) => out.push(u8::from(*value)),
        (Scalar::Integer(value), Kind::Sint32 | Kind::Sint64) => push_varint(zigzag(*value), out),
        (Scalar::Integer(value), Kind::Fixed32) => out.extend_from_slice(&(*value as i32).to_le_bytes()),
        (Scalar::Integer(value), Kind::Fixed64) => out.extend_from_slice(&value.to_le_bytes()),
        (Scalar::Integer(value), Kind::Uint32) => push_varint(u64::from(*value as u32), out),
        (Scalar::Integer(value), _) => push_varint(*value as u64, out),
        (Scalar::Float(value), Kind::Float) => out.extend_from_slice(&(*value as f32).to_le_bytes()),
        (Scalar::Float(value), _) => out.extend_from_slice(&value.to_le_bytes()),
        (Scalar::Bytes(value), _) => {
            push_varint(value.len() as u64, out);
            out.extend_from_slice(value);
        }
    }
}

/// Seconds and nanoseconds of milliseconds, both with the sign of the whole.
fn moment(millis: i64) -> Vec<u8> {
    let mut out = Vec::new();
    for (number, value) in [(1, millis / 1000), (2, millis % 1000 * 1_000_000)] {
        if value != 0 {
            push_tag(number, WireType::Varint, &mut out);
            push_varint(value as u64, &mut out);
        }
    }
    out
}

fn check_struct(rows: &StructArray, plan: &Plan, path: &mut Vec<String>) -> Result<()> {
    for (sql, column) in rows.fields().iter().zip(rows.columns()) {
        path.push(sql.name().clone());
        let field = plan.fields.iter().find(|field| field.name.eq_ignore_ascii_case(sql.name()));
        let field = field.ok_or_else(|| Error::ProtobufMismatch {
            condition: "NO_SQL_TYPE_IN_PROTOBUF_SCHEMA",
            field: format!("field '{}'", path.join(".")),
            problem: format!("the message {} has no field {}", plan.name, path.join(".")),
        })?;
        check(&**column, field, path)?;
        path.pop();
    }
    let missing = |field: &&FieldPlan| {
        field.required && !rows.fields().iter().any(|sql| sql.name().eq_ignore_ascii_case(&field.name))
    };
    match plan.fields.iter().find(missing) {
        Some(field) => Err(Error::ProtobufMismatch {
            condition: "PROTOBUF_FIELD_MISSING_IN_SQL_SCHEMA",
            field: format!("field '{}'", field.name),
            problem: format!("the required field {} of the message {} is missing", field.name, plan.name),
        }),
        None => Ok(()),
    }
}

fn check(column: &dyn Array, field: &FieldPlan, path: &mut Vec<String>) -> Result<()> {
    use DataType::*;
    let (values, kind): (&dyn Array, &Kind) = match (column.data_type(), field.shape) {
        (Null, _) => return Ok(()),
        (List(_), Shape::Repeated) => (column.as_list::<i32>().values(), &field.kind),
        (Map(_, _), Shape::Map) => {
            let map = column.as_map();
            return match &field.kind {
                Kind::Entry(key, value) => {
                    check(map.keys(), key, path).and_then(|()| check(map.values(), value, path))
                }
                _ => Err(incompatible(column, path)),
            };
        }
        (_, Shape::Single) => (column, &field.kind),
        _ => return Err(incompatible(column, path)),
    };
    let fits = match (values.data_type(), kind) {
        (Null, _) => true,
        (Struct(_), Kind::Message(plan) | Kind::Group(plan)) => {
            return check_struct(values.as_struct(), plan, path);
        }
        (_, Kind::Message(plan)) if is_wrapper(&plan.name) && plan.fields.len() == 1 => {
            return check(values, &plan.fields[0], path);
        }
        (Boolean, Kind::Bool) | (Float32, Kind::Float) | (Float64, Kind::Double) => true,
        (Int8 | Int16 | Int32 | Date32, Kind::Int32 | Kind::Uint32 | Kind::Sint32 | Kind::Fixed32) => true,
        (Int64, Kind::Uint32) => true,
        (Int64, Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64) => true,
        (Decimal128(20, 0), Kind::Uint64) => true,
        (Utf8View, Kind::String { .. } | Kind::EnumName(..)) | (Int32, Kind::EnumName(..)) => true,
        (BinaryView, Kind::Bytes) => true,
        (Timestamp(TimeUnit::Microsecond, Some(_)), Kind::Timestamp) => true,
        (Duration(TimeUnit::Microsecond), Kind::Duration) => true,
        _ => false,
    };
    if fits { Ok(()) } else { Err(incompatible(values, path)) }
}

fn incompatible(column: &dyn Array, path: &[String]) -> Error {
    Error::ProtobufMismatch {
        condition: "CANNOT_CONVERT_SQL_TYPE_TO_PROTOBUF_FIELD_TYPE",
        field: path.join("."),
        problem: format!(
            "{} cannot be written to the message's field {}",
            column.data_type(),
            path.join(".")
        ),
    }
}
