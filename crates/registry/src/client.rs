//! The client.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::answer::{Compatibility, CompatibilityBody, IdBody, NewSchema, Schema, SchemaBody, SchemaVersion};
use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::http::Http;
use crate::options::RegistryOptions;
use crate::references;
use crate::send::{Call, Sender};

/// A registry. Cheap to clone; clones share what they know. Used within a tokio runtime.
#[derive(Debug, Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    sender: Sender,
    by_id: Cache<u32, Arc<Schema>>,
    by_version: Cache<(String, i32), Arc<SchemaVersion>>,
    ids: Cache<(String, String, bool), u32>,
}

/// Which version of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The newest; asked for anew each time.
    Latest,
    /// By number, from 1.
    Number(i32),
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Number(number) => number.fmt(f),
        }
    }
}

/// What a subject's name keeps in a path.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn encoded(subject: &str) -> impl fmt::Display + '_ {
    utf8_percent_encode(subject, KEPT)
}

impl Registry {
    /// A client of the registry. Nothing is sent yet.
    ///
    /// # Errors
    /// Files for TLS that cannot be read.
    pub fn new(options: RegistryOptions) -> Result<Self> {
        let missing = options.missing_for;
        let sender = Sender::new(Http::new(options)?);
        let (by_id, by_version, ids) = (Cache::new(missing), Cache::new(missing), Cache::new(missing));
        Ok(Self { inner: Arc::new(Inner { sender, by_id, by_version, ids }) })
    }

    /// All subjects.
    ///
    /// # Errors
    /// As every call: no answer within the deadline, a refusal, an answer that cannot be used.
    pub async fn subjects(&self) -> Result<Vec<String>> {
        self.get("/subjects".into(), "the list of subjects").await
    }

    /// The versions of a subject.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such subject.
    pub async fn versions(&self, subject: &str) -> Result<Vec<i32>> {
        self.get(format!("/subjects/{}/versions", encoded(subject)), &format!("subject {subject}")).await
    }

    /// A version of a subject, with everything that its schema refers to.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such subject or version.
    pub async fn version(&self, subject: &str, version: Version) -> Result<SchemaVersion> {
        let mut found = (*self.unresolved(subject, version).await?).clone();
        references::resolve(self, &mut found.schema, &of_version(subject, version)).await?;
        Ok(found)
    }

    /// The newest version of a subject.
    ///
    /// # Errors
    /// As [`Registry::version`].
    pub async fn latest(&self, subject: &str) -> Result<SchemaVersion> {
        self.version(subject, Version::Latest).await
    }

    /// A schema by its id, with everything that it refers to. Known ids need no request.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such id; it is not asked for again for a while.
    pub async fn schema(&self, id: u32) -> Result<Arc<Schema>> {
        let what = format!("schema of the id {id}");
        let fetch = || async {
            let body: SchemaBody = self.get(format!("/schemas/ids/{id}"), &what).await?;
            let mut schema = body.into_schema(id);
            references::resolve(self, &mut schema, &what).await?;
            Ok(Arc::new(schema))
        };
        self.inner.by_id.get(id, &what, self.options().deadline, fetch).await
    }

    /// Registers a schema under a subject and gives its id; one that is there already keeps its id.
    ///
    /// # Errors
    /// [`Error::Refused`] with status 409 if it is not compatible, 422 if it is no schema.
    pub async fn register(&self, subject: &str, schema: &Schema) -> Result<u32> {
        let path = format!("/subjects/{}/versions", encoded(subject));
        self.id_by(subject, schema, true, path, format!("to register a schema under {subject}")).await
    }

    /// The id of a schema that is registered under a subject.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not.
    pub async fn lookup(&self, subject: &str, schema: &Schema) -> Result<u32> {
        let path = format!("/subjects/{}", encoded(subject));
        self.id_by(subject, schema, false, path, format!("such schema under the subject {subject}")).await
    }

    /// Whether a schema may follow a version of a subject.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such subject or version.
    pub async fn compatibility(
        &self,
        subject: &str,
        version: Version,
        schema: &Schema,
    ) -> Result<Compatibility> {
        let path = format!("/compatibility/subjects/{}/versions/{version}?verbose=true", encoded(subject));
        let what = of_version(subject, version);
        let body: CompatibilityBody = self.post(path, &NewSchema::from(schema), &what).await?;
        Ok(Compatibility { is_compatible: body.is_compatible, messages: body.messages.unwrap_or_default() })
    }

    /// What the client was made with.
    pub fn options(&self) -> &RegistryOptions {
        self.inner.sender.http().options()
    }

    /// A version without the texts that it refers to.
    pub(crate) async fn unresolved(&self, subject: &str, version: Version) -> Result<Arc<SchemaVersion>> {
        let what = of_version(subject, version);
        let fetch = || async {
            let path = format!("/subjects/{}/versions/{version}", encoded(subject));
            let body: SchemaBody = self.get(path, &what).await?;
            let lacks =
                |field: &str| Error::BadAnswer { what: what.clone(), why: format!("it has no {field}") };
            let (id, number) = (body.id, body.version);
            let id = id.ok_or_else(|| lacks("id"))?;
            let version = number.ok_or_else(|| lacks("version"))?;
            let subject = body.subject.clone().unwrap_or_else(|| subject.to_owned());
            Ok(Arc::new(SchemaVersion { subject, version, schema: body.into_schema(id) }))
        };
        match version {
            Version::Latest => fetch().await,
            Version::Number(number) => {
                let key = (subject.to_owned(), number);
                self.inner.by_version.get(key, &what, self.options().deadline, fetch).await
            }
        }
    }

    async fn id_by(
        &self,
        subject: &str,
        schema: &Schema,
        register: bool,
        path: String,
        what: String,
    ) -> Result<u32> {
        // Schemas with references are rare and not kept.
        let body = NewSchema::from(schema);
        let fetch = || async {
            let found: IdBody = self.post(path, &body, &what).await?;
            Ok(found.id)
        };
        if !schema.references.is_empty() {
            return fetch().await;
        }
        let key = (subject.to_owned(), format!("{}{}", schema.schema_type, schema.text), register);
        self.inner.ids.get(key, &what, self.options().deadline, fetch).await
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, path: String, what: &str) -> Result<T> {
        self.inner.sender.call(&Call { method: Method::GET, path, body: None, what }).await
    }

    async fn post<T: serde::de::DeserializeOwned>(
        &self,
        path: String,
        body: &impl Serialize,
        what: &str,
    ) -> Result<T> {
        let bytes = serde_json::to_vec(body)
            .map_err(|e| Error::BadAnswer { what: what.to_owned(), why: format!("cannot be asked: {e}") })?;
        let body = Some(Bytes::from(bytes));
        self.inner.sender.call(&Call { method: Method::POST, path, body, what }).await
    }
}

fn of_version(subject: &str, version: Version) -> String {
    format!("subject {subject}, version {version}")
}
