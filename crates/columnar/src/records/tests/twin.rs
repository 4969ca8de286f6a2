//! The slow, obvious twin of the decoder: uncompressed batches of format 2 read byte by byte into a vector of
//! rows, and the rows of Arrow batches to compare with. The benchmark of columns shares this file.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, BinaryViewArray, RecordBatch};

/// A header's key and value.
pub type Header = (Vec<u8>, Option<Vec<u8>>);

/// One record; what a projection leaves out is as in `Row::default()`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub value: Option<Vec<u8>>,
    /// Offset in the partition.
    pub offset: i64,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// Headers in their order.
    pub headers: Vec<Header>,
}

/// The records of whole, uncompressed batches of format 2 with create times. Panics on anything else.
pub fn slow_rows(bytes: &[u8]) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let number = |from: usize, size: usize| {
            let bytes = &bytes[at + from..at + from + size];
            bytes.iter().fold(0i64, |number, byte| number << 8 | i64::from(*byte))
        };
        let (base_offset, base_timestamp, count) = (number(0, 8), number(27, 8), number(57, 4));
        let end = at + 12 + number(8, 4) as usize;
        let mut slow = Slow { bytes: &bytes[..end], at: at + 61 };
        for _ in 0..count {
            rows.push(slow.row(base_offset, base_timestamp));
        }
        assert_eq!(slow.at, end, "records fill their batch");
        at = end;
    }
    rows
}

struct Slow<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Slow<'_> {
    fn byte(&mut self) -> u8 {
        self.at += 1;
        self.bytes[self.at - 1]
    }

    fn number(&mut self) -> i64 {
        let (mut raw, mut shift) = (0u64, 0);
        loop {
            let byte = self.byte();
            raw |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                let half = (raw / 2) as i64;
                return if raw % 2 == 1 { -half - 1 } else { half };
            }
        }
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let length = self.number();
        (length >= 0).then(|| (0..length).map(|_| self.byte()).collect())
    }

    fn row(&mut self, base_offset: i64, base_timestamp: i64) -> Row {
        let length = self.number() as usize;
        let end = self.at + length;
        self.byte();
        let timestamp = base_timestamp + self.number();
        let offset = base_offset + self.number();
        let (key, value) = (self.bytes(), self.bytes());
        let count = self.number();
        let headers = (0..count).map(|_| (self.bytes().expect("a header has a key"), self.bytes())).collect();
        assert_eq!(self.at, end, "fields fill their record");
        Row { key, value, offset, timestamp, headers }
    }
}

/// The rows of Arrow batches, whichever of key, value, offset, timestamp and headers they have.
pub fn rows_of(batches: &[RecordBatch]) -> Vec<Row> {
    let mut rows = Vec::new();
    for batch in batches {
        for column in batch.columns() {
            column.to_data().validate_full().expect("arrays are valid");
        }
        let binary = |name: &str, row: usize| {
            batch.column_by_name(name).and_then(|column| owned(column.as_binary_view(), row))
        };
        let offsets = batch.column_by_name("offset").map(|column| column.as_primitive::<Int64Type>());
        let timestamps = batch.column_by_name("timestamp");
        let timestamps = timestamps.map(|column| column.as_primitive::<TimestampMicrosecondType>());
        for row in 0..batch.num_rows() {
            rows.push(Row {
                key: binary("key", row),
                value: binary("value", row),
                offset: offsets.map_or(0, |offsets| offsets.value(row)),
                timestamp: timestamps.map_or(0, |timestamps| timestamps.value(row) / 1000),
                headers: headers_of(batch, row),
            });
        }
    }
    rows
}

fn headers_of(batch: &RecordBatch, row: usize) -> Vec<Header> {
    let Some(column) = batch.column_by_name("headers").filter(|column| column.is_valid(row)) else {
        return Vec::new();
    };
    let entries = column.as_list::<i32>().value(row);
    let entries = entries.as_struct();
    let (keys, values) = (entries.column(0).as_string_view(), entries.column(1).as_binary_view());
    (0..entries.len()).map(|at| (keys.value(at).as_bytes().to_vec(), owned(values, at))).collect()
}

fn owned(array: &BinaryViewArray, at: usize) -> Option<Vec<u8>> {
    array.is_valid(at).then(|| array.value(at).to_vec())
}
