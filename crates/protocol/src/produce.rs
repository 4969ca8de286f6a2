//! Produce requests, versions 3 to 13, written around batches that are already encoded.
//!
//! The batches are not copied into the request: [`ProduceRequest::encode`] returns the pieces of the frame in
//! the order in which they are to be sent, and the batches are pieces of their own.

use bytes::Bytes;
use uuid::Uuid;

use crate::{ApiKey, Error, Result, varint};

/// What to produce. Responses are decoded by [`crate::messages::decode_response`].
#[derive(Debug, Clone)]
pub struct ProduceRequest<'a> {
    /// -1 for all replicas in sync, 1 for the leader, 0 for no answer at all.
    pub acks: i16,
    /// Milliseconds for which the broker waits for its replicas.
    pub timeout_ms: i32,
    /// The transaction, if there is one.
    pub transactional_id: Option<&'a str>,
    /// Topics with their partitions and the batches to append to them.
    pub topics: Vec<TopicBatches<'a>>,
}

/// What to append to one topic.
#[derive(Debug, Clone)]
pub struct TopicBatches<'a> {
    /// Its name, which versions before [`TOPIC_IDS_FROM`] send.
    pub name: &'a str,
    /// Its id, which later versions send.
    pub id: Uuid,
    /// Partitions, each with a batch.
    pub partitions: Vec<(i32, Bytes)>,
}

/// Lowest and highest version that is written.
const VERSIONS: (i16, i16) = (3, 13);
/// First version that names topics by id (KIP-516).
pub const TOPIC_IDS_FROM: i16 = 13;
/// First version with compact lengths and tagged fields.
const FLEXIBLE: i16 = 9;

impl ProduceRequest<'_> {
    /// The whole frame, length included, in pieces.
    pub fn encode(&self, correlation: i32, client_id: Option<&str>, version: i16) -> Result<Vec<Bytes>> {
        let api = ApiKey::PRODUCE;
        if !(VERSIONS.0..=VERSIONS.1).contains(&version) {
            return Err(Error::UnsupportedApi { api, version });
        }
        let mut writer =
            Writer { flexible: version >= FLEXIBLE, version, pieces: Vec::new(), out: Vec::new() };
        self.write(&mut writer, correlation, client_id)?;
        writer.finish()
    }

    fn write(&self, writer: &mut Writer, correlation: i32, client_id: Option<&str>) -> Result<()> {
        writer.out.extend_from_slice(&[0; 4]);
        writer.out.extend_from_slice(&ApiKey::PRODUCE.0.to_be_bytes());
        writer.out.extend_from_slice(&writer.version.to_be_bytes());
        writer.out.extend_from_slice(&correlation.to_be_bytes());
        writer.classic_string(client_id)?;
        writer.end_of_struct();
        writer.string(self.transactional_id)?;
        writer.out.extend_from_slice(&self.acks.to_be_bytes());
        writer.out.extend_from_slice(&self.timeout_ms.to_be_bytes());
        writer.length(self.topics.len())?;
        for topic in &self.topics {
            match writer.version >= TOPIC_IDS_FROM {
                true => writer.out.extend_from_slice(topic.id.as_bytes()),
                false => writer.string(Some(topic.name))?,
            }
            writer.length(topic.partitions.len())?;
            for (partition, batch) in &topic.partitions {
                writer.out.extend_from_slice(&partition.to_be_bytes());
                writer.length(batch.len())?;
                writer.piece(batch.clone());
                writer.end_of_struct();
            }
            writer.end_of_struct();
        }
        writer.end_of_struct();
        Ok(())
    }
}

struct Writer {
    flexible: bool,
    version: i16,
    pieces: Vec<Bytes>,
    out: Vec<u8>,
}

impl Writer {
    fn piece(&mut self, piece: Bytes) {
        self.pieces.push(std::mem::take(&mut self.out).into());
        self.pieces.push(piece);
    }

    fn finish(mut self) -> Result<Vec<Bytes>> {
        self.pieces.push(std::mem::take(&mut self.out).into());
        self.pieces.retain(|piece| !piece.is_empty());
        let total: usize = self.pieces.iter().map(Bytes::len).sum();
        let length = i32::try_from(total - 4).map_err(|_| self.fault("it is longer than 2 GiB"))?;
        let mut head = self.pieces[0].to_vec();
        head[..4].copy_from_slice(&length.to_be_bytes());
        self.pieces[0] = head.into();
        Ok(self.pieces)
    }

    fn length(&mut self, length: usize) -> Result<()> {
        let length = i32::try_from(length).map_err(|_| self.fault("a list or batch is longer than 2 GiB"))?;
        if self.flexible {
            varint::write_u32(&mut self.out, length as u32 + 1);
        } else {
            self.out.extend_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }

    fn string(&mut self, text: Option<&str>) -> Result<()> {
        match text {
            Some(text) if self.flexible => {
                self.length(text.len())?;
                self.out.extend_from_slice(text.as_bytes());
                Ok(())
            }
            None if self.flexible => {
                self.out.push(0);
                Ok(())
            }
            text => self.classic_string(text),
        }
    }

    /// The header's client id has the classic form in every version.
    fn classic_string(&mut self, text: Option<&str>) -> Result<()> {
        let Some(text) = text else {
            self.out.extend_from_slice(&(-1i16).to_be_bytes());
            return Ok(());
        };
        let length =
            i16::try_from(text.len()).map_err(|_| self.fault("a text is longer than 32767 bytes"))?;
        self.out.extend_from_slice(&length.to_be_bytes());
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn end_of_struct(&mut self) {
        if self.flexible {
            self.out.push(0);
        }
    }

    fn fault(&self, what: &'static str) -> Error {
        Error::Encode { api: ApiKey::PRODUCE, version: self.version, what: what.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::{self, kp};
    use crate::records::{BatchBuilder, BatchOptions};
    use crate::{Compression, Limits};

    fn batch(value: &[u8]) -> Bytes {
        let options = BatchOptions { compression: Compression::Lz4, ..BatchOptions::default() };
        let mut builder = BatchBuilder::new(options);
        builder.append(0, None, Some(value), &[]).unwrap();
        builder.finish().unwrap().into_bytes()
    }

    const ID: Uuid = Uuid::from_u128(7);

    fn topic(name: &str, partitions: Vec<(i32, Bytes)>) -> TopicBatches<'_> {
        TopicBatches { name, id: ID, partitions }
    }

    #[test]
    fn kafka_protocol_and_the_table_read_every_version_and_batches_are_not_copied() {
        let (one, two) = (batch(b"one"), batch(b"two"));
        let request = ProduceRequest {
            acks: -1,
            timeout_ms: 30_000,
            transactional_id: Some("txn"),
            topics: vec![
                topic("a", vec![(0, one.clone()), (7, two.clone())]),
                topic("b", vec![(1, one.clone())]),
            ],
        };
        for version in VERSIONS.0..=VERSIONS.1 {
            let pieces = request.encode(42, Some("client"), version).unwrap();
            assert!(pieces.iter().filter(|piece| piece.as_ptr() == one.as_ptr()).count() == 2);
            let frame = Bytes::from(pieces.concat());
            assert_eq!(frame[..4], (frame.len() as i32 - 4).to_be_bytes());
            let head = messages::decode_request_header(frame.slice(4..), &Limits::default()).unwrap();
            assert_eq!((head.api, head.version, head.correlation), (ApiKey::PRODUCE, version, 42));
            assert_eq!(head.client_id.as_deref(), Some("client"));
            let read: kp::ProduceRequest =
                messages::decode_request(version, head.body, &Limits::default()).unwrap();
            assert_eq!((read.acks, read.timeout_ms), (-1, 30_000));
            assert_eq!(read.transactional_id.unwrap().as_str(), "txn");
            let (name, id) = if version < TOPIC_IDS_FROM { ("a", Uuid::nil()) } else { ("", ID) };
            assert_eq!((read.topic_data[0].name.as_str(), read.topic_data[0].topic_id), (name, id));
            assert_eq!(read.topic_data[0].partition_data[1].index, 7);
            assert_eq!(read.topic_data[0].partition_data[1].records, Some(two.clone()));
            assert_eq!(read.topic_data[1].partition_data[0].records, Some(one.clone()));
        }
        assert!(request.encode(42, None, 14).is_err());
        let empty = ProduceRequest { topics: vec![], transactional_id: None, ..request };
        assert!(empty.encode(1, None, 12).is_ok());
    }
}
