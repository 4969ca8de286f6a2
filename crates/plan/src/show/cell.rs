//! One cell: escapes, cuts, widths.
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{DurationMicrosecondType, IntervalYearMonthType};

use crate::types::{SparkType, day_time_interval_text, year_month_interval_text};

/// Characters that would break the layout, as their escapes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\u{c}' => escaped.push_str("\\f"),
            '\u{8}' => escaped.push_str("\\b"),
            '\u{b}' => escaped.push_str("\\v"),
            '\u{7}' => escaped.push_str("\\a"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The text cut to a width in UTF-16 units.
pub(super) fn cut(text: String, width: Option<usize>) -> String {
    match width {
        Some(width) if length(&text) > width => {
            if width < 4 {
                prefix(&text, width)
            } else {
                format!("{}...", prefix(&text, width - 3))
            }
        }
        _ => text,
    }
}

/// So many UTF-16 units; half a surrogate pair prints as a question mark.
fn prefix(text: &str, units: usize) -> String {
    let mut kept = String::new();
    let mut left = units;
    for c in text.chars() {
        if left == 0 {
            break;
        }
        let needed = c.len_utf16();
        kept.push(if needed > left { '?' } else { c });
        left = left.saturating_sub(needed);
    }
    kept
}

fn length(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// Columns that the text takes on a terminal, as Spark counts them.
pub(super) fn display_width(text: &str) -> usize {
    text.chars().map(|c| c.len_utf16() + usize::from(is_wide(c))).sum()
}

/// East Asian characters of the basic plane that take two columns.
fn is_wide(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}'
        | '\u{FE30}'..='\u{FE6F}' | '\u{FF00}'..='\u{FF60}' | '\u{FFE0}'..='\u{FFE6}')
}

/// An interval by the fields of its type.
pub(super) fn interval(column: &dyn Array, data_type: &SparkType, row: usize) -> String {
    if column.is_null(row) {
        return "NULL".to_owned();
    }
    match data_type {
        SparkType::DayTimeInterval(from, to) => {
            let lengths = column.as_primitive_opt::<DurationMicrosecondType>();
            lengths.map_or(String::new(), |l| day_time_interval_text(l.value(row), *from, *to))
        }
        SparkType::YearMonthInterval(from, to) => {
            let lengths = column.as_primitive_opt::<IntervalYearMonthType>();
            lengths.map_or(String::new(), |l| year_month_interval_text(l.value(row), *from, *to))
        }
        _ => String::new(),
    }
}
