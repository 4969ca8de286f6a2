//! Interleaved rounds on the thread's own CPU time, medians, and the JSON line.
//!
//! CPU time and not the wall's: other processes may share the machine. A round runs every contender of a case
//! once for a few tens of milliseconds, so that a slow moment of the machine hits them all.

use crate::case::{Case, Prepared};
use rustix::time::{ClockId, clock_gettime};

/// Seconds that one contender runs in one round.
const ROUND_SECONDS: f64 = 0.04;

/// Measures the cases and prints a line each on standard error, and all figures as the last line of the output.
pub fn all(cases: impl Iterator<Item = &'static Case>, rounds: usize) -> Result<(), String> {
    let mut figures = serde_json::Map::new();
    for case in cases {
        let mut prepared = (case.prepare)().map_err(|problem| format!("{}: {problem}", case.name))?;
        let seconds = medians(&mut prepared, rounds.max(1));
        let (rows, ours) = (prepared.rows as f64, seconds[0]);
        for (contender, seconds) in prepared.contenders.iter().zip(&seconds) {
            eprintln!(
                "{:24} {:16} {:9.2} ns/row {:8.0} MB/s {:7.2} x",
                case.name,
                contender.name,
                seconds / rows * 1e9,
                prepared.bytes as f64 / seconds / 1e6,
                seconds / ours,
            );
            let key = format!("columns.{}.{}.rows_per_s", case.name, contender.name);
            figures.insert(key, (rows / seconds).round().into());
        }
        for (contender, seconds) in prepared.contenders.iter().zip(&seconds).skip(1) {
            let key = format!("columns.{}.ratio.{}", case.name, contender.name);
            figures.insert(key, ((seconds / ours * 1000.0).round() / 1000.0).into());
        }
    }
    println!("{}", serde_json::Value::Object(figures));
    Ok(())
}

/// Seconds of one run, the median of the rounds, for each contender.
fn medians(prepared: &mut Prepared, rounds: usize) -> Vec<f64> {
    let contenders = &mut prepared.contenders;
    let repeats: Vec<usize> = contenders.iter_mut().map(|contender| repeats(&mut contender.run)).collect();
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    for _ in 0..rounds {
        for ((contender, repeats), times) in contenders.iter_mut().zip(&repeats).zip(&mut times) {
            times.push(seconds(&mut contender.run, *repeats) / *repeats as f64);
        }
    }
    times
        .into_iter()
        .map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        })
        .collect()
}

/// How many runs fill a round.
fn repeats(run: &mut dyn FnMut()) -> usize {
    let mut repeats = 1;
    loop {
        let seconds = seconds(run, repeats);
        if seconds >= ROUND_SECONDS / 4.0 {
            return ((repeats as f64 * ROUND_SECONDS / seconds) as usize).max(1);
        }
        repeats *= 2;
    }
}

fn seconds(run: &mut dyn FnMut(), repeats: usize) -> f64 {
    let start = cpu_seconds();
    for _ in 0..repeats {
        run();
    }
    cpu_seconds() - start
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
