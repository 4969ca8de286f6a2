//! The names of the Kafka source's and sink's options, and what is done about any other name.
//!
//! A name within two edits of a valid one is a typing error and refused with that name. Any other unknown name is
//! warned of once, as Spark would pass over it in silence, or refused when `millstream.options.strict` is set. Names
//! are compared without regard to case.

use millstream_client::ClientOptions;
use millstream_plan::tree::Options;

use crate::error::{Error, Result};

/// The prefix of properties for the Kafka client.
pub const CLIENT_PREFIX: &str = "kafka.";

/// The options of reads.
pub const READ: &[&str] = &[
    "assign",
    "subscribe",
    "subscribePattern",
    "startingTimestamp",
    "startingOffsetsByTimestamp",
    "startingOffsetsByTimestampStrategy",
    "startingOffsets",
    "endingTimestamp",
    "endingOffsetsByTimestamp",
    "endingOffsets",
    "failOnDataLoss",
    "maxOffsetsPerTrigger",
    "minOffsetsPerTrigger",
    "maxTriggerDelay",
    "maxRatePerPartition",
    "minPartitions",
    "maxRecordsPerPartition",
    "includeHeaders",
    "groupIdPrefix",
    "kafkaConsumer.pollTimeoutMs",
    "fetchOffset.numRetries",
    "fetchOffset.retryIntervalMs",
];

/// The options of writes.
pub const WRITE: &[&str] = &[
    "topic",
    "includeHeaders",
    "checkpointLocation",
    "queryName",
    "checkpoint.sync",
    "checkpoint.syncInterval",
];

/// Edits within which a name is taken for a typing error.
const TYPING_ERROR: usize = 2;

/// Checks all names; what comes back are warnings.
pub fn check(options: &Options, valid: &[&str], strict: bool) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    for (name, value) in options.iter() {
        let unknown = match strip_prefix(name) {
            Some(property) => unknown_property(property, value).map(|nearest| (property, nearest)),
            None if valid.iter().any(|known| known.eq_ignore_ascii_case(name)) => None,
            None => Some((name, nearest(name, valid).map(str::to_owned))),
        };
        let Some((shown, nearest)) = unknown else { continue };
        let prefix = &name[..name.len() - shown.len()];
        match nearest {
            Some(nearest) => {
                return Err(Error::option(
                    name,
                    format!("unknown option '{name}'; did you mean '{prefix}{nearest}'?"),
                ));
            }
            None if strict => {
                return Err(Error::option(
                    name,
                    format!(
                        "unknown option '{name}', which is refused because {} is true",
                        crate::session::STRICT_OPTIONS
                    ),
                ));
            }
            None => warnings.push(format!("option '{name}' is not known and has no effect")),
        }
    }
    Ok(warnings)
}

/// The name without the prefix of the client's properties.
pub fn strip_prefix(name: &str) -> Option<&str> {
    let head = name.get(..CLIENT_PREFIX.len())?;
    head.eq_ignore_ascii_case(CLIENT_PREFIX).then(|| &name[CLIENT_PREFIX.len()..])
}

/// The properties for the Kafka client, in lower case and without their prefix.
pub fn client_properties(options: &Options) -> Vec<(String, String)> {
    options
        .iter()
        .filter_map(|(name, value)| Some((strip_prefix(name)?.to_lowercase(), value.to_owned())))
        .collect()
}

/// Whether no Kafka client knows the property, with the name that it is a typing error for.
fn unknown_property(property: &str, value: &str) -> Option<Option<String>> {
    // A value that the client refuses belongs to a known name; it is reported when the client is made.
    let parsed = ClientOptions::from_properties([(property.to_lowercase(), value)]).ok()?;
    parsed.unknown.into_iter().next().map(|(_, nearest)| nearest)
}

fn nearest<'a>(name: &str, valid: &[&'a str]) -> Option<&'a str> {
    let name = name.to_lowercase();
    valid
        .iter()
        .map(|known| (strsim::osa_distance(&name, &known.to_lowercase()), *known))
        .filter(|(distance, known)| *distance <= TYPING_ERROR && known.len() > TYPING_ERROR * 2)
        .min()
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(name: &str, strict: bool) -> Result<Vec<String>> {
        check(&[(name, "1")].into_iter().collect(), READ, strict)
    }

    #[test]
    fn a_typing_error_is_refused_with_the_right_name() {
        let error = checked("startingOffset", false).unwrap_err().to_string();
        assert!(error.contains("'startingOffset'") && error.contains("'startingOffsets'"), "{error}");
        assert!(checked("MAXoffsetsPERtriger", false).is_err());
    }

    #[test]
    fn another_unknown_name_is_warned_of_or_refused() {
        assert_eq!(checked("fooBar", false).unwrap().len(), 1);
        assert!(checked("fooBar", true).unwrap_err().to_string().contains("fooBar"));
        assert!(checked("auto.offset.reset", false).is_ok());
        assert!(checked("SUBSCRIBE", true).unwrap().is_empty());
    }
}
