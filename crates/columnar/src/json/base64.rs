//! Base64 of binary values in JSON (RFC 4648, standard alphabet, padded), as Jackson writes and reads it.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends the encoding of `bytes`.
pub(super) fn encode(bytes: &[u8], out: &mut String) {
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let symbol = ALPHABET[(word >> (18 - 6 * place)) as usize & 63];
            out.push(if place <= chunk.len() { char::from(symbol) } else { '=' });
        }
    }
}

/// Why text is not base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A character that cannot stand there.
    Character,
    /// The text ends where Jackson has taken the closing quote for a symbol.
    End,
}

/// Appends the bytes of an encoding: groups of four symbols, the last two or one of which may be `=`, with
/// white space between groups only. As in Jackson a group with `=` need not be the last.
pub(super) fn decode(text: &[u8], out: &mut Vec<u8>) -> Result<(), Wrong> {
    let mut rest = text;
    loop {
        while let [b'\0'..=b' ', more @ ..] = rest {
            rest = more;
        }
        if rest.is_empty() {
            return Ok(());
        }
        let (mut word, mut symbols) = (0, 0);
        for place in 0..4 {
            let Some((symbol, more)) = rest.split_first() else {
                let is_taken = place == 1 || (place == 3 && symbols == 2);
                return Err(if is_taken { Wrong::End } else { Wrong::Character });
            };
            rest = more;
            if *symbol == b'=' && place >= 2 {
                continue;
            }
            // Behind the first `=` only another may stand.
            let value = value(*symbol).filter(|_| symbols == place).ok_or(Wrong::Character)?;
            word = word << 6 | value;
            symbols += 1;
        }
        match symbols {
            2 => out.push((word >> 4) as u8),
            3 => out.extend_from_slice(&((word >> 2) as u16).to_be_bytes()),
            _ => out.extend_from_slice(&word.to_be_bytes()[1..]),
        }
    }
}

fn value(symbol: u8) -> Option<u32> {
    Some(u32::from(match symbol {
        b'A'..=b'Z' => symbol - b'A',
        b'a'..=b'z' => symbol - b'a' + 26,
        b'0'..=b'9' => symbol - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_every_length_come_back_and_bad_text_is_refused() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"h", "aA=="),
            (b"hi", "aGk="),
            (b"hi!", "aGkh"),
            (b"\xff\xfe\xfd\x00", "//79AA=="),
        ] {
            let (mut encoded, mut decoded) = (String::new(), Vec::new());
            encode(bytes, &mut encoded);
            assert_eq!(encoded, text);
            decode(text.as_bytes(), &mut decoded).unwrap();
            assert_eq!(decoded, bytes);
        }
        for (bad, why) in [
            ("a", Wrong::End),
            ("aA=", Wrong::End),
            ("aA", Wrong::Character),
            ("aAA", Wrong::Character),
            ("a===", Wrong::Character),
            ("aA==x", Wrong::End),
            ("a*==", Wrong::Character),
            ("=", Wrong::Character),
            ("aA=A", Wrong::Character),
            ("aG k", Wrong::Character),
        ] {
            assert_eq!(decode(bad.as_bytes(), &mut Vec::new()), Err(why), "{bad}");
        }
        let mut decoded = Vec::new();
        assert_eq!(decode(b" aGk=\naGk=", &mut decoded), Ok(()));
        assert_eq!(decoded, b"hihi");
    }
}
