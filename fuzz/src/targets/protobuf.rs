//! Protobuf: any bytes are read or refused without harm to their neighbours; what is read is what prost-reflect
//! reads; what was read is written and read again to the same values; any descriptor set is compiled or refused.
//!
//! Input: what to do (1 byte). With a fixed set: message and options (1 byte), payload. With a set of the input's
//! own: options (1 byte), length (2 bytes) and bytes of the set, payload.

use std::sync::LazyLock;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryViewArray};
use millstream_columnar::Error;
use millstream_columnar::json::ParseMode;
use millstream_columnar::protobuf::{DescriptorSet, ProtobufOptions, ProtobufReader, ProtobufWriter};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};

use crate::cells::Cell;
use crate::input::Input;
use crate::proto_files;
use crate::proto_twin::{cell, maps_in_order, same};

static SET: LazyLock<DescriptorSet> =
    LazyLock::new(|| DescriptorSet::parse(&proto_files::bytes()).expect("the set is good"));
static TWIN: LazyLock<MessageDescriptor> = LazyLock::new(|| {
    let pool = DescriptorPool::from_file_descriptor_set(proto_files::set()).expect("the set is good");
    pool.get_message_by_name(proto_files::MESSAGES[0]).expect("it is in the set")
});

/// See the module.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    match input.below(3) {
        0 => beside_the_twin(input.rest()),
        1 => {
            let message = proto_files::MESSAGES[input.below(proto_files::MESSAGES.len())];
            let options = options(input.byte());
            payload(&SET, message, &options, input.rest());
        }
        _ => {
            let options = options(input.byte());
            let length = usize::from(input.u16());
            let Ok(set) = DescriptorSet::parse(input.take(length)) else { return };
            for message in names(&set) {
                payload(&set, &message, &options, input.rest());
            }
        }
    }
}

/// The first names that a set's messages have, as the error about another name lists them.
fn names(set: &DescriptorSet) -> Vec<String> {
    match ProtobufReader::new(set, "\u{1}", &ProtobufOptions::default()) {
        Err(Error::UnknownMessage { known, .. }) => known.split(", ").take(3).map(str::to_owned).collect(),
        _ => vec!["\u{1}".into()],
    }
}

fn options(bits: u8) -> ProtobufOptions {
    let is = |bit: u8| bits >> bit & 1 == 1;
    ProtobufOptions {
        mode: ParseMode::Permissive,
        recursive_fields_max_depth: [None, Some(1), Some(2), Some(4)][usize::from(bits & 3)],
        emit_default_values: is(2),
        enums_as_ints: is(3),
        upcast_unsigned_ints: is(4),
        unwrap_primitive_wrapper_types: is(5),
        retain_empty_message_types: is(6),
    }
}

fn valid(array: ArrayRef) -> ArrayRef {
    array.to_data().validate_full().expect("unchecked arrays are as valid as checked ones");
    array
}

fn beside_the_twin(bytes: &[u8]) {
    let message = proto_files::MESSAGES[0];
    let reader = ProtobufReader::new(&SET, message, &ProtobufOptions::default()).expect("the set is good");
    let twin = DynamicMessage::decode(TWIN.clone(), bytes);
    let values = match (reader.read(&BinaryViewArray::from_iter_values([bytes])), &twin) {
        (Ok(values), _) => valid(values),
        (Err(error), Err(_)) => {
            assert!(matches!(error, Error::MalformedProtobuf { row: 0, .. }), "{error}");
            return;
        }
        // It takes a map's field for an entry whatever type it has on the wire.
        (Err(_), Ok(twin)) if twin.fields().any(|(field, _)| field.is_map()) => return,
        (Err(error), Ok(twin)) => panic!("{error}, but prost-reflect reads {twin:?}"),
    };
    let ours = Cell::of(&*values, 0);
    if let Ok(twin) = twin {
        let twin = cell(&twin);
        assert!(same(&maps_in_order(ours.clone()), &twin), "{ours:?} and not {twin:?}");
    }
    let writer = ProtobufWriter::new(values.data_type(), &SET, message).expect("it is the message's type");
    let written = match writer.write(&*values) {
        Ok(written) => valid(written),
        // Numbers of an enum that have no name are read and cannot be written.
        Err(error) => {
            assert!(matches!(error, Error::UnknownEnumValue { .. }), "{error}");
            return;
        }
    };
    let back = reader.read(&written).expect("what was written reads back");
    assert_eq!(Cell::of(&*back, 0), ours);
    let written = written.as_binary_view().value(0);
    let twin = DynamicMessage::decode(TWIN.clone(), written).expect("prost-reflect reads what was written");
    assert!(same(&maps_in_order(ours.clone()), &cell(&twin)), "{ours:?} and not {twin:?}");
}

fn payload(set: &DescriptorSet, message: &str, options: &ProtobufOptions, bytes: &[u8]) {
    let Ok(lenient) = ProtobufReader::new(set, message, options) else { return };
    let column = BinaryViewArray::from_iter([Some(&[][..]), Some(bytes), None, Some(bytes), Some(&[])]);
    let read = valid(lenient.read(&column).expect("PERMISSIVE takes anything"));
    assert_eq!(read.data_type(), &lenient.data_type());
    assert_eq!(Cell::of(&*read, 1), Cell::of(&*read, 3));
    assert_eq!(Cell::of(&*read, 0), Cell::of(&*read, 4));
    assert!(read.is_null(2));
    let options = ProtobufOptions { mode: ParseMode::FailFast, ..options.clone() };
    let strict = ProtobufReader::new(set, message, &options).expect("it was compiled before");
    let values = match strict.read(&column.slice(1, 1)) {
        Ok(values) => valid(values),
        Err(error) => {
            assert!(matches!(error, Error::MalformedProtobuf { .. }) && read.is_null(1), "{error}");
            return;
        }
    };
    assert!(read.is_valid(1));
    assert_eq!(Cell::of(&*values, 0), Cell::of(&*read, 1));
    let Ok(writer) = ProtobufWriter::new(values.data_type(), set, message) else { return };
    if let Ok(written) = writer.write(&*values) {
        valid(written);
    }
}
