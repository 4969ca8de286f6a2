//! A result row the way Spark's FAILFAST error shows it: the row's internal values, `[1,null,x]`. Dates are
//! days, timestamps and day-time intervals microseconds, year-month intervals months.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, DurationMicrosecondType, IntervalYearMonthType, TimestampMicrosecondType,
};
use arrow_schema::DataType;

use super::{Renderer, Style, append_i64};
use crate::datetime::TimeZone;

/// The text of an array of one row.
pub(crate) fn row_text(array: &dyn Array) -> String {
    let mut out = String::new();
    if matches!(array.data_type(), DataType::Struct(_)) {
        append(array, 0, &mut out);
    } else {
        // An array or map is the only field of its row.
        out.push('[');
        append(array, 0, &mut out);
        out.push(']');
    }
    out
}

fn append(array: &dyn Array, row: usize, out: &mut String) {
    if array.is_null(row) {
        return out.push_str("null");
    }
    match array.data_type() {
        DataType::Struct(_) => {
            let columns = array.as_struct().columns();
            join(columns.len(), out, |index, out| append(&columns[index], row, out));
        }
        DataType::List(_) => {
            let values = array.as_list::<i32>().value(row);
            join(values.len(), out, |index, out| append(&values, index, out));
        }
        DataType::Map(_, _) => {
            let entries = array.as_map().value(row);
            out.push_str("keys: ");
            join(entries.len(), out, |index, out| append(entries.column(0), index, out));
            out.push_str(", values: ");
            join(entries.len(), out, |index, out| append(entries.column(1), index, out));
        }
        DataType::Date32 => append_i64(array.as_primitive::<Date32Type>().value(row).into(), out),
        DataType::Timestamp(_, _) => {
            append_i64(array.as_primitive::<TimestampMicrosecondType>().value(row), out);
        }
        DataType::Duration(_) => {
            append_i64(array.as_primitive::<DurationMicrosecondType>().value(row), out);
        }
        DataType::Interval(_) => {
            append_i64(array.as_primitive::<IntervalYearMonthType>().value(row).into(), out);
        }
        _ => {
            if let Ok(renderer) = Renderer::new(array, &TimeZone::UTC, Style::Cast) {
                renderer.append(row, out);
            }
        }
    }
}

fn join(count: usize, out: &mut String, item: impl Fn(usize, &mut String)) {
    out.push('[');
    for index in 0..count {
        if index > 0 {
            out.push(',');
        }
        item(index, out);
    }
    out.push(']');
}
