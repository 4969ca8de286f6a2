//! What looks into single documents: schema inference, `get_json_object`, `json_tuple`.
//!
//! Input: options (1 byte), a path up to a line feed, the document.

use millstream_columnar::json::{
    JsonPath, JsonReadOptions, JsonReader, ParseMode, SchemaInference, json_tuple, schema_of_json,
};

use crate::input::Input;
use crate::json_tree::Tree;

/// See the module.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let flags = input.byte();
    let (Ok(path), Ok(document)) =
        (std::str::from_utf8(input.until(b'\n')), std::str::from_utf8(input.rest()))
    else {
        return;
    };
    let options = JsonReadOptions {
        primitives_as_string: flags & 1 != 0,
        prefers_decimal: flags & 2 != 0,
        allow_single_quotes: flags & 4 == 0,
        allow_non_numeric_numbers: flags & 4 == 0,
        mode: if flags & 8 == 0 { ParseMode::Permissive } else { ParseMode::FailFast },
        ..JsonReadOptions::default()
    };
    let inferred = schema_of_json(document, &options);
    if let Ok(data_type) = &inferred
        && data_type.is_nested()
    {
        // The document fits the schema that was read off it. Only a column's type may be too wide for it.
        JsonReader::new(data_type, options.clone()).expect("an inferred type can be read");
    }
    let mut inference = SchemaInference::new(options).expect("there are no formats");
    let both = inference.add(document).and_then(|()| inference.add(r#"{"a":1.5,"b":[{}]}"#));
    if both.is_ok() {
        let _ = inference.finish();
    }
    if let Some(path) = JsonPath::parse(path) {
        let mut out = String::from("before");
        let found = path.evaluate(document, &mut out);
        assert!(out.starts_with("before") && (found || out.len() == 6));
    }
    let tuple = json_tuple(document, &["a", path, "a"]);
    assert_eq!((tuple.len(), &tuple[0]), (3, &tuple[2]));
    if let Some(Tree::Object(members)) = Tree::first_of(document)
        && let Some((_, Tree::Text(last))) =
            members.iter().rfind(|(name, value)| name == "a" && *value != Tree::Null)
    {
        assert_eq!(tuple[0].as_ref(), Some(last), "{document:?}");
    }
}
