//! JSON documents to columns and back: flat orders of about 130 bytes, nested invoices of about 1.5 KB, beside
//! arrow-json, which reads the same bytes as lines of one buffer.

use std::hint::black_box;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, StringViewArray};
use arrow_buffer::{Buffer, ScalarBuffer};
use arrow_schema::{DataType, Field, FieldRef, Fields, TimeUnit};
use millstream_columnar::json::{JsonReadOptions, JsonReader, JsonWriteOptions, JsonWriter};

use crate::case::{Case, Prepared, same};
use crate::json_twin::{rows_of, slow_rows};

/// The cases of this group.
pub const CASES: &[Case] = &[
    Case { name: "json_flat", is_counted: true, prepare: || read(&flat(), &[]) },
    Case {
        name: "json_flat_3",
        is_counted: true,
        prepare: || read(&flat(), &["order_id", "amount", "quantity"]),
    },
    Case { name: "json_nested", is_counted: true, prepare: || read(&nested(), &[]) },
    Case {
        name: "json_nested_3",
        is_counted: true,
        prepare: || read(&nested(), &["InvoiceNumber", "StoreID", "TotalAmount"]),
    },
    Case { name: "to_json_flat", is_counted: true, prepare: || write(&flat()) },
    Case { name: "to_json_nested", is_counted: true, prepare: || write(&nested()) },
];

/// Documents and the type of all their fields.
struct Documents {
    /// One document a line.
    lines: String,
    schema: Fields,
}

impl Documents {
    /// As a Kafka value column has them: views into one buffer.
    fn column(&self) -> StringViewArray {
        let mut views = Vec::new();
        let mut at = 0;
        for line in self.lines.lines() {
            views.push(arrow_array::builder::make_view(line.as_bytes(), 0, at));
            at += line.len() as u32 + 1;
        }
        let buffers: Arc<[Buffer]> = Arc::from([Buffer::from(self.lines.clone().into_bytes())]);
        StringViewArray::try_new(ScalarBuffer::from(views), buffers, None).expect("own views")
    }

    /// The struct of the named fields; of all of them if none is named.
    fn target(&self, names: &[&str]) -> DataType {
        let is_wanted = |field: &&FieldRef| names.is_empty() || names.contains(&field.name().as_str());
        DataType::Struct(self.schema.iter().filter(is_wanted).cloned().collect())
    }
}

fn field(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

fn flat() -> Documents {
    let mut lines = String::new();
    for id in 0..4096 {
        lines.push_str(&format!(
            "{{\"order_id\":{},\"customer\":\"customer-{:06}\",\"status\":\"{}\",\"amount\":{}.{:02},\
             \"quantity\":{},\"paid\":{},\"at\":\"2026-01-{:02}T{:02}:{:02}:{:02}Z\"}}\n",
            1_000_000 + id * 37,
            id * 7919 % 100_000,
            ["NEW", "PAID", "SHIPPED"][id % 3],
            id % 900,
            id % 100,
            id % 12,
            id % 2 == 0,
            id % 28 + 1,
            id % 24,
            id % 60,
            id % 59
        ));
    }
    let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let schema = Fields::from(vec![
        field("order_id", DataType::Int64),
        field("customer", DataType::Utf8View),
        field("status", DataType::Utf8View),
        field("amount", DataType::Float64),
        field("quantity", DataType::Int32),
        field("paid", DataType::Boolean),
        field("at", timestamp),
    ]);
    Documents { lines, schema }
}

/// Invoices as Python's `json.dumps` writes them, with blanks behind colons and commas.
fn nested() -> Documents {
    let mut lines = String::new();
    for id in 0..512usize {
        let amount = |salt: usize| ((id * 7919 + salt * 104_729) % 500_000) as f64 / 7.0;
        let price = |salt: usize| ((id * 31 + salt * 977) % 50_000) as f64 / 100.0;
        let total = amount(1);
        lines.push_str(&format!(
            "{{\"InvoiceNumber\": \"{}\", \"CreatedTime\": {}, \"StoreID\": \"STR{}\", \"PosID\": \"POS{}\", \
             \"CashierID\": \"OAS{}\", \"CustomerType\": \"NONPRIME\", \"CustomerCardNo\": \"{}\", \
             \"TotalAmount\": {total:?}, \"NumberOfItems\": 8, \"PaymentMethod\": \"CASH\", \
             \"TaxableAmount\": {total:?}, \"CGST\": {:?}, \"SGST\": {:?}, \"CESS\": {:?}, \
             \"DeliveryType\": \"HOME-DELIVERY\", \"DeliveryAddress\": {{\"AddressLine\": \"{}, \
             C/O O'Neil\\\\Sons\", \"City\": \"S\u{e3}o Paulo\", \"State\": \"SP\", \"PinCode\": \"01000-{:03}\", \
             \"ContactNumber\": \"{}\"}}, \"InvoiceLineItems\": [",
            51_402_977 + id,
            1_774_267_807_849 + id * 977,
            4000 + id % 900,
            id % 900,
            id % 700,
            1_609_005_468 + id * 13,
            total * 0.025,
            total * 0.025,
            total * 0.00125,
            id * 3 % 400,
            id % 1000,
            9_513_455_924 - id * 7
        ));
        for item in 0..8 {
            let (price, quantity) = (price(item), item % 5 + 1);
            lines.push_str(&format!(
                "{}{{\"ItemCode\": \"{}\", \"ItemDescription\": \"{}\", \"ItemPrice\": {price:?}, \
                 \"ItemQty\": {quantity}, \"TotalValue\": {:?}}}",
                if item == 0 { "" } else { ", " },
                (id * 17 + item * 29) % 900,
                ["Mirror", "Drawers and \\\"Chest\\\"", "White wine glass", "Bookcase, oak"][(id + item) % 4],
                price * quantity as f64
            ));
        }
        lines.push_str("]}\n");
    }
    Documents { lines, schema: invoice() }
}

fn invoice() -> Fields {
    let struct_of = |names: &[(&str, DataType)]| {
        DataType::Struct(names.iter().map(|(name, data_type)| field(name, data_type.clone())).collect())
    };
    let text = DataType::Utf8View;
    let address =
        ["AddressLine", "City", "State", "PinCode", "ContactNumber"].map(|name| (name, text.clone()));
    let item = struct_of(&[
        ("ItemCode", text.clone()),
        ("ItemDescription", text.clone()),
        ("ItemPrice", DataType::Float64),
        ("ItemQty", DataType::Int32),
        ("TotalValue", DataType::Float64),
    ]);
    let items = DataType::List(Arc::new(field("element", item)));
    let all = struct_of(&[
        ("InvoiceNumber", text.clone()),
        ("CreatedTime", DataType::Int64),
        ("StoreID", text.clone()),
        ("PosID", text.clone()),
        ("CashierID", text.clone()),
        ("CustomerType", text.clone()),
        ("CustomerCardNo", text.clone()),
        ("TotalAmount", DataType::Float64),
        ("NumberOfItems", DataType::Int32),
        ("PaymentMethod", text.clone()),
        ("TaxableAmount", DataType::Float64),
        ("CGST", DataType::Float64),
        ("SGST", DataType::Float64),
        ("CESS", DataType::Float64),
        ("DeliveryType", text.clone()),
        ("DeliveryAddress", struct_of(&address)),
        ("InvoiceLineItems", items),
    ]);
    match all {
        DataType::Struct(fields) => fields,
        _ => Fields::empty(),
    }
}

fn read(documents: &Documents, names: &[&str]) -> Result<Prepared, String> {
    let target = documents.target(names);
    let lines: Vec<&str> = documents.lines.lines().collect();
    let expected = slow_rows(&lines, &target, |value| format!("{value:?}"));
    let reader = JsonReader::new(&target, JsonReadOptions::default()).map_err(|error| error.to_string())?;
    let column = documents.column();
    let found = reader.read(&column).map_err(|error| error.to_string())?;
    same("ours", &rows_of(&found), &expected)?;
    let prepared = Prepared::ours(lines.len(), documents.lines.len(), move || {
        drop(black_box(reader.read(black_box(&column)).expect("read before")));
    });
    peers::add_reader(prepared, documents, &target, &expected)
}

fn write(documents: &Documents) -> Result<Prepared, String> {
    let target = documents.target(&[]);
    let reader = JsonReader::new(&target, JsonReadOptions::default()).map_err(|error| error.to_string())?;
    let values: ArrayRef = reader.read(&documents.column()).map_err(|error| error.to_string())?;
    let writer = JsonWriter::new(&target, JsonWriteOptions::default()).map_err(|error| error.to_string())?;
    let written = writer.write(&values).map_err(|error| error.to_string())?;
    let again = reader.read(&written).map_err(|error| error.to_string())?;
    same("ours", &rows_of(&again), &rows_of(&values))?;
    let batch = values.clone();
    let prepared = Prepared::ours(values.len(), documents.lines.len(), move || {
        drop(black_box(writer.write(black_box(&batch)).expect("written before")));
    });
    peers::add_writer(prepared, &RecordBatch::from(arrow_array::cast::AsArray::as_struct(&values)))
}

#[cfg(not(feature = "peers"))]
mod peers {
    use super::*;

    pub fn add_reader(
        prepared: Prepared,
        _: &Documents,
        _: &DataType,
        _: &[serde_json::Value],
    ) -> Result<Prepared, String> {
        Ok(prepared)
    }

    pub fn add_writer(prepared: Prepared, _: &RecordBatch) -> Result<Prepared, String> {
        Ok(prepared)
    }
}

#[cfg(feature = "peers")]
mod peers {
    use arrow_array::StructArray;
    use arrow_json::reader::{Decoder, ReaderBuilder};
    use arrow_schema::Schema;

    use super::*;

    pub fn add_reader(
        prepared: Prepared,
        documents: &Documents,
        target: &DataType,
        expected: &[serde_json::Value],
    ) -> Result<Prepared, String> {
        let mut prepared = prepared;
        // Which of the two string types is its best depends on the lengths.
        for (name, target) in [("arrow_json", with_utf8(target)), ("arrow_json_views", target.clone())] {
            let mut decoder = decoder(&target, expected.len())?;
            let lines = documents.lines.clone().into_bytes();
            same(name, &rows_of(&StructArray::from(decode(&mut decoder, &lines))), expected)?;
            prepared = prepared.peer(name, move || drop(black_box(decode(&mut decoder, black_box(&lines)))));
        }
        Ok(prepared)
    }

    fn decoder(target: &DataType, rows: usize) -> Result<Decoder, String> {
        let DataType::Struct(fields) = target else { return Err("a struct".into()) };
        let schema = Arc::new(Schema::new(fields.clone()));
        ReaderBuilder::new(schema).with_batch_size(rows).build_decoder().map_err(|error| error.to_string())
    }

    fn decode(decoder: &mut Decoder, lines: &[u8]) -> RecordBatch {
        let read = decoder.decode(lines).expect("good documents");
        assert_eq!(read, lines.len(), "the batch holds all rows");
        decoder.flush().expect("whole documents").expect("there are rows")
    }

    fn with_utf8(data_type: &DataType) -> DataType {
        let of = |field: &FieldRef| field.as_ref().clone().with_data_type(with_utf8(field.data_type()));
        match data_type {
            DataType::Utf8View => DataType::Utf8,
            DataType::List(element) => DataType::List(Arc::new(of(element))),
            DataType::Struct(fields) => DataType::Struct(fields.iter().map(of).collect()),
            other => other.clone(),
        }
    }

    pub fn add_writer(prepared: Prepared, batch: &RecordBatch) -> Result<Prepared, String> {
        let mut prepared = prepared;
        let target = DataType::Struct(batch.schema().fields().clone());
        let utf8 = with_utf8(&target);
        let columns: &dyn Array = &StructArray::from(batch.clone());
        let utf8 = arrow_cast::cast(columns, &utf8).map_err(|error| error.to_string())?;
        let utf8 = RecordBatch::from(arrow_array::cast::AsArray::as_struct(&utf8));
        for (name, batch) in [("arrow_json", utf8), ("arrow_json_views", batch.clone())] {
            let (expected, mut out) = (rows_of(&StructArray::from(batch.clone())), Vec::new());
            write(&batch, &mut out);
            let lines: Vec<&str> =
                std::str::from_utf8(&out).map_err(|error| error.to_string())?.lines().collect();
            same(name, &slow_rows(&lines, &target, |value| format!("{value:?}")), &expected)?;
            prepared = prepared.peer(name, move || {
                out.clear();
                write(black_box(&batch), &mut out);
                black_box(&out);
            });
        }
        Ok(prepared)
    }

    fn write(batch: &RecordBatch, out: &mut Vec<u8>) {
        let mut writer = arrow_json::LineDelimitedWriter::new(out);
        writer.write(batch).expect("writing to memory");
        writer.finish().expect("writing to memory");
    }
}
