//! Options of `from_avro`, with Spark's names and defaults.

use crate::json::ParseMode;
use crate::{Error, Result};

/// How dates and timestamps from before the calendars' switch are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rebase {
    /// As they are: written in the proleptic Gregorian calendar.
    #[default]
    Corrected,
    /// A date before 1582-10-15, or a timestamp before 1900-01-01, is a bad record.
    Exception,
    /// Written in the hybrid Julian and Gregorian calendar, in the time zone UTC.
    Legacy,
}

/// Options of the Avro reader. Defaults are Spark's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AvroReadOptions {
    /// Default FAILFAST, unlike JSON's.
    pub mode: ParseMode,
    /// JSON text of the schema to read with, where it differs from the writer's. Default none.
    pub avro_schema: Option<String>,
    /// Default CORRECTED.
    pub rebase: Rebase,
    /// Name the members of unions by their types, not by their places. Default false.
    pub stable_union_ids: bool,
    /// What stands before the type's name in such a member's name. Default `member_`.
    pub stable_union_prefix: String,
    /// How often a record type may hold itself before the field is dropped: 1 to 15. Default none: recursive types
    /// are refused.
    pub recursive_field_max_depth: Option<u32>,
}

/// Largest value of `recursiveFieldMaxDepth`.
const MOST_DEPTH: i64 = 15;

impl Default for AvroReadOptions {
    fn default() -> Self {
        Self {
            mode: ParseMode::FailFast,
            avro_schema: None,
            rebase: Rebase::Corrected,
            stable_union_ids: false,
            stable_union_prefix: "member_".into(),
            recursive_field_max_depth: None,
        }
    }
}

impl AvroReadOptions {
    /// Sets one option by Spark's name (case-insensitive). False when the name is not an option of `from_avro`;
    /// options that have no effect on single payloads (`compression`, `recordName`, ...) are accepted.
    ///
    /// # Errors
    /// A value that the option does not take.
    pub fn set(&mut self, name: &str, value: &str) -> Result<bool> {
        let bad = |why: &str| Error::BadOption { option: name.into(), value: value.into(), why: why.into() };
        match name.to_ascii_lowercase().as_str() {
            "mode" => {
                self.mode = match value.to_ascii_uppercase().as_str() {
                    "FAILFAST" => ParseMode::FailFast,
                    "DROPMALFORMED" => return Err(bad("from_avro knows the modes PERMISSIVE and FAILFAST")),
                    // What is no mode is PERMISSIVE, as in Spark.
                    _ => ParseMode::Permissive,
                }
            }
            "avroschema" => self.avro_schema = Some(value.into()),
            "datetimerebasemode" => {
                self.rebase = match value.to_ascii_uppercase().as_str() {
                    "CORRECTED" => Rebase::Corrected,
                    "EXCEPTION" => Rebase::Exception,
                    "LEGACY" => Rebase::Legacy,
                    _ => return Err(bad("use CORRECTED, EXCEPTION or LEGACY")),
                }
            }
            "enablestableidentifiersforuniontype" => {
                self.stable_union_ids = match value.to_ascii_lowercase().as_str() {
                    "true" => true,
                    "false" => false,
                    _ => return Err(bad("use true or false")),
                }
            }
            "stableidentifierprefixforuniontype" => self.stable_union_prefix = value.into(),
            "recursivefieldmaxdepth" => {
                let depth: i64 = value.trim().parse().map_err(|_| bad("use a number from -1 to 15"))?;
                if depth > MOST_DEPTH {
                    return Err(bad("Should not be greater than 15."));
                }
                self.recursive_field_max_depth = u32::try_from(depth).ok().filter(|depth| *depth > 0);
            }
            "avroschemaurl" => return Err(bad("give the schema's text in the option avroSchema instead")),
            "compression"
            | "recordname"
            | "recordnamespace"
            | "ignoreextension"
            | "positionalfieldmatching" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }
}
