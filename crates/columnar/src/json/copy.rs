//! A JSON value as text, written anew the way Jackson copies it: no blanks, escapes in their shortest form but
//! for characters beyond the basic plane (unless it copies to characters instead of bytes), numbers with a
//! fraction or exponent as Java doubles, what is not a number in quotes.
//!
//! Spark shows this for a value that is not a string in a string column, in `get_json_object` and
//! `json_tuple`.

use super::escape::{append_copied, append_quoted};
use super::reader::number::Form;
use super::reader::parser::{Bad, Parser, Quoted};
use crate::text::append_f64;

/// Reads the value at the position and appends its text. Nesting is limited by the parser.
pub(super) fn copy_value(parser: &mut Parser<'_>, out: &mut String) -> Result<(), Bad> {
    match parser.byte() {
        b'{' => copy_members(parser, out),
        b'[' => copy_elements(parser, out),
        quote @ b'"' => copy_string(parser, quote, out),
        quote @ b'\'' if parser.syntax.single_quotes => copy_string(parser, quote, out),
        b't' => copy_word(parser, "true", out),
        b'f' => copy_word(parser, "false", out),
        b'n' => copy_word(parser, "null", out),
        _ => copy_number(parser, out),
    }
}

fn copy_members(parser: &mut Parser<'_>, out: &mut String) -> Result<(), Bad> {
    parser.at += 1;
    parser.enter()?;
    out.push('{');
    let mut first = true;
    while parser.next_name(first)? {
        if !first {
            out.push(',');
        }
        first = false;
        let name = parser.name()?;
        append_literal(parser, name, out);
        parser.colon()?;
        out.push(':');
        copy_value(parser, out)?;
    }
    out.push('}');
    Ok(())
}

fn copy_elements(parser: &mut Parser<'_>, out: &mut String) -> Result<(), Bad> {
    parser.at += 1;
    parser.enter()?;
    out.push('[');
    let mut first = true;
    while parser.next_element(first)? {
        if !first {
            out.push(',');
        }
        first = false;
        copy_value(parser, out)?;
    }
    out.push(']');
    Ok(())
}

fn copy_string(parser: &mut Parser<'_>, quote: u8, out: &mut String) -> Result<(), Bad> {
    let quoted = parser.string(quote)?;
    append_literal(parser, quoted, out);
    Ok(())
}

fn append_literal(parser: &mut Parser<'_>, quoted: Quoted, out: &mut String) {
    if parser.copies_characters {
        append_quoted(as_text(parser.value_of(quoted)), out);
    } else {
        append_copied(as_text(&parser.text[quoted.start..quoted.end]), out);
    }
}

fn copy_word(parser: &mut Parser<'_>, word: &'static str, out: &mut String) -> Result<(), Bad> {
    parser.literal(word)?;
    out.push_str(word);
    Ok(())
}

fn copy_number(parser: &mut Parser<'_>, out: &mut String) -> Result<(), Bad> {
    let number = parser.number()?;
    if let Some((negative, digits)) = number.plain_integer(parser.text) {
        if negative {
            out.push('-');
        }
        out.push_str(digits);
        return Ok(());
    }
    let value = number.to_f64(parser.text);
    let quoted = !value.is_finite() || matches!(number.form, Form::NonNumeric | Form::Infinite);
    if quoted {
        out.push('"');
    }
    append_f64(value, out);
    if quoted {
        out.push('"');
    }
    Ok(())
}

/// Parts of a UTF-8 document between ASCII bytes are UTF-8.
fn as_text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}
