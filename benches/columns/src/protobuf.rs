//! Protobuf messages of about 70 B, a nested message and a repeated number among them, to columns.

use std::hint::black_box;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, BinaryViewArray};
use millstream_columnar::protobuf::{DescriptorSet, ProtobufOptions, ProtobufReader};

use crate::case::{Case, Prepared, same};

/// The cases of this group.
pub const CASES: &[Case] = &[Case { name: "protobuf_read", is_counted: true, prepare }];

const ROWS: usize = 4_000;

/// id, city, amount, street and number of the nested message, counts.
type Row = (i64, String, f64, String, i32, Vec<i32>);

fn rows() -> Vec<Row> {
    const CITIES: [&str; 5] = ["Paris", "Wien", "San Francisco", "Oslo", "Santiago de Compostela"];
    let row = |n: usize| {
        let counts = (0..n % 5).map(|count| (count * 1000) as i32 + 1).collect();
        let street = format!("street number {n} of a long name");
        (
            1 + n as i64 * 37,
            CITIES[n % 5].to_owned(),
            0.01 + n as f64 / 7.0,
            street,
            1 + n as i32 % 300,
            counts,
        )
    };
    (0..ROWS).map(row).collect()
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn bytes_field(number: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(number << 3 | 2);
    varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn number_field(number: u8, value: u64, out: &mut Vec<u8>) {
    out.push(number << 3);
    varint(value, out);
}

fn messages() -> Vec<Vec<u8>> {
    let message = |(id, city, amount, street, house, counts): Row| {
        let (mut out, mut place, mut packed) = (Vec::new(), Vec::new(), Vec::new());
        number_field(1, id as u64, &mut out);
        bytes_field(2, city.as_bytes(), &mut out);
        out.push(3 << 3 | 1);
        out.extend_from_slice(&amount.to_le_bytes());
        bytes_field(1, street.as_bytes(), &mut place);
        number_field(2, house as u64, &mut place);
        bytes_field(4, &place, &mut out);
        if !counts.is_empty() {
            counts.iter().for_each(|count| varint(*count as u64, &mut packed));
            bytes_field(5, &packed, &mut out);
        }
        out
    };
    rows().into_iter().map(message).collect()
}

/// `message Order { int64 id = 1; string city = 2; double amount = 3; Place place = 4; repeated int32 counts = 5; }`
/// and `message Place { string street = 1; int32 house = 2; }` of proto3.
fn descriptors() -> Vec<u8> {
    let field = |name: &str, number: u64, label: u64, kind: u64, type_name: &str| {
        let mut field = Vec::new();
        bytes_field(1, name.as_bytes(), &mut field);
        number_field(3, number, &mut field);
        number_field(4, label, &mut field);
        number_field(5, kind, &mut field);
        if !type_name.is_empty() {
            bytes_field(6, type_name.as_bytes(), &mut field);
        }
        field
    };
    let message = |name: &str, fields: &[Vec<u8>]| {
        let mut message = Vec::new();
        bytes_field(1, name.as_bytes(), &mut message);
        fields.iter().for_each(|field| bytes_field(2, field, &mut message));
        message
    };
    let order = [
        field("id", 1, 1, 3, ""),
        field("city", 2, 1, 9, ""),
        field("amount", 3, 1, 1, ""),
        field("place", 4, 1, 11, ".Place"),
        field("counts", 5, 3, 5, ""),
    ];
    let place = [field("street", 1, 1, 9, ""), field("house", 2, 1, 5, "")];
    let (mut file, mut set) = (Vec::new(), Vec::new());
    bytes_field(1, b"order.proto", &mut file);
    bytes_field(4, &message("Order", &order), &mut file);
    bytes_field(4, &message("Place", &place), &mut file);
    bytes_field(12, b"proto3", &mut file);
    bytes_field(1, &file, &mut set);
    set
}

fn rows_of(found: &ArrayRef) -> Vec<Row> {
    let columns = found.as_struct().columns();
    let place = columns[3].as_struct();
    let row = |row: usize| {
        let counts = columns[4].as_list::<i32>().value(row);
        (
            columns[0].as_primitive::<Int64Type>().value(row),
            columns[1].as_string_view().value(row).to_owned(),
            columns[2].as_primitive::<Float64Type>().value(row),
            place.column(0).as_string_view().value(row).to_owned(),
            place.column(1).as_primitive::<Int32Type>().value(row),
            counts.as_primitive::<Int32Type>().values().to_vec(),
        )
    };
    (0..found.len()).map(row).collect()
}

fn prepare() -> Result<Prepared, String> {
    let messages = messages();
    let bytes = messages.iter().map(Vec::len).sum();
    let payloads: BinaryViewArray = messages.iter().map(Some).collect();
    let set = DescriptorSet::parse(&descriptors()).map_err(|error| error.to_string())?;
    let reader =
        ProtobufReader::new(&set, "Order", &ProtobufOptions::default()).map_err(|e| e.to_string())?;
    let found = reader.read(&payloads).map_err(|error| error.to_string())?;
    same("ours", &rows_of(&found), &rows())?;
    let prepared = Prepared::ours(ROWS, bytes, move || {
        black_box(reader.read(&payloads).expect("good messages"));
    });
    peers::read(prepared, messages)
}

#[cfg(not(feature = "peers"))]
mod peers {
    use super::*;

    pub fn read(prepared: Prepared, _messages: Vec<Vec<u8>>) -> Result<Prepared, String> {
        Ok(prepared)
    }
}

#[cfg(feature = "peers")]
mod peers {
    use super::*;
    use prost_reflect::{DescriptorPool, DynamicMessage};

    /// prost-reflect makes dynamic messages, which would still have to become columns.
    pub fn read(prepared: Prepared, messages: Vec<Vec<u8>>) -> Result<Prepared, String> {
        let pool = DescriptorPool::decode(descriptors().as_slice()).map_err(|error| error.to_string())?;
        let order = pool.get_message_by_name("Order").ok_or("no Order")?;
        let decode =
            move |bytes: &[u8]| DynamicMessage::decode(order.clone(), bytes).expect("a good message");
        let row = |message: DynamicMessage| -> Option<Row> {
            let field = |name: &str| message.get_field_by_name(name).map(|value| value.into_owned());
            let place = field("place")?.as_message()?.clone();
            Some((
                field("id")?.as_i64()?,
                field("city")?.as_str()?.to_owned(),
                field("amount")?.as_f64()?,
                place.get_field_by_name("street")?.as_str()?.to_owned(),
                place.get_field_by_name("house")?.as_i32()?,
                field("counts")?.as_list()?.iter().filter_map(|count| count.as_i32()).collect(),
            ))
        };
        let found: Option<Vec<Row>> = messages.iter().map(|bytes| row(decode(bytes))).collect();
        same("prost-reflect", &found.ok_or("a field is missing")?, &rows())?;
        Ok(prepared.peer("prost_reflect", move || {
            messages.iter().for_each(|bytes| drop(black_box(decode(bytes))));
        }))
    }
}
