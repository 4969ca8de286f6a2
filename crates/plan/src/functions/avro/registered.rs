//! `from_avro(data, subject, address [, options])` and `to_avro(data, subject, address [, options])`: payloads in the
//! framing of a schema registry, schemas from there.
//!
//! Reading: the result's type is the subject's latest schema (or the option `avroSchema`) at the time of the analysis;
//! a record is read with the schema whose id it carries. The ids of a batch are looked up together before the batch is
//! decoded; the wait has the registry's deadline, and an id once known is never asked for again. A record that is not
//! framed, or whose id the registry does not have, is a bad record; a registry that does not answer is an error of the
//! query in every mode.
//!
//! Writing: the schema (of the column's type, or the option `avroSchema`; the subject's latest if
//! `use.latest.version` is true) gets its id with the first rows, and is registered then unless
//! `auto.register.schemas` is false. Analyzing a query registers nothing.
//!
//! Where the option `value.subject.name.strategy` or `key.subject.name.strategy` names one of Confluent's strategies,
//! the second argument is the topic, and the subject follows from it and the schema's name: that of `avroSchema`, or
//! the one that the column's type gives.
//!
//! The options hold credentials: they are in no column name, plan or message.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryViewArray};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Volatility;
use millstream_columnar::avro::{
    AvroReadOptions, AvroReader, AvroWriter, Schema, Unreadable, Writer, WriterPlan,
};
use millstream_columnar::framing::{self, SchemaFormat, SchemaId};
use millstream_columnar::json::ParseMode;

use super::{columnar, parse, read_options};
use crate::analyzer::Typed;
use crate::error::Error;
use crate::functions::call::Call;
use crate::functions::external;
use crate::functions::json::bad_option;
use crate::functions::payload::{mismatch, options};
use crate::functions::udf::{Evaluation, Kernel};
use crate::schemas::{RegisteredSchema, SchemaRegistry};
use crate::types::SparkType;

/// Subject, registry, and the options that are not the registry's.
struct Place {
    /// Or the topic, where a strategy is given.
    subject: String,
    address: String,
    options: BTreeMap<String, String>,
    registry: Arc<dyn SchemaRegistry>,
}

/// Options of these functions that a registry does not know.
const OWN_OPTIONS: [&str; 4] = ["auto.register.schemas", "use.latest.version", STRATEGIES[0], STRATEGIES[1]];
const STRATEGIES: [&str; 2] = ["key.subject.name.strategy", "value.subject.name.strategy"];

impl Place {
    /// The subject of a schema, or of one that is not known yet.
    fn subject(&self, schema: Option<&Schema>) -> crate::error::Result<String> {
        let [key, value] = STRATEGIES.map(|name| self.options.get(name));
        match (key, value) {
            (None, None) => Ok(self.subject.clone()),
            (Some(_), Some(_)) => Err(bad_option(millstream_columnar::Error::BadOption {
                option: STRATEGIES.join(" and "),
                value: self.subject.clone(),
                why: "a column is keys or values; give one of the two".into(),
            })),
            (key, value) => {
                let record = schema.and_then(Schema::full_name);
                let strategy = key.or(value).map_or("", String::as_str);
                self.registry.subject(strategy, &self.subject, key.is_some(), record.as_deref())
            }
        }
    }
}

/// The call without its options, which may be shown.
fn shown<'a>(call: &Call<'a>) -> Call<'a> {
    Call { name: call.name.clone(), args: call.args[..3].to_vec(), conf: call.conf }
}

fn place(call: &Call<'_>) -> crate::error::Result<(Place, AvroReadOptions)> {
    let visible = shown(call);
    let subject = visible.constant_text(1, "subject")?.unwrap_or_default();
    let address = visible.constant_text(2, "schemaRegistryAddress")?.unwrap_or_default();
    let given = match call.args.get(3) {
        Some(arg) => {
            let only = Call { name: call.name.clone(), args: vec![arg.clone()], conf: call.conf };
            options(&only, 0, "AVRO").map_err(|_| {
                mismatch(&visible, "The options must be a constant map of strings to strings".into())
            })?
        }
        None => BTreeMap::new(),
    };
    let (read, others) = read_options(&visible, &given)?;
    let is_own = |name: &str| OWN_OPTIONS.iter().any(|own| own.eq_ignore_ascii_case(without_prefix(name)));
    let (own, registry): (BTreeMap<_, _>, BTreeMap<_, _>) =
        others.into_iter().partition(|(name, _)| is_own(name));
    let registry = call.conf.registries()?.open(&address, &registry)?;
    let own = own.into_iter().map(|(name, value)| (without_prefix(&name).to_lowercase(), value)).collect();
    Ok((Place { subject, address, options: own, registry }, read))
}

/// Databricks writes `confluent.` before the names.
fn without_prefix(name: &str) -> &str {
    ["confluent.", "schema.registry."]
        .iter()
        .fold(name, |name, prefix| name.strip_prefix(prefix).unwrap_or(name))
}

fn parse_registered(found: &RegisteredSchema) -> crate::error::Result<Schema> {
    if !found.format.eq_ignore_ascii_case("AVRO") {
        return Err(Error::unsupported(format!(
            "from_avro of a schema in {} (id {}); from_avro reads AVRO",
            found.format, found.id
        )));
    }
    Schema::parse_with_references(&found.text, &found.references).map_err(columnar)
}

/// A `from_avro` whose writers' schemas come from a registry.
#[derive(Clone)]
pub(crate) struct FromRegistered {
    place: Arc<Place>,
    fail_fast: bool,
    reader: Arc<AvroReader>,
    known: Arc<Mutex<HashMap<SchemaId, Arc<Known>>>>,
}

/// What is known of an id.
enum Known {
    Plan(WriterPlan),
    Unreadable(Unreadable),
}

pub(super) fn from_avro(call: &Call<'_>) -> crate::error::Result<Typed> {
    let (place, options) = place(call)?;
    let data = shown(call).take_as(0, SparkType::Binary)?;
    let latest = match &options.avro_schema {
        Some(text) => parse(text)?,
        None => parse_registered(&place.registry.latest(&place.subject(None)?)?)?,
    };
    let fail_fast = options.mode == ParseMode::FailFast;
    let reader = AvroReader::new(&latest, options).map_err(columnar)?;
    let data_type = SparkType::from_arrow(reader.data_type())?;
    let (place, reader) = (Arc::new(place), Arc::new(reader));
    let kernel = FromRegistered { place, fail_fast, reader, known: Arc::default() };
    let mut result = call.finish(kernel, vec![data], data_type).nullable(true);
    result.sql = shown(call).sql();
    result.foldable = false;
    Ok(result)
}

impl FromRegistered {
    /// What is known of each of the ids, after asking for those that are new.
    fn writers(&self, ids: &[SchemaId]) -> crate::error::Result<HashMap<SchemaId, Arc<Known>>> {
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let missing: Vec<SchemaId> = {
            let known = lock();
            ids.iter().copied().filter(|id| !known.contains_key(id)).collect()
        };
        if !missing.is_empty() {
            let found = self.place.registry.by_ids(&missing)?;
            for (id, schema) in missing.iter().zip(found) {
                let entry = match schema {
                    None => Known::Unreadable(Unreadable {
                        why: format!(
                            "the schema registry {} has no schema of the id {id}",
                            self.place.address
                        ),
                    }),
                    Some(schema) => self.plan(&schema),
                };
                lock().insert(*id, Arc::new(entry));
            }
        }
        let known = lock();
        Ok(ids.iter().filter_map(|id| Some((*id, Arc::clone(known.get(id)?)))).collect())
    }

    fn plan(&self, schema: &RegisteredSchema) -> Known {
        let plan = parse_registered(schema).and_then(|writer| self.reader.plan(&writer).map_err(columnar));
        match plan {
            Ok(plan) => Known::Plan(plan),
            Err(error) => Known::Unreadable(Unreadable { why: error.to_string() }),
        }
    }

    fn read(&self, column: &BinaryViewArray) -> crate::error::Result<ArrayRef> {
        let writers = self.writers(&framing::schema_ids(column))?;
        let rows = (0..column.len()).filter(|row| !column.is_null(*row));
        let reason = rows.filter_map(|row| framing::schema_id(column.value(row)).err()).next();
        let unframed = Unreadable { why: reason.map_or_else(String::new, |why| why.to_string()) };
        let writer = |row: usize| {
            let known = framing::schema_id(column.value(row)).ok().and_then(|id| writers.get(&id));
            match known.map(Arc::as_ref) {
                Some(Known::Plan(plan)) => Writer::Plan(plan),
                Some(Known::Unreadable(why)) => Writer::Unknown(why),
                None => Writer::Unknown(&unframed),
            }
        };
        self.reader.read_each(&framing::payloads(column), writer).map_err(columnar)
    }
}

impl Kernel for FromRegistered {
    fn name(&self) -> &str {
        "from_avro"
    }

    fn return_type(&self) -> DataType {
        self.reader.data_type().clone()
    }

    fn volatility(&self) -> Volatility {
        Volatility::Volatile
    }

    fn fails_for_records(&self) -> bool {
        self.fail_fast
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        self.read(args[0].as_binary_view()).map_err(external)
    }
}

/// A `to_avro` whose schema is held by a registry.
#[derive(Clone)]
struct ToRegistered {
    place: Arc<Place>,
    subject: String,
    source: SparkType,
    writer: Arc<AvroWriter>,
    register: bool,
    id: Arc<Mutex<Option<SchemaId>>>,
}

pub(super) fn to_avro(call: &Call<'_>) -> crate::error::Result<Typed> {
    let (place, options) = place(call)?;
    let value = call.args[0].clone();
    let is_set = |name: &str, default: bool| {
        place.options.get(name).map_or(default, |value| value.trim().eq_ignore_ascii_case("true"))
    };
    let latest = is_set("use.latest.version", false);
    let given = options.avro_schema.as_deref().map(parse).transpose()?;
    let compiled = |schema: Option<&Schema>| {
        AvroWriter::new(&value.data_type.to_arrow(), value.nullable, schema).map_err(columnar)
    };
    let mut writer = compiled(given.as_ref())?;
    let subject = place.subject(Some(writer.schema()))?;
    if given.is_none() && latest {
        writer = compiled(Some(&parse_registered(&place.registry.latest(&subject)?)?))?;
    }
    let kernel = ToRegistered {
        subject,
        source: value.data_type.clone(),
        register: !latest && is_set("auto.register.schemas", true),
        place: Arc::new(place),
        writer: Arc::new(writer),
        id: Arc::default(),
    };
    let mut result = call.finish(kernel, vec![value], SparkType::Binary);
    result.sql = shown(call).sql();
    result.foldable = false;
    Ok(result)
}

impl ToRegistered {
    /// The schema's id; asked for once.
    fn id(&self) -> crate::error::Result<SchemaId> {
        let mut id = self.id.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = *id {
            return Ok(id);
        }
        let schema = self.writer.schema().to_json();
        let found = self.place.registry.id_of(&self.subject, &schema, self.register)?;
        Ok(*id.insert(found))
    }
}

impl Kernel for ToRegistered {
    fn name(&self) -> &str {
        "to_avro"
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
            return Ok(arrow_array::new_null_array(&DataType::BinaryView, args[0].len()));
        }
        let header = framing::header(self.id().map_err(external)?, SchemaFormat::Avro, &[]);
        let payloads = self.writer.write(args[0].as_ref(), &header).map_err(|e| external(columnar(e)))?;
        Ok(Arc::new(payloads))
    }
}

/// Subject and address; never the options, which may hold credentials.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("subject", &self.subject).field("address", &self.address).finish()
    }
}

impl fmt::Debug for FromRegistered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromAvro").field("place", &self.place).finish()
    }
}

impl fmt::Debug for ToRegistered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToAvro").field("place", &self.place).field("source", &self.source).finish()
    }
}

/// Two calls are the same where they share what they learn: clones of one.
impl PartialEq for FromRegistered {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.known, &other.known)
    }
}

impl Eq for FromRegistered {}

impl Hash for FromRegistered {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.place.subject.hash(state);
        self.place.address.hash(state);
    }
}

impl PartialEq for ToRegistered {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.id, &other.id)
    }
}

impl Eq for ToRegistered {}

impl Hash for ToRegistered {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.place.subject.hash(state);
        self.place.address.hash(state);
    }
}
