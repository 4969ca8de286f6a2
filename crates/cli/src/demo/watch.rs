//! What the demo shows while it runs and when it ends: rows a second, batch latency, lag.

use super::Title;
use super::generator::Generator;
use comfy_table::{CellAlignment, Table, presets};
use millstream::prelude::*;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

const REFRESH: Duration = Duration::from_millis(500);

/// Prints a line per query every half second until the generator is done.
pub(crate) async fn until_done(queries: &[StreamingQuery], generator: &Generator) {
    let terminal = std::io::stdout().is_terminal();
    let mut before: Vec<u64> = vec![0; queries.len()];
    let mut last = Instant::now();
    while !generator.is_done() {
        tokio::time::sleep(REFRESH).await;
        let seconds = last.elapsed().as_secs_f64();
        last = Instant::now();
        let mut lines = vec![format!("{:>9} invoices sent", generator.sent())];
        for (query, before) in queries.iter().zip(&mut before) {
            let read = Totals::of(query).rows;
            let lag = generator.sent().saturating_sub(read);
            let rate = (read - *before) as f64 / seconds;
            *before = read;
            let latency = query.last_progress().map_or(0, |progress| progress.batch_duration);
            let title = query.title();
            lines.push(format!("{title:<26} {rate:>9.0} rows/s  batch {latency:>4} ms  lag {lag:>6}"));
        }
        show(&lines, terminal);
    }
}

/// On a terminal the lines are drawn over the last ones; elsewhere one line a time is enough.
fn show(lines: &[String], terminal: bool) {
    let mut out = std::io::stdout().lock();
    let shown = if terminal {
        let text: String = lines.iter().map(|line| format!("\x1b[2K{line}\n")).collect();
        write!(out, "{text}\x1b[{}A", lines.len())
    } else {
        writeln!(out, "{}", lines.join(" | "))
    };
    let _ = shown.and_then(|()| out.flush());
}

/// What a query has done, from the progress that it keeps.
struct Totals {
    rows: u64,
    batches: u64,
    latencies: Vec<i64>,
}

impl Totals {
    fn of(query: &StreamingQuery) -> Self {
        let mut totals = Self { rows: 0, batches: 0, latencies: Vec::new() };
        for progress in query.recent_progress() {
            totals.latencies.push(progress.batch_duration);
        }
        totals.latencies.sort_unstable();
        if let Some(progress) = query.last_progress() {
            totals.batches = u64::try_from(progress.batch_id + 1).unwrap_or_default();
            totals.rows = rows_until(&progress);
        }
        totals
    }

    fn percentile(&self, part: f64) -> i64 {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get((last as f64 * part).round() as usize).copied().unwrap_or_default()
    }
}

/// The offsets of a source that begins at 0 are the rows that it has read.
fn rows_until(progress: &StreamingQueryProgress) -> u64 {
    let report = progress.to_json();
    let ends = report["sources"][0]["endOffset"].as_object().into_iter().flatten();
    ends.flat_map(|(_, partitions)| partitions.as_object().into_iter().flatten())
        .filter_map(|(_, offset)| offset.as_u64())
        .sum()
}

/// The table at the end.
pub(crate) fn summary(queries: &[StreamingQuery], generated: u64) {
    println!("\n{generated} invoices were generated, and both queries have worked off all of them:");
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["query", "invoices read", "batches", "batch p50 ms", "batch p99 ms"]);
    for query in queries {
        let totals = Totals::of(query);
        let (p50, p99) = (totals.percentile(0.5), totals.percentile(0.99));
        let numbers = [totals.rows.to_string(), totals.batches.to_string(), p50.to_string(), p99.to_string()];
        let mut row = vec![query.title()];
        row.extend(numbers);
        table.add_row(row);
    }
    for column in 1..5 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    println!("{table}");
}
