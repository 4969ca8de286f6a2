//! The schema registries that a session's functions speak to: one client for each address and set of options, on the
//! session's runtime for sockets.
//!
//! The functions call from a thread that computes, and wait: for the first record of a schema, never for known ones,
//! and never longer than the registry's deadline.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::Arc;

use datafusion::error::DataFusionError;
use futures::future::join_all;
use millstream_columnar::framing::SchemaId;
use millstream_plan::Error as PlanError;
use millstream_plan::schemas::{NewSchema, RegisteredSchema, SchemaRegistries, SchemaRegistry, format_name};
use millstream_registry::{
    Error as RegistryError, Reference, Registry, RegistryOptions, Schema, SubjectNameStrategy,
};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::runtimes;

type Result<T> = millstream_plan::Result<T>;

/// The registries of a session.
pub(super) struct SessionRegistries {
    io: Handle,
    open: Mutex<HashMap<Key, Arc<Connected>>>,
}

/// Address and options, which hold credentials.
type Key = (String, BTreeMap<String, String>);

/// One registry.
#[derive(Debug)]
struct Connected {
    registry: Registry,
    io: Handle,
}

impl SessionRegistries {
    pub(super) fn new(io: Handle) -> Self {
        Self { io, open: Mutex::default() }
    }
}

impl std::fmt::Debug for SessionRegistries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionRegistries").field("open", &self.open.lock().len()).finish()
    }
}

impl SchemaRegistries for SessionRegistries {
    fn open(&self, address: &str, options: &BTreeMap<String, String>) -> Result<Arc<dyn SchemaRegistry>> {
        let key = (address.to_owned(), options.clone());
        let mut open = self.open.lock();
        if let Some(found) = open.get(&key) {
            return Ok(Arc::clone(found) as Arc<dyn SchemaRegistry>);
        }
        let options = RegistryOptions::from_properties(address, options).map_err(failed)?;
        let registry = Registry::new(options).map_err(failed)?;
        let connected = Arc::new(Connected { registry, io: self.io.clone() });
        open.insert(key, Arc::clone(&connected));
        Ok(connected)
    }
}

impl Connected {
    /// Every call of the registry's client has a deadline, so this wait has one.
    fn wait<T, F>(&self, work: impl FnOnce(Registry) -> F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        let work = work(self.registry.clone());
        // What the registry says passes through untouched: the outer result is about the runtime.
        match runtimes::block_on(&self.io, async move { Ok(work.await) }) {
            Ok(result) => result,
            Err(stopped) => Err(other(stopped)),
        }
    }
}

impl SchemaRegistry for Connected {
    fn latest(&self, subject: &str) -> Result<RegisteredSchema> {
        let subject = subject.to_owned();
        self.wait(|registry| async move {
            let found = registry.latest(&subject).await.map_err(failed)?;
            Ok(registered(&found.schema))
        })
    }

    fn by_ids(&self, ids: &[SchemaId]) -> Result<Vec<Option<RegisteredSchema>>> {
        let ids = ids.to_vec();
        self.wait(|registry| async move {
            let found = join_all(ids.iter().map(|id| registry.schema(*id))).await;
            let known = |found: millstream_registry::Result<Arc<Schema>>| match found {
                Ok(schema) => Ok(Some(registered(&schema))),
                Err(RegistryError::NotFound { .. }) => Ok(None),
                Err(error) => Err(failed(error)),
            };
            found.into_iter().map(known).collect()
        })
    }

    fn subject(&self, strategy: &str, topic: &str, is_key: bool, record: Option<&str>) -> Result<String> {
        let known = SubjectNameStrategy::by_name(strategy).map_err(failed)?;
        known.subject(topic, is_key, record).map_err(failed)
    }

    fn id_of(&self, subject: &str, schema: &NewSchema, register: bool) -> Result<SchemaId> {
        let (subject, schema) = (subject.to_owned(), schema.clone());
        self.wait(
            |registry| async move { id_of(&registry, &subject, &schema, register).await.map_err(failed) },
        )
    }
}

/// The id of a schema, after what it refers to has versions to refer to.
async fn id_of(
    registry: &Registry,
    subject: &str,
    schema: &NewSchema,
    register: bool,
) -> millstream_registry::Result<SchemaId> {
    let mut known: HashMap<&str, Reference> = HashMap::new();
    let new = |text: &str, names: &[String], known: &HashMap<&str, Reference>| Schema {
        references: names.iter().filter_map(|name| known.get(name.as_str()).cloned()).collect(),
        ..Schema::of_type(format_name(schema.format), text)
    };
    for referred in &schema.referred {
        let (name, text) = (&referred.name, new(&referred.text, &referred.references, &known));
        if register {
            registry.register(name, &text).await?;
        }
        let version = registry.find(name, &text).await?.version;
        known.insert(name, Reference { name: name.clone(), subject: name.clone(), version });
    }
    let schema = new(&schema.text, &schema.references, &known);
    match register {
        true => registry.register(subject, &schema).await,
        false => registry.lookup(subject, &schema).await,
    }
}

fn registered(schema: &Schema) -> RegisteredSchema {
    RegisteredSchema {
        id: schema.id,
        format: schema.schema_type.clone(),
        text: schema.text.clone(),
        references: schema.resolved.clone(),
    }
}

fn failed(error: RegistryError) -> PlanError {
    other(error)
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> PlanError {
    PlanError::DataFusion(Box::new(DataFusionError::External(Box::new(error))))
}
