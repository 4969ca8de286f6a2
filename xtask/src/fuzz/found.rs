//! What a search came to, read from libFuzzer's lines:
//!
//! | line | when |
//! |---|---|
//! | `#1234\tNEW    cov: 17 ft: 20 corp: 3/10b ...` | an input reached something new |
//! | `#4096\tpulse  cov: 17 ft: 20 corp: 3/10b ...` | at each power of two |
//! | `stat::number_of_executed_units: 5000` | at the end, also behind an input that fails |
//! | anything else | a failure's report, and what libFuzzer says of itself |

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::time::{Duration, Instant};

/// What a search of one target came to.
#[derive(Debug, Default)]
pub struct Found {
    pub target: String,
    pub executions: u64,
    /// Edges of the code with counters that were passed.
    pub coverage: u64,
    /// Inputs that reached something new.
    pub new_files: usize,
    /// Of these, added to the repository.
    pub kept: usize,
    /// Inputs that fail, found now or earlier.
    pub failing: usize,
}

/// What one process of libFuzzer told.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Told {
    executions: u64,
    coverage: u64,
}

/// Pause between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(10);

impl Found {
    pub fn new(target: &str) -> Self {
        Self { target: target.to_owned(), ..Self::default() }
    }

    /// Adds what one process told.
    pub fn add(&mut self, told: &Told) {
        self.executions += told.executions;
        self.coverage = self.coverage.max(told.coverage);
    }
}

/// The results as a table, with a line of the sums below.
pub fn shown(table: &[Found]) -> String {
    let mut text = String::new();
    let mut line = |name: &str, cells: [String; 5]| {
        let [executions, coverage, new_files, kept, failing] = cells;
        let cells = format!("{executions:>12} {coverage:>9} {new_files:>10} {kept:>6} {failing:>8}");
        let _ = writeln!(text, "{name:16} {cells}");
    };
    line("target", ["executions", "coverage", "new inputs", "kept", "failing"].map(str::to_owned));
    for found in table {
        let inputs = [found.new_files, found.kept, found.failing].map(|number| number.to_string());
        let [new_files, kept, failing] = inputs;
        let cells = [found.executions.to_string(), found.coverage.to_string(), new_files, kept, failing];
        line(&found.target, cells);
    }
    let sum = |number: fn(&Found) -> usize| table.iter().map(number).sum::<usize>();
    let executions: u64 = table.iter().map(|found| found.executions).sum();
    let _ = write!(
        text,
        "fuzz: {} targets, {executions} executions, {} new inputs, {} kept, {} failing",
        table.len(),
        sum(|found| found.new_files),
        sum(|found| found.kept),
        sum(|found| found.failing)
    );
    text
}

/// Reads libFuzzer's lines to their end. Those of its progress are passed on every ten seconds, all others at once.
pub fn follow(lines: impl Read) -> Told {
    let (mut told, mut last) = (Told::default(), Instant::now());
    for line in BufReader::new(lines).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        let is_progress = told.line(&line);
        if !is_progress || last.elapsed() > PROGRESS {
            eprintln!("{line}");
            last = Instant::now();
        }
    }
    told
}

impl Told {
    /// Takes what a line tells; whether it is one of progress.
    fn line(&mut self, line: &str) -> bool {
        if let Some(executions) = line.strip_prefix("stat::number_of_executed_units:") {
            self.executions = executions.trim().parse().unwrap_or(self.executions);
        }
        let is_report = ["NEW_FUNC", "stat::"].iter().any(|word| line.trim_start().starts_with(word));
        let Some((executions, rest)) = line.strip_prefix('#').and_then(|rest| rest.split_once('\t')) else {
            return is_report;
        };
        // A stack of a failure counts its frames in the same way.
        let Ok(executions) = executions.parse() else { return false };
        self.executions = executions;
        let coverage = rest.split_once("cov: ").and_then(|(_, rest)| rest.split(' ').next()?.parse().ok());
        self.coverage = coverage.unwrap_or(self.coverage);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_and_coverage_are_read_from_the_lines_of_progress_and_of_the_end() {
        let lines = "INFO: Seed: 12\n#2\tINITED cov: 17 ft: 20 corp: 3/10b\n#4096\tpulse  cov: 21 ft: 9\n    \
                     #0 0x55 in panic\n#1 0x56 in main\nstat::number_of_executed_units: 5000\n";
        assert_eq!(follow(lines.as_bytes()), Told { executions: 5000, coverage: 21 });
        assert_eq!(follow(&b"nothing"[..]), Told::default());
    }

    #[test]
    fn the_last_line_has_the_sums() {
        let mut one = Found { failing: 1, new_files: 7, ..Found::new("one") };
        one.add(&Told { executions: 3, coverage: 9 });
        one.add(&Told { executions: 4, coverage: 8 });
        assert_eq!((one.executions, one.coverage), (7, 9));
        let text = shown(&[one, Found::new("two")]);
        assert_eq!(
            text.lines().last(),
            Some("fuzz: 2 targets, 7 executions, 7 new inputs, 0 kept, 1 failing")
        );
    }
}
