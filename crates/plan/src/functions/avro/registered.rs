//! `from_avro(data, subject, address [, options])` and `to_avro(data, subject, address [, options])`: payloads in the
//! framing of a schema registry ([`crate::functions::registered`]).
//!
//! Reading, the result's type is the subject's latest schema, or the option `avroSchema`, at the time of the analysis.
//! Writing, the schema is that of the column's type, or the option `avroSchema`, or the subject's latest if
//! `use.latest.version` is true. By strategies that name a subject after its record, that is the name of `avroSchema`,
//! or the one that the column's type gives.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryViewArray};
use arrow_schema::DataType;
use datafusion::common::Result;
use millstream_columnar::avro::{AvroReadOptions, AvroReader, AvroWriter, Schema, Writer, WriterPlan};
use millstream_columnar::framing::{self, SchemaFormat};
use millstream_columnar::json::ParseMode;

use super::{columnar, parse, read_options};
use crate::analyzer::Typed;
use crate::functions::call::Call;
use crate::functions::external;
use crate::functions::registered::{
    Decode, Encode, FromRegistered, Place, ToRegistered, Writers, given_options, shown,
};
use crate::schemas::{NewSchema, RegisteredSchema};
use crate::types::SparkType;

/// The arguments that may be shown.
const SHOWN: usize = 3;

fn place(call: &Call<'_>) -> crate::error::Result<(Place, AvroReadOptions)> {
    let visible = shown(call, SHOWN);
    let subject = visible.constant_text(1, "subject")?.unwrap_or_default();
    let address = visible.constant_text(2, "schemaRegistryAddress")?.unwrap_or_default();
    let (read, others) = read_options(&visible, &given_options(call, SHOWN, "AVRO")?)?;
    Ok((Place::open(call, Some(subject), address, others)?, read))
}

fn parse_registered(found: &RegisteredSchema) -> crate::error::Result<Schema> {
    let texts: Vec<String> = found.references.iter().map(|(_, text)| text.clone()).collect();
    Schema::parse_with_references(&found.text, &texts).map_err(columnar)
}

/// The reader's part of a `from_avro`.
pub(crate) struct RegisteredAvro {
    fail_fast: bool,
    reader: AvroReader,
}

pub(super) fn from_avro(call: &Call<'_>) -> crate::error::Result<Typed> {
    let (place, options) = place(call)?;
    let data = shown(call, SHOWN).take_as(0, SparkType::Binary)?;
    let latest = match &options.avro_schema {
        Some(text) => parse(text)?,
        None => parse_registered(&place.latest(call, &place.subject(None)?, SchemaFormat::Avro)?)?,
    };
    let fail_fast = options.mode == ParseMode::FailFast;
    let reader = AvroReader::new(&latest, options).map_err(columnar)?;
    let data_type = SparkType::from_arrow(reader.data_type())?;
    let kernel = FromRegistered::new(place, RegisteredAvro { fail_fast, reader });
    let mut result = call.finish(kernel, vec![data], data_type).nullable(true);
    result.sql = shown(call, SHOWN).sql();
    result.foldable = false;
    Ok(result)
}

impl Decode for RegisteredAvro {
    const FUNCTION: &'static str = "from_avro";
    const FORMAT: SchemaFormat = SchemaFormat::Avro;
    type Writer = WriterPlan;

    fn data_type(&self) -> DataType {
        self.reader.data_type().clone()
    }

    fn fails(&self) -> bool {
        self.fail_fast
    }

    fn writer(&self, schema: &RegisteredSchema) -> crate::error::Result<WriterPlan> {
        self.reader.plan(&parse_registered(schema)?).map_err(columnar)
    }

    fn read(&self, column: &BinaryViewArray, writers: &Writers<WriterPlan>) -> Result<ArrayRef> {
        let writer = |row: usize| match writers.of(column.value(row)) {
            Ok(plan) => Writer::Plan(plan),
            Err(why) => Writer::Unknown(why),
        };
        let payloads = framing::payloads(column, SchemaFormat::Avro);
        self.reader.read_each(&payloads, writer).map_err(|e| external(columnar(e)))
    }
}

impl Encode for AvroWriter {
    const FUNCTION: &'static str = "to_avro";
    const FORMAT: SchemaFormat = SchemaFormat::Avro;

    fn write(&self, values: &dyn Array, header: &[u8]) -> Result<ArrayRef> {
        Ok(Arc::new(Self::write(self, values, header).map_err(|e| external(columnar(e)))?))
    }
}

pub(super) fn to_avro(call: &Call<'_>) -> crate::error::Result<Typed> {
    let (place, options) = place(call)?;
    let value = call.args[0].clone();
    let given = options.avro_schema.as_deref().map(parse).transpose()?;
    let compiled = |schema: Option<&Schema>| {
        AvroWriter::new(&value.data_type.to_arrow(), value.nullable, schema).map_err(columnar)
    };
    let writer = compiled(given.as_ref())?;
    let subject = place.subject(writer.schema().full_name().as_deref())?;
    let source = value.data_type.clone();
    let kernel = if given.is_none() && place.uses_latest() {
        let latest = place.latest(call, &subject, SchemaFormat::Avro)?;
        let writer = compiled(Some(&parse_registered(&latest)?))?;
        ToRegistered::with_id(place, subject, source, writer, latest.id)
    } else {
        let schema = NewSchema::alone(SchemaFormat::Avro, writer.schema().to_json());
        ToRegistered::with_schema(place, subject, source, writer, schema)
    };
    let mut result = call.finish(kernel, vec![value], SparkType::Binary);
    result.sql = shown(call, SHOWN).sql();
    result.foldable = false;
    Ok(result)
}
