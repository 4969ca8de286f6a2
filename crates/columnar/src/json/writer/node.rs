//! The writers of values: one node per array of the batch, bound once and then asked row by row.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::*;
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, FieldRef, Fields, IntervalUnit, TimeUnit};

use super::JsonWriter;
use super::cells::{Cells, Lane};
use super::decimal::append_number;
use super::out::Out;
use super::window::{Piece, Window};
use crate::json::base64;
use crate::json::escape::append_quoted;
use crate::text::{
    append_day_time_interval, append_decimal, append_f32, append_f64, append_i64, append_year_month_interval,
};
use crate::{Error, Result};

/// An array whose values are written.
pub(super) enum Node<'a> {
    Null,
    Boolean(&'a BooleanArray),
    Int8(&'a Int8Array),
    Int16(&'a Int16Array),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    Float32(&'a Float32Array),
    Float64(&'a [f64]),
    Decimal(&'a Decimal128Array, i8),
    String(&'a StringViewArray),
    Binary(&'a BinaryViewArray),
    Date(&'a Date32Array),
    Timestamp(&'a TimestampMicrosecondArray),
    TimestampNtz(&'a TimestampMicrosecondArray),
    DayTime(&'a DurationMicrosecondArray),
    YearMonth(&'a IntervalYearMonthArray),
    List(&'a ListArray, Box<Elements<'a>>),
    Struct(Members<'a>),
    Map(&'a MapArray, Box<Node<'a>>, Box<Elements<'a>>),
}

/// An array whose values may be null.
pub(super) struct Column<'a> {
    nulls: Option<&'a NullBuffer>,
    is_void: bool,
    node: Node<'a>,
}

/// The values of lists and maps.
pub(super) struct Elements<'a> {
    column: Column<'a>,
    cells: Cells,
}

/// The fields of a struct.
pub(super) struct Members<'a> {
    members: Vec<Member<'a>>,
    /// What stands before each member where none is left out.
    pieces: Vec<Piece>,
    cells: Cells,
}

struct Member<'a> {
    column: Column<'a>,
    /// `{"name":`, `,"name":` and `"name" : `.
    first: Piece,
    later: Piece,
    pretty: Piece,
}

impl<'a> Node<'a> {
    pub fn bind(array: &'a dyn Array) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Boolean(array.as_boolean()),
            DataType::Int8 => Self::Int8(array.as_primitive()),
            DataType::Int16 => Self::Int16(array.as_primitive()),
            DataType::Int32 => Self::Int32(array.as_primitive::<types::Int32Type>().values()),
            DataType::Int64 => Self::Int64(array.as_primitive::<types::Int64Type>().values()),
            DataType::Float32 => Self::Float32(array.as_primitive()),
            DataType::Float64 => Self::Float64(array.as_primitive::<types::Float64Type>().values()),
            DataType::Decimal128(_, scale) => Self::Decimal(array.as_primitive(), *scale),
            DataType::Utf8View => Self::String(array.as_string_view()),
            DataType::BinaryView => Self::Binary(array.as_binary_view()),
            DataType::Date32 => Self::Date(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => Self::Timestamp(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Microsecond, None) => Self::TimestampNtz(array.as_primitive()),
            DataType::Duration(TimeUnit::Microsecond) => Self::DayTime(array.as_primitive()),
            DataType::Interval(IntervalUnit::YearMonth) => Self::YearMonth(array.as_primitive()),
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                Self::List(list, Box::new(Elements::bind(list.values())?))
            }
            DataType::Struct(fields) => Self::Struct(Members::bind(fields, array.as_struct().columns())?),
            DataType::Map(_, _) => {
                let map = array.as_map();
                Self::Map(map, Box::new(Self::bind(map.keys())?), Box::new(Elements::bind(map.values())?))
            }
            other => return Err(Error::UnsupportedType { operation: "to_json", data_type: other.clone() }),
        })
    }

    /// Writes the values of some rows ahead, where that is of use.
    pub fn prepare(&mut self, rows: Range<usize>, writer: &JsonWriter) {
        let elements = |offsets: &[i32]| offsets[rows.start] as usize..offsets[rows.end] as usize;
        match self {
            Self::Struct(members) => members.prepare(rows, writer),
            Self::List(array, values) => values.prepare(elements(array.value_offsets()), writer),
            Self::Map(array, _, values) => values.prepare(elements(array.value_offsets()), writer),
            _ => {}
        }
    }

    /// Appends the value of a row, which is not null.
    #[inline(never)]
    pub fn append<const PRETTY: bool>(
        &self,
        row: usize,
        nesting: usize,
        writer: &JsonWriter,
        out: &mut Out,
    ) -> Result<()> {
        match self {
            Self::String(array) => out.string(array.value(row)),
            Self::Int64(values) => out.write(|window| window.integer(values[row])),
            Self::Int32(values) => out.write(|window| window.integer(values[row].into())),
            Self::Float64(values) => out.double(values[row]),
            Self::Boolean(array) => out.text(if array.value(row) { "true" } else { "false" }),
            Self::Timestamp(array) => return writer.formats.write_timestamp(array.value(row), out),
            Self::Struct(members) => return members.append::<PRETTY>(row, nesting, writer, out),
            Self::List(array, values) => {
                let offsets = array.value_offsets();
                let range = offsets[row] as usize..offsets[row + 1] as usize;
                return append_list::<PRETTY>(values, range, nesting, writer, out);
            }
            Self::Map(array, keys, values) => {
                let offsets = array.value_offsets();
                let range = offsets[row] as usize..offsets[row + 1] as usize;
                let mut entries = Braces::<PRETTY>::open(out);
                for at in range {
                    entries.separate(nesting, out);
                    keys.append_key(at, out)?;
                    out.text(if PRETTY { " : " } else { ":" });
                    values.append::<PRETTY>(at, nesting + 1, writer, out)?;
                }
                entries.close(nesting, out);
            }
            other => return other.append_rarer(row, writer, out),
        }
        Ok(())
    }

    fn append_rarer(&self, row: usize, writer: &JsonWriter, out: &mut Out) -> Result<()> {
        match self {
            Self::Int8(array) => out.write(|window| window.integer(array.value(row).into())),
            Self::Int16(array) => out.write(|window| window.integer(array.value(row).into())),
            Self::Float32(array) => {
                let value = array.value(row);
                if !value.is_finite() {
                    out.double(value.into());
                    return Ok(());
                }
                return made(out, |out| append_f32(value, out));
            }
            Self::Decimal(array, scale) => {
                return made(out, |out| append_number(array.value(row), *scale, out));
            }
            Self::Binary(array) => return quoted(out, |out| base64::encode(array.value(row), out)),
            Self::Date(array) => return out.quoted(|out| writer.formats.append_date(array.value(row), out)),
            Self::TimestampNtz(array) => return writer.formats.write_timestamp_ntz(array.value(row), out),
            Self::DayTime(array) => {
                return quoted(out, |out| append_day_time_interval(array.value(row), out));
            }
            Self::YearMonth(array) => {
                return quoted(out, |out| append_year_month_interval(array.value(row), out));
            }
            _ => out.text("null"),
        }
        Ok(())
    }

    /// A map key: Spark takes its internal value as text, so dates are days and timestamps microseconds.
    fn append_key(&self, row: usize, out: &mut Out) -> Result<()> {
        if let Self::String(array) = self {
            out.string(array.value(row));
            return Ok(());
        }
        quoted(out, |out| match self {
            Self::Boolean(array) => out.push_str(if array.value(row) { "true" } else { "false" }),
            Self::Int8(array) => append_i64(array.value(row).into(), out),
            Self::Int16(array) => append_i64(array.value(row).into(), out),
            Self::Int32(values) => append_i64(values[row].into(), out),
            Self::Int64(values) => append_i64(values[row], out),
            Self::Float32(array) => append_f32(array.value(row), out),
            Self::Float64(values) => append_f64(values[row], out),
            Self::Decimal(array, scale) => append_decimal(array.value(row), *scale, out),
            Self::Date(array) => append_i64(array.value(row).into(), out),
            Self::Timestamp(array) | Self::TimestampNtz(array) => append_i64(array.value(row), out),
            Self::DayTime(array) => append_day_time_interval(array.value(row), out),
            Self::YearMonth(array) => append_year_month_interval(array.value(row), out),
            Self::Binary(array) => base64::encode(array.value(row), out),
            Self::Null | Self::String(_) | Self::List(..) | Self::Struct(_) | Self::Map(..) => {}
        })
    }
}

impl<'a> Column<'a> {
    fn bind(array: &'a dyn Array) -> Result<Self> {
        let node = Node::bind(array)?;
        Ok(Self { nulls: array.nulls(), is_void: matches!(node, Node::Null), node })
    }

    #[inline(always)]
    fn is_null(&self, row: usize) -> bool {
        self.is_void || self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends the value of a row, or `null`.
    #[inline(always)]
    fn append<const PRETTY: bool>(
        &self,
        row: usize,
        nesting: usize,
        writer: &JsonWriter,
        out: &mut Out,
    ) -> Result<()> {
        if self.is_null(row) {
            out.text("null");
            return Ok(());
        }
        if let Node::Struct(members) = &self.node {
            return members.append::<PRETTY>(row, nesting, writer, out);
        }
        self.node.append::<PRETTY>(row, nesting, writer, out)
    }
}

impl Column<'_> {
    /// Writes the values of some rows into cells, if they are of a kind that is written ahead.
    fn fill(&self, mut lane: Lane<'_>, rows: Range<usize>, writer: &JsonWriter) {
        match &self.node {
            Node::String(array) => lane.strings(array, rows.clone()),
            Node::Int64(values) => lane.each(&values[rows.clone()], |value, room| {
                let mut window = Window::new(room);
                window.integer(*value);
                window.length()
            }),
            Node::Int32(values) => lane.each(&values[rows.clone()], |value, room| {
                let mut window = Window::new(room);
                window.integer((*value).into());
                window.length()
            }),
            Node::Float64(values) => lane.each(&values[rows.clone()], |value, room| {
                let mut window = Window::new(room);
                if window.double(*value) { window.length() } else { 0 }
            }),
            Node::Timestamp(array) if writer.formats.has_usual_timestamps() => {
                lane.each(&array.values()[rows.clone()], |value, room| {
                    let mut window = Window::new(room);
                    if writer.formats.write_instant(*value, &mut window) { window.length() } else { 0 }
                });
            }
            _ => return,
        }
        if let Some(nulls) = self.nulls {
            lane.clear(rows.map(|row| nulls.is_null(row)));
        }
    }
}

impl<'a> Elements<'a> {
    fn bind(array: &'a dyn Array) -> Result<Self> {
        Ok(Self { column: Column::bind(array)?, cells: Cells::new(1) })
    }

    fn prepare(&mut self, rows: Range<usize>, writer: &JsonWriter) {
        self.cells.begin(&rows);
        if let Some(lane) = self.cells.lane(0) {
            self.column.fill(lane, rows.clone(), writer);
        }
        self.column.node.prepare(rows, writer);
    }

    /// As [`Column::append`].
    #[inline(always)]
    fn append<const PRETTY: bool>(
        &self,
        row: usize,
        nesting: usize,
        writer: &JsonWriter,
        out: &mut Out,
    ) -> Result<()> {
        match self.cells.row(row) {
            [cell] if cell.length > 0 => {
                out.write(|window| window.cell(cell));
                Ok(())
            }
            _ => self.column.append::<PRETTY>(row, nesting, writer, out),
        }
    }
}

impl<'a> Members<'a> {
    pub fn bind(fields: &Fields, columns: &'a [ArrayRef]) -> Result<Self> {
        let bind = |(field, column): (&FieldRef, &'a ArrayRef)| -> Result<Member<'a>> {
            let mut name = String::new();
            append_quoted(field.name(), &mut name);
            Ok(Member {
                column: Column::bind(column.as_ref())?,
                first: Piece::new(&format!("{{{name}:")),
                later: Piece::new(&format!(",{name}:")),
                pretty: Piece::new(&format!("{name} : ")),
            })
        };
        let members = fields.iter().zip(columns).map(bind).collect::<Result<Vec<_>>>()?;
        let mut pieces: Vec<Piece> = members.iter().map(|member| member.later.clone()).collect();
        if let (Some(piece), Some(member)) = (pieces.first_mut(), members.first()) {
            *piece = member.first.clone();
        }
        Ok(Self { cells: Cells::new(members.len()), members, pieces })
    }

    /// As [`Node::prepare`].
    pub fn prepare(&mut self, rows: Range<usize>, writer: &JsonWriter) {
        self.cells.begin(&rows);
        for (at, member) in self.members.iter_mut().enumerate() {
            // Long names have no room beside a cell.
            if let Some(lane) = self.cells.lane(at).filter(|_| member.later.long.is_empty()) {
                member.column.fill(lane, rows.clone(), writer);
            }
            member.column.node.prepare(rows.clone(), writer);
        }
    }

    /// Appends the struct of a row.
    #[inline(always)]
    pub fn append<const PRETTY: bool>(
        &self,
        row: usize,
        nesting: usize,
        writer: &JsonWriter,
        out: &mut Out,
    ) -> Result<()> {
        if PRETTY {
            return self.append_pretty(row, nesting, writer, out);
        }
        let pairs = out.pairs(&self.pieces, self.cells.row(row));
        if pairs < self.members.len() || pairs == 0 {
            self.append_rest(pairs, row, writer, out)?;
        }
        out.byte(b'}');
        Ok(())
    }

    /// Appends the members from `at` on, of which the first has no cell.
    #[inline(never)]
    fn append_rest(&self, mut at: usize, row: usize, writer: &JsonWriter, out: &mut Out) -> Result<()> {
        let cells = self.cells.row(row);
        let mut empty = at == 0;
        while let Some(member) = self.members.get(at) {
            if !(writer.ignore_null_fields && member.column.is_null(row)) {
                out.piece(if empty { &member.first } else { &member.later });
                empty = false;
                member.column.append::<false>(row, 0, writer, out)?;
            }
            at = at.wrapping_add(1);
            // A first member that stands behind has another piece.
            if let (false, Some(pieces), Some(cells)) = (empty, self.pieces.get(at..), cells.get(at..)) {
                at = at.wrapping_add(out.pairs(pieces, cells));
            }
        }
        if empty {
            out.byte(b'{');
        }
        Ok(())
    }

    fn append_pretty(&self, row: usize, nesting: usize, writer: &JsonWriter, out: &mut Out) -> Result<()> {
        let mut braces = Braces::<true>::open(out);
        for member in &self.members {
            if member.column.is_null(row) && writer.ignore_null_fields {
                continue;
            }
            braces.separate(nesting, out);
            out.piece(&member.pretty);
            member.column.append::<true>(row, nesting + 1, writer, out)?;
        }
        braces.close(nesting, out);
        Ok(())
    }
}

fn append_list<const PRETTY: bool>(
    values: &Elements<'_>,
    range: Range<usize>,
    nesting: usize,
    writer: &JsonWriter,
    out: &mut Out,
) -> Result<()> {
    out.byte(b'[');
    if range.is_empty() {
        out.text(if PRETTY { " ]" } else { "]" });
        return Ok(());
    }
    for row in range {
        if PRETTY {
            out.byte(b' ');
        }
        // Arrays stay on their line and do not indent what is in them.
        values.append::<PRETTY>(row, nesting, writer, out)?;
        out.byte(b',');
    }
    // The last comma has nothing behind it.
    out.replace_last(if PRETTY { b' ' } else { b']' });
    if PRETTY {
        out.byte(b']');
    }
    Ok(())
}

/// Braces around members, each on a line of its own in pretty form.
struct Braces<const PRETTY: bool> {
    empty: bool,
}

impl<const PRETTY: bool> Braces<PRETTY> {
    fn open(out: &mut Out) -> Self {
        out.byte(b'{');
        Self { empty: true }
    }

    fn separate(&mut self, nesting: usize, out: &mut Out) {
        if !self.empty {
            out.byte(b',');
        }
        if PRETTY {
            indent(nesting + 1, out);
        }
        self.empty = false;
    }

    fn close(self, nesting: usize, out: &mut Out) {
        match (PRETTY, self.empty) {
            (true, true) => out.byte(b' '),
            (true, false) => indent(nesting, out),
            _ => {}
        }
        out.byte(b'}');
    }
}

fn indent(nesting: usize, out: &mut Out) {
    out.byte(b'\n');
    (0..nesting).for_each(|_| out.text("  "));
}

fn made(out: &mut Out, write: impl FnOnce(&mut String)) -> Result<()> {
    out.made(|text| {
        write(text);
        Ok(())
    })
}

fn quoted(out: &mut Out, write: impl FnOnce(&mut String)) -> Result<()> {
    out.quoted(|text| {
        write(text);
        Ok(())
    })
}
