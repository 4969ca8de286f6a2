//! A reading function whose writers' schemas come from a registry.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryViewArray};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Volatility;
use millstream_columnar::framing::{self, SchemaFormat, SchemaId, Unreadable};

use super::place::{Place, check_format};
use super::shared::Shared;
use crate::functions::external;
use crate::functions::udf::{Evaluation, Kernel};
use crate::schemas::RegisteredSchema;

/// A format's part: the schema to read with, and how a writer's schema is read by it.
pub(crate) trait Decode: Send + Sync + 'static {
    /// As users call it.
    const FUNCTION: &'static str;
    const FORMAT: SchemaFormat;
    /// What a writer's schema compiles to.
    type Writer: Send + Sync;

    fn data_type(&self) -> DataType;

    /// Whether a bad record is an error (FAILFAST).
    fn fails(&self) -> bool;

    /// Compiles a writer's schema; an error makes its records bad ones.
    fn writer(&self, schema: &RegisteredSchema) -> crate::error::Result<Self::Writer>;

    /// Reads framed payloads.
    fn read(&self, column: &BinaryViewArray, writers: &Writers<Self::Writer>) -> Result<ArrayRef>;
}

/// The kernel.
pub(crate) type FromRegistered<D> = Shared<Reading<D>>;

/// What the clones of a kernel share.
pub(crate) struct Reading<D: Decode> {
    place: Place,
    decode: D,
    known: Mutex<HashMap<SchemaId, Arc<Known<D::Writer>>>>,
}

/// What is known of an id.
type Known<W> = std::result::Result<W, Unreadable>;

/// The writers of a batch.
pub(crate) struct Writers<W> {
    by_id: HashMap<SchemaId, Arc<Known<W>>>,
    /// Why the first row that is no frame is none.
    unframed: Unreadable,
}

impl<W> Writers<W> {
    /// The writer of a row's bytes, or why it is a bad record.
    pub fn of(&self, bytes: &[u8]) -> std::result::Result<&W, &Unreadable> {
        let known = framing::schema_id(bytes).ok().and_then(|id| self.by_id.get(&id));
        known.map_or(Err(&self.unframed), |known| Known::as_ref(known))
    }
}

impl<D: Decode> FromRegistered<D> {
    pub(in crate::functions) fn new(place: Place, decode: D) -> Self {
        Self::of(Reading { place, decode, known: Mutex::default() })
    }
}

impl<D: Decode> Reading<D> {
    /// The writers of a column, after asking for those that are new.
    fn writers(&self, column: &BinaryViewArray) -> crate::error::Result<Writers<D::Writer>> {
        let ids = framing::schema_ids(column);
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let missing: Vec<SchemaId> = {
            let known = lock();
            ids.iter().copied().filter(|id| !known.contains_key(id)).collect()
        };
        if !missing.is_empty() {
            let found = self.place.registry.by_ids(&missing)?;
            for (id, schema) in missing.iter().zip(found) {
                let entry = match schema {
                    None => Err(format!(
                        "the schema registry {} has no schema of the id {id}",
                        self.place.address
                    )),
                    Some(schema) => check_format(&schema, D::FORMAT, D::FUNCTION)
                        .and_then(|()| self.decode.writer(&schema))
                        .map_err(|error| error.to_string()),
                };
                lock().insert(*id, Arc::new(entry.map_err(|why| Unreadable { why })));
            }
        }
        let known = lock();
        let by_id = ids.iter().filter_map(|id| Some((*id, Arc::clone(known.get(id)?)))).collect();
        let rows = (0..column.len()).filter(|row| !column.is_null(*row));
        let reason = rows.filter_map(|row| framing::schema_id(column.value(row)).err()).next();
        let unframed = Unreadable { why: reason.map_or_else(String::new, |why| why.to_string()) };
        Ok(Writers { by_id, unframed })
    }
}

impl<D: Decode> Kernel for FromRegistered<D> {
    fn name(&self) -> &str {
        D::FUNCTION
    }

    fn return_type(&self) -> DataType {
        self.decode.data_type()
    }

    /// It waits for others, and is too dear to be computed twice.
    fn volatility(&self) -> Volatility {
        Volatility::Volatile
    }

    fn fails_for_records(&self) -> bool {
        self.decode.fails()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let column = args[0].as_binary_view();
        let writers = self.writers(column).map_err(external)?;
        self.decode.read(column, &writers)
    }
}

impl<D: Decode> fmt::Debug for Reading<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(D::FUNCTION).field("place", &self.place).finish()
    }
}
