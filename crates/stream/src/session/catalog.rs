//! What names mean in a session: temporary views, and tables that live as long as a frame over them.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use datafusion::catalog::TableProvider;
use millstream_plan::analyzer::{self, Analyzed};
use millstream_plan::tree::{Read, Relation};
use millstream_plan::types::StructType;
use parking_lot::RwLock;

use super::Session;
use crate::error::Error;
use crate::micro_batch::scan::StreamTable;

/// The format name of reads whose table was handed in as a value; users cannot write it.
const HANDED_IN: &str = "#table";

#[derive(Debug, Default)]
pub(super) struct SessionCatalog {
    views: RwLock<HashMap<String, View>>,
    tables: RwLock<HashMap<u64, HandedIn>>,
}

/// A view keeps the plan it was made from, and by it the tables that the plan reads.
#[derive(Debug, Clone)]
struct View {
    relation: Arc<Relation>,
    _keeps_tables: Arc<Analyzed>,
}

#[derive(Debug)]
struct HandedIn {
    provider: Weak<dyn TableProvider>,
    schema: StructType,
}

impl SessionCatalog {
    pub(super) fn set_view(&self, name: &str, relation: Arc<Relation>, analyzed: Arc<Analyzed>) {
        self.views.write().insert(name.to_lowercase(), View { relation, _keeps_tables: analyzed });
    }

    pub(super) fn drop_view(&self, name: &str) -> bool {
        self.views.write().remove(&name.to_lowercase()).is_some()
    }

    /// A relation over a table that exists only as a value. The table is dropped with the last frame over it.
    pub(super) fn hand_in(&self, provider: &Arc<dyn TableProvider>, schema: StructType) -> Relation {
        let streaming = (provider.as_ref() as &dyn std::any::Any).is::<StreamTable>();
        let read = Read::new(HANDED_IN, streaming);
        let mut tables = self.tables.write();
        tables.retain(|_, table| table.provider.strong_count() > 0);
        tables.insert(read.id, HandedIn { provider: Arc::downgrade(provider), schema });
        Relation::Read(read)
    }

    fn handed_in(&self, id: u64) -> Option<analyzer::Source> {
        let tables = self.tables.read();
        let table = tables.get(&id)?;
        let provider = table.provider.upgrade()?;
        let streaming = (provider.as_ref() as &dyn std::any::Any).is::<StreamTable>();
        Some(analyzer::Source { provider, schema: table.schema.clone(), streaming })
    }
}

/// The analyzer's view of a session.
#[derive(Debug)]
pub struct Catalog<'a> {
    pub(super) session: &'a Session,
}

impl analyzer::Catalog for Catalog<'_> {
    fn table(&self, name: &str) -> Option<Relation> {
        let views = self.session.inner.catalog.views.read();
        views.get(&name.to_lowercase()).map(|view| (*view.relation).clone())
    }

    fn source(&self, read: &Read) -> millstream_plan::Result<analyzer::Source> {
        if read.format == HANDED_IN {
            return self.session.inner.catalog.handed_in(read.id).ok_or_else(|| {
                Error::Misuse("the table behind this frame is gone; keep a frame over it".into()).into()
            });
        }
        Ok(crate::source::resolve(self.session, read)?)
    }
}
