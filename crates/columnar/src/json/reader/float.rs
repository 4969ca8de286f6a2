//! Decimal to the nearest double, without a detour through text.
//!
//! A number of up to 19 digits is `mantissa / 10^k`. Both factors exact: one division rounds rightly (Clinger
//! 1990). Else the quotient is taken exactly in integers, 64 bits of it and whether anything remains, by one
//! multiplication with a prepared reciprocal (Moeller and Granlund, "Improved division by invariant integers",
//! 2011), and rounded half to even. Results of this size are never subnormal.

/// Largest power of ten that is divided by; 5^27 is the largest power of five below 2^63.
const MOST_PLACES: usize = 27;

/// `10^k` for exact arithmetic in doubles.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// A power of five, shifted up until its highest bit is set.
#[derive(Clone, Copy)]
struct Divisor {
    shifted: u64,
    shift: u32,
    /// `(2^128 - 1) / shifted - 2^64`.
    reciprocal: u64,
}

static DIVISORS: [Divisor; MOST_PLACES + 1] = divisors();

const fn divisors() -> [Divisor; MOST_PLACES + 1] {
    let mut all = [Divisor { shifted: 0, shift: 0, reciprocal: 0 }; MOST_PLACES + 1];
    let (mut power, mut at) = (1u64, 0);
    while at <= MOST_PLACES {
        let shift = power.leading_zeros();
        let shifted = power << shift;
        let reciprocal = (u128::MAX / shifted as u128 - (1 << 64)) as u64;
        all[at] = Divisor { shifted, shift, reciprocal };
        power = power.wrapping_mul(5);
        at += 1;
    }
    all
}

/// The double nearest to `mantissa * 10^exponent`; None where that takes more than is here.
#[inline(always)]
pub(super) fn nearest(mantissa: u64, exponent: i32) -> Option<f64> {
    if mantissa < 1 << 53
        && let Some(power) = POWERS.get(exponent.unsigned_abs() as usize)
    {
        let mantissa = mantissa as f64;
        return Some(if exponent < 0 { mantissa / power } else { mantissa * power });
    }
    quotient(mantissa, exponent)
}

#[inline(never)]
fn quotient(mantissa: u64, exponent: i32) -> Option<f64> {
    let divisor = DIVISORS.get(usize::try_from(exponent.checked_neg()?).ok()?)?;
    if mantissa == 0 {
        return Some(0.0);
    }
    let shift = mantissa.leading_zeros();
    let shifted = mantissa << shift;
    // Below the divisor, as the division asks; so the quotient has its highest bit set either way.
    let (high, low, halved) =
        if shifted < divisor.shifted { (shifted, 0, 0) } else { (shifted >> 1, shifted << 63, 1) };
    let (quotient, remains) = divide(high, low, divisor);
    // The lowest 11 of 64 bits go; a tie goes to the even one.
    let (kept, cut) = (quotient >> 11, quotient & 0x7ff);
    let up = cut > 0x400 || (cut == 0x400 && (remains || kept & 1 == 1));
    let rounded = kept + u64::from(up);
    // mantissa / 5^k = quotient * 2^(divisor.shift - shift - 64 + halved); the 2^-k of 10^-k comes on top.
    let power = divisor.shift as i32 - shift as i32 - 64 + halved + exponent + 11;
    // Exact: `rounded` has at most 54 bits, and only 2^53 itself has 54; powers of two here are normal.
    Some(rounded as f64 * f64::from_bits(((1023 + power) as u64) << 52))
}

/// `(high * 2^64 + low) / divisor` with `high < divisor`: the quotient, and whether there is a remainder.
#[inline(always)]
fn divide(high: u64, low: u64, divisor: &Divisor) -> (u64, bool) {
    let product = u128::from(divisor.reciprocal) * u128::from(high);
    let estimate = product.wrapping_add(u128::from(high) << 64 | u128::from(low));
    let mut quotient = ((estimate >> 64) as u64).wrapping_add(1);
    let mut rest = low.wrapping_sub(quotient.wrapping_mul(divisor.shifted));
    if rest > estimate as u64 {
        quotient = quotient.wrapping_sub(1);
        rest = rest.wrapping_add(divisor.shifted);
    }
    if rest >= divisor.shifted {
        quotient = quotient.wrapping_add(1);
        rest -= divisor.shifted;
    }
    (quotient, rest != 0)
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    fn check(mantissa: u64, exponent: i32) {
        let text = format!("{mantissa}e{exponent}");
        let expected: f64 = text.parse().unwrap();
        if let Some(found) = nearest(mantissa, exponent) {
            assert_eq!(found.to_bits(), expected.to_bits(), "{text}");
        } else {
            assert!(!(-27..=0).contains(&exponent), "{text}");
        }
        if let Some(found) = quotient(mantissa, exponent) {
            assert_eq!(found.to_bits(), expected.to_bits(), "{text} by division");
        }
    }

    #[test]
    fn results_are_those_of_the_standard_parser() {
        let mut rng = StdRng::seed_from_u64(5);
        for exponent in -30..=25 {
            for mantissa in [0, 1, 9, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, (1 << 54) + 2, u64::MAX, 1 << 63]
            {
                check(mantissa, exponent);
            }
            for _ in 0..2000 {
                check(rng.random::<u64>() >> rng.random_range(0..64), exponent);
            }
        }
        // Half-way cases: a double, half a unit beside it, and the neighbours of that.
        for places in 1..=11u32 {
            for _ in 0..500 {
                let double = rng.random_range(1u64 << 52..1 << 53);
                let half = (2 * u128::from(double) + 1) * 5u128.pow(places);
                if let Ok(half) = u64::try_from(half) {
                    (half - 1..=half + 1).for_each(|mantissa| check(mantissa, -(places as i32)));
                }
            }
        }
    }
}
