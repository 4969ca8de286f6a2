//! `to_json`: what it writes is JSON that reads back as the same values, by our reader and by serde_json.
//!
//! Input: schema (1 byte), options (1 byte), documents that give the rows' values, with byte 0x1e between them.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryViewArray, RecordBatch};
use arrow_schema::{DataType, Schema};
use millstream_columnar::json::{JsonReadOptions, JsonReader, JsonWriteOptions, JsonWriter};

use crate::cells::Cell;
use crate::input::Input;
use crate::json_tree::Tree;
use crate::schemas;
use crate::targets::json_read::read_one;

const SEPARATOR: u8 = 0x1e;
/// More than two blocks of rows.
const MOST_ROWS: usize = 40;

/// See the module.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let target = schemas::schema(input.below(schemas::COUNT));
    let flags = input.byte();
    let options = JsonWriteOptions {
        ignore_null_fields: flags & 1 == 0,
        pretty: flags & 2 != 0,
        ..JsonWriteOptions::default()
    };
    let writer = JsonWriter::new(&target, options).expect("the schema is supported");
    let documents: Vec<&[u8]> = input.rest().split(|byte| *byte == SEPARATOR).take(MOST_ROWS).collect();
    if documents.len() > 1 {
        return rows(&writer, &target, &documents);
    }
    let Some(values) = read_one(&target, input.rest()) else { return };
    if values.is_null(0) {
        return;
    }
    // A timestamp beyond the years that Java formats is refused.
    let Ok(written) = writer.write(&*values) else { return };
    written.to_data().validate_full().expect("unchecked arrays are as valid as checked ones");
    let text = written.as_string_view().value(0);
    assert!(matches!(Tree::first_of(text), Some(Tree::Object(_))), "{text:?}");
    let back = read_one(&target, text.as_bytes()).unwrap_or_else(|| panic!("{text:?} does not read back"));
    if Cell::of(&*values, 0) != Cell::of(&*back, 0) {
        // Fractions of seconds end at the milliseconds, and a second time nothing is lost.
        assert!(holds_moments(&values), "{text:?}");
        let again = writer.write(&*back).expect("it was written before");
        assert_eq!(again.as_string_view().value(0), text);
    }
    lines(&writer, &values, text);
}

/// Rows are written together as each alone.
fn rows(writer: &JsonWriter, target: &DataType, documents: &[&[u8]]) {
    let reader = JsonReader::new(target, JsonReadOptions::default()).expect("the schema is supported");
    let documents: ArrayRef = Arc::new(BinaryViewArray::from_iter_values(documents));
    let values = reader.read(&*documents).expect("bad documents become nulls");
    let alone: Result<Vec<_>, _> =
        (0..values.len()).map(|row| writer.write(&*values.slice(row, 1))).collect();
    let Ok(alone) = alone else {
        assert!(writer.write(&*values).is_err());
        return;
    };
    let together = writer.write(&*values).expect("each row can be written");
    together.to_data().validate_full().expect("unchecked arrays are as valid as checked ones");
    let alone = alone.iter().flat_map(|document| document.as_string_view());
    assert!(together.as_string_view().iter().eq(alone));
}

fn holds_moments(values: &ArrayRef) -> bool {
    values.as_struct().columns().iter().any(|column| column.data_type().is_temporal())
}

/// As a line of a file it is the same text.
fn lines(writer: &JsonWriter, values: &ArrayRef, text: &str) {
    let values = values.as_struct();
    let schema = Arc::new(Schema::new(values.fields().clone()));
    let batch =
        RecordBatch::try_new(schema, values.columns().to_vec()).expect("a struct's columns are a batch");
    let mut out = Vec::new();
    writer.write_lines(&batch, &mut out).expect("the batch has the writer's type");
    assert_eq!(out, [text.as_bytes(), b"\n"].concat());
}
