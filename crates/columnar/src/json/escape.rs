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
    let mut rest = text;
    loop {
        let at = scan::string_end(rest.as_bytes(), 0, b'"');
        // The scan stops at ASCII bytes only, so both sides are whole characters.
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let Some(&byte) = special.as_bytes().first() else {
            return;
        };
        let (escape, length) = escaped(byte);
        out.extend(escape[..length].iter().map(|byte| char::from(*byte)));
        rest = &special[1..];
    }
}

/// The escape of an ASCII character that needs one, and its length.
pub(super) fn escaped(byte: u8) -> ([u8; 6], usize) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let letter = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x09 => b't',
        0x0a => b'n',
        0x0c => b'f',
        0x0d => b'r',
        other => {
            let (high, low) = (HEX[usize::from(other >> 4)], HEX[usize::from(other & 15)]);
            return ([b'\\', b'u', b'0', b'0', high, low], 6);
        }
    };
    ([b'\\', letter, 0, 0, 0, 0], 2)
}

/// The UTF-16 unit that the four hexadecimal digits at `at` name.
pub(super) fn unicode_unit(escape: &[u8], at: usize) -> Option<u16> {
    let digits = escape.get(at..at + 4).and_then(|digits| std::str::from_utf8(digits).ok())?;
    u16::from_str_radix(digits, 16).ok()
}

/// Appends the inside of a string literal, `raw`, in quotes, as Jackson copies it to bytes: escapes in their
/// shortest form, and characters beyond the basic plane as two escaped surrogates, lone ones kept.
pub(super) fn append_copied(raw: &str, out: &mut String) {
    out.push('"');
    let mut rest = raw;
    while let Some(at) = rest.bytes().position(|byte| byte == b'\\' || byte >= 0xf0) {
        append_escaped(&rest[..at], out);
        rest = &rest[at..];
        let mut characters = rest.chars();
        let mut units = [0u16; 2];
        match characters.next() {
            Some('\\') => match characters.next() {
                Some('u') => {
                    let unit = unicode_unit(rest.as_bytes(), 2).unwrap_or(0);
                    append_unit(unit, out);
                    rest = rest.get(6..).unwrap_or_default();
                    continue;
                }
                Some(letter) => append_escaped(unescaped(letter).encode_utf8(&mut [0; 4]), out),
                None => break,
            },
            Some(astral) => astral.encode_utf16(&mut units).iter().for_each(|unit| append_unit(*unit, out)),
            None => break,
        }
        rest = characters.as_str();
    }
    append_escaped(rest, out);
    out.push('"');
}

fn append_unit(unit: u16, out: &mut String) {
    match char::from_u32(unit.into()) {
        Some(character) => append_escaped(character.encode_utf8(&mut [0; 4]), out),
        // Half of a pair.
        None => out.push_str(&format!("\\u{unit:04X}")),
    }
}

/// What a backslash and a letter stand for; other characters stand for themselves.
fn unescaped(letter: char) -> char {
    match letter {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        other => other,
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

    #[test]
    fn copied_literals_keep_their_meaning_and_halves_of_pairs() {
        for (raw, expected) in [
            (r"plain \u00e9 \/ \n \q \u0041", "\"plain \u{e9} / \\n q A\""),
            ("\u{e9}\u{1f600}", "\"\u{e9}\\uD83D\\uDE00\""),
            (r"\ud83d\ude00 \ude00\ud83d", r#""\uD83D\uDE00 \uDE00\uD83D""#),
            (r#"\"\\\u0001\u007f"#, "\"\\\"\\\\\\u0001\u{7f}\""),
        ] {
            let mut out = String::new();
            append_copied(raw, &mut out);
            assert_eq!(out, expected, "{raw}");
        }
    }
}
