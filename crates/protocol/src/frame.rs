//! Frames: every message on a connection is preceded by its length as a signed 32-bit big-endian number.
//!
//! A wrong port shows itself here first: an HTTP server answers `HTTP/1.1 400`, a TLS server answers an
//! alert record, and both make an absurd length. Such bytes are named instead of being waited for.

use bytes::{Bytes, BytesMut};

use crate::{Error, Limits, Result};

/// Bytes of the length prefix.
pub const PREFIX_BYTES: usize = 4;

/// Length of the frame that follows `prefix`, checked against [`Limits::frame_bytes`].
pub fn frame_length(prefix: [u8; 4], limits: &Limits) -> Result<usize> {
    let length = i32::from_be_bytes(prefix);
    let claimed = usize::try_from(length).ok().filter(|length| *length <= limits.frame_bytes);
    match claimed {
        Some(length) => Ok(length),
        None => Err(wrong_length(prefix, length, limits)),
    }
}

/// Cuts a stream of bytes into frames. It owns the bytes that it has been given and not yet cut.
#[derive(Debug)]
pub struct FrameSplitter {
    limits: Limits,
    buffered: BytesMut,
}

impl FrameSplitter {
    /// A splitter at the start of a stream.
    pub fn new(limits: Limits) -> Self {
        Self { limits, buffered: BytesMut::new() }
    }

    /// Adds bytes as they came from the socket.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffered.extend_from_slice(bytes);
    }

    /// The next whole frame without its length prefix; `None` until more bytes are pushed.
    ///
    /// After an error the stream cannot be split any further: close the connection.
    #[expect(clippy::should_implement_trait, reason = "a frame may come after None")]
    pub fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(prefix) = self.buffered.first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
        let length = frame_length(*prefix, &self.limits)?;
        if self.buffered.len() < PREFIX_BYTES + length {
            return Ok(None);
        }
        let mut frame = self.buffered.split_to(PREFIX_BYTES + length);
        Ok(Some(frame.split_off(PREFIX_BYTES).freeze()))
    }

    /// Bytes that have been pushed and do not make a whole frame yet.
    pub fn buffered(&self) -> usize {
        self.buffered.len()
    }
}

#[cold]
fn wrong_length(prefix: [u8; 4], length: i32, limits: &Limits) -> Error {
    match prefix {
        [b'H', b'T', b'T', b'P'] => {
            Error::NotKafka { hint: "it answered in HTTP; use the port of a Kafka listener" }
        }
        [20..=23, 3, 0..=4, _] => Error::NotKafka {
            hint: "it answered in TLS; set security.protocol to SSL or SASL_SSL, or use the plaintext port",
        },
        [b'S', b'S', b'H', b'-'] => {
            Error::NotKafka { hint: "it answered in SSH; use the port of a Kafka listener" }
        }
        _ if length < 0 => {
            Error::NotKafka { hint: "it sent a frame of negative length; check the address and port" }
        }
        _ => Error::LimitExceeded {
            setting: "frame_bytes",
            limit: limits.frame_bytes as u64,
            found: u64::from(length.unsigned_abs()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_whole_however_the_stream_is_cut() {
        let stream = [&[0, 0, 0, 3][..], b"abc", &[0, 0, 0, 0], &[0, 0, 0, 1], b"z"].concat();
        for chunk in 1..=stream.len() {
            let mut splitter = FrameSplitter::new(Limits::default());
            let mut frames = Vec::new();
            for bytes in stream.chunks(chunk) {
                splitter.push(bytes);
                while let Some(frame) = splitter.next().unwrap() {
                    frames.push(frame);
                }
            }
            assert_eq!(frames, [&b"abc"[..], b"", b"z"], "chunks of {chunk}");
            assert_eq!(splitter.buffered(), 0);
        }
    }

    #[test]
    fn case_1_a_negative_length_is_an_error() {
        let error = frame_length([0xff; 4], &Limits::default()).unwrap_err();
        assert!(error.poisons_connection(), "{error}");
    }

    #[test]
    fn case_2_a_length_above_the_limit_names_the_setting_and_other_protocols_are_recognised() {
        let limits = Limits { frame_bytes: 1000, ..Limits::default() };
        let error = frame_length(1001i32.to_be_bytes(), &limits).unwrap_err();
        assert_eq!(error, Error::LimitExceeded { setting: "frame_bytes", limit: 1000, found: 1001 });
        assert!(error.poisons_connection());
        assert_eq!(frame_length(1000i32.to_be_bytes(), &limits), Ok(1000));
        assert!(frame_length(*b"HTTP", &limits).unwrap_err().to_string().contains("HTTP"));
        assert!(frame_length([0x15, 3, 3, 0], &limits).unwrap_err().to_string().contains("TLS"));
    }
}
