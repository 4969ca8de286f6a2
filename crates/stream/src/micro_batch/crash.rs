//! Named places in the life of a batch at which a test may stop the process.
//!
//! Nothing happens unless the setting `millstream.crash.point`, or the environment variable
//! `MILLSTREAM_CRASH_POINT`, names a point: `after-offsets` stops there the first time, `after-offsets:3` the
//! third time. The process aborts at once, without running any destructor. With `:fail` at the end
//! (`after-offsets:1:fail`) the query fails there instead, which lets tests in one process restart it.
//!
//! | point | when |
//! |---|---|
//! | `after-offsets` | offsets/N is written, nothing has run |
//! | `after-sink-file` | the file sink has written a file, not yet visible |
//! | `before-sink-commit` | all rows are written, nothing is published |
//! | `between-renames` | the file sink has published some files of a batch |
//! | `after-sink-commit` | the sink has published the batch, commits/N is missing |
//! | `after-commits` | commits/N is written |

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::{Error, Result};

/// Setting that names a crash point.
pub const CRASH_POINT: &str = "millstream.crash.point";

const ENVIRONMENT: &str = "MILLSTREAM_CRASH_POINT";

/// The points of the table above, in the order in which a batch passes them.
pub const POINTS: [&str; 6] = [
    "after-offsets",
    "after-sink-file",
    "before-sink-commit",
    "between-renames",
    "after-sink-commit",
    "after-commits",
];

/// What one query does at its crash points. Inert by default.
#[derive(Debug, Clone, Default)]
pub struct CrashPoints {
    armed: Option<Arc<Armed>>,
}

#[derive(Debug)]
struct Armed {
    point: String,
    occurrence: u32,
    fail: bool,
    seen: AtomicU32,
}

impl CrashPoints {
    /// What the setting asks for, else what the environment does.
    pub fn configured(setting: Option<&str>) -> Result<Self> {
        match setting.map(str::to_owned).or_else(|| std::env::var(ENVIRONMENT).ok()) {
            Some(text) if !text.trim().is_empty() => Self::parse(text.trim()),
            _ => Ok(Self::default()),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let bad = || {
            let points = POINTS.join(", ");
            Error::option(
                CRASH_POINT,
                format!("{CRASH_POINT}: expected one of {points}, then perhaps :N, got {text}"),
            )
        };
        let mut parts = text.split(':');
        let point = parts.next().filter(|point| POINTS.contains(point)).ok_or_else(bad)?.to_owned();
        let occurrence = match parts.next() {
            None => 1,
            Some(count) => count.parse().ok().filter(|count| *count > 0).ok_or_else(bad)?,
        };
        let fail = match (parts.next(), parts.next()) {
            (None, None) => false,
            (Some("fail"), None) => true,
            _ => return Err(bad()),
        };
        Ok(Self { armed: Some(Arc::new(Armed { point, occurrence, fail, seen: AtomicU32::new(0) })) })
    }

    /// A batch passes a point: stops the process, or fails, when this is the place and the time.
    pub fn reach(&self, point: &str) -> Result<()> {
        let Some(armed) = self.armed.as_deref().filter(|armed| armed.point == point) else { return Ok(()) };
        if armed.seen.fetch_add(1, Ordering::Relaxed) + 1 != armed.occurrence {
            return Ok(());
        }
        if armed.fail {
            return Err(Error::Misuse(format!("stopped at the crash point {point}, as {CRASH_POINT} asks")));
        }
        std::process::abort()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_fires_at_its_occurrence_and_only_then() {
        let points = CrashPoints::configured(Some("after-commits:2:fail")).unwrap();
        points.reach("after-offsets").unwrap();
        points.reach("after-commits").unwrap();
        assert!(points.reach("after-commits").is_err());
        points.reach("after-commits").unwrap();
    }

    #[test]
    fn nothing_is_armed_by_default_and_unknown_points_are_refused() {
        let points = CrashPoints::default();
        POINTS.iter().for_each(|point| points.reach(point).unwrap());
        for text in ["somewhere", "after-offsets:0", "after-offsets:1:explode", "after-offsets:1:fail:x"] {
            let error = CrashPoints::configured(Some(text)).unwrap_err().to_string();
            assert!(error.contains("before-sink-commit") && error.contains(text), "{error}");
        }
    }
}
