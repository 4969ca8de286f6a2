//! The floor: the least that reading a topic can cost. One blocking socket, hand-built Fetch v12 requests of the
//! sizes that our client uses, and nothing done with the body but hopping over batch headers to find the next offset.

use crate::contender::{Tally, Task};
use std::io::{Read, Write};
use std::net::TcpStream;

const MAX_WAIT_MS: i32 = 500;
const MAX_BYTES: i32 = 64 << 20;
const MAX_PARTITION_BYTES: i32 = 8 << 20;

const BATCH_LENGTH_AT: usize = 8;
const LAST_OFFSET_DELTA_AT: usize = 23;
const COUNT_AT: usize = 57;
const BATCH_HEADER: usize = 61;

/// Fetches every partition from its beginning until the rows were seen.
pub fn read(task: &Task, tally: &mut Tally) -> Result<(), String> {
    let mut socket = TcpStream::connect(&task.bootstrap).map_err(|error| error.to_string())?;
    socket.set_nodelay(true).map_err(|error| error.to_string())?;
    let mut next = vec![0_i64; task.partitions as usize];
    let mut frame = Vec::new();
    while tally.rows < task.rows {
        socket.write_all(&request(&task.topic, &next)).map_err(|error| error.to_string())?;
        let mut length = [0; 4];
        socket.read_exact(&mut length).map_err(|error| error.to_string())?;
        let length = u32::from_be_bytes(length) as usize;
        frame.clear();
        let got =
            (&mut socket).take(length as u64).read_to_end(&mut frame).map_err(|error| error.to_string())?;
        if got < length {
            return Err("the broker closed the connection".into());
        }
        tally.rows += hop(&frame, &mut next).ok_or("a response that is not Fetch v12")?;
    }
    Ok(())
}

fn request(topic: &str, next: &[i64]) -> Vec<u8> {
    let mut body = Vec::with_capacity(256);
    body.extend_from_slice(&[0, 1, 0, 12, 0, 0, 0, 1, 0xff, 0xff, 0]); // Fetch v12, correlation 1, no client id
    body.extend_from_slice(&(-1_i32).to_be_bytes()); // a consumer, not a replica
    for number in [MAX_WAIT_MS, 1, MAX_BYTES] {
        body.extend_from_slice(&number.to_be_bytes());
    }
    body.push(0); // read_uncommitted
    body.extend_from_slice(&0_i32.to_be_bytes()); // no session
    body.extend_from_slice(&(-1_i32).to_be_bytes());
    body.push(2); // one topic
    body.push(topic.len() as u8 + 1);
    body.extend_from_slice(topic.as_bytes());
    body.push(next.len() as u8 + 1);
    for (partition, offset) in next.iter().enumerate() {
        body.extend_from_slice(&(partition as i32).to_be_bytes());
        body.extend_from_slice(&(-1_i32).to_be_bytes()); // leader epoch
        body.extend_from_slice(&offset.to_be_bytes());
        body.extend_from_slice(&(-1_i32).to_be_bytes()); // last fetched epoch
        body.extend_from_slice(&(-1_i64).to_be_bytes()); // log start offset
        body.extend_from_slice(&MAX_PARTITION_BYTES.to_be_bytes());
        body.push(0);
    }
    body.extend_from_slice(&[0, 1, 1, 0]); // end of topic, nothing forgotten, no rack, no tagged fields
    let mut frame = (body.len() as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(&body);
    frame
}

/// Moves `next` behind the whole batches of a response and returns how many records they hold.
fn hop(frame: &[u8], next: &mut [i64]) -> Option<u64> {
    let mut at = 4 + 1 + 4 + 2 + 4;
    let mut rows = 0;
    for _ in 1..uvarint(frame, &mut at)? {
        at += uvarint(frame, &mut at)?.checked_sub(1)?; // the topic's name
        for _ in 1..uvarint(frame, &mut at)? {
            let partition = i32::from_be_bytes(frame.get(at..at + 4)?.try_into().ok()?) as usize;
            at += 4 + 2 + 8 + 8 + 8; // index, error, high watermark, last stable offset, log start
            let aborted = uvarint(frame, &mut at)?.saturating_sub(1);
            at += aborted * 17 + 4; // producer, first offset, tagged fields; preferred replica
            let length = uvarint(frame, &mut at)?.saturating_sub(1);
            let records = frame.get(at..at + length)?;
            let (count, position) = batches(records)?;
            rows += count;
            if let Some(position) = position {
                *next.get_mut(partition)? = position;
            }
            at += length + 1; // records, tagged fields
        }
        at += 1;
    }
    Some(rows)
}

fn batches(mut records: &[u8]) -> Option<(u64, Option<i64>)> {
    let (mut rows, mut position) = (0, None);
    while records.len() > BATCH_HEADER {
        let int = |at: usize| Some(i32::from_be_bytes(records.get(at..at + 4)?.try_into().ok()?));
        let total = int(BATCH_LENGTH_AT)? as usize + 12;
        if total > records.len() {
            break;
        }
        let base = i64::from_be_bytes(records.get(..8)?.try_into().ok()?);
        position = Some(base + i64::from(int(LAST_OFFSET_DELTA_AT)?) + 1);
        rows += int(COUNT_AT)? as u64;
        records = &records[total..];
    }
    Some((rows, position))
}

fn uvarint(frame: &[u8], at: &mut usize) -> Option<usize> {
    let (mut value, mut shift) = (0_usize, 0);
    loop {
        let byte = *frame.get(*at)?;
        *at += 1;
        value |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
        shift += 7;
    }
}
