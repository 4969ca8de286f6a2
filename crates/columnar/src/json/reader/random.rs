//! The reader against a slow, obvious twin (serde_json's tree and Spark's table of types) and against
//! arrow-json, on random documents.
//!
//! arrow-json is compared on documents in which every value fits its field and no name is repeated. Elsewhere its
//! rules are others: a value that does not fit is an error, strings that hold numbers are numbers, values that are
//! no strings are no strings.

use arrow_array::StringViewArray;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::datetime::TimeZone;
use crate::json::twin::{rows_of, slow_rows};
use crate::text::{Renderer, Style, append_f64};
use crate::types;

fn random_type(rng: &mut StdRng, depth: usize) -> DataType {
    match rng.random_range(0..if depth > 2 { 6 } else { 9 }) {
        0 => DataType::Int64,
        1 => DataType::Int32,
        2 => DataType::Float64,
        3 => DataType::Boolean,
        4 | 5 => DataType::Utf8View,
        6 => types::list(random_type(rng, depth + 1), true),
        7 => types::map(DataType::Utf8View, DataType::Utf8View, true),
        _ => random_struct(rng, depth + 1),
    }
}

fn random_struct(rng: &mut StdRng, depth: usize) -> DataType {
    let fields: Vec<Field> = (0..rng.random_range(1..5))
        .map(|index| Field::new(format!("f{index}"), random_type(rng, depth), true))
        .collect();
    DataType::Struct(fields.into())
}

fn random_text(rng: &mut StdRng) -> String {
    const CHARACTERS: [&str; 12] =
        ["a", "Z", "0", " ", "\\n", "\\\"", "\\u00e9", "\u{e9}", "\u{1f600}", "/", "\\/", "\\ud83d\\ude00"];
    (0..rng.random_range(0..20)).map(|_| CHARACTERS[rng.random_range(0..CHARACTERS.len())]).collect()
}

fn blank(rng: &mut StdRng) -> &'static str {
    ["", "", "", " ", "\n", "\t "][rng.random_range(0..6)]
}

/// JSON text of a value, with `odd` only mostly one that fits.
fn random_value(rng: &mut StdRng, odd: bool, data_type: &DataType, depth: usize) -> String {
    if rng.random_ratio(1, 12) {
        return "null".into();
    }
    if odd && rng.random_ratio(1, 10) {
        let other = random_type(rng, depth.max(2));
        return random_value(rng, odd, &other, depth + 1);
    }
    match data_type {
        DataType::Int64 => rng.random::<i64>().to_string(),
        DataType::Int32 => (rng.random::<i32>() / rng.random_range(1..1000)).to_string(),
        DataType::Float64 => match rng.random_range(0..3) {
            // serde_json is exact for few digits only.
            0 => format!("{:.6e}", rng.random_range(-1e10..1e10)),
            1 => format!("{}.{}", rng.random_range(-999..999), rng.random_range(0..99999)),
            _ => format!("{}E{}", rng.random_range(1..99), rng.random_range(-20..20)),
        },
        DataType::Boolean => rng.random::<bool>().to_string(),
        DataType::Utf8View => format!("\"{}\"", random_text(rng)),
        DataType::List(element) => {
            let items: Vec<String> = (0..rng.random_range(0..4))
                .map(|_| {
                    format!(
                        "{}{}{}",
                        blank(rng),
                        random_value(rng, odd, element.data_type(), depth + 1),
                        blank(rng)
                    )
                })
                .collect();
            format!("[{}]", items.join(","))
        }
        DataType::Map(_, _) => {
            let entries: Vec<String> = (0..rng.random_range(0..3))
                .map(|index| format!("\"k{index}\"{}:{}\"{}\"", blank(rng), blank(rng), random_text(rng)))
                .collect();
            format!("{{{}}}", entries.join(","))
        }
        DataType::Struct(fields) => random_object(rng, odd, fields, depth),
        other => panic!("{other}"),
    }
}

fn random_object(rng: &mut StdRng, odd: bool, fields: &Fields, depth: usize) -> String {
    let mut members = Vec::new();
    for field in fields {
        if rng.random_ratio(1, 8) {
            let unknown = random_type(rng, depth.max(1));
            members.push(format!("\"x{}\":{}", members.len(), random_value(rng, odd, &unknown, depth + 1)));
        }
        if rng.random_ratio(7, 8) {
            let value = random_value(rng, odd, field.data_type(), depth + 1);
            members.push(format!("{}\"{}\"{}:{}{value}", blank(rng), field.name(), blank(rng), blank(rng)));
        }
    }
    format!("{{{}{}}}", members.join(","), blank(rng))
}

fn double(value: f64) -> String {
    let mut out = String::new();
    append_f64(value, &mut out);
    out
}

#[test]
fn random_documents_equal_the_slow_twin() {
    let mut rng = StdRng::seed_from_u64(11);
    for round in 0..200 {
        let DataType::Struct(fields) = random_struct(&mut rng, 0) else { unreachable!() };
        let target = DataType::Struct(fields.clone());
        let documents: Vec<String> = (0..30).map(|_| random_object(&mut rng, true, &fields, 0)).collect();
        let array = JsonReader::new(&target, JsonReadOptions::default())
            .unwrap()
            .read(&StringViewArray::from_iter_values(&documents))
            .unwrap();
        array.to_data().validate_full().unwrap();
        let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
        let expected = slow_rows(&documents, &target, double);
        for ((document, found), expected) in documents.iter().zip(rows_of(&array)).zip(expected) {
            assert_eq!(found, expected, "round {round}: {document}\n as {target}");
        }
    }
}

#[test]
fn documents_that_fit_are_what_arrow_json_reads() {
    let mut rng = StdRng::seed_from_u64(13);
    for round in 0..200 {
        let DataType::Struct(fields) = random_struct(&mut rng, 0) else { unreachable!() };
        let documents: Vec<String> = (0..30).map(|_| random_object(&mut rng, false, &fields, 0)).collect();
        let array = JsonReader::new(&DataType::Struct(fields.clone()), JsonReadOptions::default())
            .unwrap()
            .read(&StringViewArray::from_iter_values(&documents))
            .unwrap();
        let schema = Arc::new(arrow_schema::Schema::new(fields));
        let mut decoder = arrow_json::ReaderBuilder::new(schema).with_batch_size(30).build_decoder().unwrap();
        let text = documents.join(" ").into_bytes();
        assert_eq!(decoder.decode(&text).unwrap(), text.len());
        let theirs = StructArray::from(decoder.flush().unwrap().unwrap());
        for ((document, ours), theirs) in documents.iter().zip(rows_of(&array)).zip(rows_of(&theirs)) {
            assert_eq!(ours, theirs, "round {round}: {document}");
        }
    }
}

#[test]
fn cut_and_damaged_documents_never_panic_and_leave_their_neighbours_alone() {
    let mut rng = StdRng::seed_from_u64(12);
    for _ in 0..300 {
        let DataType::Struct(fields) = random_struct(&mut rng, 0) else { unreachable!() };
        let good = random_object(&mut rng, true, &fields, 0);
        let mut damaged = good.clone().into_bytes();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..damaged.len());
            damaged[at] = b"{}[]\",:0a\\ \x00\xff-."[rng.random_range(0..15)];
        }
        damaged.truncate(rng.random_range(0..=damaged.len()));
        let documents =
            arrow_array::BinaryViewArray::from_iter_values([good.as_bytes(), &damaged, good.as_bytes()]);
        let reader = JsonReader::new(&DataType::Struct(fields), JsonReadOptions::default()).unwrap();
        let array = reader.read(&documents).unwrap();
        array.to_data().validate_full().unwrap();
        let text = |row| {
            let mut out = String::new();
            Renderer::new(&array, &TimeZone::UTC, Style::Cast).unwrap().append(row, &mut out);
            out
        };
        assert_eq!(text(0), text(2));
        let alone = reader.read(&documents.slice(2, 1)).unwrap();
        let mut out = String::new();
        Renderer::new(&alone, &TimeZone::UTC, Style::Cast).unwrap().append(0, &mut out);
        assert_eq!(text(2), out);
    }
}
