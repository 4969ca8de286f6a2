//! Dates and timestamps as text: lenient parsing, patterns, zones; what a pattern has written it reads again.
//!
//! Input: a pattern up to a line feed, a zone up to a line feed, a text.

use millstream_columnar::datetime::{
    Pattern, TimeZone, string_to_date, string_to_timestamp, string_to_timestamp_ntz,
};
use millstream_columnar::text::{append_date, append_timestamp, append_timestamp_ntz};

use crate::input::Input;

/// Years 1 to 9999, which every pattern can hold.
const MICROS: std::ops::Range<i64> = -62_135_596_800_000_000..253_402_300_800_000_000;

/// See the module.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let (pattern, zone, text) = (input.until(b'\n'), input.until(b'\n'), input.rest());
    let zone = std::str::from_utf8(zone).ok().and_then(|zone| zone.parse().ok()).unwrap_or(TimeZone::UTC);
    let mut out = String::new();
    if let Some(days) = string_to_date(text) {
        append_date(days, &mut out);
        assert!(!(-700_000..=2_932_896).contains(&days) || string_to_date(out.as_bytes()) == Some(days));
    }
    let timestamp = string_to_timestamp(text, &zone, Some(20_000));
    if let Some(micros) = timestamp {
        out.clear();
        append_timestamp(micros, &zone, &mut out);
    }
    if let Some(micros) = string_to_timestamp_ntz(text, true) {
        out.clear();
        append_timestamp_ntz(micros, &mut out);
        if MICROS.contains(&micros) {
            assert_eq!(string_to_timestamp_ntz(out.as_bytes(), true), Some(micros), "{out}");
        }
    }
    let (Ok(pattern), Ok(text)) = (std::str::from_utf8(pattern), std::str::from_utf8(text)) else { return };
    let Ok(pattern) = Pattern::compile(pattern) else { return };
    let _ = pattern.parse_date(text);
    let _ = pattern.parse_timestamp_ntz(text, true);
    let read = pattern.parse_timestamp(text, &zone);
    for micros in [read.ok(), timestamp, Some(0)].into_iter().flatten() {
        out.clear();
        if pattern.format_timestamp(micros, &zone, &mut out).is_ok() {
            // It may leave fields out, so that it reads as another moment or as none; but never panics.
            let _ = pattern.parse_timestamp(&out, &zone);
        }
    }
}
