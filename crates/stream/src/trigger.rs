//! When the next micro-batch starts.
//!
//! | trigger | rule |
//! |---|---|
//! | `Default` | as soon as a source has something new; nothing polls, the source wakes the query |
//! | `ProcessingTime(d)` | at once, then at multiples of `d` since the epoch; one that overruns delays none |
//! | `Once` | one batch with everything there is, rate limits ignored; deprecated in Spark |
//! | `AvailableNow` | ends fixed at the start, reached in as many batches as rate limits ask for; then it stops |
//! | `Continuous(d)` | refused with Spark's words: it is not supported |

use std::fmt;
use std::time::Duration;

use millstream_plan::sql::parse_interval;

use crate::error::{Error, Result};

/// How a streaming query decides when to run its next batch. The default is `Trigger::Default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trigger {
    /// As soon as the last batch is done and there is new data.
    #[default]
    Default,
    /// At multiples of the duration since the Unix epoch (resolution 1 ms). Zero is `Default`.
    ProcessingTime(Duration),
    /// One batch that takes everything, ignoring rate limits, then the query ends.
    Once,
    /// Everything that is there when the query starts, under the rate limits, then the query ends.
    AvailableNow,
    /// Continuous processing, which start() refuses.
    Continuous(Duration),
}

impl Trigger {
    /// The trigger at multiples of an interval in Spark's words, such as "10 seconds".
    ///
    /// # Errors
    /// Text that is no interval, one below zero, and months, which have no fixed length.
    pub fn processing_time(interval: &str) -> Result<Self> {
        let parsed = parse_interval(interval)?;
        let micros = parsed.fixed_microseconds().ok_or_else(|| {
            Error::Misuse(format!(
                "Doesn't support month or year interval: {interval}; use days or shorter units"
            ))
        })?;
        let micros = u64::try_from(micros).map_err(|_| {
            Error::Misuse(format!(
                "requirement failed: the interval of trigger should not be negative, and {interval} is"
            ))
        })?;
        Ok(Self::ProcessingTime(Duration::from_millis(micros / 1000)))
    }

    /// Whether the query ends by itself.
    pub fn is_finite(self) -> bool {
        matches!(self, Self::Once | Self::AvailableNow)
    }

    /// The next moment at which a batch is due, both in milliseconds since the epoch; `None` when it is due
    /// as soon as there is data.
    pub(crate) fn next_due(self, now_ms: i64) -> Option<i64> {
        match self {
            Self::ProcessingTime(every) if every.as_millis() > 0 => {
                let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
                Some((now_ms.div_euclid(every)).saturating_mul(every).saturating_add(every))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => out.write_str("ProcessingTimeTrigger(0)"),
            Self::ProcessingTime(every) => write!(out, "ProcessingTimeTrigger({})", every.as_millis()),
            Self::Once => out.write_str("OneTimeTrigger"),
            Self::AvailableNow => out.write_str("AvailableNowTrigger"),
            Self::Continuous(every) => write!(out, "ContinuousTrigger({})", every.as_millis()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_read_in_sparks_words() {
        let every = |text| Trigger::processing_time(text).unwrap();
        assert_eq!(every("1 minute 2.5 seconds"), Trigger::ProcessingTime(Duration::from_millis(62_500)));
        assert_eq!(every("0 seconds"), Trigger::ProcessingTime(Duration::ZERO));
        let refused = |text| Trigger::processing_time(text).unwrap_err().to_string();
        assert!(refused("1 month").contains("1 month"));
        assert!(refused("-1 second").contains("negative"));
        assert!(refused("soon").contains("soon"));
    }

    #[test]
    fn processing_time_falls_on_multiples_since_the_epoch() {
        let every = Trigger::ProcessingTime(Duration::from_millis(100));
        assert_eq!(every.next_due(0), Some(100));
        assert_eq!(every.next_due(99), Some(100));
        assert_eq!(every.next_due(100), Some(200));
        assert_eq!(every.next_due(150), Some(200));
    }

    #[test]
    fn a_trigger_without_an_interval_waits_for_data_only() {
        assert_eq!(Trigger::Default.next_due(5), None);
        assert_eq!(Trigger::ProcessingTime(Duration::ZERO).next_due(5), None);
        assert_eq!(Trigger::AvailableNow.next_due(5), None);
    }

    #[test]
    fn only_once_and_available_now_end_by_themselves() {
        assert!(Trigger::Once.is_finite() && Trigger::AvailableNow.is_finite());
        assert!(
            !Trigger::Default.is_finite() && !Trigger::ProcessingTime(Duration::from_secs(1)).is_finite()
        );
    }
}
