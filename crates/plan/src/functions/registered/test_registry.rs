//! A registry in memory for tests, and queries over it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use millstream_columnar::framing::SchemaId;

use crate::analyzer::{Catalog, Conf, Source, analyze};
use crate::error::{Error, Result};
use crate::schemas::{NewSchema, RegisteredSchema, SchemaRegistries, SchemaRegistry};
use crate::session::session_state;
use crate::tree::{Read, Relation};

/// Knows its schemas by id, of which the last that is not of another format than the first is the latest of the subject
/// `s`; gives the id 258 to what is registered.
#[derive(Debug, Default)]
pub(in crate::functions) struct InMemory {
    schemas: Vec<RegisteredSchema>,
    asked: AtomicUsize,
    registered: Mutex<Vec<(String, NewSchema)>>,
}

impl InMemory {
    pub fn new(schemas: impl IntoIterator<Item = (SchemaId, &'static str, &'static str)>) -> Arc<Self> {
        let of = |(id, format, text): (SchemaId, &str, &str)| {
            let (format, text) = (format.to_owned(), text.to_owned());
            RegisteredSchema { id, format, text, references: Vec::new() }
        };
        Arc::new(Self { schemas: schemas.into_iter().map(of).collect(), ..Self::default() })
    }

    /// How often it was asked for ids.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// What was registered, with its subject.
    pub fn registered(&self) -> Vec<(String, NewSchema)> {
        self.registered.lock().unwrap().clone()
    }
}

impl SchemaRegistry for InMemory {
    fn latest(&self, subject: &str) -> Result<RegisteredSchema> {
        assert_eq!(subject, "s");
        let format = &self.schemas[0].format;
        Ok(self.schemas.iter().rfind(|schema| schema.format == *format).unwrap().clone())
    }

    fn by_ids(&self, ids: &[SchemaId]) -> Result<Vec<Option<RegisteredSchema>>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Ok(ids.iter().map(|id| self.schemas.iter().find(|schema| schema.id == *id).cloned()).collect())
    }

    fn subject(&self, strategy: &str, topic: &str, is_key: bool, record: Option<&str>) -> Result<String> {
        Ok(format!("{strategy} {topic} {is_key} {record:?}"))
    }

    fn id_of(&self, subject: &str, schema: &NewSchema, register: bool) -> Result<SchemaId> {
        if !register {
            return Err(Error::unsupported("what is not registered"));
        }
        self.registered.lock().unwrap().push((subject.to_owned(), schema.clone()));
        Ok(258)
    }
}

/// The only registry there is, at `http://r`, with a credential.
#[derive(Debug)]
struct One(Arc<InMemory>);

impl SchemaRegistries for One {
    fn open(&self, address: &str, options: &BTreeMap<String, String>) -> Result<Arc<dyn SchemaRegistry>> {
        assert_eq!(address, "http://r");
        let options: Vec<&str> = options.values().map(String::as_str).collect();
        assert_eq!(options, ["u:hush"]);
        Ok(Arc::clone(&self.0) as Arc<dyn SchemaRegistry>)
    }
}

struct NoTables;

impl Catalog for NoTables {
    fn table(&self, _name: &str) -> Option<Relation> {
        None
    }

    fn source(&self, _read: &Read) -> Result<Source> {
        Err(Error::unsupported("a source in this test"))
    }
}

/// The texts of a query's first column. No plan shows the credential.
pub(in crate::functions) fn rows(query: &str, registry: &Arc<InMemory>) -> Result<Vec<String>> {
    let conf = Conf::from_iter([("millstream.parallelism", "1")]);
    let conf = conf.with_registries(Arc::new(One(Arc::clone(registry))));
    let analyzed = analyze(&Relation::Sql(query.to_owned()), &NoTables, &conf)?;
    let text = format!("{:?} {:?}", analyzed.plan, analyzed.schema);
    assert!(!text.contains("hush"), "no plan shows a credential: {text}");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let state = session_state(&conf)?;
    let batches = runtime.block_on(async {
        let plan = state.create_physical_plan(&analyzed.plan).await?;
        datafusion::physical_plan::collect(plan, state.task_ctx()).await
    })?;
    let texts = batches.iter().flat_map(|batch| {
        let column = arrow_cast::cast(batch.column(0), &arrow_schema::DataType::Utf8View).unwrap();
        let column: &arrow_array::StringViewArray = arrow_array::cast::AsArray::as_string_view(&*column);
        column.iter().map(|text| text.unwrap_or("NULL").to_owned()).collect::<Vec<_>>()
    });
    Ok(texts.collect())
}
