//! The frames of a schema registry: any bytes are taken apart or refused, what was taken apart is put together to
//! the same, and a column loses its frames and nothing else.
//!
//! Input: the bytes of one framed payload.

use arrow_array::{Array, BinaryViewArray};
use millstream_columnar::framing::{self, SchemaFormat};

const NEIGHBOUR: &[u8] = b"\0\0\0\0\x01behind a frame of five";

/// See the module.
pub fn run(bytes: &[u8]) {
    for format in [SchemaFormat::Avro, SchemaFormat::Protobuf, SchemaFormat::Json] {
        let framed = match framing::parse(bytes, format) {
            Ok(framed) => framed,
            Err(error) => {
                // Only message indexes can be wrong behind a good magic byte and id.
                assert!(framing::schema_id(bytes).is_err() || format == SchemaFormat::Protobuf, "{error}");
                continue;
            }
        };
        assert_eq!(framing::schema_id(bytes), Ok(framed.id));
        assert_eq!(framed.indexes.is_empty(), format != SchemaFormat::Protobuf);
        let header = framing::header(framed.id, format, &framed.indexes);
        let whole = [&header[..], framed.payload].concat();
        assert_eq!(framing::parse(&whole, format), Ok(framed));
    }
    let column = BinaryViewArray::from_iter([Some(bytes), None, Some(NEIGHBOUR), Some(bytes)]);
    let ids = framing::schema_ids(&column);
    assert!(ids.contains(&1) && ids.is_sorted());
    assert_eq!(ids.len(), 1 + usize::from(framing::schema_id(bytes).is_ok_and(|id| id != 1)));
    for format in [SchemaFormat::Avro, SchemaFormat::Protobuf, SchemaFormat::Json] {
        let payloads = framing::payloads(&column, format);
        payloads.to_data().validate_full().expect("unchecked arrays are as valid as checked ones");
        assert_eq!((payloads.is_null(0), payloads.is_null(1)), (false, true));
        for row in [0, 2, 3] {
            let framed = framing::parse(column.value(row), format);
            assert_eq!(payloads.value(row), framed.map_or(&[][..], |framed| framed.payload));
        }
    }
}
