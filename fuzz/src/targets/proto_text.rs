//! `.proto` texts: any text is read or refused; of what is read, the first message has indexes that lead back to it and
//! is in the text, and a reader for it compares itself with its own schema.
//!
//! Input: the text.

use millstream_columnar::protobuf::{DescriptorSet, ProtobufOptions, ProtobufReader};

/// See the module.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(set) = DescriptorSet::from_proto(&text, &[]) else { return };
    let name = set.full_name(None).expect("a set has a message").to_owned();
    let options = ProtobufOptions { recursive_fields_max_depth: Some(2), ..ProtobufOptions::default() };
    let indexes = set.indexes(&name).expect("it stands in no other message");
    assert_eq!(set.message_at(&indexes).as_deref(), Some(&*name));
    let texts = set.texts(&name);
    assert!(texts.is_err() || texts.is_ok_and(|texts| texts.last().is_some_and(|own| *own.text == *text)));
    let Ok(reader) = ProtobufReader::new(&set, &name, &options) else { return };
    // Numbers may have been used twice, so that it need not be fit.
    let _ = reader.check_writer(&set, &name);
}
