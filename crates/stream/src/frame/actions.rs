//! What runs a frame of a batch, or prints what it is.

use std::io::Write as _;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, RecordBatch};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::displayable;
use millstream_plan::show::{self, ShowOptions, Truncate};

use super::DataFrame;
use crate::error::{Error, Result};

/// Rows that `show()` prints.
const SHOWN_ROWS: usize = 20;

impl DataFrame {
    /// All rows.
    ///
    /// # Errors
    /// A streaming frame, or what went wrong while it ran.
    pub async fn collect(&self) -> Result<Vec<RecordBatch>> {
        let frame = self.clone();
        self.session.run(async move { frame.plan().await?.collect().await }).await
    }

    /// [`DataFrame::collect`] for programs without async.
    ///
    /// # Errors
    /// As [`DataFrame::collect`].
    pub fn collect_blocking(&self) -> Result<Vec<RecordBatch>> {
        let frame = self.clone();
        self.session.block_on(async move { frame.plan().await?.collect().await })
    }

    /// All rows as they are computed, one stream for each partition of the plan. The streams may be drained on any
    /// tokio runtime.
    ///
    /// # Errors
    /// A streaming frame, or a plan that cannot be made.
    pub async fn execute_stream(&self) -> Result<Vec<SendableRecordBatchStream>> {
        let frame = self.clone();
        let plan = self.session.run(async move { frame.plan().await }).await?;
        plan.streams()
    }

    /// How many rows there are.
    ///
    /// # Errors
    /// As [`DataFrame::collect`].
    pub async fn count(&self) -> Result<i64> {
        only_number(&self.counted()?.collect().await?)
    }

    /// [`DataFrame::count`] for programs without async.
    ///
    /// # Errors
    /// As [`DataFrame::collect`].
    pub fn count_blocking(&self) -> Result<i64> {
        only_number(&self.counted()?.collect_blocking()?)
    }

    fn counted(&self) -> Result<Self> {
        self.group_by(()).count()
    }

    /// The first rows.
    ///
    /// # Errors
    /// As [`DataFrame::collect`].
    pub async fn take(&self, rows: usize) -> Result<Vec<RecordBatch>> {
        self.limit(i64::try_from(rows).unwrap_or(i64::MAX))?.collect().await
    }

    /// The first rows as the table that [`DataFrame::show_with`] prints.
    ///
    /// # Errors
    /// As [`DataFrame::collect`].
    pub async fn show_string(
        &self,
        rows: usize,
        truncate: impl Into<Width>,
        vertical: bool,
    ) -> Result<String> {
        let width = truncate.into().0;
        // One row more tells whether there are more.
        let batches = self.take(rows.saturating_add(1)).await?;
        let conf = self.session.conf().plan_conf();
        let options = ShowOptions { rows, truncate: width, vertical, time_zone: conf.time_zone() };
        Ok(show::table(&batches, self.schema(), &options)?)
    }

    /// Prints the first 20 rows, cells cut at 20 characters.
    ///
    /// # Errors
    /// As [`DataFrame::collect`].
    pub async fn show(&self) -> Result<()> {
        self.show_with(SHOWN_ROWS, true, false).await
    }

    /// Prints the first rows. `truncate` is `true` (20 characters), `false`, or a number of characters.
    ///
    /// # Errors
    /// As [`DataFrame::collect`].
    pub async fn show_with(&self, rows: usize, truncate: impl Into<Width>, vertical: bool) -> Result<()> {
        print(&format!("{}\n", self.show_string(rows, truncate, vertical).await?))
    }

    /// [`DataFrame::show`] for programs without async.
    ///
    /// # Errors
    /// As [`DataFrame::collect`].
    pub fn show_blocking(&self) -> Result<()> {
        let frame = self.clone();
        self.session.block_on(async move { frame.show().await })
    }

    /// The columns as a tree, down to this depth.
    pub fn schema_string(&self, level: usize) -> String {
        self.schema().tree_string(level)
    }

    /// Prints the columns as a tree.
    pub fn print_schema(&self) {
        self.print_schema_level(usize::MAX);
    }

    /// Prints the columns as a tree, down to this depth.
    pub fn print_schema_level(&self, level: usize) {
        // A closed standard output is no reason to stop a program that only wanted to print.
        let _ = print(&format!("{}\n", self.schema_string(level)));
    }

    /// Prints the plan that would run.
    ///
    /// # Errors
    /// A streaming frame.
    pub async fn explain(&self) -> Result<()> {
        print(&format!("== Physical Plan ==\n{}\n", self.explain_string().await?))
    }

    /// The plan that [`DataFrame::explain`] prints.
    ///
    /// # Errors
    /// A streaming frame.
    pub async fn explain_string(&self) -> Result<String> {
        let frame = self.clone();
        let plan = self.session.run(async move { frame.plan().await }).await?.plan;
        Ok(displayable(plan.as_ref()).indent(false).to_string())
    }
}

/// How wide a shown cell may be: `true` for 20 characters, `false` for no limit, or a number.
#[derive(Debug, Clone, Copy)]
pub struct Width(Truncate);

impl From<bool> for Width {
    fn from(truncate: bool) -> Self {
        Width(if truncate { Truncate::default() } else { Truncate::No })
    }
}

impl From<usize> for Width {
    fn from(characters: usize) -> Self {
        Width(if characters == 0 { Truncate::No } else { Truncate::At(characters) })
    }
}

impl From<i32> for Width {
    fn from(characters: i32) -> Self {
        Width::from(usize::try_from(characters).unwrap_or(0))
    }
}

impl From<Truncate> for Width {
    fn from(truncate: Truncate) -> Self {
        Width(truncate)
    }
}

pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|source| Error::Io { path: "standard output".into(), source })
}

fn only_number(batches: &[RecordBatch]) -> Result<i64> {
    let number = |batch: &RecordBatch| {
        let column = batch.columns().first()?.as_primitive_opt::<Int64Type>()?;
        (column.len() == 1 && column.is_valid(0)).then(|| column.value(0))
    };
    batches
        .iter()
        .find_map(number)
        .ok_or_else(|| Error::Misuse("counting gave no number, which is a defect to report".into()))
}
