//! The session: settings, runtimes, names, Kafka connections and running queries. Everything begins here.

mod catalog;
mod conf;
mod registries;
mod rows;
mod runtimes;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Weak};

use datafusion::catalog::TableProvider;
use datafusion::execution::session_state::SessionState;
use millstream_plan::functions::BatchTime;
use millstream_plan::tree::Relation;
use millstream_plan::types::StructType;
use parking_lot::Mutex;
use tokio::runtime::Handle;

pub use catalog::Catalog;
pub use conf::{ENVIRONMENT, STRICT_OPTIONS, SessionConf};
pub use rows::{IntoRow, IntoSchema, Row};

use crate::error::Result;
use crate::frame::{DataFrame, DataFrameReader};
use crate::query::StreamingQueryManager;
use crate::source::kafka::KafkaClients;

/// A session. Cheap to clone; clones are the same session. Two sessions of one process share nothing.
///
/// Works inside and outside a tokio runtime: what it runs, it runs on threads of its own. Dropping the last handle
/// never blocks; running queries keep their session.
#[derive(Debug, Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    conf: SessionConf,
    runtimes: runtimes::Runtimes,
    catalog: catalog::SessionCatalog,
    kafka: Arc<KafkaClients>,
    streams: StreamingQueryManager,
    state: Mutex<Option<(u64, SessionState)>>,
}

/// The session that [`SessionBuilder::get_or_create`] gives out again.
static SHARED: Mutex<Weak<Inner>> = Mutex::new(Weak::new());

/// Settings of a session to be.
#[derive(Debug, Clone, Default)]
pub struct SessionBuilder {
    settings: BTreeMap<String, String>,
}

impl SessionBuilder {
    /// A setting by its Spark name. Wins over the environment variable `MILLSTREAM_CONF`.
    #[must_use]
    pub fn config(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.settings.insert(name.into(), value.to_string());
        self
    }

    /// The program's name: the setting `spark.app.name`.
    #[must_use]
    pub fn app_name(self, name: impl ToString) -> Self {
        self.config("spark.app.name", name)
    }

    /// Spark's master: `local[3]` computes on three threads, anything else on one for each core.
    #[must_use]
    pub fn master(self, master: impl ToString) -> Self {
        let master = master.to_string();
        let threads = master.strip_prefix("local[").and_then(|rest| rest.strip_suffix(']'));
        match threads.and_then(|threads| threads.parse::<usize>().ok()) {
            Some(threads) if threads > 0 => {
                self.config("spark.master", master).config("millstream.parallelism", threads)
            }
            _ => self.config("spark.master", master),
        }
    }

    /// A new session, independent of all others.
    ///
    /// # Errors
    /// A setting that has no meaning, or threads that cannot be started.
    pub fn build(self) -> Result<Session> {
        let mut settings = conf::from_environment()?;
        settings.extend(self.settings);
        let conf = SessionConf::new(settings);
        let runtimes = runtimes::Runtimes::new(conf.plan_conf().parallelism()?)?;
        let kafka = Arc::new(KafkaClients::new(runtimes.io().clone()));
        conf.set_registries(Arc::new(registries::SessionRegistries::new(runtimes.io().clone())));
        let inner = Inner {
            conf,
            runtimes,
            catalog: Default::default(),
            kafka,
            streams: StreamingQueryManager::default(),
            state: Mutex::new(None),
        };
        Ok(Session { inner: Arc::new(inner) })
    }

    /// The process's shared session with these settings added, or a new one that becomes it.
    ///
    /// # Errors
    /// As [`SessionBuilder::build`].
    pub fn get_or_create(self) -> Result<Session> {
        let mut shared = SHARED.lock();
        if let Some(inner) = shared.upgrade() {
            for (name, value) in self.settings {
                inner.conf.set(name, value);
            }
            return Ok(Session { inner });
        }
        let session = self.build()?;
        *shared = Arc::downgrade(&session.inner);
        Ok(session)
    }
}

impl Session {
    /// Begins a session.
    pub fn builder() -> SessionBuilder {
        SessionBuilder::default()
    }

    /// The settings.
    pub fn conf(&self) -> &SessionConf {
        &self.inner.conf
    }

    /// Begins a batch read.
    pub fn read(&self) -> DataFrameReader {
        DataFrameReader::new(self.clone(), false)
    }

    /// Begins a streaming read.
    pub fn read_stream(&self) -> DataFrameReader {
        DataFrameReader::new(self.clone(), true)
    }

    /// The result of a query in Spark's SQL over the registered views.
    ///
    /// # Errors
    /// A text that does not parse, unknown names, wrong types.
    pub fn sql(&self, text: impl Into<String>) -> Result<DataFrame> {
        DataFrame::new(self.clone(), Relation::Sql(text.into()))
    }

    /// One BIGINT column `id` from 0 up to, not including, `end`.
    ///
    /// # Errors
    /// None today; building a frame is fallible throughout.
    pub fn range(&self, end: i64) -> Result<DataFrame> {
        DataFrame::new(self.clone(), Relation::Range { start: 0, end, step: 1, partitions: None })
    }

    /// A frame over rows in memory. The schema is a [`StructType`] or a DDL text such as `name string, age int`.
    ///
    /// # Errors
    /// A schema text that does not parse; a row whose length or values do not fit the schema.
    pub fn create_data_frame<R: IntoRow>(
        &self,
        rows: impl IntoIterator<Item = R>,
        schema: impl IntoSchema,
    ) -> Result<DataFrame> {
        let schema = schema.into_schema()?;
        let rows = rows::fit_rows(rows, &schema)?;
        DataFrame::new(self.clone(), Relation::Rows { schema, rows })
    }

    /// The frame of a registered view or table.
    ///
    /// # Errors
    /// No view or table has this name.
    pub fn table(&self, name: &str) -> Result<DataFrame> {
        DataFrame::new(self.clone(), Relation::Table(millstream_plan::sql::parse_name(name)?))
    }

    /// Forgets a view; false when there is none of the name.
    pub fn drop_temp_view(&self, name: &str) -> bool {
        self.inner.catalog.drop_view(name)
    }

    /// The streaming queries of the session.
    pub fn streams(&self) -> &StreamingQueryManager {
        &self.inner.streams
    }

    /// From now on SIGINT and SIGTERM end the session's queries gracefully; a second signal ends the process.
    pub fn stop_on_signals(&self) {
        self.inner.streams.stop_on_signals();
    }

    /// A frame over a tree that was built elsewhere.
    ///
    /// # Errors
    /// Unknown names, wrong types, features that are missing.
    pub fn frame(&self, relation: Relation) -> Result<DataFrame> {
        DataFrame::new(self.clone(), relation)
    }

    /// What the analyzer looks names up in.
    pub fn catalog(&self) -> Catalog<'_> {
        Catalog { session: self }
    }

    /// A planning and execution state for one query, with a batch time of its own that is not fixed yet.
    ///
    /// # Errors
    /// A setting that has no meaning.
    pub fn state(&self) -> Result<SessionState> {
        let version = self.inner.conf.version();
        let mut cached = self.inner.state.lock();
        let mut state = match &*cached {
            Some((made_at, state)) if *made_at == version => state.clone(),
            _ => {
                let mut state = millstream_plan::session::session_state(&self.inner.conf.plan_conf())?;
                state.config_mut().set_extension(self.inner.kafka.clone());
                *cached = Some((version, state.clone()));
                state
            }
        };
        state.config_mut().options_mut().extensions.insert(BatchTime::default());
        // Functions keep the options that the state has at this moment, the batch time among them.
        state.mark_start_execution();
        Ok(state)
    }

    /// The runtime for work that computes.
    pub fn cpu_runtime(&self) -> &Handle {
        self.inner.runtimes.cpu()
    }

    /// The runtime for Kafka's sockets.
    pub fn io_runtime(&self) -> &Handle {
        self.inner.runtimes.io()
    }

    /// Runs a future on the session's own threads and blocks until it is done; for programs without async.
    ///
    /// # Errors
    /// The future's own, and a panic in it.
    pub fn block_on<T, F>(&self, future: F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        runtimes::block_on(self.cpu_runtime(), future)
    }

    pub(crate) async fn run<T, F>(&self, future: F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        runtimes::run_on(self.cpu_runtime(), future).await
    }

    pub(crate) fn kafka(&self) -> &Arc<KafkaClients> {
        &self.inner.kafka
    }

    pub(crate) fn register_view(&self, name: &str, frame: &DataFrame) {
        let (relation, analyzed) = frame.shared();
        self.inner.catalog.set_view(name, relation, analyzed);
    }

    pub(crate) fn hand_in(&self, provider: &Arc<dyn TableProvider>, schema: StructType) -> Relation {
        self.inner.catalog.hand_in(provider, schema)
    }
}
