//! Functions on the bytes of a text: lengths, UTF-8 validity, hexadecimal, base 64, character sets.
//!
//! A STRING argument is taken as its bytes, and a cast of BINARY to STRING below it is undone, so these see bytes that
//! are not UTF-8 as they are.

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use datafusion::common::Result;
use millstream_columnar::text::decode_lossy_java;

use super::basic::raw_starts;
use super::{BYTES, TEXT};
use crate::analyzer::{Expected, Typed};
use crate::error::SparkError;
use crate::functions::call::{Arity, Call, Function};
use crate::functions::external;
use crate::functions::rows::{binaries, binary, booleans, ints, long, text, texts, to_int};
use crate::functions::simple::Simple;
use crate::types::SparkType;

const fn of_bytes(
    name: &'static str,
    returns: SparkType,
    run: fn(&[ArrayRef]) -> Result<ArrayRef>,
) -> Simple {
    Simple { name, params: &[BYTES], optional: 0, returns, run }
}

/// Functions of fixed types.
pub(crate) static SIMPLE: &[Simple] = &[
    of_bytes("octet_length", SparkType::Integer, octet_length),
    of_bytes("bit_length", SparkType::Integer, bit_length),
    of_bytes("is_valid_utf8", SparkType::Boolean, is_valid_utf8),
    of_bytes("make_valid_utf8", SparkType::String, make_valid_utf8),
    of_bytes("validate_utf8", SparkType::String, validate_utf8),
    of_bytes("base64", SparkType::String, base64),
    Simple { name: "unbase64", params: &[TEXT], optional: 0, returns: SparkType::Binary, run: unbase64 },
    Simple { name: "ascii", params: &[TEXT], optional: 0, returns: SparkType::Integer, run: ascii },
    Simple { name: "chr", params: &[LONG], optional: 0, returns: SparkType::String, run: chr },
    Simple { name: "char", params: &[LONG], optional: 0, returns: SparkType::String, run: chr },
    Simple { name: "encode", params: &[TEXT, TEXT], optional: 0, returns: SparkType::Binary, run: encode },
];

/// Functions with rules of their own.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "hex", arity: Arity::exactly(1), build: hex },
    Function { name: "reverse", arity: Arity::exactly(1), build: reverse },
    Function { name: "decode", arity: Arity::at_least(2), build: decode_call },
    Function { name: "unhex", arity: Arity::exactly(1), build: unhex },
    Function { name: "try_validate_utf8", arity: Arity::exactly(1), build: try_validate_utf8 },
];

const LONG: Expected = Expected::Exactly(SparkType::Long);

fn octet_length(args: &[ArrayRef]) -> Result<ArrayRef> {
    ints(args, |row| Ok(Some(to_int(binary(args, 0).value(row).len()))))
}

fn bit_length(args: &[ArrayRef]) -> Result<ArrayRef> {
    ints(args, |row| Ok(Some(to_int(binary(args, 0).value(row).len().saturating_mul(8)))))
}

fn is_valid_utf8(args: &[ArrayRef]) -> Result<ArrayRef> {
    booleans(args, |row| Ok(Some(std::str::from_utf8(binary(args, 0).value(row)).is_ok())))
}

/// Each maximal part that cannot begin a character becomes one U+FFFD.
fn make_valid_utf8(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| Ok(Some(String::from_utf8_lossy(binary(args, 0).value(row)).into_owned())))
}

fn try_validate_utf8(call: &Call<'_>) -> crate::error::Result<Typed> {
    static VALIDATE: Simple = of_bytes("try_validate_utf8", SparkType::String, |args| {
        texts(args, |row| Ok(std::str::from_utf8(binary(args, 0).value(row)).ok().map(str::to_owned)))
    });
    VALIDATE.build(call).map(|typed| typed.nullable(true))
}

fn validate_utf8(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let bytes = binary(args, 0).value(row);
        let valid = std::str::from_utf8(bytes).map_err(|_| {
            let shown: String = bytes.iter().map(|b| format!("\\x{b:02X}")).collect();
            external(SparkError::new("INVALID_UTF8_STRING", [("str", shown)]))
        })?;
        Ok(Some(valid.to_owned()))
    })
}

/// The first character's code; 0 for an empty text.
fn ascii(args: &[ArrayRef]) -> Result<ArrayRef> {
    ints(args, |row| {
        let first = text(args, 0).value(row).chars().next().map_or(0, u32::from);
        Ok(i32::try_from(first).ok())
    })
}

/// The Latin-1 character of a number's last byte; empty for negative numbers.
fn chr(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let code = long(args, 0).value(row);
        let last = u8::try_from(code & 0xFF).unwrap_or(0);
        Ok(Some(if code < 0 { String::new() } else { char::from(last).to_string() }))
    })
}

fn hex_of(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// Digits of a number without leading zeros, or of each byte.
fn hex(call: &Call<'_>) -> crate::error::Result<Typed> {
    static OF_LONG: Simple =
        Simple { name: "hex", params: &[LONG], optional: 0, returns: SparkType::String, run: hex_long };
    static OF_BYTES: Simple = of_bytes("hex", SparkType::String, hex_bytes);
    let bytes = matches!(call.args[0].data_type, SparkType::String | SparkType::Binary);
    if bytes { OF_BYTES.build(call) } else { OF_LONG.build(call) }
}

fn hex_long(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| Ok(Some(format!("{:X}", args[0].as_primitive::<Int64Type>().value(row)))))
}

fn hex_bytes(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| Ok(Some(hex_of(binary(args, 0).value(row)))))
}

/// NULL for what is not hexadecimal; an odd number of digits is taken as with a 0 before.
fn unhex(call: &Call<'_>) -> crate::error::Result<Typed> {
    static UNHEX: Simple =
        Simple { name: "unhex", params: &[TEXT], optional: 0, returns: SparkType::Binary, run: run_unhex };
    UNHEX.build(call).map(|typed| typed.nullable(true))
}

fn run_unhex(args: &[ArrayRef]) -> Result<ArrayRef> {
    binaries(args, |row| Ok(from_hex(text(args, 0).value(row))))
}

/// The bytes of hexadecimal digits; None for other text.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: char| c.to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut digits: Vec<u8> = text.chars().map(digit).collect::<Option<_>>()?;
    if !digits.len().is_multiple_of(2) {
        digits.insert(0, 0);
    }
    Some(digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect())
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Without line breaks.
fn base64(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let mut encoded = String::new();
        for chunk in binary(args, 0).value(row).chunks(3) {
            let group = chunk.iter().fold(0u32, |all, b| all << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
            for place in 0..4 {
                let sixth = (group >> (18 - 6 * place) & 63) as usize;
                encoded.push(if place > chunk.len() { '=' } else { char::from(BASE64[sixth]) });
            }
        }
        Ok(Some(encoded))
    })
}

fn unbase64(args: &[ArrayRef]) -> Result<ArrayRef> {
    binaries(args, |row| Ok(Some(from_base64(text(args, 0).value(row)))))
}

/// Leniently, as MIME: what is not of the alphabet is passed over, padding ends the text.
pub(super) fn from_base64(text: &str) -> Vec<u8> {
    let mut decoded = Vec::new();
    let (mut group, mut bits) = (0u32, 0u32);
    for byte in text.bytes().take_while(|b| *b != b'=') {
        let byte = match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        };
        let Some(sixth) = BASE64.iter().position(|b| *b == byte) else { continue };
        group = group << 6 | sixth as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            decoded.push((group >> bits & 0xFF) as u8);
        }
    }
    decoded
}

/// The text backwards. Bytes that are no character travel as Spark has them: by the length that a first byte announces.
fn reverse(call: &Call<'_>) -> crate::error::Result<Typed> {
    static TEXTS: Simple = Simple {
        name: "reverse",
        params: &[TEXT],
        optional: 0,
        returns: SparkType::String,
        run: reverse_text,
    };
    static RAW: Simple = of_bytes("reverse", SparkType::String, reverse_raw);
    if matches!(call.args[0].data_type, SparkType::Array(..)) {
        return crate::functions::collection::reverse(call);
    }
    if call.raw_bytes(0).is_some() { RAW.build(call) } else { TEXTS.build(call) }
}

fn reverse_text(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| Ok(Some(text(args, 0).value(row).chars().rev().collect())))
}

fn reverse_raw(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let mut reversed = Vec::new();
        let bytes = binary(args, 0).value(row);
        let mut end = bytes.len();
        for start in raw_starts(bytes).into_iter().rev() {
            reversed.extend_from_slice(&bytes[start..end]);
            end = start;
        }
        let mut out = String::new();
        decode_lossy_java(&reversed, &mut out);
        Ok(Some(out))
    })
}

/// Text of bytes, made valid before it is changed.
pub(super) static VALID: Simple = of_bytes("make_valid_utf8", SparkType::String, make_valid_utf8);

/// The character sets that Spark knows.
#[derive(Clone, Copy)]
enum Charset {
    Ascii,
    Latin1,
    Utf8,
    Utf16 { big_endian: bool, marked: bool },
    Utf32,
}

/// As Spark lists them.
const CHARSET_NAMES: &str = "iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, utf-32, utf-8";

const CHARSETS: [(&str, Charset); 7] = [
    ("US-ASCII", Charset::Ascii),
    ("ISO-8859-1", Charset::Latin1),
    ("UTF-8", Charset::Utf8),
    ("UTF-16BE", Charset::Utf16 { big_endian: true, marked: false }),
    ("UTF-16LE", Charset::Utf16 { big_endian: false, marked: false }),
    ("UTF-16", Charset::Utf16 { big_endian: true, marked: true }),
    ("UTF-32", Charset::Utf32),
];

fn charset(name: &str, function: &str) -> Result<Charset> {
    CHARSETS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, charset)| *charset)
        .ok_or_else(|| {
            let parameters = [
                ("functionName", format!("`{function}`")),
                ("parameter", "`charset`".to_owned()),
                ("charset", name.to_owned()),
                ("charsets", CHARSET_NAMES.to_owned()),
            ];
            external(SparkError::new("INVALID_PARAMETER_VALUE.CHARSET", parameters))
        })
}

fn malformed(function: &str, charset: &str) -> datafusion::error::DataFusionError {
    let parameters = [("function", format!("`{function}`")), ("charset", charset.to_owned())];
    external(SparkError::new("MALFORMED_CHARACTER_CODING", parameters))
}

/// Bytes by a character set; with more arguments, a choice.
fn decode_call(call: &Call<'_>) -> crate::error::Result<Typed> {
    static DECODE: Simple = Simple {
        name: "decode",
        params: &[BYTES, TEXT],
        optional: 0,
        returns: SparkType::String,
        run: decode,
    };
    match call.args.len() {
        2 => DECODE.build(call),
        _ => crate::functions::decode(call),
    }
}

fn decode(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let (bytes, name) = (binary(args, 0).value(row), text(args, 1).value(row));
        charset(name, "decode")?.decode(bytes).map(Some).ok_or_else(|| malformed("decode", name))
    })
}

fn encode(args: &[ArrayRef]) -> Result<ArrayRef> {
    binaries(args, |row| {
        let (value, name) = (text(args, 0).value(row), text(args, 1).value(row));
        charset(name, "encode")?.encode(value).map(Some).ok_or_else(|| malformed("encode", name))
    })
}

impl Charset {
    fn decode(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Ascii => bytes.iter().map(|b| b.is_ascii().then(|| char::from(*b))).collect(),
            Self::Latin1 => Some(bytes.iter().map(|b| char::from(*b)).collect()),
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
            Self::Utf16 { big_endian, marked } => {
                let (bytes, big_endian) = match bytes {
                    [0xFE, 0xFF, rest @ ..] if marked => (rest, true),
                    [0xFF, 0xFE, rest @ ..] if marked => (rest, false),
                    bytes => (bytes, big_endian),
                };
                let units = bytes.chunks(2).map(|pair| {
                    let pair = <[u8; 2]>::try_from(pair).ok()?;
                    Some(if big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
                });
                String::from_utf16(&units.collect::<Option<Vec<_>>>()?).ok()
            }
            Self::Utf32 => bytes
                .chunks(4)
                .map(|unit| char::from_u32(u32::from_be_bytes(unit.try_into().ok()?)))
                .collect(),
        }
    }

    fn encode(self, value: &str) -> Option<Vec<u8>> {
        match self {
            Self::Ascii => value.is_ascii().then(|| value.as_bytes().to_vec()),
            Self::Latin1 => value.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect(),
            Self::Utf8 => Some(value.as_bytes().to_vec()),
            Self::Utf16 { big_endian, marked } => {
                // Nothing needs no mark.
                let mark = if marked && !value.is_empty() { vec![0xFE, 0xFF] } else { Vec::new() };
                let units = value.encode_utf16();
                let bytes = units.flat_map(|u| if big_endian { u.to_be_bytes() } else { u.to_le_bytes() });
                Some(mark.into_iter().chain(bytes).collect())
            }
            Self::Utf32 => Some(value.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect()),
        }
    }
}
