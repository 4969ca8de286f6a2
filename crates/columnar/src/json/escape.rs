//! Strings as JSON text, escaped as Jackson's generator does: `"`, `\`, and control characters below 0x20;
//! nothing else.

use super::scan;

/// Appends `text` in quotes.
pub(super) fn append_quoted(text: &str, out: &mut String) {
    out.push('"');
    append_escaped(text, out);
    out.push('"');
}

/// Appends `text` with escapes.
pub(super) fn append_escaped(text: &str, out: &mut String) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let mut rest = text;
    loop {
        let at = scan::string_end(rest.as_bytes(), 0, b'"');
        // The scan stops at ASCII bytes only, so both sides are whole characters.
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let Some(&byte) = special.as_bytes().first() else {
            return;
        };
        out.push('\\');
        match byte {
            b'"' | b'\\' => out.push(char::from(byte)),
            0x08 => out.push('b'),
            0x09 => out.push('t'),
            0x0a => out.push('n'),
            0x0c => out.push('f'),
            0x0d => out.push('r'),
            other => {
                out.push_str("u00");
                out.push(HEX[usize::from(other >> 4)]);
                out.push(HEX[usize::from(other & 15)]);
            }
        }
        rest = &special[1..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_jackson_escapes_is_escaped() {
        let mut out = String::new();
        append_quoted("q\"\\\n\t\r\u{8}\u{c}/\u{e9}\u{2028}\u{1f600}\u{1}\u{1f}\u{7f}", &mut out);
        assert_eq!(out, "\"q\\\"\\\\\\n\\t\\r\\b\\f/\u{e9}\u{2028}\u{1f600}\\u0001\\u001F\u{7f}\"");
    }
}
