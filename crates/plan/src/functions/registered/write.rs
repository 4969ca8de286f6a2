//! A writing function whose schema is held by a registry.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use arrow_array::{Array, ArrayRef, new_null_array};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Volatility;
use millstream_columnar::framing::{self, SchemaFormat, SchemaId};

use super::place::Place;
use super::shared::Shared;
use crate::functions::external;
use crate::functions::udf::{Evaluation, Kernel};
use crate::schemas::NewSchema;
use crate::types::SparkType;

/// A format's part: rows to payloads.
pub(in crate::functions) trait Encode: Send + Sync + 'static {
    /// As users call it.
    const FUNCTION: &'static str;
    const FORMAT: SchemaFormat;

    /// The path to the message in its Protobuf file.
    fn indexes(&self) -> &[u32] {
        &[]
    }

    /// Payloads behind a header.
    fn write(&self, values: &dyn Array, header: &[u8]) -> Result<ArrayRef>;
}

/// The kernel.
pub(in crate::functions) type ToRegistered<E> = Shared<Registering<E>>;

/// What the clones of a kernel share.
pub(in crate::functions) struct Registering<E: Encode> {
    place: Place,
    subject: String,
    source: SparkType,
    encode: E,
    id: Mutex<Identity>,
}

/// The id of the schema, or how to get it.
enum Identity {
    Known(SchemaId),
    /// Whether it is registered where the subject does not have it.
    Wanted(NewSchema, bool),
}

impl<E: Encode> ToRegistered<E> {
    /// Writes with a schema that the registry is to have; `subject` is where.
    pub fn with_schema(
        place: Place,
        subject: String,
        source: SparkType,
        encode: E,
        schema: NewSchema,
    ) -> Self {
        let register = place.registers();
        Self::of(Registering {
            subject,
            source,
            encode,
            id: Mutex::new(Identity::Wanted(schema, register)),
            place,
        })
    }

    /// Writes with a schema that the registry has.
    pub fn with_id(place: Place, subject: String, source: SparkType, encode: E, id: SchemaId) -> Self {
        Self::of(Registering { subject, source, encode, id: Mutex::new(Identity::Known(id)), place })
    }
}

impl<E: Encode> Registering<E> {
    /// The schema's id; asked for once.
    fn id(&self) -> crate::error::Result<SchemaId> {
        let mut identity = self.id.lock().unwrap_or_else(PoisonError::into_inner);
        let id = match &*identity {
            Identity::Known(id) => *id,
            Identity::Wanted(schema, register) => {
                self.place.registry.id_of(&self.subject, schema, *register)?
            }
        };
        *identity = Identity::Known(id);
        Ok(id)
    }
}

impl<E: Encode> Kernel for ToRegistered<E> {
    fn name(&self) -> &str {
        E::FUNCTION
    }

    fn return_type(&self) -> DataType {
        DataType::BinaryView
    }

    /// Registers with the first rows, so it must not run when a plan is made.
    fn volatility(&self) -> Volatility {
        Volatility::Volatile
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        if args[0].null_count() == args[0].len() {
            return Ok(new_null_array(&DataType::BinaryView, args[0].len()));
        }
        let header = framing::header(self.id().map_err(external)?, E::FORMAT, self.encode.indexes());
        self.encode.write(args[0].as_ref(), &header)
    }
}

impl<E: Encode> fmt::Debug for Registering<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(E::FUNCTION).field("place", &self.place).field("source", &self.source).finish()
    }
}
