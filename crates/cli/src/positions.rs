//! Where reading begins and ends, in kcat's words: `beginning`, `end`, `5`, `-5`, `s@<ms>`, `e@<ms>`.

use millstream::client::{FoundOffset, Isolation, Kafka, OffsetSpec, TopicPartition};
use std::collections::BTreeMap;
use std::str::FromStr;

/// One `-o`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// The first record there is.
    Beginning,
    /// After the last record there is.
    End,
    /// This offset.
    At(i64),
    /// So many records before the end.
    BeforeEnd(i64),
    /// From the first record at or after this time, in milliseconds since 1970.
    StartTime(i64),
    /// Until the first record at or after this time.
    EndTime(i64),
}

impl FromStr for Position {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || {
            format!("'{text}' is none of beginning, end, <offset>, -<records before the end>, s@<ms>, e@<ms>")
        };
        let number = |text: &str| text.parse::<i64>().map_err(|_| bad());
        match text {
            "beginning" | "earliest" => Ok(Self::Beginning),
            "end" | "latest" => Ok(Self::End),
            _ => match (text.strip_prefix("s@"), text.strip_prefix("e@")) {
                (Some(time), _) => number(time).map(Self::StartTime),
                (_, Some(time)) => number(time).map(Self::EndTime),
                _ => number(text).map(|n| if n < 0 { Self::BeforeEnd(-n) } else { Self::At(n) }),
            },
        }
    }
}

/// The range of every partition; the end is `None` where reading goes on for ever.
pub(crate) async fn ranges(
    kafka: &Kafka,
    partitions: &[TopicPartition],
    positions: &[Position],
    exit_at_end: bool,
    isolation: Isolation,
) -> millstream::client::Result<Vec<(TopicPartition, i64, Option<i64>)>> {
    let start = positions.iter().copied().find(|position| !matches!(position, Position::EndTime(_)));
    let end_time = positions.iter().find_map(|position| match position {
        Position::EndTime(time) => Some(*time),
        _ => None,
    });
    let find = async |spec: OffsetSpec| {
        let wanted = partitions.iter().map(|partition| (partition.clone(), spec)).collect();
        kafka.list_offsets(wanted, isolation).await
    };
    let earliest = find(OffsetSpec::Earliest).await?;
    let latest = find(OffsetSpec::Latest).await?;
    let start_times = match start {
        Some(Position::StartTime(time)) => find(OffsetSpec::Timestamp(time)).await?,
        _ => BTreeMap::new(),
    };
    let end_times = match end_time {
        Some(time) => find(OffsetSpec::Timestamp(time)).await?,
        None => BTreeMap::new(),
    };
    let mut ranges = Vec::new();
    for partition in partitions {
        let (first, last) = (offset(&earliest, partition, 0), offset(&latest, partition, 0));
        let from = match start.unwrap_or(Position::Beginning) {
            Position::End => last,
            Position::At(at) => at,
            Position::BeforeEnd(records) => (last - records).max(first),
            Position::StartTime(_) => offset(&start_times, partition, last),
            Position::Beginning | Position::EndTime(_) => first,
        };
        let until = match end_time {
            Some(_) => Some(offset(&end_times, partition, last)),
            None => exit_at_end.then_some(last),
        };
        ranges.push((partition.clone(), from, until));
    }
    Ok(ranges)
}

fn offset(found: &BTreeMap<TopicPartition, FoundOffset>, partition: &TopicPartition, otherwise: i64) -> i64 {
    found.get(partition).and_then(|found| found.offset).unwrap_or(otherwise)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_in_kcats_words() {
        let cases = [
            ("beginning", Position::Beginning),
            ("end", Position::End),
            ("17", Position::At(17)),
            ("-3", Position::BeforeEnd(3)),
            ("s@1700000000000", Position::StartTime(1_700_000_000_000)),
            ("e@5", Position::EndTime(5)),
        ];
        for (text, position) in cases {
            assert_eq!(text.parse(), Ok(position), "{text}");
        }
        assert!("middle".parse::<Position>().unwrap_err().contains("'middle'"));
    }
}
