//! The one time of a micro-batch.
//!
//! Spark evaluates `current_timestamp()` and `current_date()` once per batch to the batch
//! timestamp of the offset log, so a batch that is run again gives equal rows. Plans are made once per
//! query and executed again for each batch; therefore the time is not folded into the plan but read
//! from a slot that the engine sets before each execution.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use arrow_array::{ArrayRef, TimestampMicrosecondArray};
use arrow_schema::{DataType, TimeUnit};
use datafusion::common::Result;
use datafusion::common::config::{ConfigEntry, ConfigExtension, ExtensionOptions};
use datafusion::config::ConfigOptions;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Volatility;

use super::udf::{Evaluation, Kernel};

const UNSET: i64 = i64::MIN;

/// The slot, an extension of `ConfigOptions`. Clones share it; a query that runs beside others needs
/// its own (insert `BatchTime::default()` into the query's own options).
#[derive(Debug, Clone)]
pub struct BatchTime {
    micros: Arc<AtomicI64>,
    now: Arc<AtomicI64>,
}

impl Default for BatchTime {
    fn default() -> Self {
        Self { micros: Arc::new(AtomicI64::new(UNSET)), now: Arc::new(AtomicI64::new(UNSET)) }
    }
}

impl BatchTime {
    /// Fixes the time of a batch query, in microseconds since 1970-01-01 00:00 UTC, for what is executed from now on.
    pub fn set_micros(&self, micros: i64) {
        self.micros.store(micros, Ordering::Release);
        self.now.store(micros, Ordering::Release);
    }

    /// Fixes the time of a stream's batch. `now()` is not part of it: as in Spark it tells when the batch is run, and
    /// differs when the batch is run again.
    pub fn set_stream_batch(&self, micros: i64) {
        self.micros.store(micros, Ordering::Release);
        self.now.store(wall_clock_micros(), Ordering::Release);
    }

    /// The fixed time, or the clock's when none was fixed.
    pub fn micros(&self) -> i64 {
        or_clock(self.micros.load(Ordering::Acquire))
    }

    /// The time that `current_timestamp()` sees under `options`.
    pub fn of(options: &ConfigOptions) -> i64 {
        options.extensions.get::<Self>().map_or_else(wall_clock_micros, Self::micros)
    }

    /// The time that `now()` sees under `options`.
    pub fn now_of(options: &ConfigOptions) -> i64 {
        let now = options.extensions.get::<Self>().map(|time| time.now.load(Ordering::Acquire));
        now.map_or_else(wall_clock_micros, or_clock)
    }
}

impl ConfigExtension for BatchTime {
    const PREFIX: &'static str = "millstream_batch_time";
}

impl ExtensionOptions for BatchTime {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, _value: &str) -> Result<()> {
        Err(DataFusionError::Configuration(format!(
            "the batch time ({key}) is set by the engine, not as an option; remove it"
        )))
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        Vec::new()
    }
}

/// `current_timestamp()`, and `now()` where `run` is set.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CurrentTimestamp {
    pub run: bool,
}

impl Kernel for CurrentTimestamp {
    fn name(&self) -> &str {
        if self.run { "now" } else { "current_timestamp" }
    }

    fn return_type(&self) -> DataType {
        DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
    }

    fn volatility(&self) -> Volatility {
        Volatility::Volatile
    }

    fn evaluate(&self, _args: &[ArrayRef], context: &Evaluation<'_>) -> Result<ArrayRef> {
        let now = if self.run { BatchTime::now_of(context.config) } else { BatchTime::of(context.config) };
        let values = TimestampMicrosecondArray::from_value(now, context.rows);
        Ok(Arc::new(values.with_timezone("UTC")))
    }
}

fn or_clock(micros: i64) -> i64 {
    if micros == UNSET { wall_clock_micros() } else { micros }
}

fn wall_clock_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
