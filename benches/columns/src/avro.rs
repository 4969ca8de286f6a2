//! Framed Avro orders to columns, beside arrow-avro (which reads the same framing) and apache-avro (which gives one
//! value tree a record).

use crate::case::{Case, Prepared};
use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, StringViewBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::{Array, ArrayRef, BinaryViewArray, StructArray};
use arrow_schema::{DataType, Field, Fields, TimeUnit};
use millstream_columnar::avro::{AvroReadOptions, AvroReader, AvroWriter, Schema};
use millstream_columnar::framing::{self, SchemaFormat};
use std::hint::black_box;
use std::sync::Arc;

/// The cases of this group.
pub const CASES: &[Case] = &[
    Case { name: "avro_orders", is_counted: true, prepare: orders },
    Case { name: "avro_orders_three_fields", is_counted: false, prepare: three_fields },
];

const ROWS: usize = 4096;
const SCHEMA_ID: u32 = 7;
const ORDER: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"},
    {"name":"customer","type":"string"},{"name":"city","type":"string"},{"name":"amount","type":"double"},
    {"name":"quantity","type":"int"},{"name":"placed","type":{"type":"long","logicalType":"timestamp-micros"}},
    {"name":"note","type":["null","string"],"default":null},{"name":"paid","type":"boolean"}]}"#;
const THREE: &str = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"long"},
    {"name":"city","type":"string"},{"name":"amount","type":"double"}]}"#;

/// Columns of orders while somebody fills them.
#[derive(Default)]
struct Orders {
    id: Int64Builder,
    customer: StringViewBuilder,
    city: StringViewBuilder,
    amount: Float64Builder,
    quantity: Int32Builder,
    placed: TimestampMicrosecondBuilder,
    note: StringViewBuilder,
    paid: BooleanBuilder,
}

impl Orders {
    fn fields() -> Fields {
        let timestamp = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        Fields::from(vec![
            Field::new("id", DataType::Int64, false),
            Field::new("customer", DataType::Utf8View, false),
            Field::new("city", DataType::Utf8View, false),
            Field::new("amount", DataType::Float64, false),
            Field::new("quantity", DataType::Int32, false),
            Field::new("placed", timestamp, false),
            Field::new("note", DataType::Utf8View, true),
            Field::new("paid", DataType::Boolean, false),
        ])
    }

    fn finish(mut self) -> StructArray {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.id.finish()),
            Arc::new(self.customer.finish()),
            Arc::new(self.city.finish()),
            Arc::new(self.amount.finish()),
            Arc::new(self.quantity.finish()),
            Arc::new(self.placed.finish().with_timezone("UTC")),
            Arc::new(self.note.finish()),
            Arc::new(self.paid.finish()),
        ];
        StructArray::new(Self::fields(), columns, None)
    }
}

/// The obvious twin: the values themselves.
fn values() -> StructArray {
    const CITIES: [&str; 5] = ["Oslo", "Rome", "Buenos Aires", "San Francisco", "Ulaanbaatar"];
    let mut orders = Orders::default();
    let mut random = 0x9E37_79B9_7F4A_7C15u64;
    for row in 0..ROWS as i64 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let number = (random >> 33) as i64;
        orders.id.append_value(1_000_000 + row);
        orders.customer.append_value(format!("customer-{:06}", number % 1_000_000));
        orders.city.append_value(CITIES[(number % 5) as usize]);
        orders.amount.append_value((number % 100_000) as f64 / 100.0);
        orders.quantity.append_value((number % 90) as i32);
        orders.placed.append_value(1_767_225_600_000_000 + row * 1_000 + number % 1_000);
        match number % 3 {
            0 => orders.note.append_null(),
            _ => orders.note.append_value(format!("leave it at the door {}", number % 97)),
        }
        orders.paid.append_value(number % 2 == 0);
    }
    orders.finish()
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The framed column, as one buffer like a fetched block, and its bytes in one piece.
fn framed(values: &StructArray) -> Result<(BinaryViewArray, Vec<u8>), String> {
    let schema = Schema::parse(ORDER).map_err(text)?;
    let writer = AvroWriter::new(values.data_type(), false, Some(&schema)).map_err(text)?;
    let header = framing::header(SCHEMA_ID, SchemaFormat::Avro, &[]);
    let column = writer.write(values, &header).map_err(text)?;
    let bytes = column.iter().flatten().flatten().copied().collect();
    Ok((column, bytes))
}

fn reader(reader: &str) -> Result<impl Fn(&BinaryViewArray) -> ArrayRef + use<>, String> {
    let writer = Schema::parse(ORDER).map_err(text)?;
    let options = AvroReadOptions { avro_schema: Some(reader.to_owned()), ..AvroReadOptions::default() };
    let reader = AvroReader::new(&writer, options).map_err(text)?;
    let plan = reader.plan(&writer).map_err(text)?;
    Ok(move |column: &BinaryViewArray| {
        assert_eq!(framing::schema_ids(column), [SCHEMA_ID]);
        reader.read(&plan, &framing::payloads(column, SchemaFormat::Avro)).expect("good payloads")
    })
}

fn orders() -> Result<Prepared, String> {
    let values = values();
    let (column, bytes) = framed(&values)?;
    let read = reader(ORDER)?;
    same("ours", &read(&column), &values)?;
    let prepared = Prepared::ours(ROWS, bytes.len(), {
        let column = column.clone();
        move || drop(black_box(read(black_box(&column))))
    });
    #[cfg(feature = "peers")]
    let prepared = peers::add(prepared, &values, &column, bytes, ORDER)?;
    Ok(prepared)
}

fn three_fields() -> Result<Prepared, String> {
    let values = values();
    let (column, bytes) = framed(&values)?;
    let fields: Fields = [0, 2, 3].map(|at| Arc::clone(&values.fields()[at])).into_iter().collect();
    let three = StructArray::new(fields, [0, 2, 3].map(|at| Arc::clone(values.column(at))).to_vec(), None);
    let read = reader(THREE)?;
    same("ours", &read(&column), &three)?;
    let prepared = Prepared::ours(ROWS, bytes.len(), {
        let column = column.clone();
        move || drop(black_box(read(black_box(&column))))
    });
    #[cfg(feature = "peers")]
    let prepared = peers::add(prepared, &three, &column, bytes, THREE)?;
    Ok(prepared)
}

fn same(who: &str, found: &dyn Array, expected: &StructArray) -> Result<(), String> {
    if found.to_data() == expected.to_data() { Ok(()) } else { Err(format!("{who}: other values")) }
}

#[cfg(feature = "peers")]
mod peers {
    use super::*;
    use apache_avro::types::Value;
    use arrow_avro::reader::{Decoder, ReaderBuilder};
    use arrow_avro::schema::{AvroSchema, Fingerprint, FingerprintAlgorithm, SchemaStore};

    pub fn add(
        prepared: Prepared,
        expected: &StructArray,
        column: &BinaryViewArray,
        bytes: Vec<u8>,
        schema: &str,
    ) -> Result<Prepared, String> {
        let mut decoder = decoder(schema)?;
        let found = decode(&mut decoder, &bytes);
        for (column, expected) in found.columns().iter().zip(expected.columns()) {
            let found = arrow_cast::cast(column, expected.data_type()).map_err(text)?;
            for row in 0..expected.len() {
                if found.slice(row, 1).to_data() != expected.slice(row, 1).to_data() {
                    let (found, expected) = (found.slice(row, 1), expected.slice(row, 1));
                    return Err(format!("arrow-avro: row {row} is {found:?} instead of {expected:?}"));
                }
            }
        }
        let prepared =
            prepared.peer("arrow_avro", move || drop(black_box(decode(&mut decoder, black_box(&bytes)))));
        if schema != ORDER {
            return Ok(prepared);
        }
        let schema = apache_avro::Schema::parse_str(ORDER).map_err(text)?;
        same("apache-avro", &by_values(&schema, column), expected)?;
        let column = column.clone();
        Ok(prepared.peer("apache_avro", move || drop(black_box(by_values(&schema, black_box(&column))))))
    }

    fn decoder(schema: &str) -> Result<Decoder, String> {
        let mut store = SchemaStore::new_with_type(FingerprintAlgorithm::Id);
        store.set(Fingerprint::Id(SCHEMA_ID), AvroSchema::new(ORDER.to_owned())).map_err(text)?;
        let builder = ReaderBuilder::new()
            .with_batch_size(ROWS)
            // Its views cost it a copy more, and lose nulls (59.3).
            .with_utf8_view(false)
            .with_writer_schema_store(store)
            .with_reader_schema(AvroSchema::new(schema.to_owned()));
        builder.build_decoder().map_err(text)
    }

    fn decode(decoder: &mut Decoder, bytes: &[u8]) -> arrow_array::RecordBatch {
        let used = decoder.decode(bytes).expect("good payloads");
        assert_eq!(used, bytes.len());
        decoder.flush().expect("good payloads").expect("a batch")
    }

    /// A value tree for each record, then columns.
    fn by_values(schema: &apache_avro::Schema, column: &BinaryViewArray) -> StructArray {
        let mut orders = Orders::default();
        for bytes in column.iter().flatten() {
            let mut payload = &bytes[framing::HEADER..];
            let value = apache_avro::from_avro_datum(schema, &mut payload, None).expect("a good payload");
            let Value::Record(fields) = value else { panic!("a record") };
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("id", Value::Long(v)) => orders.id.append_value(v),
                    ("customer", Value::String(v)) => orders.customer.append_value(v),
                    ("city", Value::String(v)) => orders.city.append_value(v),
                    ("amount", Value::Double(v)) => orders.amount.append_value(v),
                    ("quantity", Value::Int(v)) => orders.quantity.append_value(v),
                    ("placed", Value::TimestampMicros(v)) => orders.placed.append_value(v),
                    ("note", Value::Union(_, v)) => match *v {
                        Value::String(v) => orders.note.append_value(v),
                        _ => orders.note.append_null(),
                    },
                    ("paid", Value::Boolean(v)) => orders.paid.append_value(v),
                    (name, value) => panic!("{name} is {value:?}"),
                }
            }
        }
        orders.finish()
    }
}
