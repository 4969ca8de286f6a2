//! Faults on request: a rule looks at each request of one API and says what shall go wrong with it.
//!
//! Rules are asked in the order of their registration; the first that does not say [`Act::Pass`] decides.
//! A rule is a plain closure: it may count, look at the request's body, or call the broker's other methods.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use millstream_protocol::ids::{ApiKey, ErrorCode};
use parking_lot::RwLock;

/// What a rule sees of a request.
#[derive(Clone, Debug)]
pub struct RequestView {
    /// Node (1, 2, ...) that got the request.
    pub node: i32,
    /// Number of the connection, counted from 1 over all nodes.
    pub connection: u64,
    /// The API asked for.
    pub api: ApiKey,
    /// The request's version.
    pub version: i16,
    /// The client's id, if it gave one.
    pub client_id: Option<String>,
    /// The body after the request header, as it came.
    pub body: Bytes,
}

impl RequestView {
    /// Whether the body names `text` anywhere, such as a topic of a version that writes names. A coarse
    /// filter that saves decoding.
    pub fn mentions(&self, text: &str) -> bool {
        !text.is_empty() && self.body.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Act {
    /// Handled as always; the next rule is asked.
    Pass,
    /// Not handled; answered with this body (what follows the response header).
    Reply(Bytes),
    /// Not handled; answered with this error for the request or for each thing in it.
    Error(ErrorCode),
    /// Handled, but the answer leaves this much later.
    Delay(Duration),
    /// Not handled; the connection is closed.
    Drop,
    /// Handled, but the answer is lost and the connection closed.
    DropReply,
    /// Handled; only this many bytes of the answer (length prefix included) leave, then the connection is
    /// closed.
    CloseAfter(usize),
    /// Handled; these bytes of the answer's frame (counted after the length prefix) are inverted.
    Corrupt(Range<usize>),
    /// A partition's leader moves first; then the request is handled, by a node that may no longer be the
    /// right one.
    MoveLeader {
        /// Topic.
        topic: String,
        /// Partition.
        partition: i32,
        /// The new leader's node id.
        to: i32,
    },
}

/// A registered rule. Dropping the handle leaves the rule in place; [`RuleHandle::remove`] takes it away.
#[derive(Clone)]
pub struct RuleHandle {
    rule: Arc<Rule>,
    rules: Arc<Rules>,
}

impl RuleHandle {
    /// How often the rule has said something other than [`Act::Pass`].
    pub fn hits(&self) -> u64 {
        self.rule.hits.load(Ordering::Relaxed)
    }

    /// How often the rule has been asked.
    pub fn seen(&self) -> u64 {
        self.rule.seen.load(Ordering::Relaxed)
    }

    /// Takes the rule away; requests after this are not shown to it.
    pub fn remove(&self) {
        self.rules.list.write().retain(|rule| !Arc::ptr_eq(rule, &self.rule));
    }
}

type Decide = dyn Fn(&RequestView) -> Act + Send + Sync;

struct Rule {
    api: ApiKey,
    decide: Box<Decide>,
    hits: AtomicU64,
    seen: AtomicU64,
}

#[derive(Default)]
pub(crate) struct Rules {
    list: RwLock<Vec<Arc<Rule>>>,
}

impl Rules {
    pub(crate) fn add(self: &Arc<Self>, api: ApiKey, decide: Box<Decide>) -> RuleHandle {
        let rule = Arc::new(Rule { api, decide, hits: AtomicU64::new(0), seen: AtomicU64::new(0) });
        self.list.write().push(rule.clone());
        RuleHandle { rule, rules: self.clone() }
    }

    pub(crate) fn clear(&self) {
        self.list.write().clear();
    }

    /// What to do with a request; the view is only made when a rule wants it.
    pub(crate) fn decide(&self, api: ApiKey, view: impl FnOnce() -> RequestView) -> Act {
        let asked: Vec<Arc<Rule>> = self.list.read().iter().filter(|rule| rule.api == api).cloned().collect();
        if asked.is_empty() {
            return Act::Pass;
        }
        let view = view();
        for rule in asked {
            rule.seen.fetch_add(1, Ordering::Relaxed);
            let act = (rule.decide)(&view);
            if act != Act::Pass {
                rule.hits.fetch_add(1, Ordering::Relaxed);
                return act;
            }
        }
        Act::Pass
    }
}

/// What is left of an act once the request is handled: changes to the answer on its way out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aftermath {
    pub(crate) delay: Duration,
    pub(crate) lose: bool,
    pub(crate) close_after: Option<usize>,
    pub(crate) corrupt: Option<Range<usize>>,
}

impl Aftermath {
    /// The answer (length prefix included) as it leaves, and whether the connection is closed after it.
    pub(crate) fn apply(&self, reply: Bytes) -> (Bytes, bool) {
        if self.lose {
            return (Bytes::new(), true);
        }
        let reply = match &self.corrupt {
            Some(range) => invert(reply, range),
            None => reply,
        };
        match self.close_after {
            Some(bytes) => (reply.slice(..bytes.min(reply.len())), true),
            None => (reply, false),
        }
    }
}

fn invert(reply: Bytes, range: &Range<usize>) -> Bytes {
    const PREFIX: usize = 4;
    let mut bytes = BytesMut::from(reply);
    let end = range.end.saturating_add(PREFIX).min(bytes.len());
    let start = range.start.saturating_add(PREFIX).min(end);
    for byte in &mut bytes[start..end] {
        *byte = !*byte;
    }
    bytes.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> RequestView {
        RequestView {
            node: 1,
            connection: 1,
            api: ApiKey::FETCH,
            version: 12,
            client_id: None,
            body: Bytes::from_static(b"..orders.."),
        }
    }

    #[test]
    fn the_first_rule_that_does_not_pass_decides_and_counts() {
        let rules = Arc::new(Rules::default());
        let passing = rules.add(ApiKey::FETCH, Box::new(|_| Act::Pass));
        let dropping = rules.add(ApiKey::FETCH, Box::new(|_| Act::Drop));
        let other = rules.add(ApiKey::PRODUCE, Box::new(|_| Act::Drop));
        assert_eq!(rules.decide(ApiKey::FETCH, view), Act::Drop);
        assert_eq!((passing.hits(), passing.seen(), dropping.hits(), other.seen()), (0, 1, 1, 0));
        dropping.remove();
        assert_eq!(rules.decide(ApiKey::FETCH, view), Act::Pass);
    }

    #[test]
    fn a_view_finds_names_in_the_body() {
        assert!(view().mentions("orders"));
        assert!(!view().mentions("ordersx"));
    }

    #[test]
    fn corruption_counts_from_after_the_length_prefix() {
        let aftermath = Aftermath { corrupt: Some(1..2), close_after: Some(6), ..Aftermath::default() };
        let (bytes, close) = aftermath.apply(Bytes::from_static(&[0, 0, 0, 3, 1, 2, 3]));
        assert_eq!((&bytes[..], close), (&[0, 0, 0, 3, 1, !2][..], true));
    }
}
