//! Payloads that carry the id of their schema, as the serializers of Confluent's schema registry frame them.
//!
//! | bytes | Avro, JSON Schema | Protobuf |
//! |---|---|---|
//! | 0 | magic, 0 | magic, 0 |
//! | 1-4 | schema id, big endian | schema id, big endian |
//! | then | | message indexes: zigzag varint count, then so many zigzag varints (a lone 0 is the first message) |
//! | then | the payload | the payload |
//!
//! The ids of a batch are read before anything is decoded ([`schema_ids`]), so that whoever owns the registry can
//! fetch them together; [`payloads`] then cuts the frames off without copying a byte. [`framed`] puts them on.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, BinaryViewArray};
use arrow_schema::DataType;

use crate::records::{INLINE, inline_view, long_parts, long_view};
use crate::values::Views;
use crate::{Error, raw};

/// First byte of every framed payload.
pub const MAGIC: u8 = 0;
/// Bytes of magic and schema id.
pub const HEADER: usize = 5;
/// Message indexes that one payload may have: nesting of message types in a file.
pub const MOST_INDEXES: usize = 64;

/// A schema's id in its registry.
pub type SchemaId = u32;

/// What a subject's schemas are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SchemaFormat {
    /// Avro, in binary encoding.
    #[default]
    Avro,
    /// Protobuf: message indexes stand between id and payload.
    Protobuf,
    /// JSON Schema; the payload is a JSON document.
    Json,
}

/// A framed payload taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framed<'a> {
    /// Of the schema that it was written with.
    pub id: SchemaId,
    /// Path to the message type in a Protobuf file: `[0]` is its first. Empty for the other formats.
    pub indexes: Vec<u32>,
    /// What the schema describes.
    pub payload: &'a [u8],
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unframed {
    /// Fewer bytes than magic and id.
    #[error("{0} bytes are too few for a magic byte and a schema id; was this written without a registry?")]
    Short(usize),
    /// Another first byte.
    #[error("the first byte is {0}, not the magic byte 0; was this written without a registry?")]
    Magic(u8),
    /// Message indexes that cannot be.
    #[error("the Protobuf message indexes behind the schema id are not valid")]
    Indexes,
}

/// Why a payload is bad before its first byte is read: it is no frame, or nobody knows its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// For the error under FAILFAST.
    pub why: String,
}

/// The schema id of a framed payload.
///
/// # Errors
/// It is no frame.
pub fn schema_id(bytes: &[u8]) -> Result<SchemaId, Unframed> {
    match bytes {
        [MAGIC, a, b, c, d, ..] => Ok(u32::from_be_bytes([*a, *b, *c, *d])),
        [MAGIC, ..] | [] => Err(Unframed::Short(bytes.len())),
        [other, ..] => Err(Unframed::Magic(*other)),
    }
}

/// Takes a framed payload apart.
///
/// # Errors
/// It is no frame of the format.
pub fn parse(bytes: &[u8], format: SchemaFormat) -> Result<Framed<'_>, Unframed> {
    let mut indexes = Vec::new();
    let length = frame(bytes, format, |index| indexes.push(index))?;
    if format == SchemaFormat::Protobuf && indexes.is_empty() {
        indexes.push(0);
    }
    Ok(Framed { id: schema_id(bytes)?, indexes, payload: &bytes[length..] })
}

/// How many bytes stand before the payload.
///
/// # Errors
/// It is no frame of the format.
pub fn frame_length(bytes: &[u8], format: SchemaFormat) -> Result<usize, Unframed> {
    frame(bytes, format, |_| ())
}

/// What stands before a payload of this schema. `indexes` count for Protobuf only; none mean the first message.
pub fn header(id: SchemaId, format: SchemaFormat, indexes: &[u32]) -> Vec<u8> {
    let mut out = vec![MAGIC];
    out.extend_from_slice(&id.to_be_bytes());
    if format == SchemaFormat::Protobuf {
        if matches!(indexes, [] | [0]) {
            out.push(0);
        } else {
            push_varint(indexes.len() as u64, &mut out);
            indexes.iter().for_each(|index| push_varint(u64::from(*index), &mut out));
        }
    }
    out
}

/// The different ids in a column, ascending. Nulls and what is no frame are passed over.
pub fn schema_ids(column: &BinaryViewArray) -> Vec<SchemaId> {
    let mut ids: Vec<SchemaId> = Vec::new();
    let mut last = None;
    for bytes in column.iter().flatten() {
        let Ok(id) = schema_id(bytes) else { continue };
        // Neighbours mostly agree.
        if last != Some(id) {
            last = Some(id);
            if let Err(at) = ids.binary_search(&id) {
                ids.insert(at, id);
            }
        }
    }
    ids
}

/// The column's payloads without their frames. The views point where the column's do. Nulls stay null; what is no frame
/// ([`frame_length`] tells why) becomes empty.
pub fn payloads(column: &BinaryViewArray, format: SchemaFormat) -> BinaryViewArray {
    let mut views = Vec::with_capacity(column.len());
    for (row, view) in column.views().iter().enumerate() {
        let length = if column.is_null(row) { None } else { frame_length(column.value(row), format).ok() };
        let Some(length) = length else {
            views.push(0);
            continue;
        };
        let rest = &column.value(row)[length..];
        views.push(match long_parts(*view) {
            Some((_, buffer, offset)) if rest.len() > INLINE => {
                long_view(rest, buffer as u32, (offset + length) as u32)
            }
            _ => inline_view(rest),
        });
    }
    raw::binary_views(views.into(), Arc::from(column.data_buffers()), column.nulls().cloned())
}

/// The values of a Utf8View or BinaryView column behind a header; nulls stay null.
///
/// # Errors
/// [`Error::UnsupportedType`] for other columns.
pub fn framed(values: &dyn Array, header: &[u8]) -> crate::Result<BinaryViewArray> {
    let (mut out, mut whole) = (Views::default(), header.to_vec());
    let mut push = |value: Option<&[u8]>| match value {
        Some(value) => {
            whole.truncate(header.len());
            whole.extend_from_slice(value);
            out.push_copy(&whole);
        }
        None => out.push_null(),
    };
    match values.data_type() {
        DataType::Utf8View => values.as_string_view().iter().for_each(|text| push(text.map(str::as_bytes))),
        DataType::BinaryView => values.as_binary_view().iter().for_each(push),
        other => return Err(Error::UnsupportedType { operation: "framing of", data_type: other.clone() }),
    }
    Ok(out.finish_binaries(&[]).as_binary_view().clone())
}

/// The length of a frame, whose message indexes are handed to `take`; none are the first message.
fn frame(bytes: &[u8], format: SchemaFormat, mut take: impl FnMut(u32)) -> Result<usize, Unframed> {
    schema_id(bytes)?;
    let mut rest = &bytes[HEADER..];
    if format == SchemaFormat::Protobuf {
        let count = varint(&mut rest).filter(|count| *count as usize <= MOST_INDEXES);
        for _ in 0..count.ok_or(Unframed::Indexes)? {
            take(varint(&mut rest).ok_or(Unframed::Indexes)?);
        }
    }
    Ok(bytes.len() - rest.len())
}

/// A zigzag varint that is not negative and fits into 31 bits.
fn varint(rest: &mut &[u8]) -> Option<u32> {
    let mut value = 0u64;
    for shift in [0, 7, 14, 21, 28] {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        value |= u64::from(byte & 0x7F) << shift;
        if *byte < 0x80 {
            return (value & 1 == 0).then(|| u32::try_from(value >> 1).ok())?;
        }
    }
    None
}

fn push_varint(value: u64, out: &mut Vec<u8>) {
    let mut rest = value << 1;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row of the table at the head.
    #[test]
    fn frames_are_written_and_read_as_the_table_says() {
        assert_eq!(header(7, SchemaFormat::Avro, &[]), [0, 0, 0, 0, 7]);
        assert_eq!(header(0x0102_0304, SchemaFormat::Json, &[]), [0, 1, 2, 3, 4]);
        assert_eq!(header(7, SchemaFormat::Protobuf, &[0]), [0, 0, 0, 0, 7, 0]);
        assert_eq!(header(7, SchemaFormat::Protobuf, &[1, 0, 100]), [0, 0, 0, 0, 7, 6, 2, 0, 0xC8, 1]);
        for (format, indexes) in [
            (SchemaFormat::Avro, vec![]),
            (SchemaFormat::Json, vec![]),
            (SchemaFormat::Protobuf, vec![0]),
            (SchemaFormat::Protobuf, vec![3, 1, 70_000]),
        ] {
            let mut bytes = header(9, format, &indexes);
            bytes.extend_from_slice(b"payload");
            assert_eq!(parse(&bytes, format), Ok(Framed { id: 9, indexes, payload: b"payload" }));
        }
    }

    #[test]
    fn what_is_no_frame_is_told_apart() {
        assert_eq!(schema_id(&[]), Err(Unframed::Short(0)));
        assert_eq!(schema_id(&[0, 1, 2, 3]), Err(Unframed::Short(4)));
        assert_eq!(schema_id(b"{\"a\":1}"), Err(Unframed::Magic(b'{')));
        let protobuf = |rest: &[u8]| {
            parse(&[&[0, 0, 0, 0, 1], rest].concat(), SchemaFormat::Protobuf).map(|framed| framed.indexes)
        };
        assert_eq!(protobuf(&[0]), Ok(vec![0]));
        let bad: [&[u8]; 5] =
            [&[], &[1], &[4, 0], &[0x80, 0x80, 0x80, 0x80, 0x80, 1], &[0xFE, 0xFF, 0xFF, 0xFF, 0xF]];
        for bytes in bad {
            assert_eq!(protobuf(bytes), Err(Unframed::Indexes), "{bytes:?}");
        }
    }

    #[test]
    fn a_columns_ids_are_found_and_its_frames_cut_off_in_place() {
        let long = [&[0u8, 0, 0, 0, 2][..], b"a payload beyond twelve bytes"].concat();
        let just = [&[0u8, 0, 0, 0, 1][..], b"twelve bytes"].concat();
        let rows = [
            Some(&long[..]),
            None,
            Some(&just),
            Some(b"\x00\x00\x00\x00\x02x"),
            Some(b"text"),
            Some(b"\x00\x00\x00\x00\x01"),
        ];
        let column = BinaryViewArray::from_iter(rows);
        assert_eq!(schema_ids(&column), [1, 2]);
        let cut = payloads(&column, SchemaFormat::Avro);
        let expected = [
            Some(&b"a payload beyond twelve bytes"[..]),
            None,
            Some(b"twelve bytes"),
            Some(b"x"),
            Some(b""),
            Some(b""),
        ];
        assert_eq!(cut, BinaryViewArray::from_iter(expected));
        assert_eq!(cut.data_buffers()[0].as_ptr(), column.data_buffers()[0].as_ptr());
    }

    #[test]
    fn message_indexes_are_cut_off_too() {
        let frame = |indexes: &[u32]| header(7, SchemaFormat::Protobuf, indexes);
        let rows = [
            [&frame(&[])[..], b"x"].concat(),
            [&frame(&[3, 200])[..], b"a payload beyond twelve bytes"].concat(),
            frame(&[1]),
            vec![0, 0, 0, 0, 7, 4, 0],
        ];
        let cut = payloads(&BinaryViewArray::from_iter_values(&rows), SchemaFormat::Protobuf);
        let expected = [&b"x"[..], b"a payload beyond twelve bytes", b"", b""];
        assert_eq!(cut, BinaryViewArray::from_iter_values(expected));
        assert_eq!(payloads(&framed(&cut, &frame(&[3])).unwrap(), SchemaFormat::Protobuf), cut);
        let lengths = rows.map(|row| frame_length(&row, SchemaFormat::Protobuf));
        assert_eq!(lengths, [Ok(6), Ok(9), Ok(7), Err(Unframed::Indexes)]);
    }
}
