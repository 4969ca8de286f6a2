//! `from_protobuf(data [, message [, descriptors]], options)` and `to_protobuf(struct [, message [, descriptors]],
//! options)` with the option `schema.registry.address`: payloads in the framing of a schema registry
//! ([`crate::functions::registered`]).
//!
//! The message is the second argument or the option `schema.registry.protobuf.name`; without it, it is the first of the
//! schema. The schema is the descriptor set, or the option `protobufSchema` (the text of a `.proto` file), or the
//! subject's latest.
//!
//! Reading, a record is checked against the schema that it was written with: it must be a message of the same name
//! (packages may differ) whose fields are written as those of the same numbers are read. Anything else, such as
//! another message of the same file, is a bad record.
//!
//! Writing, a schema that is given is registered as text; a descriptor set's is written anew for that, and files that
//! it imports are registered under their paths. None is made of the column's type, as `to_avro` does: the numbers of
//! fields would depend on the order of columns.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use arrow_array::{Array, ArrayRef, BinaryViewArray};
use arrow_schema::DataType;
use datafusion::common::Result;
use millstream_columnar::framing::{self, SchemaFormat, SchemaId};
use millstream_columnar::json::ParseMode;
use millstream_columnar::protobuf::{DescriptorSet, ProtobufOptions, ProtobufReader, ProtobufWriter};

use super::{condition, descriptors, read_options, row_error, writer};
use crate::analyzer::Typed;
use crate::error::Error;
use crate::functions::call::Call;
use crate::functions::payload::text;
use crate::functions::registered::{Decode, Encode, FromRegistered, Place, ToRegistered, Writers, take};
use crate::schemas::{NewSchema, ReferredSchema, RegisteredSchema};
use crate::types::SparkType;

/// What both functions are told.
struct Told {
    place: Place,
    options: ProtobufOptions,
    /// As the user named it.
    message: Option<String>,
    /// The schema that the user gave.
    given: Option<DescriptorSet>,
}

fn told(call: &Call<'_>, given: &BTreeMap<String, String>) -> crate::error::Result<Told> {
    let (options, mut others) = read_options(given)?;
    let named = take(&mut others, &["protobuf.name"])?;
    let message = text(call, 1, "representing the Protobuf message name")?.or(named);
    let written = others.keys().find(|name| name.eq_ignore_ascii_case("protobufSchema")).cloned();
    let written = written.and_then(|name| others.remove(&name));
    let set = match (descriptors(call)?, written) {
        (Some(bytes), _) => Some(DescriptorSet::parse(&bytes).map_err(condition)?),
        (None, Some(text)) => Some(DescriptorSet::from_proto(&text, &[]).map_err(condition)?),
        (None, None) => None,
    };
    Ok(Told { place: Place::from_options(call, others)?, options, message, given: set })
}

impl Told {
    /// The subject's latest schema.
    fn latest(&self, call: &Call<'_>, subject: &str) -> crate::error::Result<(SchemaId, DescriptorSet)> {
        let found = self.place.latest(call, subject, SchemaFormat::Protobuf)?;
        Ok((found.id, parse_registered(&found)?))
    }

    /// The full name of the message.
    fn full_name(&self, set: &DescriptorSet) -> crate::error::Result<String> {
        set.full_name(self.message.as_deref()).map(str::to_owned).map_err(condition)
    }
}

fn parse_registered(found: &RegisteredSchema) -> crate::error::Result<DescriptorSet> {
    DescriptorSet::from_proto(&found.text, &found.references).map_err(condition)
}

/// The reader's part of a `from_protobuf`.
pub(crate) struct RegisteredProtobuf {
    fail_fast: bool,
    /// The message's name without its package.
    message: String,
    reader: ProtobufReader,
}

/// What a writer's schema describes, and the messages of it that can be read.
pub(crate) struct Described {
    set: DescriptorSet,
    readable: Mutex<HashSet<Vec<u32>>>,
}

pub(super) fn from_protobuf(call: &Call<'_>, given: BTreeMap<String, String>) -> crate::error::Result<Typed> {
    let data = call.take_as(0, SparkType::Binary)?;
    let mut told = told(call, &given)?;
    let set = match told.given.take() {
        Some(set) => set,
        None => told.latest(call, &told.place.subject(told.message.as_deref())?)?.1,
    };
    let full_name = told.full_name(&set)?;
    let reader = ProtobufReader::new(&set, &full_name, &told.options).map_err(condition)?;
    let data_type = SparkType::from_arrow(&reader.data_type())?;
    let message = set.local_name(&full_name).map_err(condition)?.to_owned();
    let fail_fast = told.options.mode == ParseMode::FailFast;
    let kernel = FromRegistered::new(told.place, RegisteredProtobuf { fail_fast, message, reader });
    let mut result = call.finish(kernel, vec![data], data_type).nullable(true);
    result.foldable = false;
    Ok(result)
}

impl RegisteredProtobuf {
    /// Checks the message at a path of a writer's schema, once.
    fn check(&self, writer: &Described, indexes: Vec<u32>) -> std::result::Result<(), String> {
        let lock = || writer.readable.lock().unwrap_or_else(PoisonError::into_inner);
        if lock().contains(&indexes) {
            return Ok(());
        }
        let set = &writer.set;
        let name = set.message_at(&indexes);
        let name = name.ok_or_else(|| format!("its schema has no message at the indexes {indexes:?}"))?;
        let local = set.local_name(&name).map_err(|error| error.to_string())?;
        if local != self.message {
            return Err(format!("it is a message {name}, where {} is read", self.message));
        }
        self.reader.check_writer(set, &name).map_err(|error| error.to_string())?;
        lock().insert(indexes);
        Ok(())
    }
}

impl Decode for RegisteredProtobuf {
    const FUNCTION: &'static str = "from_protobuf";
    const FORMAT: SchemaFormat = SchemaFormat::Protobuf;
    type Writer = Described;

    fn data_type(&self) -> DataType {
        self.reader.data_type()
    }

    fn fails(&self) -> bool {
        self.fail_fast
    }

    fn writer(&self, schema: &RegisteredSchema) -> crate::error::Result<Described> {
        Ok(Described { set: parse_registered(schema)?, readable: Mutex::default() })
    }

    fn read(&self, column: &BinaryViewArray, writers: &Writers<Described>) -> Result<ArrayRef> {
        // Neighbours mostly agree.
        let mut last: Option<&[u8]> = None;
        let readable = |row: usize| {
            let bytes = column.value(row);
            if last.is_some_and(|last| bytes.starts_with(last)) {
                return Ok(());
            }
            let writer = writers.of(bytes).map_err(|unreadable| unreadable.why.clone())?;
            let framed = framing::parse(bytes, Self::FORMAT).map_err(|unframed| unframed.to_string())?;
            self.check(writer, framed.indexes)?;
            last = Some(&bytes[..bytes.len() - framed.payload.len()]);
            Ok(())
        };
        let payloads = framing::payloads(column, Self::FORMAT);
        self.reader.read_each(&payloads, readable).map_err(row_error)
    }
}

/// The writer's part of a `to_protobuf`.
struct Encoder {
    indexes: Vec<u32>,
    writer: ProtobufWriter,
}

impl Encode for Encoder {
    const FUNCTION: &'static str = "to_protobuf";
    const FORMAT: SchemaFormat = SchemaFormat::Protobuf;

    fn indexes(&self) -> &[u32] {
        &self.indexes
    }

    fn write(&self, values: &dyn Array, header: &[u8]) -> Result<ArrayRef> {
        let messages = self.writer.write(values).map_err(row_error)?;
        Ok(std::sync::Arc::new(framing::framed(&*messages, header).map_err(row_error)?))
    }
}

pub(super) fn to_protobuf(call: &Call<'_>, given: BTreeMap<String, String>) -> crate::error::Result<Typed> {
    let value = call.args[0].clone();
    let mut told = told(call, &given)?;
    let source = value.data_type.clone();
    let encoder = |set: &DescriptorSet, full_name: &str| {
        let indexes = set.indexes(full_name).map_err(condition)?;
        Ok::<_, Error>(Encoder { indexes, writer: writer(&source, set, full_name)? })
    };
    let kernel = match told.given.take() {
        Some(set) => {
            let full_name = told.full_name(&set)?;
            let encoder = encoder(&set, &full_name)?;
            let subject = told.place.subject(Some(&full_name))?;
            let schema = new_schema(&set, &full_name)?;
            ToRegistered::with_schema(told.place, subject, source.clone(), encoder, schema)
        }
        None => {
            let subject = told.place.subject(told.message.as_deref())?;
            let (id, set) = told.latest(call, &subject)?;
            let full_name = told.full_name(&set)?;
            let encoder = encoder(&set, &full_name)?;
            // An imported message has its indexes in another file.
            if set.message_at(&encoder.indexes).as_deref() != Some(&*full_name) {
                return Err(Error::unsupported(format!(
                    "to_protobuf to {full_name}, which the schema of {subject} imports; name the subject that declares it"
                )));
            }
            ToRegistered::with_id(told.place, subject, source.clone(), encoder, id)
        }
    };
    let mut result = call.finish(kernel, vec![value], SparkType::Binary);
    result.foldable = false;
    Ok(result)
}

/// The file of a message, with those that it needs.
fn new_schema(set: &DescriptorSet, full_name: &str) -> crate::error::Result<NewSchema> {
    let mut texts = set.texts(full_name).map_err(condition)?;
    let own = texts.pop().ok_or_else(|| Error::unsupported("a message without a file"))?;
    let referred = texts.into_iter().map(|file| ReferredSchema {
        name: file.name,
        text: file.text,
        references: file.imports,
    });
    Ok(NewSchema {
        format: SchemaFormat::Protobuf,
        text: own.text,
        references: own.imports,
        referred: referred.collect(),
    })
}
