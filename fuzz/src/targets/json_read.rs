//! `from_json` against the slow twin over serde_json: equal rows, or both refuse; whatever a document is, the rows
//! beside it stay as they are.
//!
//! Input: schema (1 byte), syntax options (1 byte), the document.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryViewArray};
use arrow_schema::{DataType, FieldRef, Fields};
use millstream_columnar::Error;
use millstream_columnar::json::{JsonReadOptions, JsonReader, ParseMode};

use crate::cells::Cell;
use crate::input::Input;
use crate::json_tree::Tree;
use crate::{json_twin, schemas};

/// A document that has something for every schema.
const NEIGHBOUR: &[u8] = br#"{"a":7,"b":"a neighbour of the document","c":1.5,"d":true,"e":"x","f":null}"#;

/// See the module.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let target = schemas::schema(input.below(schemas::COUNT));
    let flags = input.byte();
    let document = input.rest();
    let options = options(flags);
    let reader = JsonReader::new(&target, options.clone()).expect("the schema is supported");
    let documents = BinaryViewArray::from_iter_values([NEIGHBOUR, document, NEIGHBOUR]);
    let read = reader.read(&documents).expect("PERMISSIVE takes anything");
    read.to_data().validate_full().expect("unchecked arrays are as valid as checked ones");
    let alone = reader.read(&documents.slice(2, 1)).expect("PERMISSIVE takes anything");
    assert_eq!(Cell::of(&*read, 0), Cell::of(&*alone, 0));
    assert_eq!(Cell::of(&*read, 2), Cell::of(&*alone, 0));
    let strict = JsonReader::new(&target, JsonReadOptions { mode: ParseMode::FailFast, ..options });
    let strict = strict.expect("the schema is supported").read(&documents.slice(1, 1));
    if let DataType::Struct(fields) = &target
        && flags & FLAGS == 0
        && let Ok(text) = std::str::from_utf8(document)
    {
        compare(text, fields, &read, &strict);
    }
}

/// Bits that choose a syntax that serde_json does not know.
const FLAGS: u8 = 0x7f;

fn options(flags: u8) -> JsonReadOptions {
    let flag = |bit: u8| flags >> bit & 1 == 1;
    JsonReadOptions {
        allow_comments: flag(0),
        allow_unquoted_field_names: flag(1),
        allow_single_quotes: flag(2),
        allow_numeric_leading_zeros: flag(3),
        allow_backslash_escaping_any_character: flag(4),
        allow_unquoted_control_chars: flag(5),
        allow_non_numeric_numbers: flag(6),
        ..JsonReadOptions::default()
    }
}

fn compare(text: &str, fields: &Fields, read: &ArrayRef, strict: &Result<ArrayRef, Error>) {
    let corrupt = fields.iter().position(|field| field.name() == "_corrupt_record");
    let found = Cell::of(&**read, 1);
    let blank = text.bytes().all(|byte| b" \t\r\n".contains(&byte));
    let tree = Tree::first_of(text);
    // Limits that serde_json has not, or has lower: it parses 127 levels.
    let within = tree.as_ref().is_some_and(|tree| tree.depth() < 127 && !tree.exceeds(1000, 50_000));
    let (cells, good) = match tree {
        _ if blank => {
            assert_eq!(found, Cell::Null);
            assert!(strict.is_ok());
            return;
        }
        Some(Tree::Object(members)) if within => match json_twin::row(&members, fields, corrupt) {
            Some(row) => row,
            None => return,
        },
        Some(_) if within => (vec![Cell::Null; fields.len()], false),
        Some(_) => return,
        // A value inside of a list or map that does not fit may end the document before its fault is reached, and
        // behind base64 that is cut short the fault may stand in what is passed over.
        None if fields.iter().any(|field| field.data_type().is_nested() || is_binary(field)) => return,
        // serde_json refuses surrogates without their other half, which Java writes as `?`, and deep nesting.
        None if text.contains("\\u") || text.bytes().filter(|byte| b"[{".contains(byte)).count() > 100 => {
            return;
        }
        None => (vec![Cell::Null; fields.len()], false),
    };
    let mut expected = cells;
    if let Some(corrupt) = corrupt {
        expected[corrupt] = if good { Cell::Null } else { Cell::Text(text.to_owned()) };
    }
    assert_eq!(found, Cell::Struct(expected), "{text:?}");
    assert_eq!(strict.is_ok(), good, "{strict:?}");
    if let Ok(strict) = strict {
        assert_eq!(Cell::of(&**strict, 0), found);
    }
}

fn is_binary(field: &FieldRef) -> bool {
    *field.data_type() == DataType::BinaryView
}

/// The rows that the reader makes of a document, for other targets.
pub fn read_one(target: &DataType, document: &[u8]) -> Option<ArrayRef> {
    let options = JsonReadOptions { mode: ParseMode::FailFast, ..JsonReadOptions::default() };
    let reader = JsonReader::new(target, options).expect("the schema is supported");
    let documents: ArrayRef = Arc::new(BinaryViewArray::from_iter_values([document]));
    reader.read(&*documents).ok()
}
