//! `from_protobuf`: a column of messages to a column of structs, by Spark's rules.
//!
//! A null stays null. A field that is not there is null, or its default where proto2 gives one (or, with
//! `emit.default.values`, proto3's zero); repeated fields and maps are empty. Of several values of a field the
//! last one wins, parts of a message are merged, one member of a oneof clears the others. A zero of proto3
//! without presence is as if it were not there. Unknown fields are passed over, and so are known ones of another
//! wire type, but not in the outermost message.
//!
//! Malformed are: torn or too deeply nested bytes, a missing required field, text of proto3 that is not UTF-8
//! (proto2's is decoded as Java does), a timestamp out of range, and in the outermost message a known field of
//! another wire type or a number that is no value of its proto2 enum. Mode FAILFAST makes an error of them,
//! PERMISSIVE null. Fields that the schema leaves out are passed over without a look inside.
//!
//! Strings and binaries stay where they are: the result's views point into the payloads' buffers.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryViewArray};
use arrow_schema::DataType;

use super::column::{Column, StructColumn, push_enum_name};
use super::descriptor::DescriptorSet;
use super::options::ProtobufOptions;
use super::schema::{FieldPlan, Kind, Plan, Shape};
use super::wire::{MAX_DEPTH, Malformed, Result as WireResult, Wire, WireType, unzigzag};
use crate::json::ParseMode;
use crate::records::long_parts;
use crate::text::decode_lossy_java;
use crate::values::Home;
use crate::{Error, Result, payloads};

/// A compiled `from_protobuf`: message and options. Cheap to share; [`Self::read`] takes `&self`.
#[derive(Debug)]
pub struct ProtobufReader {
    plan: Arc<Plan>,
    mode: ParseMode,
}

/// Columns that repeated messages of one call may have together, and bytes of enum names: an empty message of two
/// bytes has as many columns as its type, and an enum's byte as many as its name.
const MAX_CELLS: usize = 1 << 28;

impl ProtobufReader {
    /// Compiles a message, by its full name or its short one.
    ///
    /// # Errors
    /// [`Error::UnknownMessage`], [`Error::BadDescriptor`], [`Error::RecursiveMessage`],
    /// [`Error::LimitExceeded`] for a schema of too many fields.
    pub fn new(set: &DescriptorSet, message: &str, options: &ProtobufOptions) -> Result<Self> {
        Ok(Self { plan: Plan::compile(set, set.message(message)?, options)?, mode: options.mode })
    }

    /// The type of the arrays that [`Self::read`] makes.
    pub fn data_type(&self) -> DataType {
        DataType::Struct(self.plan.arrow.clone())
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Reads each message of a BinaryView array.
    ///
    /// # Errors
    /// [`Error::MalformedProtobuf`] in mode FAILFAST.
    pub fn read(&self, payloads: &dyn Array) -> Result<ArrayRef> {
        self.read_each(payloads, |_| Ok(()))
    }

    /// As [`Self::read`], where some rows are known to be no such messages: `readable` says for each row that is not
    /// null why it is bad, if it is.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_each(
        &self,
        payloads: &dyn Array,
        mut readable: impl FnMut(usize) -> std::result::Result<(), String>,
    ) -> Result<ArrayRef> {
        let DataType::BinaryView = payloads.data_type() else {
            return Err(Error::UnsupportedType {
                operation: "from_protobuf of",
                data_type: payloads.data_type().clone(),
            });
        };
        let payloads = payloads.as_binary_view();
        payloads::check_size(payloads.views(), "the messages of one batch")?;
        let mut column = StructColumn::new(Arc::clone(&self.plan));
        let mut reading = Reading { home: Home::default(), cells: 0, scratch: String::new() };
        for row in 0..payloads.len() {
            if payloads.is_null(row) {
                column.push_null();
                continue;
            }
            let read = match readable(row) {
                Ok(()) => reading.row(payloads, row, &mut column).map_err(|m| (m.path, m.what.to_owned())),
                Err(why) => Err((Vec::new(), why)),
            };
            if let Err((path, what)) = read {
                column.truncate(row);
                self.refuse(path, what, row)?;
                column.push_null();
            }
        }
        column.finish(payloads.data_buffers())
    }

    #[cold]
    fn refuse(&self, path: Vec<String>, what: String, row: usize) -> Result<()> {
        if self.mode == ParseMode::Permissive {
            return Ok(());
        }
        let path = path.iter().rev().map(String::as_str);
        let path: Vec<&str> = std::iter::once(self.plan.name.as_str()).chain(path).collect();
        Err(Error::MalformedProtobuf { row, field: path.join("."), what })
    }
}

/// The state of one `read`.
struct Reading {
    /// Where the current payload is.
    home: Home,
    cells: usize,
    scratch: String,
}

impl Reading {
    fn row(&mut self, payloads: &BinaryViewArray, row: usize, column: &mut StructColumn) -> WireResult<()> {
        let place = long_parts(payloads.views()[row]);
        self.home = Home { place: place.map(|(_, buffer, offset)| (buffer as u32, offset as u32)) };
        let mut wire = Wire::new(payloads.value(row));
        self.message(&mut wire, column, None, 0)?;
        column.close()
    }

    /// Reads fields into the open row, up to the end of the part, or of the group if it is one.
    fn message(
        &mut self,
        wire: &mut Wire<'_>,
        column: &mut StructColumn,
        group: Option<u32>,
        depth: usize,
    ) -> WireResult<()> {
        if depth > MAX_DEPTH {
            return Err(Malformed::new("messages are nested too deeply"));
        }
        column.open = true;
        let plan = Arc::clone(&column.plan);
        while !wire.is_empty() {
            let (number, kind) = wire.tag()?;
            if kind == WireType::EndGroup {
                return match group {
                    Some(open) if open == number => Ok(()),
                    _ => Err(Malformed::new("a group ends that did not begin")),
                };
            }
            let Some(index) = plan.field(number) else {
                wire.skip(number, kind, depth)?;
                continue;
            };
            let field = &plan.fields[index];
            if field.oneof.is_some() {
                clear_others(column, &plan, index);
            }
            let row = column.len;
            let known = self
                .field(wire, field, kind, &mut column.columns[index], row, depth)
                .map_err(|malformed| malformed.inside(&field.name))?;
            if !known && depth == 0 {
                return Err(Malformed::new("the field has another type on the wire").inside(&field.name));
            }
        }
        match group {
            Some(_) => Err(Malformed::new("the message ends inside of a group")),
            None => Ok(()),
        }
    }

    /// Reads the value behind a tag; false where it is none of the field's, and was passed over.
    #[inline(always)]
    fn field(
        &mut self,
        wire: &mut Wire<'_>,
        field: &FieldPlan,
        kind: WireType,
        column: &mut Column,
        row: usize,
        depth: usize,
    ) -> WireResult<bool> {
        match (column, field.shape) {
            (Column::List(list), _) => {
                let expected = expected(&field.kind);
                if kind == WireType::Length
                    && expected != WireType::Length
                    && expected != WireType::StartGroup
                {
                    let (mut part, mut known) = (wire.part()?, true);
                    while !part.is_empty() {
                        known &= self.value(&mut part, field, expected, &mut list.values, depth)?;
                    }
                    return Ok(known);
                }
                if kind != expected {
                    return wire.skip(field.number, kind, depth).map(|()| false);
                }
                self.element(wire, field, &mut list.values, depth)
            }
            (Column::Map(map), _) => {
                if kind != WireType::Length {
                    return wire.skip(field.number, kind, depth).map(|()| false);
                }
                let Kind::Entry(key, value) = &field.kind else {
                    return Err(Malformed::new("a map without entries"));
                };
                let mut entry = wire.part()?;
                self.entry(&mut entry, [key, value], [&mut map.keys, &mut map.values], depth)
            }
            (column, _) => {
                if kind != expected(&field.kind) {
                    return wire.skip(field.number, kind, depth).map(|()| false);
                }
                if let Column::Struct(inner) = column {
                    self.inner(wire, field, inner, depth)?;
                    return Ok(true);
                }
                if column.len() > row {
                    column.truncate(row);
                }
                self.value(wire, field, kind, column, depth)
            }
        }
    }

    /// An element of a repeated field.
    fn element(
        &mut self,
        wire: &mut Wire<'_>,
        field: &FieldPlan,
        values: &mut Column,
        depth: usize,
    ) -> WireResult<bool> {
        match values {
            Column::Struct(inner) => {
                self.inner(wire, field, inner, depth)?;
                self.count(inner.columns.len())?;
                inner.close().map(|()| true)
            }
            values => self.value(wire, field, expected(&field.kind), values, depth),
        }
    }

    /// A message or a group, whose row is open then.
    fn inner(
        &mut self,
        wire: &mut Wire<'_>,
        field: &FieldPlan,
        inner: &mut StructColumn,
        depth: usize,
    ) -> WireResult<()> {
        if let Kind::Group(_) = field.kind {
            return self.message(wire, inner, Some(field.number), depth + 1);
        }
        let mut part = wire.part()?;
        self.message(&mut part, inner, None, depth + 1)
    }

    /// An entry of a map: a message of a key (1) and a value (2), each of which may be missing.
    fn entry(
        &mut self,
        wire: &mut Wire<'_>,
        fields: [&FieldPlan; 2],
        columns: [&mut Column; 2],
        depth: usize,
    ) -> WireResult<bool> {
        if depth + 1 > MAX_DEPTH {
            return Err(Malformed::new("messages are nested too deeply"));
        }
        let rows = columns[0].len();
        let [keys, values] = columns;
        while !wire.is_empty() {
            let (number, kind) = wire.tag()?;
            let (field, column): (_, &mut Column) = match number {
                1 => (fields[0], &mut *keys),
                2 => (fields[1], &mut *values),
                _ => {
                    wire.skip(number, kind, depth + 1)?;
                    continue;
                }
            };
            self.field(wire, field, kind, column, rows, depth + 1)?;
        }
        for (field, column) in fields.into_iter().zip([&mut *keys, &mut *values]) {
            if let Column::Struct(inner) = column {
                inner.open = true;
                self.count(inner.columns.len())?;
                inner.close()?;
            } else if column.len() == rows {
                column.push_scalar(&field.kind.zero(), &field.kind);
            }
        }
        Ok(true)
    }

    /// Appends a value that is no struct. False, and nothing appended, where an enum has no such value.
    #[inline(always)]
    fn value(
        &mut self,
        wire: &mut Wire<'_>,
        field: &FieldPlan,
        kind: WireType,
        column: &mut Column,
        depth: usize,
    ) -> WireResult<bool> {
        let implicit = !field.presence && field.shape == Shape::Single;
        match (column, &field.kind) {
            (Column::Int(v), Kind::Int32 | Kind::Uint32) => push(v, wire.varint()? as i32, implicit),
            (Column::Long(v), Kind::Int64 | Kind::Uint64) => push(v, wire.varint()? as i64, implicit),
            (Column::String(v), Kind::String { strict }) => {
                let part = wire.part()?;
                if implicit && part.is_empty() {
                    return Ok(true);
                }
                match std::str::from_utf8(part.rest()) {
                    Ok(_) => v.push_slice(part.bytes, part.at, part.end, self.home),
                    Err(_) if *strict => return Err(Malformed::new("a string is not UTF-8")),
                    Err(_) => {
                        self.scratch.clear();
                        decode_lossy_java(part.rest(), &mut self.scratch);
                        v.push_copy(self.scratch.as_bytes());
                    }
                }
            }
            (Column::Binary(v), Kind::Bytes) => {
                let part = wire.part()?;
                if !(implicit && part.is_empty()) {
                    v.push_slice(part.bytes, part.at, part.end, self.home);
                }
            }
            (Column::Double(v), Kind::Double) => {
                let value = f64::from_le_bytes(wire.fixed64()?);
                if !(implicit && value.to_bits() == 0) {
                    v.push(value);
                }
            }
            (Column::Boolean(v), Kind::Bool) => push(v, wire.varint()? != 0, implicit),
            (column, _) => return self.rarer(wire, field, kind, column, implicit, depth),
        }
        Ok(true)
    }

    #[inline(never)]
    fn rarer(
        &mut self,
        wire: &mut Wire<'_>,
        field: &FieldPlan,
        kind: WireType,
        column: &mut Column,
        implicit: bool,
        depth: usize,
    ) -> WireResult<bool> {
        match (column, &field.kind) {
            (Column::Int(v), Kind::Sint32) => {
                push(v, unzigzag(wire.varint()? & 0xffff_ffff) as i32, implicit)
            }
            (Column::Int(v), Kind::Fixed32) => push(v, i32::from_le_bytes(wire.fixed32()?), implicit),
            (Column::Long(v), Kind::Sint64) => push(v, unzigzag(wire.varint()?), implicit),
            (Column::Long(v), Kind::Fixed64) => push(v, i64::from_le_bytes(wire.fixed64()?), implicit),
            (Column::Long(v), Kind::Uint32Long) => push(v, i64::from(wire.varint()? as u32), implicit),
            (Column::Decimal(v), Kind::Uint64Decimal) => push(v, i128::from(wire.varint()?), implicit),
            (Column::Float(v), Kind::Float) => {
                let value = f32::from_le_bytes(wire.fixed32()?);
                if !(implicit && value.to_bits() == 0) {
                    v.push(value);
                }
            }
            (Column::Int(v), Kind::EnumNumber(values)) => {
                let code = wire.varint()? as i32;
                if !values.open && values.values.iter().all(|(_, value)| *value != code) {
                    return Ok(false);
                }
                push(v, code, implicit);
            }
            (Column::String(v), Kind::EnumName(values, _)) => {
                let code = wire.varint()? as i32;
                if !values.open && values.values.iter().all(|(_, value)| *value != code) {
                    return Ok(false);
                }
                if !(implicit && code == 0) {
                    let length = push_enum_name(v, &field.kind, code);
                    self.count(length)?;
                }
            }
            (Column::Timestamp(v) | Column::Duration(v), Kind::Timestamp | Kind::Duration) => {
                let mut part = wire.part()?;
                v.push(micros(&mut part, depth + 1)?);
            }
            (column, Kind::Wrapped(value)) => {
                let mut part = wire.part()?;
                self.wrapped(&mut part, value, column, depth + 1)?;
            }
            _ => {
                wire.skip(field.number, kind, depth)?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The value (1) of a wrapper message. Where it is not there, which is how zero is written, it is null unless
    /// defaults are asked for.
    fn wrapped(
        &mut self,
        wire: &mut Wire<'_>,
        field: &FieldPlan,
        column: &mut Column,
        depth: usize,
    ) -> WireResult<()> {
        let row = column.len();
        while !wire.is_empty() {
            match wire.tag()? {
                (1, found) if found == expected(&field.kind) => {
                    column.truncate(row);
                    self.value(wire, field, found, column, depth)?;
                }
                (number, found) => wire.skip(number, found, depth)?,
            }
        }
        if column.len() == row {
            match &field.absent {
                Some(value) => column.push_scalar(value, &field.kind),
                None => column.push_null(),
            }
        }
        Ok(())
    }

    /// Counts what messages make more of than they have bytes.
    fn count(&mut self, columns: usize) -> WireResult<()> {
        self.cells += columns;
        if self.cells > MAX_CELLS {
            Err(Malformed::new("too many repeated messages or enum names in one batch"))
        } else {
            Ok(())
        }
    }
}

/// Appends a number, unless it is a zero that says nothing.
#[inline(always)]
fn push<T: Copy + Default + PartialEq>(values: &mut crate::values::Values<T>, value: T, implicit: bool) {
    if !(implicit && value == T::default()) {
        values.push(value);
    }
}

/// Seconds (1) and nanoseconds (2) as microseconds.
fn micros(wire: &mut Wire<'_>, depth: usize) -> WireResult<i64> {
    let (mut seconds, mut nanos) = (0i64, 0i32);
    while !wire.is_empty() {
        match wire.tag()? {
            (1, WireType::Varint) => seconds = wire.varint()? as i64,
            (2, WireType::Varint) => nanos = wire.varint()? as i32,
            (number, kind) => wire.skip(number, kind, depth)?,
        }
    }
    seconds
        .checked_mul(1_000_000)
        .and_then(|micros| micros.checked_add(i64::from(nanos / 1000)))
        .ok_or(Malformed::new("a time is out of range"))
}

/// The wire type of a field that is not packed.
#[inline(always)]
fn expected(kind: &Kind) -> WireType {
    match kind {
        Kind::Fixed64 | Kind::Double => WireType::Fixed64,
        Kind::Fixed32 | Kind::Float => WireType::Fixed32,
        Kind::Group(_) => WireType::StartGroup,
        Kind::String { .. } | Kind::Bytes | Kind::Message(_) | Kind::Timestamp | Kind::Duration => {
            WireType::Length
        }
        Kind::Wrapped(_) | Kind::Entry(..) => WireType::Length,
        _ => WireType::Varint,
    }
}

/// The other members of the field's oneof lose what they have got in the open row.
#[cold]
fn clear_others(column: &mut StructColumn, plan: &Plan, index: usize) {
    let (row, oneof) = (column.len, plan.fields[index].oneof);
    for (other, field) in plan.fields.iter().enumerate() {
        if other != index && field.oneof == oneof {
            match &mut column.columns[other] {
                Column::Struct(inner) if !inner.open => {}
                other => other.truncate(row),
            }
        }
    }
}
