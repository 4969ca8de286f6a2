//! The size that a record is taken to have: the Java client's upper bound for a batch that holds it alone.

use super::RecordRef;

/// Header of a record batch.
const BATCH_OVERHEAD: usize = 61;

/// Length, attributes, timestamp delta and offset delta of a record at their longest.
const RECORD_OVERHEAD: usize = 21;

/// `AbstractRecords.estimateSizeInBytesUpperBound` for format 2.
pub(super) fn upper_bound(record: &RecordRef<'_>) -> usize {
    let headers = record.headers.iter().map(|(name, value)| sized(Some(name)) + sized(*value));
    let headers = varint(record.headers.len()) + headers.sum::<usize>();
    BATCH_OVERHEAD + RECORD_OVERHEAD + sized(record.key) + sized(record.value) + headers
}

fn sized(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(1, |bytes| varint(bytes.len()) + bytes.len())
}

/// Bytes of a length as a zigzag varint.
fn varint(length: usize) -> usize {
    let bits = usize::BITS - (length << 1 | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_java_client() {
        let value = vec![b'x'; 2000];
        let record = RecordRef { value: Some(&value), ..RecordRef::default() };
        assert_eq!(upper_bound(&record), 2086);
        let headers: [(&[u8], Option<&[u8]>); 2] = [(b"h", Some(b"12")), (b"n", None)];
        let record = RecordRef { key: Some(b"k"), value: None, headers: &headers, timestamp: None };
        assert_eq!(upper_bound(&record), 61 + 21 + 2 + 1 + 1 + (2 + 3) + (2 + 1));
    }

    #[test]
    fn varints_grow_at_64_and_8192() {
        assert_eq!([0, 63, 64, 8191, 8192].map(varint), [1, 1, 2, 2, 3]);
    }
}
