//! The payloads of one batch, whatever their format: how many bytes are read, and views of those that are written.

use crate::records::{INLINE, inline_view, long_view};
use crate::{Error, Result};

/// Payloads of one call may take this many bytes together, so that offsets of 32 bits always do.
const MOST_READ: usize = 1 << 30;

/// Refuses payloads, given by their views, that are too many; `what` names them: "the records of one batch".
pub(crate) fn check_size(views: &[u128], what: &str) -> Result<()> {
    let bytes = views.iter().map(|view| *view as u32 as usize).sum::<usize>();
    if bytes <= MOST_READ { Ok(()) } else { Err(too_large(what, bytes, MOST_READ)) }
}

/// The view of the payload that was just written, from `start` to the end of the only buffer.
///
/// # Errors
/// A buffer that is longer than views, which count in 32 bits, can tell; `what` names the payloads.
#[inline(always)]
pub(crate) fn written_view(buffer: &[u8], start: usize, what: &str) -> Result<u128> {
    let payload = &buffer[start..];
    if payload.len() <= INLINE {
        return Ok(inline_view(payload));
    }
    match (u32::try_from(start), u32::try_from(buffer.len())) {
        (Ok(start), Ok(_)) => Ok(long_view(payload, 0, start)),
        _ => Err(too_large(what, buffer.len(), u32::MAX as usize)),
    }
}

#[cold]
fn too_large(what: &str, found: usize, limit: usize) -> Error {
    Error::LimitExceeded {
        what: what.into(),
        unit: "bytes",
        found,
        limit,
        setting: "the number of batches (smaller ones)",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::long_parts;

    #[test]
    fn more_than_a_gibibyte_is_refused_before_anything_is_read() {
        let half = u128::from(1u32 << 29);
        assert!(check_size(&[half, half], "the records of one batch").is_ok());
        let refused = check_size(&[half, half, 1], "the records of one batch").unwrap_err();
        assert!(matches!(refused, Error::LimitExceeded { found, limit, .. } if found == limit + 1));
    }

    #[test]
    fn short_payloads_stand_in_their_view_and_long_ones_in_the_buffer() {
        let buffer = b"before, and a long payload";
        assert_eq!(written_view(buffer, 19, "").unwrap(), inline_view(b"payload"));
        assert_eq!(long_parts(written_view(buffer, 8, "").unwrap()), Some((18, 0, 8)));
    }
}
