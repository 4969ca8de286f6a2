//! The checks of a run that reads what was there when it began, and then stops.
//!
//! They fail whatever `failOnDataLoss` says: such a run promises to reach its target, and would otherwise never end or
//! silently end short of it.

use super::offsets::{self, PartitionOffsets};
use crate::error::{Error, Result, spark_error};

/// Checks the end of a batch against the target of the run and against what the brokers have now.
pub fn check(end: &PartitionOffsets, target: &PartitionOffsets, now: &PartitionOffsets) -> Result<()> {
    if !end.keys().eq(target.keys()) {
        let (at_end, at_target) = (offsets::list(end.keys()), offsets::list(target.keys()));
        let text = format!(
            "The batch ends in other partitions than those that were there when the run began: {at_end} in place of \
             {at_target}. Start the query again."
        );
        return Err(spark_error(
            "MISMATCHED_TOPIC_PARTITIONS_BETWEEN_END_OFFSET_AND_PREFETCHED",
            None,
            [("tpsForPrefetched", at_target), ("tpsForEndOffset", at_end)],
            text,
        ));
    }
    refuse_greater(
        "END_OFFSET_HAS_GREATER_OFFSET_FOR_TOPIC_PARTITION_THAN_PREFETCHED",
        "prefetchedOffset",
        end,
        target,
    )?;
    let lost: Vec<_> = end.keys().filter(|tp| !now.contains_key(*tp)).collect();
    if !lost.is_empty() {
        let (at_now, at_end) = (offsets::list(now.keys()), offsets::list(end.keys()));
        let text = format!(
            "Partitions {} were deleted while the query read what was available. Start the query again.",
            offsets::list(lost)
        );
        return Err(spark_error(
            "LOST_TOPIC_PARTITIONS_IN_END_OFFSET_WITH_TRIGGER_AVAILABLENOW",
            None,
            [("tpsForLatestOffset", at_now), ("tpsForEndOffset", at_end)],
            text,
        ));
    }
    refuse_greater(
        "END_OFFSET_HAS_GREATER_OFFSET_FOR_TOPIC_PARTITION_THAN_LATEST_WITH_TRIGGER_AVAILABLENOW",
        "latestOffset",
        end,
        now,
    )
}

fn refuse_greater(
    condition: &str,
    name: &'static str,
    end: &PartitionOffsets,
    most: &PartitionOffsets,
) -> Result<(), Error> {
    let greater = end.iter().any(|(tp, offset)| most.get(tp).is_some_and(|most| offset > most));
    if !greater {
        return Ok(());
    }
    let (end, most) = (offsets::print_offsets(end), offsets::print_offsets(most));
    let text = format!(
        "The batch ends at {end}, beyond {most}: a topic was truncated or created anew while the query read what was \
         available. Start the query again."
    );
    Err(spark_error(condition, None, [(name, most), ("endOffset", end)], text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(end: &str, target: &str, now: &str) -> Option<String> {
        let position = |text| offsets::parse_position(text).unwrap();
        let result = check(&position(end), &position(target), &position(now));
        result.err().map(|error| error.spark().unwrap().condition.clone().unwrap())
    }

    #[test]
    fn a_run_to_a_target_notices_every_way_in_which_it_cannot_be_reached() {
        let (one, two) = (r#"{"t":{"0":5}}"#, r#"{"t":{"0":5,"1":5}}"#);
        let less = r#"{"t":{"0":3}}"#;
        assert_eq!(condition(one, one, two), None);
        assert!(condition(two, one, two).unwrap().starts_with("MISMATCHED"));
        assert!(condition(one, less, one).unwrap().ends_with("THAN_PREFETCHED"));
        assert!(condition(one, one, "{}").unwrap().starts_with("LOST"));
        assert!(condition(one, one, less).unwrap().contains("THAN_LATEST"));
    }
}
