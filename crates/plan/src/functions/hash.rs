//! `hash` (Murmur3, 32 bits) and `xxhash64`, both with seed 42 and folded over the arguments: NULL leaves the hash as
//! it is. Maps have no order and so no hash.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalYearMonthType, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, Int32Array, Int64Array};
use arrow_schema::{DataType, IntervalUnit, TimeUnit};
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use super::call::{Arity, Call, Function};
use super::udf::{Evaluation, Kernel};
use crate::analyzer::{Typed, errors};
use crate::types::SparkType;

/// The family's functions.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "hash", arity: Arity::at_least(1), build: hash },
    Function { name: "xxhash64", arity: Arity::at_least(1), build: xxhash64 },
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Algorithm {
    Murmur3,
    XxHash64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct HashKernel {
    algorithm: Algorithm,
}

const SEED: u64 = 42;

fn hash(call: &Call<'_>) -> crate::error::Result<Typed> {
    build(call, Algorithm::Murmur3, SparkType::Integer)
}

fn xxhash64(call: &Call<'_>) -> crate::error::Result<Typed> {
    build(call, Algorithm::XxHash64, SparkType::Long)
}

fn build(call: &Call<'_>, algorithm: Algorithm, returns: SparkType) -> crate::error::Result<Typed> {
    if call.args.iter().any(|arg| holds_map(&arg.data_type)) {
        let function = format!("`{}`", call.name);
        let parameters = [("functionName", function), ("sqlExpr", format!("\"{}\"", call.sql()))];
        return Err(errors::spark("DATATYPE_MISMATCH.HASH_MAP_TYPE", parameters));
    }
    // Text is hashed as bytes, so that a cast from BINARY does not change the hash.
    let args = (0..call.args.len())
        .map(|i| match call.args[i].data_type {
            SparkType::String => call.take_as(i, SparkType::Binary),
            _ => Ok(call.args[i].clone()),
        })
        .collect::<crate::error::Result<Vec<_>>>()?;
    Ok(call.finish(HashKernel { algorithm }, args, returns).nullable(false))
}

fn holds_map(data_type: &SparkType) -> bool {
    match data_type {
        SparkType::Map(..) => true,
        SparkType::Array(element, _) => holds_map(element),
        SparkType::Struct(fields) => fields.fields.iter().any(|f| holds_map(&f.data_type)),
        _ => false,
    }
}

impl Kernel for HashKernel {
    fn name(&self) -> &str {
        match self.algorithm {
            Algorithm::Murmur3 => "hash",
            Algorithm::XxHash64 => "xxhash64",
        }
    }

    fn return_type(&self) -> DataType {
        match self.algorithm {
            Algorithm::Murmur3 => DataType::Int32,
            Algorithm::XxHash64 => DataType::Int64,
        }
    }

    fn evaluate(&self, args: &[ArrayRef], context: &Evaluation<'_>) -> Result<ArrayRef> {
        let mut hashes = vec![SEED; context.rows];
        for arg in args {
            for (row, hash) in hashes.iter_mut().enumerate() {
                *hash = self.algorithm.value(arg.as_ref(), row, *hash)?;
            }
        }
        Ok(match self.algorithm {
            Algorithm::Murmur3 => {
                Arc::new(hashes.into_iter().map(|h| h as u32 as i32).collect::<Int32Array>())
            }
            Algorithm::XxHash64 => Arc::new(hashes.into_iter().map(|h| h as i64).collect::<Int64Array>()),
        })
    }
}

impl Algorithm {
    /// The hash of a value, begun with that of what came before.
    fn value(self, array: &dyn Array, row: usize, seed: u64) -> Result<u64> {
        if array.is_null(row) || *array.data_type() == DataType::Null {
            return Ok(seed);
        }
        Ok(match array.data_type() {
            DataType::Boolean => self.int(i32::from(array.as_boolean().value(row)), seed),
            DataType::Int8 => self.int(array.as_primitive::<Int8Type>().value(row).into(), seed),
            DataType::Int16 => self.int(array.as_primitive::<Int16Type>().value(row).into(), seed),
            DataType::Int32 => self.int(array.as_primitive::<Int32Type>().value(row), seed),
            DataType::Date32 => self.int(array.as_primitive::<Date32Type>().value(row), seed),
            DataType::Interval(IntervalUnit::YearMonth) => {
                self.int(array.as_primitive::<IntervalYearMonthType>().value(row), seed)
            }
            DataType::Int64 => self.long(array.as_primitive::<Int64Type>().value(row), seed),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                self.long(array.as_primitive::<TimestampMicrosecondType>().value(row), seed)
            }
            DataType::Duration(TimeUnit::Microsecond) => {
                self.long(array.as_primitive::<DurationMicrosecondType>().value(row), seed)
            }
            DataType::Float32 => {
                let value = array.as_primitive::<Float32Type>().value(row);
                let bits = if value.is_nan() { 0x7fc0_0000 } else { (value + 0.0).to_bits() };
                self.int(bits as i32, seed)
            }
            DataType::Float64 => {
                let value = array.as_primitive::<Float64Type>().value(row);
                let bits = if value.is_nan() { 0x7ff8_0000_0000_0000 } else { (value + 0.0).to_bits() };
                self.long(bits as i64, seed)
            }
            DataType::Decimal128(precision, _) => {
                let unscaled = array.as_primitive::<Decimal128Type>().value(row);
                match i64::try_from(unscaled) {
                    Ok(short) if *precision <= 18 => self.long(short, seed),
                    _ => self.bytes(&shortest(unscaled), seed),
                }
            }
            DataType::Utf8View => self.bytes(array.as_string_view().value(row).as_bytes(), seed),
            DataType::BinaryView => self.bytes(array.as_binary_view().value(row), seed),
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                let (from, to) = (list.value_offsets()[row] as usize, list.value_offsets()[row + 1] as usize);
                (from..to).try_fold(seed, |seed, item| self.value(list.values().as_ref(), item, seed))?
            }
            DataType::Struct(_) => {
                let columns = array.as_struct().columns();
                columns.iter().try_fold(seed, |seed, column| self.value(column.as_ref(), row, seed))?
            }
            other => return Err(DataFusionError::NotImplemented(format!("hash of {other}"))),
        })
    }

    fn int(self, value: i32, seed: u64) -> u64 {
        match self {
            Self::Murmur3 => murmur3::finish(murmur3::mix(seed as u32, value as u32), 4).into(),
            Self::XxHash64 => xxh64::int(value as u32, seed),
        }
    }

    fn long(self, value: i64, seed: u64) -> u64 {
        match self {
            Self::Murmur3 => {
                let low = murmur3::mix(seed as u32, value as u32);
                murmur3::finish(murmur3::mix(low, (value as u64 >> 32) as u32), 8).into()
            }
            Self::XxHash64 => xxh64::long(value as u64, seed),
        }
    }

    fn bytes(self, bytes: &[u8], seed: u64) -> u64 {
        match self {
            Self::Murmur3 => murmur3::bytes(bytes, seed as u32).into(),
            Self::XxHash64 => xxh64::bytes(bytes, seed),
        }
    }
}

/// Java's `BigInteger.toByteArray`: big-endian, as short as the sign allows.
fn shortest(value: i128) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let fill = if value < 0 { 0xFF } else { 0 };
    let redundant =
        bytes.windows(2).take_while(|pair| pair[0] == fill && (pair[1] ^ fill) & 0x80 == 0).count();
    bytes[redundant..].to_vec()
}

/// Murmur3 of 32 bits as Spark has it: the bytes behind the last whole word are mixed one by one, sign extended.
mod murmur3 {
    pub fn mix(hash: u32, word: u32) -> u32 {
        let word = word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
        (hash ^ word).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
    }

    pub fn finish(hash: u32, length: u32) -> u32 {
        let mut hash = hash ^ length;
        hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
        hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
        hash ^ hash >> 16
    }

    pub fn bytes(bytes: &[u8], seed: u32) -> u32 {
        let (words, rest) = bytes.as_chunks::<4>();
        let hash = words.iter().fold(seed, |hash, word| mix(hash, u32::from_le_bytes(*word)));
        let hash = rest.iter().fold(hash, |hash, byte| mix(hash, i32::from(*byte as i8) as u32));
        finish(hash, bytes.len() as u32)
    }
}

/// XXH64.
mod xxh64 {
    const P1: u64 = 0x9E37_79B1_85EB_CA87;
    const P2: u64 = 0xC2B2_AE3D_27D4_EB4F;
    const P3: u64 = 0x1656_67B1_9E37_79F9;
    const P4: u64 = 0x85EB_CA77_C2B2_AE63;
    const P5: u64 = 0x27D4_EB2F_1656_67C5;

    fn round(lane: u64, word: u64) -> u64 {
        lane.wrapping_add(word.wrapping_mul(P2)).rotate_left(31).wrapping_mul(P1)
    }

    fn merge(hash: u64, lane: u64) -> u64 {
        (hash ^ round(0, lane)).wrapping_mul(P1).wrapping_add(P4)
    }

    fn take_long(hash: u64, word: u64) -> u64 {
        (hash ^ round(0, word)).rotate_left(27).wrapping_mul(P1).wrapping_add(P4)
    }

    fn take_int(hash: u64, word: u32) -> u64 {
        (hash ^ u64::from(word).wrapping_mul(P1)).rotate_left(23).wrapping_mul(P2).wrapping_add(P3)
    }

    fn finish(mut hash: u64) -> u64 {
        hash = (hash ^ hash >> 33).wrapping_mul(P2);
        hash = (hash ^ hash >> 29).wrapping_mul(P3);
        hash ^ hash >> 32
    }

    pub fn int(value: u32, seed: u64) -> u64 {
        finish(take_int(seed.wrapping_add(P5).wrapping_add(4), value))
    }

    pub fn long(value: u64, seed: u64) -> u64 {
        finish(take_long(seed.wrapping_add(P5).wrapping_add(8), value))
    }

    pub fn bytes(bytes: &[u8], seed: u64) -> u64 {
        let (blocks, rest) = bytes.as_chunks::<32>();
        let mut hash = if blocks.is_empty() {
            seed.wrapping_add(P5)
        } else {
            let mut lanes =
                [seed.wrapping_add(P1).wrapping_add(P2), seed.wrapping_add(P2), seed, seed.wrapping_sub(P1)];
            for block in blocks {
                for (lane, word) in lanes.iter_mut().zip(block.as_chunks::<8>().0) {
                    *lane = round(*lane, u64::from_le_bytes(*word));
                }
            }
            let turns = [1, 7, 12, 18];
            let sum =
                lanes.iter().zip(turns).fold(0u64, |sum, (lane, n)| sum.wrapping_add(lane.rotate_left(n)));
            lanes.iter().fold(sum, |hash, lane| merge(hash, *lane))
        };
        hash = hash.wrapping_add(bytes.len() as u64);
        let (longs, rest) = rest.as_chunks::<8>();
        hash = longs.iter().fold(hash, |hash, word| take_long(hash, u64::from_le_bytes(*word)));
        let (ints, rest) = rest.as_chunks::<4>();
        hash = ints.iter().fold(hash, |hash, word| take_int(hash, u32::from_le_bytes(*word)));
        let take_byte = |hash: u64, byte: &u8| {
            (hash ^ u64::from(*byte).wrapping_mul(P5)).rotate_left(11).wrapping_mul(P1)
        };
        finish(rest.iter().fold(hash, take_byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_spark() {
        assert_eq!(Algorithm::Murmur3.bytes(b"abc", 42) as u32 as i32, 1_322_437_556);
        assert_eq!(Algorithm::Murmur3.bytes(b"", 42) as u32 as i32, 142_593_372);
        assert_eq!(Algorithm::XxHash64.bytes(b"abc", 42) as i64, 1_423_657_621_850_124_518);
        assert_eq!(Algorithm::XxHash64.bytes(b"", 42) as i64, -7_444_071_767_201_028_348);
    }

    #[test]
    fn the_reference_value_of_long_inputs_holds() {
        // From the algorithm's own test vectors: 0 to 63 with seed 0.
        assert_eq!(xxh64::bytes(b"Nobody inspects the spammish repetition", 0), 0xFBCE_A83C_8A37_8BF1);
    }

    #[test]
    fn big_integers_are_as_short_as_in_java() {
        assert_eq!(shortest(0), [0]);
        assert_eq!(shortest(127), [127]);
        assert_eq!(shortest(128), [0, 128]);
        assert_eq!(shortest(-128), [128]);
        assert_eq!(shortest(-129), [0xFF, 0x7F]);
    }
}
