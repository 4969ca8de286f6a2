//! CSV payloads to Arrow columns by Spark's `from_csv` rules, and columns to CSV by its `to_csv` rules.
//!
//! One document is one record: line feeds are data. The order to read in: [`CsvOptions`], `tokenizer` (a
//! record to cells), `quoted` (the rare forms of quoted cells), `reader` and `convert` (cells to columns),
//! `infer` (`schema_of_csv`), `writer` (`to_csv`).

mod convert;
mod infer;
mod number;
mod options;
mod quoted;
mod reader;
#[cfg(test)]
mod recorded;
mod syntax;
#[cfg(test)]
mod tests;
mod tokenizer;
mod writer;

pub use infer::schema_of_csv;
pub use options::{CsvOptions, UnescapedQuotes};
pub use reader::CsvReader;
pub use writer::CsvWriter;
