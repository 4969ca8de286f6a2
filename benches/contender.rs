//! What every contender of the read benchmark shares: its arguments, its clock, its checksum and the line it prints.
//!
//! Included by path into our benchmark and into the other clients' package, which have no crate in common.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use std::time::Instant;

/// What a contender reads, and whether this run is timed or verified.
#[derive(clap::Args, Debug, Clone)]
pub struct Task {
    /// Address of the broker.
    #[arg(long)]
    pub bootstrap: String,
    /// The topic, read from its beginning.
    #[arg(long)]
    pub topic: String,
    /// Partitions of the topic.
    #[arg(long, default_value_t = 4)]
    pub partitions: i32,
    /// Rows in the topic; the run ends with the last one.
    #[arg(long)]
    pub rows: u64,
    /// Compute the checksum of every value (a run of its own: the timed runs do not).
    #[arg(long)]
    pub verify: bool,
}

/// Counts rows and, in a verifying run, sums up their hashes, so that the order of partitions does not matter.
#[derive(Default)]
pub struct Tally {
    /// Rows seen.
    pub rows: u64,
    /// Wrapping sum of the rows' hashes.
    pub checksum: u64,
}

impl Tally {
    /// Adds the hashes of a batch whose columns are key, value, topic, partition, offset and timestamp; its rows are
    /// counted by whoever made it.
    pub fn add_batch(&mut self, batch: &RecordBatch) {
        let (key, value) = (batch.column(0).as_binary_view(), batch.column(1).as_binary_view());
        let topic = batch.column(2).as_string_view();
        let partition = batch.column(3).as_primitive::<Int32Type>();
        let offset = batch.column(4).as_primitive::<Int64Type>();
        let timestamp = batch.column(5).as_primitive::<TimestampMicrosecondType>();
        for row in 0..batch.num_rows() {
            let key = if key.is_null(row) { &[][..] } else { key.value(row) };
            let numbers = [i64::from(partition.value(row)), offset.value(row), timestamp.value(row)];
            self.add(key, value.value(row), topic.value(row), numbers);
        }
    }

    /// Adds one row's values.
    #[inline]
    fn add(&mut self, key: &[u8], value: &[u8], topic: &str, numbers: [i64; 3]) {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for bytes in [key, value, topic.as_bytes()] {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
            hash = hash.rotate_left(17).wrapping_add(bytes.len() as u64);
        }
        for number in numbers {
            hash = (hash ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        }
        self.checksum = self.checksum.wrapping_add(hash);
    }
}

/// Runs a contender and prints its line: rows, seconds, checksum, CPU seconds and peak memory of this process.
pub fn report(run: impl FnOnce(&mut Tally) -> Result<(), String>) -> Result<(), String> {
    let mut tally = Tally::default();
    let start = Instant::now();
    run(&mut tally)?;
    let seconds = start.elapsed().as_secs_f64();
    let line = serde_json::json!({
        "rows": tally.rows,
        "seconds": seconds,
        "checksum": format!("{:016x}", tally.checksum),
        "cpu_seconds": cpu_seconds("self"),
        "peak_mib": peak_mib(),
    });
    println!("{line}");
    Ok(())
}

/// User and system time of a process (`self` or its id) in seconds; 0 where the kernel does not tell.
pub fn cpu_seconds(process: &str) -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in parentheses may hold blanks; the fields after it are counted from 3.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / TICKS_PER_SECOND
}

/// Peak resident memory of this process in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}
