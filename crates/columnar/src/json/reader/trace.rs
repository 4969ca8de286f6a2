//! Where the first value stands that does not fit, for the error of FAILFAST. Paths are built from the inside
//! out, while the conversion returns.

use crate::JsonFault;

/// The way to the first value that does not fit.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// Names and indexes from the innermost outwards.
    path: Vec<String>,
    /// Depth of the container that was noted last; 0 while nothing is.
    depth: usize,
    /// The text of the value, where that is a string in the place of a float or double.
    string: Option<String>,
    /// A string that was met just now and is not noted yet.
    met: Option<String>,
}

impl Trace {
    /// Notes a string that stands where a float or double should.
    pub fn string_for_number(&mut self, text: &[u8]) {
        self.met = (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned());
    }

    /// Notes that the value of `name`, in a container of this depth, does not fit as a whole or in parts. Of
    /// several such values the first counts.
    pub fn climb(&mut self, depth: usize, name: impl FnOnce() -> String) {
        let met = self.met.take();
        if self.depth == 0 {
            self.string = met;
        } else if self.depth != depth + 1 {
            return;
        }
        self.path.push(name());
        self.depth = depth;
    }

    /// What does not fit, and the path to it, as `a.b.2.c`; empty for the document itself.
    pub fn finish(mut self) -> (JsonFault, String) {
        let field = self.path.first().cloned().unwrap_or_default();
        self.path.reverse();
        let fault = match self.string {
            Some(value) => JsonFault::StringForNumber { field, value },
            None => JsonFault::Malformed { what: "a value does not fit its field".into() },
        };
        (fault, self.path.join("."))
    }
}
