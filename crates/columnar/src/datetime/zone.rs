//! Time zones by the names and offsets that Java and Spark accept.

use std::str::FromStr;

use crate::{Error, Result};

/// A time zone: a fixed offset or a region of the tz database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeZone {
    /// Seconds east of UTC, at most 18 hours either way.
    Fixed(i32),
    /// A region such as `Europe/Paris`.
    Region(chrono_tz::Tz),
}

impl TimeZone {
    /// UTC.
    pub const UTC: TimeZone = TimeZone::Fixed(0);
}

impl FromStr for TimeZone {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if matches!(text, "UTC" | "Z" | "GMT") {
            return Ok(Self::UTC);
        }
        text.parse().map(TimeZone::Region).map_err(|_| Error::BadOption {
            option: "timeZone".into(),
            value: text.into(),
            why: "use a region such as Europe/Paris or an offset such as +02:00".into(),
        })
    }
}
