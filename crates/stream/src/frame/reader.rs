//! The beginning of a read.

use millstream_plan::tree::{Read, Relation};

use super::DataFrame;
use crate::error::Result;
use crate::session::{IntoSchema, Session};

/// What is to be read, and how. Nothing is checked before [`DataFrameReader::load`].
#[derive(Debug)]
pub struct DataFrameReader {
    session: Session,
    read: Read,
    schema: Result<()>,
}

impl DataFrameReader {
    pub(crate) fn new(session: Session, streaming: bool) -> Self {
        Self { session, read: Read::new("parquet", streaming), schema: Ok(()) }
    }

    /// The format: `kafka`.
    #[must_use]
    pub fn format(mut self, format: impl Into<String>) -> Self {
        self.read.format = format.into();
        self
    }

    /// An option of the format. Names are taken in any case; the last value given counts.
    #[must_use]
    pub fn option(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.read.options.set(name, value.to_string());
        self
    }

    /// Several options.
    #[must_use]
    pub fn options<K: Into<String>, V: ToString>(
        mut self,
        options: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        for (name, value) in options {
            self.read.options.set(name, value.to_string());
        }
        self
    }

    /// The columns, for formats that do not know theirs.
    #[must_use]
    pub fn schema(mut self, schema: impl IntoSchema) -> Self {
        match schema.into_schema() {
            Ok(schema) => self.read.schema = Some(schema),
            Err(error) => self.schema = Err(error),
        }
        self
    }

    /// The frame.
    ///
    /// # Errors
    /// An unknown format; options that are wrong, forbidden, misspelt or contradict each other.
    pub fn load(self) -> Result<DataFrame> {
        self.schema?;
        let frame = DataFrame::new(self.session.clone(), Relation::Read(self.read.clone()))?;
        crate::source::warn(&self.session, &self.read)?;
        Ok(frame)
    }

    /// [`DataFrameReader::load`] with a path.
    ///
    /// # Errors
    /// As [`DataFrameReader::load`].
    pub fn load_path(mut self, path: impl Into<String>) -> Result<DataFrame> {
        self.read.paths.push(path.into());
        self.load()
    }
}
