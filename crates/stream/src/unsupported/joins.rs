//! Joins that have no streaming meaning.
//!
//! | join | static on | stream and stream |
//! |---|---|---|
//! | inner, cross | either side | yes |
//! | left outer, left semi | the right | needs a watermark that ends the wait |
//! | left anti | the right | no |
//! | right outer | the left | needs a watermark that ends the wait |
//! | full outer | neither | needs a watermark that ends the wait |

use std::collections::BTreeSet;

use millstream_plan::tree::{Expr, JoinKind};

use super::refused;
use super::shape::{Join, Shape, column, is_call};
use crate::error::Result;
use crate::query::OutputMode;

/// Checks a join of which at least one side streams.
pub(super) fn check(join: &Join, sides: &[Shape], mode: OutputMode) -> Result<()> {
    let (left, right) = (&sides[0], &sides[1]);
    let both = left.streaming && right.streaming;
    if both && mode != OutputMode::Append {
        return Err(refused(format!(
            "Join between two streaming DataFrames/Datasets is not supported in {} output mode, only in Append output \
             mode",
            capital(&mode.to_string())
        )));
    }
    let name = name(join.kind);
    match join.kind {
        JoinKind::Inner | JoinKind::Cross => Ok(()),
        JoinKind::LeftAnti if both => Err(refused(format!(
            "{name} joins with a streaming DataFrame/Dataset on the right are not supported"
        ))),
        JoinKind::LeftOuter | JoinKind::LeftSemi | JoinKind::LeftAnti if !left.streaming => {
            Err(refused(format!(
                "{name} join with a streaming DataFrame/Dataset on the right and a static DataFrame/Dataset on the left \
                 is not supported"
            )))
        }
        JoinKind::RightOuter if !right.streaming => Err(refused(format!(
            "{name} join with a streaming DataFrame/Dataset on the left and a static DataFrame/DataSet on the right not \
             supported"
        ))),
        JoinKind::FullOuter if !both => {
            Err(refused("Full outer joins with streaming DataFrames/Datasets are not supported"))
        }
        _ if both && !wait_ends(join, left, right) => Err(refused(format!(
            "Stream-stream {name} join between two streaming DataFrame/Datasets is not supported without a watermark in \
             the join keys, or a watermark on the nullable side and an appropriate range condition"
        ))),
        _ => Ok(()),
    }
}

/// Whether a row without a match can be given up at some time: a key is event time, or a range condition
/// bounds the partner's event time.
fn wait_ends(join: &Join, left: &Shape, right: &Shape) -> bool {
    let event_time: BTreeSet<String> = left.event_time.union(&right.event_time).cloned().collect();
    if join.using.iter().any(|name| event_time.contains(&name.to_lowercase())) {
        return true;
    }
    let mut conjuncts = Vec::new();
    if let Some(condition) = &join.condition {
        split(condition, &mut conjuncts);
    }
    let partner: Vec<&BTreeSet<String>> = match join.kind {
        JoinKind::RightOuter => vec![&left.event_time],
        JoinKind::FullOuter => vec![&left.event_time, &right.event_time],
        _ => vec![&right.event_time],
    };
    conjuncts.iter().any(|part| {
        let mut names = BTreeSet::new();
        columns(part, &mut names);
        let in_key = is_call(part, &["=", "<=>"]) && !names.is_disjoint(&event_time);
        let bounds = is_call(part, &["<", "<=", ">", ">=", "between"]);
        in_key || (bounds && partner.iter().all(|side| !names.is_disjoint(side)))
    })
}

fn split<'a>(condition: &'a Expr, out: &mut Vec<&'a Expr>) {
    match condition {
        Expr::Call(call) if call.name.eq_ignore_ascii_case("and") => {
            call.arguments.iter().for_each(|side| split(side, out));
        }
        other => out.push(other),
    }
}

fn columns(expression: &Expr, out: &mut BTreeSet<String>) {
    out.extend(column(expression));
    super::operations::inner(expression).into_iter().for_each(|part| columns(part, out));
}

/// Spark's names of join types.
fn name(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::Inner => "Inner",
        JoinKind::Cross => "Cross",
        JoinKind::LeftOuter => "LeftOuter",
        JoinKind::RightOuter => "RightOuter",
        JoinKind::FullOuter => "FullOuter",
        JoinKind::LeftSemi => "LeftSemi",
        JoinKind::LeftAnti => "LeftAnti",
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
