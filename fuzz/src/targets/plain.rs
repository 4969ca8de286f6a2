//! Kafka's plain types: a value of the right length gives a value, another null or an error, and none harms its
//! neighbours.
//!
//! Input: type (1 byte), the bytes.

use arrow_array::{Array, BinaryViewArray};
use millstream_columnar::json::ParseMode;
use millstream_columnar::plain::{PlainReader, PlainType};

use crate::cells::Cell;
use crate::input::Input;

const TYPES: [&str; 9] = ["boolean", "short", "int", "long", "float", "double", "string", "uuid", "bytes"];

/// See the module.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let plain = PlainType::parse(TYPES[input.below(TYPES.len())]).expect("the type is known");
    let bytes = input.rest();
    let right = match plain {
        PlainType::Uuid => b"f81d4fae-7dec-11d0-a765-00a0c91e6bf6".to_vec(),
        _ => vec![1; plain.width().unwrap_or(20)],
    };
    let column = BinaryViewArray::from_iter([Some(&right[..]), Some(bytes), None, Some(&right)]);
    let read =
        PlainReader::new(plain, ParseMode::Permissive).read(&column).expect("PERMISSIVE takes anything");
    read.to_data().validate_full().expect("unchecked arrays are as valid as checked ones");
    assert_eq!((read.len(), read.is_null(2)), (4, true));
    assert_eq!(Cell::of(&*read, 0), Cell::of(&*read, 3));
    let wrong = plain.width().is_some_and(|width| width != bytes.len());
    assert!(!wrong || read.is_null(1));
    let strict = PlainReader::new(plain, ParseMode::FailFast).read(&column);
    assert_eq!(strict.is_ok(), !read.is_null(1));
}
