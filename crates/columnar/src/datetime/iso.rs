//! The commonest timestamp text, `2026-01-02T03:04:05Z` with up to six digits of a fraction, read by places.
//! Whatever else there is gives None here and is left to the walk in `cast`.

use super::calendar::{MICROS_PER_DAY, MICROS_PER_SECOND, checked_days};

/// Microseconds since the epoch.
pub(super) fn iso_instant(text: &[u8]) -> Option<i64> {
    let ([year, month_and_day, time], rest) = (text.first_chunk::<19>().map(places)??, &text[19..]);
    let micros = match rest {
        [b'Z'] => 0,
        [b'.', digits @ .., b'Z'] if (1..=6).contains(&digits.len()) => {
            let mut micros = 0;
            for place in 0..6 {
                let digit = digits.get(place).map_or(0, |digit| digit.wrapping_sub(b'0'));
                if digit > 9 {
                    return None;
                }
                micros = micros * 10 + i64::from(digit);
            }
            micros
        }
        _ => return None,
    };
    let (hour, minute, second) = (time / 10_000, time / 100 % 100, time % 100);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = checked_days(i64::from(year), month_and_day / 100, month_and_day % 100)?;
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    Some(i64::from(days) * MICROS_PER_DAY + seconds * MICROS_PER_SECOND + micros)
}

/// Year, month and day as `mmdd`, time as `hhmmss` of `yyyy-mm-ddThh:mm:ss`.
#[inline(always)]
fn places(text: &[u8; 19]) -> Option<[u32; 3]> {
    const PATTERN: [u8; 19] = *b"0000-00-00T00:00:00";
    let mut digits = [0u8; 19];
    let mut largest = 0;
    for (digit, (byte, pattern)) in digits.iter_mut().zip(text.iter().zip(PATTERN)) {
        *digit = byte ^ pattern;
        // A separator has to be itself, a digit may be up to nine.
        largest |= if pattern == b'0' { u8::from(*digit > 9) } else { *digit };
    }
    if largest != 0 {
        return None;
    }
    let number = |places: &[usize]| places.iter().fold(0, |number, at| number * 10 + u32::from(digits[*at]));
    Some([number(&[0, 1, 2, 3]), number(&[5, 6, 8, 9]), number(&[11, 12, 14, 15, 17, 18])])
}

#[cfg(test)]
mod tests {
    use super::super::TimeZone;
    use super::super::cast::slow_timestamp;
    use super::*;

    #[test]
    fn what_is_read_by_places_is_what_the_walk_reads() {
        let base = *b"2024-02-29T23:59:59.123456Z";
        let mut read = 0;
        for length in 0..=base.len() {
            let mut text = base[..length].to_vec();
            if length > 19 {
                text[length - 1] = b'Z';
            }
            for at in 0..text.len() {
                let before = text[at];
                for byte in b"0123456789-:T.Z +a\xff" {
                    text[at] = *byte;
                    if let Some(micros) = iso_instant(&text) {
                        read += 1;
                        let slow = slow_timestamp(&text, &TimeZone::UTC, None);
                        assert_eq!(Some(micros), slow, "{}", String::from_utf8_lossy(&text));
                    }
                }
                text[at] = before;
            }
        }
        assert!(read > 300, "{read}");
    }
}
