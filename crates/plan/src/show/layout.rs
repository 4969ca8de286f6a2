//! Cells laid out as a table, or one below the other.
use super::cell::display_width;

/// Narrowest column.
const MIN_WIDTH: usize = 3;

/// Which side of a cell is filled with blanks.
fn pad(text: &str, width: usize, on_the_left: bool, out: &mut String) {
    let blanks = width.saturating_sub(display_width(text));
    if on_the_left {
        out.extend(std::iter::repeat_n(' ', blanks));
    }
    out.push_str(text);
    if !on_the_left {
        out.extend(std::iter::repeat_n(' ', blanks));
    }
}

fn widest<'a>(texts: impl Iterator<Item = &'a String>) -> usize {
    texts.map(|text| display_width(text)).fold(MIN_WIDTH, usize::max)
}

/// A framed table with the names on top.
pub(super) fn table(names: &[String], rows: &[Vec<String>], align_right: bool) -> String {
    let widths: Vec<usize> = (0..names.len())
        .map(|column| widest(std::iter::once(&names[column]).chain(rows.iter().map(|row| &row[column]))))
        .collect();
    let dashes: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let separator = format!("+{}+\n", dashes.join("+"));
    let mut text = separator.clone();
    let line = |cells: &[String], text: &mut String| {
        text.push('|');
        for (i, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            if i > 0 {
                text.push('|');
            }
            pad(cell, *width, align_right, text);
        }
        text.push_str("|\n");
    };
    line(names, &mut text);
    text.push_str(&separator);
    for row in rows {
        line(row, &mut text);
    }
    text.push_str(&separator);
    text
}

/// A head line for each row, then its names and values in lines.
pub(super) fn vertical(names: &[String], rows: &[Vec<String>]) -> String {
    let name_width = widest(names.iter());
    let cell_width = widest(rows.iter().flatten());
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        let head = format!("-RECORD {number}");
        // A blank on both sides of name and value, and the bar between them.
        text.push_str(&format!("{head:-<0$}\n", name_width + cell_width + 5));
        for (name, cell) in names.iter().zip(row) {
            text.push(' ');
            pad(name, name_width, false, &mut text);
            text.push_str(" | ");
            pad(cell, cell_width, false, &mut text);
            text.push_str(" \n");
        }
        if names.is_empty() {
            text.push('\n');
        }
    }
    text
}
