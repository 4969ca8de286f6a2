//! The frame splitter: however a stream is cut, the same frames come out of it, and no more is kept than came in.
//!
//! Input: chunk sizes (4 bytes), frame limit (1 byte, in units of 64 bytes), the stream.

use bytes::Bytes;
use millstream_protocol::frame::FrameSplitter;
use millstream_protocol::{Limits, messages};

use crate::input::Input;

/// See the module.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let sizes = [input.byte(), input.byte(), input.byte(), input.byte()];
    let limits = Limits { frame_bytes: 64 * (1 + usize::from(input.byte())), ..Limits::default() };
    let stream = input.rest();
    let whole = split(stream, &limits, std::iter::repeat(stream.len().max(1)));
    let cut = split(stream, &limits, sizes.iter().cycle().map(|size| usize::from(*size) + 1));
    assert_eq!(whole, cut, "the cutting of the stream must not matter");
    for frame in &whole.0 {
        assert!(frame.len() <= limits.frame_bytes);
        let _ = messages::peek_correlation(frame);
        let _ = messages::decode_request_header(frame.clone(), &limits);
    }
}

/// The frames, and whether the stream ended in an error.
fn split(stream: &[u8], limits: &Limits, sizes: impl Iterator<Item = usize>) -> (Vec<Bytes>, bool) {
    let mut splitter = FrameSplitter::new(limits.clone());
    let (mut frames, mut rest) = (Vec::new(), stream);
    for size in sizes {
        if rest.is_empty() {
            break;
        }
        let (chunk, behind) = rest.split_at(size.min(rest.len()));
        rest = behind;
        splitter.push(chunk);
        loop {
            match splitter.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(_) => return (frames, true),
            }
        }
        assert!(splitter.buffered() <= stream.len());
    }
    (frames, false)
}
