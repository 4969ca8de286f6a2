//! CSV records of five values, about 50 B, to columns: one quoted text in eight rows.

use std::hint::black_box;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, StringViewArray};
use arrow_schema::{DataType, Field, Fields};
use millstream_columnar::csv::{CsvOptions, CsvReader, CsvWriter};

use crate::case::{Case, Prepared, same};

/// The cases of this group.
pub const CASES: &[Case] = &[
    Case { name: "csv_read", is_counted: true, prepare: prepare_read },
    Case { name: "csv_write", is_counted: true, prepare: prepare_write },
];

const ROWS: usize = 4_000;

type Row = (i64, String, f64, i32, String);

fn fields() -> Fields {
    let fields = [
        ("id", DataType::Int64),
        ("city", DataType::Utf8View),
        ("amount", DataType::Float64),
        ("n", DataType::Int32),
        ("note", DataType::Utf8View),
    ];
    fields.map(|(name, data_type)| Field::new(name, data_type, true)).to_vec().into()
}

/// The rows, made of their numbers.
fn rows() -> Vec<Row> {
    const CITIES: [&str; 5] = ["Paris", "Wien", "San Francisco", "Oslo", "Santiago de Compostela"];
    let row = |n: usize| {
        let note = if n.is_multiple_of(8) { format!("left, not {n}") } else { format!("order number {n}") };
        (
            1_000_000 + n as i64 * 37,
            CITIES[n % 5].to_owned(),
            (n * 7 % 10_000) as f64 / 100.0,
            n as i32 % 97,
            note,
        )
    };
    (0..ROWS).map(row).collect()
}

fn records() -> Vec<String> {
    let text = |(id, city, amount, n, note): Row| {
        let note = if note.contains(',') { format!("\"{note}\"") } else { note };
        format!("{id},{city},{amount:?},{n},{note}")
    };
    rows().into_iter().map(text).collect()
}

fn rows_of(columns: &[ArrayRef]) -> Vec<Row> {
    let text = |column: usize, row: usize| columns[column].as_string_view().value(row).to_owned();
    let row = |row: usize| {
        let id = columns[0].as_primitive::<Int64Type>().value(row);
        let amount = columns[2].as_primitive::<Float64Type>().value(row);
        (id, text(1, row), amount, columns[3].as_primitive::<Int32Type>().value(row), text(4, row))
    };
    (0..columns[0].len()).map(row).collect()
}

fn prepare_read() -> Result<Prepared, String> {
    let lines = records();
    let bytes = lines.iter().map(String::len).sum();
    let records: StringViewArray = lines.iter().map(Some).collect();
    let reader =
        CsvReader::new(&DataType::Struct(fields()), CsvOptions::default()).map_err(|e| e.to_string())?;
    let found = reader.read(&records).map_err(|error| error.to_string())?;
    same("ours", &rows_of(found.as_struct().columns()), &rows())?;
    let prepared = Prepared::ours(ROWS, bytes, move || {
        black_box(reader.read(&records).expect("good records"));
    });
    peers::read(prepared, &lines)
}

fn prepare_write() -> Result<Prepared, String> {
    let lines = records();
    let bytes = lines.iter().map(String::len).sum();
    let reader =
        CsvReader::new(&DataType::Struct(fields()), CsvOptions::default()).map_err(|e| e.to_string())?;
    let records: StringViewArray = lines.iter().map(Some).collect();
    let rows: ArrayRef = reader.read(&records).map_err(|error| error.to_string())?;
    let writer =
        CsvWriter::new(rows.data_type(), &CsvOptions::default()).map_err(|error| error.to_string())?;
    let written = writer.write(&rows).map_err(|error| error.to_string())?;
    let found: Vec<String> = written.as_string_view().iter().flatten().map(str::to_owned).collect();
    same("ours", &found, &lines)?;
    let columns = Arc::clone(&rows);
    let prepared = Prepared::ours(ROWS, bytes, move || {
        black_box(writer.write(&rows).expect("good rows"));
    });
    peers::write(prepared, &columns, &lines)
}

#[cfg(not(feature = "peers"))]
mod peers {
    use super::*;

    pub fn read(prepared: Prepared, _lines: &[String]) -> Result<Prepared, String> {
        Ok(prepared)
    }

    pub fn write(prepared: Prepared, _rows: &ArrayRef, _lines: &[String]) -> Result<Prepared, String> {
        Ok(prepared)
    }
}

#[cfg(feature = "peers")]
mod peers {
    use super::*;
    use arrow_array::RecordBatch;
    use arrow_schema::Schema;

    /// arrow-csv reads text of lines, so it is given the records as lines; the joining is not on the clock.
    pub fn read(prepared: Prepared, lines: &[String]) -> Result<Prepared, String> {
        let text = lines.join("\n");
        let schema = Arc::new(Schema::new(fields()));
        let read = move || -> RecordBatch {
            let builder = arrow_csv::ReaderBuilder::new(Arc::clone(&schema)).with_batch_size(ROWS);
            let mut batches = builder.build_buffered(text.as_bytes()).expect("a reader");
            batches.next().expect("a batch").expect("good lines")
        };
        same("arrow-csv", &rows_of(read().columns()), &rows())?;
        Ok(prepared.peer("arrow_csv", move || {
            black_box(read());
        }))
    }

    pub fn write(prepared: Prepared, rows: &ArrayRef, lines: &[String]) -> Result<Prepared, String> {
        let batch = RecordBatch::from(rows.as_struct());
        let write = move || -> Vec<u8> {
            let mut out = Vec::new();
            let mut writer = arrow_csv::WriterBuilder::new().with_header(false).build(&mut out);
            writer.write(&batch).expect("a batch that CSV has text for");
            drop(writer);
            out
        };
        let found = String::from_utf8(write()).map_err(|error| error.to_string())?;
        let found: Vec<String> = found.lines().map(str::to_owned).collect();
        same("arrow-csv", &found, lines)?;
        Ok(prepared.peer("arrow_csv", move || {
            black_box(write());
        }))
    }
}
