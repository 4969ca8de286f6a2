//! Requests to the servers, over connections that are kept for the next one.
//!
//! An answer's head has at most 64 headers and 64 KiB, its body at most the option's bytes. Redirects are not
//! followed. A connection that a server has closed meanwhile is noticed when it is used again: the request then goes
//! once more, over a new one, if nothing of it was sent or if its method is idempotent (RFC 9110, 9.2.2).

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, LOCATION};
use http::{HeaderValue, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::rustls::ClientConfig;

use crate::connection::{Connection, Failure, failure};
use crate::error::{Error, Result};
use crate::options::{Authentication, RegistryOptions};
use crate::tls;

const MEDIA: &str = "application/vnd.schemaregistry.v1+json";
const MEDIA_TAKEN: &str = "application/vnd.schemaregistry.v1+json, application/json";
/// Requests under way at once; others wait.
const MOST_AT_ONCE: usize = 16;
/// Connections kept for the next request, for each URL.
const MOST_IDLE: usize = 4;
/// Servers close idle connections too, most after 30 s or more.
const IDLE_FOR: Duration = Duration::from_secs(20);

/// What a server said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub status: u16,
    /// Where a redirect leads.
    pub location: Option<String>,
    pub body: Bytes,
}

/// What to send.
#[derive(Debug)]
pub(crate) struct Asked {
    pub method: Method,
    /// Below the base URL, with a leading slash, percent-encoded.
    pub path: String,
    pub body: Option<Bytes>,
}

/// What is needed to speak to the servers.
pub(crate) struct Http {
    options: RegistryOptions,
    tls: Option<Arc<ClientConfig>>,
    authorization: Option<HeaderValue>,
    /// For each URL, the connections that wait, the last used at the end.
    idle: Vec<Mutex<Vec<(Connection, Instant)>>>,
    at_once: Semaphore,
}

/// Shows no credentials and no keys.
impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Http {
    pub fn new(options: RegistryOptions) -> Result<Self> {
        let secure = options.urls.iter().any(|url| url.scheme_str() == Some("https"));
        let tls = secure.then(|| tls::client_config(&options.tls)).transpose()?;
        let authorization = authorization(&options.authentication)?;
        let idle = options.urls.iter().map(|_| Mutex::default()).collect();
        Ok(Self { options, tls, authorization, idle, at_once: Semaphore::new(MOST_AT_ONCE) })
    }

    pub fn options(&self) -> &RegistryOptions {
        &self.options
    }

    /// Sends a request to the URL of this index and reads the whole answer.
    pub async fn request(&self, index: usize, asked: &Asked) -> Result<Answer, Failure> {
        // Never closed; without a permit there would merely be more at once.
        let _permit = self.at_once.acquire().await.ok();
        let within = self.options.request_timeout;
        let done = timeout(within, self.exchange(index, asked)).await;
        let done = done.unwrap_or_else(|_| {
            Err(Failure::passing(format!("no answer within {within:?} (option request.timeout.ms)")))
        });
        done.map_err(|failure| Failure {
            why: format!("{}: {}", self.options.urls[index], failure.why),
            ..failure
        })
    }

    async fn exchange(&self, index: usize, asked: &Asked) -> Result<Answer, Failure> {
        let base = &self.options.urls[index];
        if let Some(mut kept) = self.idle(index).await {
            match kept.send(self.message(base, asked)?).await {
                Ok(response) => return self.finish(index, kept, response).await,
                Err(unanswered) if unanswered.may_be_repeated => {}
                Err(unanswered) => return Err(unanswered.failure),
            }
        }
        let within = self.options.connect_timeout;
        let opened = timeout(within, Connection::open(base, self.tls.as_ref())).await;
        let mut opened = opened.map_err(|_| {
            Failure::passing(format!("no connection within {within:?} (option connect.timeout.ms)"))
        })??;
        let response =
            opened.send(self.message(base, asked)?).await.map_err(|unanswered| unanswered.failure)?;
        self.finish(index, opened, response).await
    }

    /// Reads the body, and keeps the connection.
    async fn finish(
        &self,
        index: usize,
        connection: Connection,
        response: Response<Incoming>,
    ) -> Result<Answer, Failure> {
        let (head, body) = response.into_parts();
        let location =
            head.headers.get(LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned());
        let body = read(body, self.options.answer_bytes).await?;
        let mut idle = self.idle[index].lock();
        if idle.len() < MOST_IDLE {
            idle.push((connection, Instant::now()));
        }
        Ok(Answer { status: head.status.as_u16(), location, body })
    }

    /// The connection that was used last, of those that are still open.
    async fn idle(&self, index: usize) -> Option<Connection> {
        loop {
            let (mut connection, _) = {
                let mut idle = self.idle[index].lock();
                idle.retain(|(_, since)| since.elapsed() < IDLE_FOR);
                idle.pop()?
            };
            if connection.is_usable().await {
                return Some(connection);
            }
        }
    }

    fn message(&self, base: &Uri, asked: &Asked) -> Result<Request<Full<Bytes>>, Failure> {
        let target = format!("{}{}", base.path().trim_end_matches('/'), asked.path);
        let host = base.authority().map_or("", |authority| authority.as_str());
        let mut request = Request::builder()
            .method(&asked.method)
            .uri(target)
            .header(HOST, host)
            .header(ACCEPT, MEDIA_TAKEN);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if asked.body.is_some() {
            request = request.header(CONTENT_TYPE, MEDIA);
        }
        let body = Full::new(asked.body.clone().unwrap_or_default());
        request.body(body).map_err(|e| Failure::lasting(format!("the request cannot be written: {e}")))
    }
}

async fn read(mut body: Incoming, limit: usize) -> Result<Bytes, Failure> {
    let too_long = || {
        Failure::lasting(format!(
            "the answer has more than {limit} bytes (the limit is RegistryOptions::answer_bytes)"
        ))
    };
    let told = body.size_hint().lower();
    if told > limit as u64 {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|e| Failure::passing(format!("the answer broke off: {}", failure(&e).why)))?;
        let Ok(data) = frame.into_data() else { continue };
        if data.len() > limit - bytes.len() {
            return Err(too_long());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.into())
}

fn authorization(authentication: &Authentication) -> Result<Option<HeaderValue>> {
    let text = match authentication {
        Authentication::None => return Ok(None),
        Authentication::Basic { user, password } => {
            let plain = format!("{user}:{}", password.reveal());
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(plain))
        }
        Authentication::Bearer(token) => format!("Bearer {}", token.reveal()),
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| Error::Config {
        option: "bearer.auth.token".into(),
        why: "it holds characters that a header cannot carry, such as a line end".into(),
    })?;
    value.set_sensitive(true);
    Ok(Some(value))
}

#[cfg(test)]
mod tests;
