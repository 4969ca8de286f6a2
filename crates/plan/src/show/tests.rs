//! `show()` against what Spark 4.2 printed (program p08). Its frames of every type are shown by the analyzer's tests.
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryViewArray, Int32Array, Int64Array, RecordBatch, RecordBatchOptions, StringViewArray,
};

use super::*;

fn batch(columns: Vec<(&str, SparkType, ArrayRef)>) -> (StructType, Vec<RecordBatch>) {
    let mut schema = StructType::new();
    let mut arrays = Vec::new();
    for (name, data_type, array) in columns {
        schema = schema.add(name, data_type, true);
        arrays.push(array);
    }
    let batch = RecordBatch::try_new(schema.to_arrow(), arrays).unwrap();
    (schema, vec![batch])
}

fn wide() -> (StructType, Vec<RecordBatch>) {
    let (a, b, c) = ("a".repeat(19), "b".repeat(20), "c".repeat(21));
    let cjk = "日本語の長い文字列が二十文字を超えるとどうなるか";
    let text = StringViewArray::from(vec![
        Some(a.as_str()),
        Some(&b),
        Some(&c),
        None,
        Some(cjk),
        Some("tab\tnew\nline\rret"),
    ]);
    let n = Int32Array::from(vec![Some(1), None, Some(3), Some(4), Some(5), Some(6)]);
    batch(vec![("text", SparkType::String, Arc::new(text)), ("n", SparkType::Integer, Arc::new(n))])
}

fn expected() -> String {
    let path = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../integration/golden/programs/p08_show/expected/console_1.txt");
    std::fs::read_to_string(path).expect("the recorded programs are part of the repository")
}

#[test]
fn long_and_wide_cells_are_laid_out_as_recorded() {
    let (schema, batches) = wide();
    let show = |truncate, vertical| {
        let options = ShowOptions { truncate, vertical, ..ShowOptions::default() };
        format!("{}\n", table(&batches, &schema, &options).unwrap())
    };
    let all = [
        show(Truncate::default(), false),
        show(Truncate::No, false),
        show(Truncate::At(10), false),
        show(Truncate::default(), true),
        show(Truncate::No, true),
    ]
    .concat();
    assert!(expected().contains(&all), "{all}");
}

#[test]
fn rows_are_counted_and_named_as_recorded() {
    let ids = |n: i64| batch(vec![("id", SparkType::Long, Arc::new(Int64Array::from_iter_values(0..n)))]);
    let show = |(schema, batches): &(StructType, Vec<RecordBatch>), rows, vertical| {
        let options = ShowOptions { rows, vertical, ..ShowOptions::default() };
        format!("{}\n", table(batches, schema, &options).unwrap())
    };
    let all = [show(&ids(21), 20, false), show(&ids(20), 20, false), show(&ids(21), 5, true)].concat();
    assert!(expected().contains(&all), "{all}");
    assert!(show(&ids(2), 1, false).ends_with("only showing top 1 row\n"));
    assert!(show(&ids(1), 0, false).ends_with("+---+\nonly showing top 0 rows\n"));
    assert_eq!(show(&ids(0), 20, true), "(0 rows)\n");
}

#[test]
fn a_frame_without_columns_still_has_rows() {
    let options = RecordBatchOptions::new().with_row_count(Some(2));
    let empty = RecordBatch::try_new_with_options(StructType::new().to_arrow(), vec![], &options).unwrap();
    let text = table(&[empty], &StructType::new(), &ShowOptions::default()).unwrap();
    assert_eq!(text, "++\n||\n++\n||\n||\n++\n");
}

#[test]
fn cells_are_cut_in_utf16_units() {
    assert_eq!(cell::cut("a\u{1F600}bcdef".into(), Some(5)), "a?...");
    assert_eq!(cell::cut("a\u{1F600}bc".into(), Some(5)), "a\u{1F600}bc");
    let (schema, batches) =
        batch(vec![("b", SparkType::Binary, Arc::new(BinaryViewArray::from(vec![b"\x00\xffA".as_slice()])))]);
    assert!(table(&batches, &schema, &ShowOptions::default()).unwrap().contains("|[00 FF 41]|"));
}
