//! The reader against arrow-json on what was written to a real Kafka: the documents of the recorded cases and
//! programs, topic by topic, with the schema that arrow-json infers from them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow_array::StringViewArray;
use serde_json::Value;

use super::*;
use crate::json::twin::rows_of;
use crate::types;

/// Documents by program and topic.
fn captured() -> BTreeMap<(PathBuf, String), Vec<String>> {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../integration/golden");
    let mut topics = BTreeMap::new();
    for folder in [golden.clone(), golden.join("programs")] {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap().path();
            let path = if entry.is_dir() { entry.join("input.json") } else { entry };
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            if let Ok(input) = serde_json::from_str(&text) {
                collect(&input, &path, &mut topics);
            }
        }
    }
    topics
}

/// The values of all records in it that are objects.
fn collect(input: &Value, path: &PathBuf, topics: &mut BTreeMap<(PathBuf, String), Vec<String>>) {
    if let (Some(Value::String(topic)), Some(Value::String(value))) = (input.get("topic"), input.get("value"))
    {
        if serde_json::from_str::<Value>(value).is_ok_and(|value| value.is_object()) {
            topics.entry((path.clone(), topic.clone())).or_default().push(value.clone());
        }
        return;
    }
    match input {
        Value::Array(items) => items.iter().for_each(|item| collect(item, path, topics)),
        Value::Object(members) => members.values().for_each(|member| collect(member, path, topics)),
        _ => {}
    }
}

/// An inferred type as a type of ours: the same values in the table's types.
fn canonical(inferred: &DataType) -> DataType {
    let field = |field: &FieldRef| field.as_ref().clone().with_data_type(canonical(field.data_type()));
    match inferred {
        DataType::Utf8 => DataType::Utf8View,
        DataType::List(element) => types::list(canonical(element.data_type()), true),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(field).collect()),
        other => other.clone(),
    }
}

#[test]
fn captured_documents_are_what_arrow_json_reads() {
    let topics = captured();
    let mut compared = 0;
    for ((path, topic), documents) in &topics {
        let parsed = documents.iter().map(|document| Ok(serde_json::from_str::<Value>(document).unwrap()));
        let inferred = arrow_json::reader::infer_json_schema_from_iterator(parsed);
        // A topic whose documents have nothing in common, which arrow-json refuses.
        let Ok(inferred) = inferred else { continue };
        let DataType::Struct(fields) = canonical(&DataType::Struct(inferred.fields)) else { unreachable!() };
        let schema = Arc::new(arrow_schema::Schema::new(fields.clone()));
        let builder = arrow_json::ReaderBuilder::new(schema).with_batch_size(documents.len());
        let builder = builder.with_coerce_primitive(true);
        let mut decoder = builder.build_decoder().unwrap();
        let text = documents.join("\n").into_bytes();
        assert_eq!(decoder.decode(&text).unwrap(), text.len());
        let theirs = StructArray::from(decoder.flush().unwrap().unwrap());
        let reader = JsonReader::new(&DataType::Struct(fields), JsonReadOptions::default()).unwrap();
        let ours = reader.read(&StringViewArray::from_iter_values(documents)).unwrap();
        for ((document, ours), theirs) in documents.iter().zip(rows_of(&ours)).zip(rows_of(&theirs)) {
            assert_eq!(ours, theirs, "{} {topic}: {document}", path.display());
            compared += 1;
        }
    }
    assert!(compared >= 78, "{compared} documents of {} topics", topics.len());
}
