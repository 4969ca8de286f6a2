//! Patterns of Java's `DecimalFormat`, such as `#,##0.00` and `0.0%`, for `format_number`.
//!
//! `0` is a digit that is always there, `#` one that is there if it is needed; the last comma gives the size of the
//! groups; `%` multiplies by a hundred; what stands around the digits is written as it is, quoted or not. Rounding is
//! half to even. Exponents and a second pattern for negative numbers are not supported.

use super::number_text::{plain, rounded};
use crate::error::{Error, Result};

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct DecimalPattern {
    prefix: String,
    suffix: String,
    /// Digits between commas; 0 for none.
    group: usize,
    least_whole: usize,
    least_fraction: usize,
    most_fraction: usize,
    percent: bool,
}

/// Longest text of digits, so that a pattern cannot ask for gigabytes.
const MAX_DIGITS: usize = 1_000;

impl DecimalPattern {
    /// Compiles a pattern; an empty one is that of whole numbers in groups of three.
    ///
    /// # Errors
    /// What is not supported, named.
    pub fn new(pattern: &str) -> Result<Self> {
        let refused = |what: &str| Error::unsupported(format!("{what} in the number format '{pattern}'"));
        let text = if pattern.is_empty() { "#,##0" } else { pattern };
        let (mut prefix, mut digits, mut suffix) = (String::new(), String::new(), String::new());
        let (mut quoted, mut percent) = (false, false);
        for c in text.chars() {
            let is_digit = !quoted && "#0,.".contains(c) && suffix.is_empty();
            match c {
                '\'' => quoted = !quoted,
                _ if is_digit => digits.push(c),
                ';' if !quoted => return Err(refused("a second pattern")),
                'E' if !quoted && !digits.is_empty() => return Err(refused("an exponent")),
                '\u{2030}' | '\u{a4}' if !quoted => return Err(refused(&format!("'{c}'"))),
                '#' | '0' | ',' | '.' if !quoted => return Err(refused("digits in two places")),
                c => {
                    percent |= c == '%' && !quoted;
                    if digits.is_empty() { prefix.push(c) } else { suffix.push(c) }
                }
            }
        }
        let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
        let in_order = !whole.replace(',', "").contains("0#") && !fraction.contains("#0");
        if digits.len() > MAX_DIGITS || !in_order || fraction.contains([',', '.']) {
            return Err(refused("the order of the digits"));
        }
        let zeros = |part: &str| part.matches('0').count();
        Ok(Self {
            group: whole.rfind(',').map_or(0, |comma| whole.len() - comma - 1),
            least_whole: zeros(whole),
            least_fraction: zeros(fraction),
            most_fraction: fraction.len(),
            prefix,
            suffix,
            percent,
        })
    }

    /// A number, as a cast to text writes it, by the pattern.
    pub fn format(&self, number: &str) -> String {
        let (sign, body) = number.strip_prefix('-').map_or(("", number), |body| ("-", body));
        let digits = match body {
            "NaN" => return "NaN".to_owned(),
            "Infinity" => "\u{221e}".to_owned(),
            body => self.digits(&plain(&if self.percent { format!("{body}E2") } else { body.to_owned() })),
        };
        format!("{sign}{}{digits}{}", self.prefix, self.suffix)
    }

    fn digits(&self, number: &str) -> String {
        let (whole, fraction) = rounded(number, self.most_fraction);
        let kept = fraction.trim_end_matches('0').len().max(self.least_fraction);
        let fraction = &fraction[..kept];
        let whole = if whole == "0" && self.least_whole == 0 && kept > 0 { "" } else { &whole };
        let whole = format!("{whole:0>0$}", self.least_whole);
        let mut out = String::new();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && self.group > 0 && (whole.len() - at).is_multiple_of(self.group) {
                out.push(',');
            }
            out.push(digit);
        }
        if kept > 0 {
            out.extend([".", fraction]);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_javas_decimal_format_writes_them() {
        for (pattern, number, shown) in [
            ("#,##0.00", "-1234.5", "-1,234.50"),
            ("#.##", "0.5", ".5"),
            ("#", "0", "0"),
            ("0.0%", "0.3702", "37.0%"),
            ("'#'0 kg", "7.5", "#8 kg"),
            ("0000,000", "1000", "0,001,000"),
            ("", "12345.4", "12,345"),
        ] {
            assert_eq!(DecimalPattern::new(pattern).unwrap().format(number), shown, "{pattern}");
        }
        for bad in ["0.0E0", "0;(0)", "0#", "0x0"] {
            assert!(DecimalPattern::new(bad).is_err(), "{bad}");
        }
    }
}
