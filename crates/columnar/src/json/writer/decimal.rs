//! Decimals as Jackson writes Java's BigDecimal: plain, or scientific (`1E-18`, `0E-18`, `1.20E-7`) where the
//! first digit stands more than six places behind the point.

use crate::text::append_decimal;

/// Appends a decimal.
pub(super) fn append_number(unscaled: i128, scale: i8, out: &mut String) {
    let digits = unscaled.unsigned_abs().checked_ilog10().unwrap_or(0) as i32;
    let exponent = digits - i32::from(scale);
    if scale >= 0 && exponent >= -6 {
        return append_decimal(unscaled, scale, out);
    }
    let start = out.len();
    append_decimal(unscaled, 0, out);
    if digits > 0 {
        out.insert(start + usize::from(unscaled < 0) + 1, '.');
    }
    out.push_str(if exponent < 0 { "E-" } else { "E+" });
    crate::text::append_i64(exponent.unsigned_abs().into(), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_ones_are_scientific() {
        for (unscaled, scale, expected) in [
            (110, 2, "1.10"),
            (0, 2, "0.00"),
            (0, 6, "0.000000"),
            (0, 7, "0E-7"),
            (1, 18, "1E-18"),
            (-1, 6, "-0.000001"),
            (-12, 8, "-1.2E-7"),
            (10, 8, "1.0E-7"),
            (i128::from(i64::MAX), 0, "9223372036854775807"),
        ] {
            let mut out = String::from("x");
            append_number(unscaled, scale, &mut out);
            assert_eq!(out[1..], *expected);
        }
    }
}
