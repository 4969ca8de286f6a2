//! Cutting the ranges of a batch into tasks: `minPartitions` and `maxRecordsPerPartition`.
//!
//! Sizes are offset differences, not records: gaps of compaction and transactions distort both. Pieces of a range are
//! in order and cover it exactly; the last one takes the rest of the division.

use crate::source::Split;

/// How the ranges of a batch are cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CutRules {
    /// `minPartitions`: at least so many pieces, as far as sizes allow; a floor, not an exact count.
    pub min_partitions: Option<usize>,
    /// `maxRecordsPerPartition`: no piece is larger.
    pub max_records: Option<i64>,
}

/// Most pieces of one range; a smaller maxRecordsPerPartition would take more memory for the list than for the rows.
const MAX_PIECES: i64 = 100_000;

/// Cuts ranges and numbers the pieces; empty ones are dropped.
pub fn cut(rules: CutRules, ranges: Vec<Split>) -> Vec<Split> {
    let mut pieces = cut_by_rules(rules, ranges);
    for (number, piece) in pieces.iter_mut().enumerate() {
        piece.task = i32::try_from(number).unwrap_or(i32::MAX);
    }
    pieces
}

fn cut_by_rules(rules: CutRules, ranges: Vec<Split>) -> Vec<Split> {
    let mut ranges: Vec<Split> = ranges.into_iter().filter(|range| size(range) > 0).collect();
    if let Some(max) = rules.max_records {
        ranges =
            ranges.into_iter().flat_map(|range| divide(parts_of_at_most(size(&range), max), range)).collect();
    }
    match rules.min_partitions {
        Some(minimum) if minimum > ranges.len() => cut_to_minimum(minimum, ranges),
        _ => ranges,
    }
}

/// Small ranges stay whole; the rest is cut by its own share of what is left of the minimum, so that one huge range
/// among small ones gets all the pieces.
fn cut_to_minimum(minimum: usize, ranges: Vec<Split>) -> Vec<Split> {
    let total: i128 = ranges.iter().map(|range| i128::from(size(range))).sum();
    let stays_whole = |range: &Split| part_count(size(range), total, minimum) == 1;
    let whole = ranges.iter().filter(|range| stays_whole(range)).count();
    let cut_total: i128 =
        ranges.iter().filter(|range| !stays_whole(range)).map(|range| i128::from(size(range))).sum();
    let cut_minimum = minimum.saturating_sub(whole).max(1);
    ranges
        .into_iter()
        .flat_map(|range| {
            let parts =
                if stays_whole(&range) { 1 } else { part_count(size(&range), cut_total, cut_minimum) };
            divide(parts, range)
        })
        .collect()
}

/// Spreads splits over the partitions of a scan. The order within a Kafka partition is kept: its pieces go to lists in
/// turn, and a single list reads them one after the other.
pub fn assign(splits: Vec<Split>, partitions: usize) -> Vec<Vec<Split>> {
    let partitions = partitions.max(1);
    let mut lists: Vec<(i128, Vec<Split>)> = vec![(0, Vec::new()); partitions];
    for split in splits {
        let lightest = lists.iter().enumerate().min_by_key(|(_, (load, _))| *load).map_or(0, |(i, _)| i);
        lists[lightest].0 += i128::from(size(&split));
        lists[lightest].1.push(split);
    }
    lists.into_iter().map(|(_, splits)| splits).collect()
}

fn size(range: &Split) -> i64 {
    range.until.saturating_sub(range.from)
}

fn parts_of_at_most(size: i64, max: i64) -> i64 {
    let max = max.max(1);
    size / max + i64::from(size % max != 0)
}

fn part_count(size: i64, total: i128, minimum: usize) -> i64 {
    let share = size as f64 / total as f64 * minimum as f64;
    ((share + 0.5).floor() as i64).max(1)
}

fn divide(parts: i64, range: Split) -> Vec<Split> {
    let mut pieces = Vec::with_capacity(usize::try_from(parts.clamp(1, 4096)).unwrap_or(1));
    let mut from = range.from;
    let parts = parts.min(MAX_PIECES);
    for part in 0..parts {
        let until =
            if part + 1 == parts { range.until } else { from + (range.until - from) / (parts - part) };
        if until > from {
            pieces.push(Split { from, until, ..range.clone() });
        }
        from = until;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(bounds: &[(i64, i64)]) -> Vec<Split> {
        let split = |(p, &(from, until)): (usize, &(i64, i64))| Split {
            topic: "t".into(),
            partition: i32::try_from(p).unwrap(),
            from,
            until,
            task: 0,
        };
        bounds.iter().enumerate().map(split).collect()
    }

    fn pieces(rules: CutRules, bounds: &[(i64, i64)]) -> Vec<(i64, i64)> {
        cut(rules, ranges(bounds)).into_iter().map(|piece| (piece.from, piece.until)).collect()
    }

    fn at_least(minimum: usize, bounds: &[(i64, i64)]) -> Vec<(i64, i64)> {
        pieces(CutRules { min_partitions: Some(minimum), max_records: None }, bounds)
    }

    fn at_most(max: i64, minimum: Option<usize>, bounds: &[(i64, i64)]) -> Vec<(i64, i64)> {
        pieces(CutRules { min_partitions: minimum, max_records: Some(max) }, bounds)
    }

    #[test]
    fn a_minimum_cuts_large_ranges_and_leaves_small_ones_whole() {
        assert_eq!(at_least(4, &[(1, 5), (1, 21)]), [(1, 5), (1, 7), (7, 14), (14, 21)]);
        assert_eq!(at_least(4, &[(1, 1), (1, 21)]), [(1, 6), (6, 11), (11, 16), (16, 21)]);
        assert_eq!(at_least(4, &[(1, 2), (1, 1001)]), [(1, 2), (1, 334), (334, 667), (667, 1001)]);
        assert_eq!(at_least(3, &[(1, 11)]), [(1, 4), (4, 7), (7, 11)]);
        assert_eq!(
            at_least(6, &[(0, 10), (0, 10), (0, 1)]),
            [(0, 3), (3, 6), (6, 10), (0, 3), (3, 6), (6, 10), (0, 1)]
        );
    }

    #[test]
    fn skewed_ranges_get_pieces_of_even_size() {
        let even = at_least(9, &[(0, 10_000), (0, 15_000), (0, 20_000)]);
        assert_eq!(even.len(), 9);
        assert!(even.iter().all(|(from, until)| until - from == 5000));
        assert_eq!(
            at_least(6, &[(0, 500), (0, 12_000), (0, 15_001)]),
            [(0, 500), (0, 6000), (6000, 12_000), (0, 5000), (5000, 10_000), (10_000, 15_001)]
        );
        assert_eq!(
            at_least(6, &[(0, 1), (0, 1), (0, 10_000)]),
            [(0, 1), (0, 1), (0, 2500), (2500, 5000), (5000, 7500), (7500, 10_000)]
        );
    }

    #[test]
    fn no_rules_or_a_small_minimum_cut_nothing() {
        assert_eq!(at_least(1, &[(0, 100), (0, 3)]), [(0, 100), (0, 3)]);
        assert_eq!(pieces(CutRules::default(), &[(0, 100), (5, 5), (9, 3)]), [(0, 100)]);
    }

    #[test]
    fn a_maximum_bounds_every_piece() {
        assert_eq!(at_most(4, None, &[(1, 5)]), [(1, 5)]);
        assert_eq!(at_most(4, None, &[(1, 6)]), [(1, 3), (3, 6)]);
        assert_eq!(
            at_most(20, None, &[(1, 40), (1, 50), (1, 60)]),
            [(1, 20), (20, 40), (1, 17), (17, 33), (33, 50), (1, 20), (20, 40), (40, 60)]
        );
        let rules = CutRules { min_partitions: None, max_records: Some(20) };
        let tasks: Vec<i32> =
            cut(rules, ranges(&[(1, 40), (1, 50)])).iter().map(|piece| piece.task).collect();
        assert_eq!(tasks, [0, 1, 2, 3, 4]);
        assert_eq!(at_most(20, Some(1), &[(1, 40)]), [(1, 20), (20, 40)]);
        assert_eq!(at_most(20, Some(4), &[(1, 40)]), [(1, 10), (10, 20), (20, 30), (30, 40)]);
    }

    #[test]
    fn splits_are_spread_by_size_and_none_is_lost() {
        let lists = assign(ranges(&[(0, 100), (0, 10), (0, 10), (0, 10)]), 2);
        let sizes: Vec<usize> = lists.iter().map(Vec::len).collect();
        assert_eq!(sizes, [1, 3]);
        assert_eq!(assign(Vec::new(), 3).len(), 3);
    }
}
