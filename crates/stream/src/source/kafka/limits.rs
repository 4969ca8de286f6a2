//! How far one batch goes: the rate limits, as pure arithmetic.
//!
//! `maxOffsetsPerTrigger` is shared out by what waits: each partition gets `limit * waiting / total`; a share below one
//! rounds up so that no partition starves, any other rounds down. The sum can therefore be under the limit, or over it
//! when many partitions have little. `maxRatePerPartition` caps each partition of a batch. `minOffsetsPerTrigger` holds
//! a batch back until enough waits or `maxTriggerDelay` has passed since the last one.

use std::time::Duration;

use super::offsets::PartitionOffsets;

/// The limits that a source's options ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// `maxOffsetsPerTrigger`.
    pub max_offsets: Option<i64>,
    /// `minOffsetsPerTrigger`.
    pub min_offsets: Option<i64>,
    /// `maxTriggerDelay`, default 15 minutes.
    pub max_delay: Duration,
    /// `maxRatePerPartition`: most offsets of one partition in one batch.
    pub max_per_partition: Option<i64>,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            max_offsets: None,
            min_offsets: None,
            max_delay: Duration::from_secs(15 * 60),
            max_per_partition: None,
        }
    }
}

/// Whether a batch must wait for more rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Enough waits, or it has waited long enough.
    Run,
    /// Too little waits; look again after this time at the latest.
    Wait(Duration),
}

/// Judges `minOffsetsPerTrigger`. `since_last` is the time since the last batch of this run, none before the first:
/// the first batch after a start always runs.
pub fn hold(
    limits: &RateLimits,
    begin: &PartitionOffsets,
    latest: &PartitionOffsets,
    since_last: Option<Duration>,
) -> Hold {
    let (Some(minimum), Some(since_last)) = (limits.min_offsets, since_last) else { return Hold::Run };
    let waiting: i128 = waiting(begin, latest).map(|(_, size)| i128::from(size)).sum();
    if waiting >= i128::from(minimum) || since_last >= limits.max_delay {
        Hold::Run
    } else {
        Hold::Wait(limits.max_delay - since_last)
    }
}

/// The end of a batch that begins at `begin` when `latest` is there.
///
/// `begin` names every partition of `latest`, new ones at their first offset. A partition without waiting records keeps
/// its latest offset, even where that is below its begin (the caller judges data loss).
pub fn end(limits: &RateLimits, begin: &PartitionOffsets, latest: &PartitionOffsets) -> PartitionOffsets {
    let mut end = match limits.max_offsets {
        Some(limit) => share_out(limit, begin, latest),
        None => latest.clone(),
    };
    if let Some(cap) = limits.max_per_partition {
        for (tp, offset) in &mut end {
            if let Some(from) = begin.get(tp) {
                *offset = (*offset).min(from.saturating_add(cap));
            }
        }
    }
    end
}

fn share_out(limit: i64, begin: &PartitionOffsets, latest: &PartitionOffsets) -> PartitionOffsets {
    let total: f64 = waiting(begin, latest).map(|(_, size)| size as f64).sum();
    let mut end = latest.clone();
    if total < 1.0 {
        return end;
    }
    for ((tp, from), size) in waiting(begin, latest) {
        let share = limit as f64 * (size as f64 / total);
        // The cast saturates, so a limit of i64::MAX cannot wrap around.
        let rounded = if share < 1.0 { share.ceil() } else { share.floor() } as i64;
        if let Some(offset) = end.get_mut(tp) {
            *offset = (*offset).min(from.saturating_add(rounded));
        }
    }
    end
}

type Waiting<'a> = ((&'a millstream_protocol::ids::TopicPartition, i64), i64);

fn waiting<'a>(
    begin: &'a PartitionOffsets,
    latest: &'a PartitionOffsets,
) -> impl Iterator<Item = Waiting<'a>> {
    latest.iter().filter_map(|(tp, &until)| {
        let from = *begin.get(tp)?;
        let size = until.saturating_sub(from);
        (size > 0).then_some(((tp, from), size))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::kafka::offsets::parse_position;

    fn offsets(values: &[i64]) -> PartitionOffsets {
        let parts: Vec<String> = values.iter().enumerate().map(|(p, o)| format!("\"{p}\":{o}")).collect();
        parse_position(&format!("{{\"t\":{{{}}}}}", parts.join(","))).unwrap()
    }

    fn batches(limit: i64, latest: &[i64]) -> Vec<Vec<i64>> {
        let limits = RateLimits { max_offsets: Some(limit), ..RateLimits::default() };
        let latest = offsets(latest);
        let mut at: PartitionOffsets = latest.keys().map(|tp| (tp.clone(), 0)).collect();
        let mut sizes = Vec::new();
        while at != latest && sizes.len() < 100 {
            let next = end(&limits, &at, &latest);
            sizes.push(next.iter().map(|(tp, offset)| offset - at[tp]).collect());
            at = next;
        }
        sizes
    }

    #[test]
    fn shares_below_one_round_up_and_others_down() {
        assert_eq!(batches(10, &[101, 11, 1])[..4], [[8, 1, 1], [9, 1, 0], [9, 1, 0], [9, 1, 0]]);
        assert_eq!(batches(10, &[24, 6, 1])[0], [7, 1, 1]);
        assert_eq!(batches(3, &[1, 1, 1, 1, 1])[0], [1, 1, 1, 1, 1]);
    }

    #[test]
    fn minimum_and_maximum_give_the_documented_batches() {
        assert_eq!(batches(20, &[21, 11, 1])[0], [12, 6, 1]);
    }

    #[test]
    fn the_largest_limit_does_not_overflow() {
        let limits = RateLimits { max_offsets: Some(i64::MAX), ..RateLimits::default() };
        let (begin, latest) = (offsets(&[5, 0]), offsets(&[10, 0]));
        assert_eq!(end(&limits, &begin, &latest), latest);
    }

    #[test]
    fn a_partition_is_capped_whatever_its_share() {
        let limits =
            RateLimits { max_per_partition: Some(2), max_offsets: Some(10), ..RateLimits::default() };
        assert_eq!(end(&limits, &offsets(&[0, 0]), &offsets(&[9, 1])), offsets(&[2, 1]));
        let limits = RateLimits { max_per_partition: Some(100), ..RateLimits::default() };
        assert_eq!(
            end(&limits, &offsets(&[5, i64::MAX - 1]), &offsets(&[500, i64::MAX])),
            offsets(&[105, i64::MAX])
        );
    }

    #[test]
    fn too_few_rows_wait_until_the_delay_has_passed_but_never_before_the_first_batch() {
        let delay = Duration::from_secs(5);
        let limits = RateLimits { min_offsets: Some(15), max_delay: delay, ..RateLimits::default() };
        let (begin, few, many) = (offsets(&[0]), offsets(&[6]), offsets(&[18]));
        assert_eq!(hold(&limits, &begin, &few, None), Hold::Run);
        let second = Duration::from_secs(1);
        assert_eq!(hold(&limits, &begin, &few, Some(second)), Hold::Wait(delay - second));
        assert_eq!(hold(&limits, &begin, &many, Some(second)), Hold::Run);
        assert_eq!(hold(&limits, &begin, &few, Some(delay)), Hold::Run);
    }
}
