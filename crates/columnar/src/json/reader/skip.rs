//! Passing over any value, checking its syntax.
//!
//! Most of it is done by [`behind_scalar`] and [`Gaps`](super::gap::Gaps), which know what is usual and find no
//! faults; where they do not go on, the tokenizer does, by all rules. So they change no result.

use super::gap::{NONE_OPEN, Open};
use super::parser::{Bad, Parser};
use super::scalar::behind_scalar;

/// What the usual stopped at.
enum Stop {
    /// Behind the value.
    End,
    /// Before the value, or behind a scalar inside.
    Gap,
    /// At a scalar inside.
    Scalar,
}

/// Kinds in a word of [`Open`] at most.
const WORD_FULL: Open = 1 << 62;
/// Gaps open fewer containers than this.
const MOST_DEPTH_OF_GAPS: usize = 64;

impl Parser<'_> {
    /// Passes over any value.
    #[inline(always)]
    pub fn skip_value(&mut self) -> Result<(), Bad> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        match behind_scalar(rest, &self.syntax.limits) {
            Some(behind) => {
                self.at = self.text.len().wrapping_sub(behind.len());
                Ok(())
            }
            None => self.skip_other_value(),
        }
    }

    #[inline(never)]
    pub fn skip_other_value(&mut self) -> Result<(), Bad> {
        if matches!(self.byte(), b'{' | b'[') { self.skip_container() } else { self.skip_scalar() }
    }

    /// Any scalar, by all rules.
    fn skip_scalar(&mut self) -> Result<(), Bad> {
        match self.byte() {
            quote @ b'"' => self.string(quote).map(drop),
            quote @ b'\'' if self.syntax.single_quotes => self.string(quote).map(drop),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            _ => self.number().map(drop),
        }
    }

    fn skip_container(&mut self) -> Result<(), Bad> {
        let depth = self.depth;
        let is_shallow = depth.saturating_add(MOST_DEPTH_OF_GAPS) <= self.syntax.limits.depth;
        let (mut open, mut outer) = (NONE_OPEN, Vec::new());
        loop {
            let stop = if is_shallow && outer.is_empty() { self.skip_usual(&mut open) } else { Stop::Gap };
            if let Stop::Gap = stop {
                if outer.is_empty() {
                    self.depth = depth.wrapping_add(open.ilog2() as usize);
                }
                self.skip_gap(&mut open, &mut outer)?;
            }
            if open == NONE_OPEN {
                self.depth = depth;
                self.gaps.rest();
                return Ok(());
            }
            if !matches!(stop, Stop::Gap) || !self.skip_usual_scalar() {
                self.skip_scalar()?;
            }
        }
    }

    /// Passes over known gaps and usual scalars.
    #[inline(always)]
    fn skip_usual(&mut self, open: &mut Open) -> Stop {
        let mut rest = self.text.get(self.at..).unwrap_or_default();
        let mut last = self.gaps.last;
        let stop = loop {
            let Some((gap, after, behind)) = self.gaps.pass(last, *open, rest) else { break Stop::Gap };
            (last, *open, rest) = (gap, after, behind);
            if after == NONE_OPEN {
                break Stop::End;
            }
            match behind_scalar(rest, &self.syntax.limits) {
                Some(behind) => rest = behind,
                None => break Stop::Scalar,
            }
        };
        self.gaps.last = last;
        self.at = self.text.len().wrapping_sub(rest.len());
        stop
    }

    #[inline(never)]
    fn skip_usual_scalar(&mut self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let behind = behind_scalar(rest, &self.syntax.limits);
        self.at = self.text.len().wrapping_sub(behind.unwrap_or(rest).len());
        behind.is_some()
    }

    /// From before the value, or from behind a scalar inside, to the next scalar or behind the value. `outer` are
    /// words of containers around those that are in `open`.
    #[inline(never)]
    fn skip_gap(&mut self, open: &mut Open, outer: &mut Vec<Open>) -> Result<(), Bad> {
        let (start, before, is_deep) = (self.at, *open, !outer.is_empty());
        let (mut first, mut fewest) = (false, before);
        if before == NONE_OPEN {
            self.enter_any(open, outer)?;
            first = true;
        }
        while *open != NONE_OPEN {
            let is_object = *open & 1 == 1;
            let more = if is_object { self.next_name(first)? } else { self.next_element(first)? };
            first = false;
            if !more {
                *open >>= 1;
                if *open == NONE_OPEN {
                    *open = outer.pop().unwrap_or(NONE_OPEN);
                }
                fewest = fewest.min(*open);
                continue;
            }
            if is_object {
                self.name()?;
                self.colon()?;
            }
            if !matches!(self.byte(), b'{' | b'[') {
                break;
            }
            self.enter_any(open, outer)?;
            first = true;
        }
        if !is_deep && outer.is_empty() {
            self.gaps.learn(&self.text[start..self.at], before, fewest, *open);
        }
        Ok(())
    }

    /// Enters the container at the position.
    fn enter_any(&mut self, open: &mut Open, outer: &mut Vec<Open>) -> Result<(), Bad> {
        if *open >= WORD_FULL {
            outer.push(std::mem::replace(open, NONE_OPEN));
        }
        *open = *open << 1 | u64::from(self.byte() == b'{');
        self.at += 1;
        self.enter()
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::super::parser::Syntax;
    use super::*;
    use crate::json::JsonReadOptions;

    fn parser() -> Parser<'static> {
        Parser::new(Syntax::from(&JsonReadOptions::default()))
    }

    fn random(rng: &mut StdRng, depth: usize) -> String {
        let blank = [" ", ""][usize::from(rng.random_ratio(1, 10))];
        let count = rng.random_range(0..4);
        match rng.random_range(0..if depth < 5 { 10 } else { 6 }) {
            0 => "null".into(),
            1 => "\"text \\\" of some length\"".into(),
            2 => "\"\"".into(),
            3 => "-12.5".into(),
            4 => "1e5".into(),
            5 => "false".into(),
            6 | 7 => {
                let items: Vec<String> = (0..count).map(|_| random(rng, depth + 1)).collect();
                format!("[{}]", items.join(&format!(",{blank}")))
            }
            _ => {
                let member = |rng: &mut StdRng, at| format!("\"m{at}\":{blank}{}", random(rng, depth + 1));
                let members: Vec<String> = (0..count).map(|at| member(rng, at)).collect();
                format!("{{{}}}", members.join(&format!(",{blank}")))
            }
        }
    }

    /// A parser that knows many gaps, and one that has met none, agree on every value, whole or damaged.
    #[test]
    fn what_was_met_before_changes_no_result() {
        let mut rng = StdRng::seed_from_u64(31);
        let texts: Vec<String> = (0..4000)
            .map(|_| {
                let mut text = format!("{}, \"next\": 1}}", random(&mut rng, 0));
                if rng.random_ratio(1, 3) {
                    let (from, to) = (rng.random_range(0..text.len()), rng.random_range(0..text.len()));
                    let part = text[from.min(to)..from.max(to)].to_string();
                    let at = rng.random_range(0..text.len());
                    text.replace_range(at..(at + part.len() / 2).min(text.len()), &part[..part.len() / 3]);
                }
                text
            })
            .collect();
        let mut experienced = parser();
        for text in &texts {
            let mut fresh = parser();
            fresh.restart(text.as_bytes());
            let expected = fresh.skip_value();
            experienced.restart(text.as_bytes());
            let found = experienced.skip_value();
            assert_eq!(found, expected, "{text}");
            if found.is_ok() {
                assert_eq!((experienced.at, experienced.depth), (fresh.at, fresh.depth), "{text}");
            }
        }
        assert!(experienced.gaps.last > 0);
    }

    #[test]
    fn values_nested_as_deep_as_allowed_are_passed_over_and_no_deeper() {
        for depth in [1, 12, 13, 14, 60, 61, 62, 63, 64, 200, 999, 1000, 1001] {
            let text = format!("{}1{}", "[{\"a\":".repeat(depth / 2), "}]".repeat(depth / 2));
            let text = if depth % 2 == 1 { format!("[{text}]") } else { text };
            let mut parser = parser();
            for _ in 0..3 {
                parser.restart(text.as_bytes());
                let outcome = parser.skip_value();
                assert_eq!(outcome.is_ok(), depth <= 1000, "{depth}");
                assert!(outcome.is_err() || (parser.at, parser.depth) == (text.len(), 0));
            }
        }
    }
}
