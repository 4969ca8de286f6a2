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

/// Appends the bytes of an encoding; None if it is not one. White space between symbols is passed over.
pub(super) fn decode(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (mut word, mut symbols, mut padding) = (0u32, 0, 0);
    for &byte in text.iter().filter(|byte| **byte > b' ') {
        if byte == b'=' {
            padding += 1;
        } else if padding > 0 {
            return None;
        } else {
            word = word << 6 | value(byte)?;
            symbols += 1;
            if symbols == 4 {
                out.extend_from_slice(&word.to_be_bytes()[1..]);
                (word, symbols) = (0, 0);
            }
        }
    }
    match (symbols, padding) {
        (0, 0) => {}
        (2, 2) => out.push((word >> 4) as u8),
        (3, 1) => out.extend_from_slice(&((word >> 2) as u16).to_be_bytes()),
        _ => return None,
    }
    Some(())
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
        for bad in ["a", "aA=", "aA", "a===", "aA==x", "a*==", "="] {
            assert_eq!(decode(bad.as_bytes(), &mut Vec::new()), None, "{bad}");
        }
    }
}
