//! The client.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::answer::{Compatibility, CompatibilityBody, IdBody, NewSchema, Schema, SchemaBody, SchemaVersion};
use crate::cache::{Cache, MOST_BYTES};
use crate::error::{Error, Result};
use crate::http::{Asked, Http};
use crate::options::RegistryOptions;
use crate::references;
use crate::send::{Call, Sender};

/// A registry. Cheap to clone; clones share what they know and their connections. Used within a tokio runtime.
///
/// A call ends at the deadline of the options, whatever it waits for: connections, answers, other calls that ask for
/// the same, schemas that are referred to. At most 16 requests are under way at once.
///
/// Kept are schemas by id, numbered versions, and ids of schemas by subject and text: 64 MiB of each, of which the
/// least used go first. A subject that is deleted from the registry is not noticed.
#[derive(Debug, Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

struct Inner {
    sender: Sender,
    by_id: Cache<u32, Arc<Schema>>,
    by_version: Cache<(String, i32), Arc<SchemaVersion>>,
    /// By subject and the body that asks for it.
    ids: Cache<(String, String), u32>,
}

/// Shows the options, not what is kept.
impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("sender", &self.sender).finish_non_exhaustive()
    }
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

/// What a subject's name keeps in a path (RFC 3986, 2.3).
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The path of a subject.
///
/// # Errors
/// [`Error::Config`] for names that a path cannot carry.
fn path_of(subject: &str) -> Result<String> {
    if matches!(subject, "" | "." | "..") {
        let why = format!("{subject:?} cannot be a subject: a URL's path would lose it");
        return Err(Error::Config { option: "subject".into(), why });
    }
    Ok(format!("/subjects/{}", utf8_percent_encode(subject, KEPT)))
}

impl Registry {
    /// A client of the registry. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::Config`] for files for TLS that cannot be read and a token that a header cannot carry.
    pub fn new(options: RegistryOptions) -> Result<Self> {
        let missing = options.missing_for;
        let sender = Sender::new(Http::new(options)?);
        let by_id = Cache::new(MOST_BYTES, missing);
        let (by_version, ids) = (Cache::new(MOST_BYTES, missing), Cache::new(MOST_BYTES, missing));
        Ok(Self { inner: Arc::new(Inner { sender, by_id, by_version, ids }) })
    }

    /// All subjects.
    ///
    /// # Errors
    /// As every call: no answer within the deadline, no usable server, a refusal, an answer that cannot be used.
    pub async fn subjects(&self) -> Result<Vec<String>> {
        self.get("/subjects".into(), "the list of subjects", self.until()).await
    }

    /// The versions of a subject.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such subject.
    pub async fn versions(&self, subject: &str) -> Result<Vec<i32>> {
        self.get(format!("{}/versions", path_of(subject)?), &format!("subject {subject}"), self.until()).await
    }

    /// A version of a subject, with everything that its schema refers to.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such subject or version; for a number, it is not asked for again for a
    /// while.
    pub async fn version(&self, subject: &str, version: Version) -> Result<SchemaVersion> {
        let until = self.until();
        let mut found = (*self.unresolved(subject, version, until).await?).clone();
        references::resolve(self, &mut found.schema, &of_version(subject, version), until).await?;
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
        let (what, until) = (format!("schema of the id {id}"), self.until());
        let fetch = || async {
            let body: SchemaBody = self.get(format!("/schemas/ids/{id}"), &what, until).await?;
            let mut schema = body.into_schema(id);
            references::resolve(self, &mut schema, &what, until).await?;
            Ok(Arc::new(schema))
        };
        let (late, missing) = (|| self.late(&what), || self.missing(&what));
        self.inner.by_id.get_unless_missing(id, until, late, missing, fetch).await
    }

    /// Registers a schema under a subject and gives its id; one that is there already keeps its id.
    ///
    /// # Errors
    /// [`Error::Incompatible`] if it may not follow the subject's versions, [`Error::Invalid`] if it is no schema.
    pub async fn register(&self, subject: &str, schema: &Schema) -> Result<u32> {
        let path = format!("{}/versions", path_of(subject)?);
        self.id_by(subject, schema, path, format!("to register a schema under {subject}")).await
    }

    /// The id of a schema that is registered under a subject. Found ids are kept, also for
    /// [`Registry::register`].
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not.
    pub async fn lookup(&self, subject: &str, schema: &Schema) -> Result<u32> {
        let path = path_of(subject)?;
        self.id_by(subject, schema, path, format!("such schema under the subject {subject}")).await
    }

    /// The version under which a schema is registered, without the texts that it refers to. Asked for anew each time.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not.
    pub async fn find(&self, subject: &str, schema: &Schema) -> Result<SchemaVersion> {
        let (path, what) = (path_of(subject)?, format!("such schema under the subject {subject}"));
        let body = self.body(&NewSchema::from(schema), &what)?;
        let found: SchemaBody = self.post(path, body, &what, self.until()).await?;
        self.as_version(found, subject, &what)
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
        let path = format!("/compatibility{}/versions/{version}?verbose=true", path_of(subject)?);
        let what = of_version(subject, version);
        let body = self.body(&NewSchema::from(schema), &what)?;
        let found: CompatibilityBody = self.post(path, body, &what, self.until()).await?;
        Ok(Compatibility { is_compatible: found.is_compatible, messages: found.messages.unwrap_or_default() })
    }

    /// What the client was made with.
    pub fn options(&self) -> &RegistryOptions {
        self.inner.sender.http().options()
    }

    /// A version without the texts that it refers to.
    pub(crate) async fn unresolved(
        &self,
        subject: &str,
        version: Version,
        until: Instant,
    ) -> Result<Arc<SchemaVersion>> {
        let what = of_version(subject, version);
        let path = format!("{}/versions/{version}", path_of(subject)?);
        let fetch = || async {
            let body: SchemaBody = self.get(path, &what, until).await?;
            self.as_version(body, subject, &what).map(Arc::new)
        };
        match version {
            Version::Latest => fetch().await,
            Version::Number(number) if number < 1 => {
                let why = format!("{number} is no version of {subject}: they are counted from 1");
                Err(Error::Config { option: "version".into(), why })
            }
            Version::Number(number) => {
                let (key, late, missing) =
                    ((subject.to_owned(), number), || self.late(&what), || self.missing(&what));
                self.inner.by_version.get_unless_missing(key, until, late, missing, fetch).await
            }
        }
    }

    fn as_version(&self, body: SchemaBody, subject: &str, what: &str) -> Result<SchemaVersion> {
        let lacks = |field: &str| self.bad_answer(what, format!("it has no {field}"));
        let (id, number) = (body.id, body.version);
        let id = id.ok_or_else(|| lacks("id"))?;
        let version = number.ok_or_else(|| lacks("version"))?;
        let subject = body.subject.clone().unwrap_or_else(|| subject.to_owned());
        Ok(SchemaVersion { subject, version, schema: body.into_schema(id) })
    }

    async fn id_by(&self, subject: &str, schema: &Schema, path: String, what: String) -> Result<u32> {
        let until = self.until();
        let body = self.body(&NewSchema::from(schema), &what)?;
        let key = (subject.to_owned(), body.clone());
        let fetch = || async {
            let found: IdBody = self.post(path, body, &what, until).await?;
            Ok(found.id)
        };
        self.inner.ids.get(key, until, || self.late(&what), fetch).await
    }

    async fn get<T: DeserializeOwned>(&self, path: String, what: &str, until: Instant) -> Result<T> {
        let asked = Asked { method: Method::GET, path, body: None };
        self.inner.sender.call(&Call { asked, what, until }).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: String,
        body: String,
        what: &str,
        until: Instant,
    ) -> Result<T> {
        let asked = Asked { method: Method::POST, path, body: Some(Bytes::from(body)) };
        self.inner.sender.call(&Call { asked, what, until }).await
    }

    fn body(&self, body: &impl Serialize, what: &str) -> Result<String> {
        serde_json::to_string(body).map_err(|e| self.bad_answer(what, format!("it cannot be asked for: {e}")))
    }

    fn until(&self) -> Instant {
        Instant::now() + self.options().deadline
    }

    fn late(&self, what: &str) -> Error {
        Error::Unavailable {
            what: what.to_owned(),
            urls: self.inner.sender.urls(),
            after: self.options().deadline,
            last: "another call that asks for the same has no answer yet".into(),
        }
    }

    fn missing(&self, what: &str) -> Error {
        Error::NotFound { what: what.to_owned(), urls: self.inner.sender.urls() }
    }

    fn bad_answer(&self, what: &str, why: String) -> Error {
        Error::BadAnswer { what: what.to_owned(), url: self.inner.sender.urls(), why }
    }
}

fn of_version(subject: &str, version: Version) -> String {
    format!("subject {subject}, version {version}")
}
