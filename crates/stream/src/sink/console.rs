//! Batches as tables on the standard output, in Spark's form.

use std::fmt;
use std::io::Write;

use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use millstream_plan::show::{self, ShowOptions, Truncate};
use millstream_plan::tree::Options;
use millstream_plan::types::StructType;
use parking_lot::Mutex;

use super::gathered::Gathered;
use super::{Committable, Committed, Guarantee, Sink, SinkBatch};
use crate::error::{Error, Result};

const RULE: &str = "-------------------------------------------";

/// Prints the first rows of each batch.
pub struct ConsoleSink {
    rows: usize,
    truncate: Truncate,
    /// A batch of a query has its number printed; the rows of a batch frame have none.
    numbered: bool,
    gathered: Gathered,
    out: Mutex<Box<dyn Write + Send>>,
}

impl ConsoleSink {
    /// `numRows` (20) and `truncate` (true) of the options; `numbered` for a query.
    ///
    /// # Errors
    /// An option that is no number or boolean.
    pub fn new(options: &Options, numbered: bool) -> Result<Self> {
        Self::to(options, numbered, Box::new(std::io::stdout()))
    }

    /// Prints to another place.
    ///
    /// # Errors
    /// As [`ConsoleSink::new`].
    pub fn to(options: &Options, numbered: bool, out: Box<dyn Write + Send>) -> Result<Self> {
        let rows = match options.get("numRows") {
            None => 20,
            Some(text) => text.trim().parse().map_err(|_| not_a_number("numRows", text))?,
        };
        let truncate = match options.get("truncate").map(str::trim) {
            None => Truncate::default(),
            Some(text) if text.eq_ignore_ascii_case("true") => Truncate::default(),
            Some(text) if text.eq_ignore_ascii_case("false") => Truncate::No,
            Some(text) => Truncate::At(text.parse().map_err(|_| not_a_number("truncate", text))?),
        };
        Ok(Self { rows, truncate, numbered, gathered: Gathered::default(), out: Mutex::new(out) })
    }
}

fn not_a_number(option: &str, text: &str) -> Error {
    Error::option(option, format!("option '{option}' of the console is '{text}', which is no number"))
}

impl fmt::Debug for ConsoleSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleSink").field("rows", &self.rows).field("truncate", &self.truncate).finish()
    }
}

#[async_trait]
impl Sink for ConsoleSink {
    fn description(&self) -> String {
        format!("ConsoleSink[numRows={}, truncate={}]", self.rows, self.truncate != Truncate::No)
    }

    fn guarantee(&self) -> Guarantee {
        Guarantee::AtLeastOnce
    }

    async fn open(&self, _batch: &SinkBatch) -> Result<()> {
        Ok(())
    }

    async fn write(
        &self,
        batch: &SinkBatch,
        partition: usize,
        rows: SendableRecordBatchStream,
    ) -> Result<Committable> {
        // One row more tells whether there are more.
        let rows = self.gathered.take_in(batch, partition, rows, self.rows.saturating_add(1)).await?;
        Ok(Committable { rows, ..Committable::default() })
    }

    async fn commit(&self, batch: &SinkBatch, written: Vec<Committable>) -> Result<Committed> {
        let rows = self.gathered.take_out(batch.batch_id);
        let schema = StructType::from_arrow(&batch.schema)?;
        let table = show::table(
            &rows,
            &schema,
            &ShowOptions { rows: self.rows, truncate: self.truncate, ..ShowOptions::default() },
        )?;
        let head = match self.numbered {
            true => format!("{RULE}\nBatch: {}\n{RULE}\n", batch.batch_id),
            false => String::new(),
        };
        let mut out = self.out.lock();
        writeln!(out, "{head}{table}")
            .and_then(|()| out.flush())
            .map_err(|source| Error::Io { path: "standard output".into(), source })?;
        Ok(Committed { output_rows: Some(written.iter().map(|part| part.rows).sum()) })
    }

    async fn abort(&self, batch: &SinkBatch, _written: Vec<Committable>) -> Result<()> {
        self.gathered.take_out(batch.batch_id);
        Ok(())
    }
}
