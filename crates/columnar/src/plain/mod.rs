//! Keys and values as Kafka's own serializers write them, to Arrow columns and back.
//!
//! | name | bytes | Arrow |
//! |---|---|---|
//! | `boolean` | 1: 0 or 1 | Boolean |
//! | `short` | 2, big-endian | Int16 |
//! | `int` | 4, big-endian | Int32 |
//! | `long` | 8, big-endian | Int64 |
//! | `float` | 4, IEEE 754, big-endian | Float32 |
//! | `double` | 8, IEEE 754, big-endian | Float64 |
//! | `string` | UTF-8 | Utf8View |
//! | `uuid` | UTF-8, 36 characters: `f81d4fae-7dec-11d0-a765-00a0c91e6bf6` | Utf8View |
//! | `bytes` | as they are | BinaryView |
//!
//! These are the formats of the classes in `org.apache.kafka.common.serialization`. A null stays null. Bytes
//! of another length, and text that is no UUID, are null in mode PERMISSIVE and an error in mode FAILFAST;
//! a string that is not UTF-8 is decoded as Java does, which never fails.

mod read;
mod write;

pub use read::PlainReader;
pub use write::PlainWriter;

use arrow_schema::DataType;

use crate::{Error, Result};

/// One of Kafka's own formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlainType {
    /// `BooleanSerializer`.
    Boolean,
    /// `ShortSerializer`.
    Short,
    /// `IntegerSerializer`.
    Int,
    /// `LongSerializer`.
    Long,
    /// `FloatSerializer`.
    Float,
    /// `DoubleSerializer`.
    Double,
    /// `StringSerializer` in UTF-8.
    String,
    /// `UUIDSerializer` in UTF-8.
    Uuid,
    /// `ByteArraySerializer`.
    Bytes,
}

/// Names and formats, in the order of the module's table.
const NAMES: [(&str, PlainType); 9] = [
    ("boolean", PlainType::Boolean),
    ("short", PlainType::Short),
    ("int", PlainType::Int),
    ("long", PlainType::Long),
    ("float", PlainType::Float),
    ("double", PlainType::Double),
    ("string", PlainType::String),
    ("uuid", PlainType::Uuid),
    ("bytes", PlainType::Bytes),
];

impl PlainType {
    /// By its name (case-insensitive), by SQL's name of the type (`smallint`, `integer`, `bigint`, `binary`), or
    /// by the name of Kafka's class, such as `LongDeserializer` with or without its package.
    ///
    /// # Errors
    /// [`Error::BadOption`] that lists the names.
    pub fn parse(name: &str) -> Result<Self> {
        let class = name.strip_prefix("org.apache.kafka.common.serialization.").unwrap_or(name);
        let lower = class.to_ascii_lowercase();
        let lower = lower.strip_suffix("serializer").unwrap_or(&lower);
        let short = match lower.strip_suffix("de").unwrap_or(lower) {
            "smallint" => "short",
            "integer" => "int",
            "bigint" => "long",
            "binary" | "bytearray" => "bytes",
            other => other,
        };
        NAMES.iter().find(|(known, _)| *known == short).map(|(_, found)| *found).ok_or_else(|| {
            Error::BadOption {
                option: "type".into(),
                value: name.into(),
                why: format!("use one of {}", NAMES.map(|(name, _)| name).join(", ")),
            }
        })
    }

    /// The name of the module's table.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, known)| *known == self).map_or("bytes", |(name, _)| name)
    }

    /// The column's type.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Short => DataType::Int16,
            Self::Int => DataType::Int32,
            Self::Long => DataType::Int64,
            Self::Float => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::String | Self::Uuid => DataType::Utf8View,
            Self::Bytes => DataType::BinaryView,
        }
    }

    /// How many bytes a value has; None where that differs from value to value.
    pub fn width(self) -> Option<usize> {
        match self {
            Self::Boolean => Some(1),
            Self::Short => Some(2),
            Self::Int | Self::Float => Some(4),
            Self::Long | Self::Double => Some(8),
            Self::Uuid => Some(36),
            Self::String | Self::Bytes => None,
        }
    }
}

/// Whether the text is a UUID in the form that Java writes: 8-4-4-4-12 hexadecimal digits.
fn is_uuid(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::cast::AsArray;
    use arrow_array::*;

    use super::*;
    use crate::json::ParseMode;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    /// What Kafka 4.3's serializers write.
    #[test]
    fn values_are_the_bytes_of_kafkas_serializers() {
        let uuid = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
        let cases: [(&str, ArrayRef, String); 12] = [
            ("boolean", Arc::new(BooleanArray::from(vec![true])), "01".into()),
            ("short", Arc::new(Int16Array::from(vec![-2])), "fffe".into()),
            ("int", Arc::new(Int32Array::from(vec![1])), "00000001".into()),
            ("int", Arc::new(Int32Array::from(vec![i32::MIN])), "80000000".into()),
            ("long", Arc::new(Int64Array::from(vec![1 << 40])), "0000010000000000".into()),
            ("float", Arc::new(Float32Array::from(vec![1.5])), "3fc00000".into()),
            ("double", Arc::new(Float64Array::from(vec![-0.1])), "bfb999999999999a".into()),
            ("double", Arc::new(Float64Array::from(vec![f64::INFINITY])), "7ff0000000000000".into()),
            ("string", Arc::new(StringViewArray::from(vec!["\u{e9}"])), "c3a9".into()),
            ("string", Arc::new(StringViewArray::from(vec!["a text beyond twelve"])), {
                "a text beyond twelve".bytes().map(|byte| format!("{byte:02x}")).collect()
            }),
            ("uuid", Arc::new(StringViewArray::from(vec![uuid])), {
                uuid.bytes().map(|byte| format!("{byte:02x}")).collect()
            }),
            ("bytes", Arc::new(BinaryViewArray::from(vec![b"\x00\xff".as_slice()])), "00ff".into()),
        ];
        for (name, values, bytes) in cases {
            let plain = PlainType::parse(name).unwrap();
            let written = PlainWriter::new(plain).write(&*values).unwrap();
            assert_eq!(written.as_binary_view().value(0), hex(&bytes), "{name}");
            let read = PlainReader::new(plain, ParseMode::FailFast).read(&written).unwrap();
            assert_eq!(&read, &values, "{name}");
        }
    }

    #[test]
    fn what_does_not_fit_is_null_or_an_error_that_names_the_row() {
        let wrong = |plain: PlainType| match plain.width() {
            Some(width) => vec![vec![], vec![0; width - 1], vec![b'x'; width + 1]],
            None => vec![],
        };
        for (name, plain) in NAMES {
            for bytes in wrong(plain) {
                let column = BinaryViewArray::from_iter([Some(bytes.as_slice()), None]);
                let read = PlainReader::new(plain, ParseMode::Permissive).read(&column).unwrap();
                assert_eq!((read.len(), read.null_count()), (2, 2), "{name} {bytes:?}");
                let refused = PlainReader::new(plain, ParseMode::FailFast).read(&column);
                let Err(Error::MalformedPlain { row: 0, found, .. }) = &refused else {
                    panic!("{refused:?}")
                };
                assert_eq!(*found, bytes.len(), "{name}");
            }
        }
        let two = BinaryViewArray::from(vec![b"\x02".as_slice()]);
        assert!(PlainReader::new(PlainType::Boolean, ParseMode::Permissive).read(&two).unwrap().is_null(0));
        let no_uuid = BinaryViewArray::from(vec!["f81d4fae-7dec-11d0-a765-00a0c91e6bfg".as_bytes()]);
        assert!(PlainReader::new(PlainType::Uuid, ParseMode::Permissive).read(&no_uuid).unwrap().is_null(0));
        let text = StringViewArray::from(vec!["no uuid"]);
        assert!(matches!(PlainWriter::new(PlainType::Uuid).write(&text), Err(Error::MalformedPlain { .. })));
    }

    #[test]
    fn names_are_kafkas_and_sqls() {
        for (name, expected) in [
            ("LONG", PlainType::Long),
            ("bigint", PlainType::Long),
            ("LongDeserializer", PlainType::Long),
            ("org.apache.kafka.common.serialization.ByteArraySerializer", PlainType::Bytes),
            ("UUIDSerializer", PlainType::Uuid),
            ("integer", PlainType::Int),
        ] {
            assert_eq!(PlainType::parse(name).unwrap(), expected, "{name}");
        }
        assert!(matches!(PlainType::parse("longs"), Err(Error::BadOption { .. })));
        for (name, plain) in NAMES {
            assert_eq!(PlainType::parse(name).unwrap(), plain);
            assert_eq!(plain.name(), name);
        }
    }
}
