//! `md5`, `sha1`, `sha2`, `crc32`, `luhn_check`: sums of bytes, so of the bytes below a cast to STRING.

use arrow_array::ArrayRef;
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::functions::crypto::expr_fn as crypto;
use datafusion::logical_expr::{Cast, Expr};
use datafusion::scalar::ScalarValue;

use super::{BYTES, TEXT};
use crate::analyzer::Typed;
use crate::error::Error;
use crate::functions::call::{Arity, Call, Function};
use crate::functions::computed::Computed;
use crate::functions::rows::{binary, booleans, longs, text, texts};
use crate::functions::simple::Simple;
use crate::functions::udf;
use crate::types::SparkType;

/// Functions of fixed types.
pub(crate) static SIMPLE: &[Simple] = &[
    Simple { name: "crc32", params: &[BYTES], optional: 0, returns: SparkType::Long, run: crc32 },
    Simple { name: "sha1", params: &[BYTES], optional: 0, returns: SparkType::String, run: sha1 },
    Simple { name: "luhn_check", params: &[TEXT], optional: 0, returns: SparkType::Boolean, run: luhn_check },
    Simple { name: "sha", params: &[BYTES], optional: 0, returns: SparkType::String, run: sha1 },
];

/// Functions with rules of their own.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "md5", arity: Arity::exactly(1), build: md5 },
    Function { name: "sha2", arity: Arity::exactly(2), build: sha2 },
];

/// Whether a text is digits whose sum by Luhn ends in 0: from the right every second one counts twice, and of a sum of
/// two digits both.
fn luhn_check(args: &[ArrayRef]) -> Result<ArrayRef> {
    booleans(args, |row| {
        let digits = text(args, 0).value(row).as_bytes();
        let sum: u32 = digits
            .iter()
            .rev()
            .enumerate()
            .map(|(place, digit)| match u32::from(digit.wrapping_sub(b'0')) {
                digit if place % 2 == 0 => digit,
                digit if digit > 4 => 2 * digit - 9,
                digit => 2 * digit,
            })
            .sum();
        let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        Ok(Some(is_number && sum.is_multiple_of(10)))
    })
}

fn md5(call: &Call<'_>) -> crate::error::Result<Typed> {
    let bytes = call.take(0, &BYTES)?;
    Ok(call.result(crypto::md5(bytes.expr), SparkType::String))
}

/// The number of bits is a constant; 0 means 256, and a number that is none of SHA-2's gives NULL.
fn sha2(call: &Call<'_>) -> crate::error::Result<Typed> {
    let bytes = call.take(0, &BYTES)?;
    if !call.args[1].foldable {
        return Err(Error::unsupported("sha2 with a number of bits that is not a constant"));
    }
    let digest = match call.constant(1, "bitLength", &SparkType::Integer)? {
        ScalarValue::Int32(Some(224)) => crypto::sha224(bytes.expr),
        ScalarValue::Int32(Some(0 | 256)) => crypto::sha256(bytes.expr),
        ScalarValue::Int32(Some(384)) => crypto::sha384(bytes.expr),
        ScalarValue::Int32(Some(512)) => crypto::sha512(bytes.expr),
        _ => {
            let null = Expr::Literal(ScalarValue::Utf8View(None), None);
            return Ok(call.result(null, SparkType::String).nullable(true));
        }
    };
    let view = Expr::Cast(Cast::new(Box::new(digest), DataType::BinaryView));
    let kernel = Computed { name: "lower_hex".to_owned(), returns: SparkType::String, run: lower_hex };
    Ok(call.result(udf::call(kernel, vec![view]), SparkType::String))
}

fn lower_hex(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| Ok(Some(hex(binary(args, 0).value(row)))))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The checksum of gzip and PNG (polynomial 0xEDB88320, reflected).
fn crc32(args: &[ArrayRef]) -> Result<ArrayRef> {
    let table: Vec<u32> = (0..256u32)
        .map(|byte| {
            (0..8).fold(byte, |crc, _| if crc & 1 == 1 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 })
        })
        .collect();
    longs(args, |row| {
        let step = |crc: u32, byte: &u8| table[((crc ^ u32::from(*byte)) & 0xFF) as usize] ^ (crc >> 8);
        Ok(Some(i64::from(!binary(args, 0).value(row).iter().fold(u32::MAX, step))))
    })
}

fn sha1(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| Ok(Some(hex(&sha1_of(binary(args, 0).value(row))))))
}

/// RFC 3174.
fn sha1_of(bytes: &[u8]) -> Vec<u8> {
    let mut message = bytes.to_vec();
    message.push(0x80);
    message.resize(message.len().next_multiple_of(64) + if message.len() % 64 > 56 { 64 } else { 0 }, 0);
    let end = message.len() - 8;
    message[end..].copy_from_slice(&(bytes.len() as u64).wrapping_mul(8).to_be_bytes());
    let mut state = [0x6745_2301u32, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476, 0xC3D2_E1F0];
    for block in message.chunks_exact(64) {
        let mut words = [0u32; 80];
        for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
            *word = bytes.iter().fold(0, |all, b| all << 8 | u32::from(*b));
        }
        for i in 16..80 {
            words[i] = (words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16]).rotate_left(1);
        }
        let [mut a, mut b, mut c, mut d, mut e] = state;
        for (i, word) in words.into_iter().enumerate() {
            let (mix, constant) = match i {
                0..20 => (b & c | !b & d, 0x5A82_7999),
                20..40 => (b ^ c ^ d, 0x6ED9_EBA1),
                40..60 => (b & c | b & d | c & d, 0x8F1B_BCDC),
                _ => (b ^ c ^ d, 0xCA62_C1D6u32),
            };
            let next =
                a.rotate_left(5).wrapping_add(mix).wrapping_add(e).wrapping_add(constant).wrapping_add(word);
            (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
        }
        for (part, add) in state.iter_mut().zip([a, b, c, d, e]) {
            *part = part.wrapping_add(add);
        }
    }
    state.iter().flat_map(|word| word.to_be_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha1_is_that_of_the_rfc_at_every_padding() {
        assert_eq!(hex(&sha1_of(b"abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hex(&sha1_of(b"")), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        let long = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        assert_eq!(hex(&sha1_of(long)), "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
        assert_eq!(hex(&sha1_of(&[b'a'; 1_000])), "291e9a6c66994949b57ba5e650361e98fc36b1ba");
    }
}
