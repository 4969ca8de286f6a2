//! `printSchema()`.
use std::fmt::Write as _;

use super::{SparkType, StructType};

impl StructType {
    /// The text that `printSchema()` prints, ending in a line feed; `level` 0 or `usize::MAX` is the whole tree, 1 only
    /// the columns.
    pub fn tree_string(&self, level: usize) -> String {
        let mut text = String::from("root\n");
        let level = if level == 0 { usize::MAX } else { level };
        fields(self, " |", level, &mut text);
        text
    }
}

fn fields(of: &StructType, prefix: &str, level: usize, text: &mut String) {
    for field in &of.fields {
        let _ = writeln!(
            text,
            "{prefix}-- {}: {} (nullable = {})",
            field.name,
            field.data_type.type_name(),
            field.nullable
        );
        inside(&field.data_type, &format!("{prefix}    |"), level - 1, text);
    }
}

fn inside(of: &SparkType, prefix: &str, level: usize, text: &mut String) {
    if level == 0 {
        return;
    }
    let deeper = format!("{prefix}    |");
    match of {
        SparkType::Struct(of) => fields(of, prefix, level, text),
        SparkType::Array(element, nulls) => {
            let _ = writeln!(text, "{prefix}-- element: {} (containsNull = {nulls})", element.type_name());
            inside(element, &deeper, level - 1, text);
        }
        SparkType::Map(key, value, nulls) => {
            let _ = writeln!(text, "{prefix}-- key: {}", key.type_name());
            inside(key, &deeper, level - 1, text);
            let _ = writeln!(text, "{prefix}-- value: {} (valueContainsNull = {nulls})", value.type_name());
            inside(value, &deeper, level - 1, text);
        }
        _ => {}
    }
}
