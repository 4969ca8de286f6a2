//! A connection that is ready for use: resolved, connected, and with its API versions agreed.
//!
//! Versions are negotiated per connection with ApiVersions v4 (KIP-511 names us to the broker). A broker too
//! old for v4 answers error 35 in the v0 layout and is asked again with v0. Every address a name resolves to
//! is tried.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use kafka_protocol::protocol::{Request, StrBytes};
use millstream_protocol::ids::{ApiKey, ErrorCode};
use millstream_protocol::{Limits, messages};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};

use crate::driver::{Answer, Wire};
use crate::error::{Error, Result};
use crate::frames::Frames;
use crate::options::ClientOptions;

/// A connection with agreed versions. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    wire: Wire,
    client_id: Arc<str>,
    limits: Limits,
    request_timeout: Duration,
    versions: Arc<HashMap<ApiKey, (i16, i16)>>,
}

impl Connection {
    /// Connects to `host:port` within `connect_timeout` for the socket and again for the versions.
    ///
    /// # Errors
    /// The cause in words, for an [`Attempt`](crate::Attempt).
    pub(crate) async fn open(address: &str, options: &ClientOptions, frames: Frames) -> Result<Self, String> {
        let socket = connect_socket(address, options.connect_timeout).await?;
        socket.set_nodelay(true).map_err(text)?;
        let (limits, max_idle) = (options.limits.clone(), options.connections_max_idle);
        let wire = Wire::start(socket, address.into(), limits, max_idle, frames);
        let mut connection = Self {
            wire,
            client_id: options.client_id.as_str().into(),
            limits: options.limits.clone(),
            request_timeout: options.connect_timeout,
            versions: Arc::default(),
        };
        let versions = connection.agree_versions().await.map_err(|e| handshake_failed(&e))?;
        connection.versions = Arc::new(versions);
        connection.request_timeout = options.request_timeout;
        Ok(connection)
    }

    pub(crate) fn address(&self) -> &str {
        self.wire.address()
    }

    /// Whether it has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.wire.failure().is_some()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The highest version that both sides speak.
    pub(crate) fn version(&self, api: ApiKey) -> Result<i16> {
        self.version_up_to(api, i16::MAX)
    }

    /// The highest version at most `most` that both sides speak.
    pub(crate) fn version_up_to(&self, api: ApiKey, most: i16) -> Result<i16> {
        let offered = self.versions.get(&api);
        let agreed = offered.and_then(|&(min, max)| messages::negotiate(api, min, max.min(most)));
        agreed.ok_or_else(|| {
            let has = offered.map_or("none".into(), |(min, max)| format!("v{min} to v{max}"));
            Error::unsupported(format!("{api} with broker {}, which offers {has}", self.address()))
        })
    }

    /// Calls an API at the highest common version.
    pub(crate) async fn call<R: Request>(&self, body: &R) -> Result<R::Response> {
        let version = self.version(ApiKey(R::KEY))?;
        self.call_at(version, body, self.request_timeout).await
    }

    /// Calls an API at a given version; the broker may take `extra` to carry it out.
    pub(crate) async fn call_slow<R: Request>(&self, body: &R, extra: Duration) -> Result<R::Response> {
        let version = self.version(ApiKey(R::KEY))?;
        self.call_at(version, body, self.request_timeout + extra).await
    }

    /// Calls an API at a version that the caller agreed on by [`version_up_to`](Self::version_up_to).
    pub(crate) async fn call_at<R: Request>(
        &self,
        version: i16,
        body: &R,
        within: Duration,
    ) -> Result<R::Response> {
        let api = ApiKey(R::KEY);
        let answer = self.send(api, within, |correlation| {
            messages::encode_request(correlation, Some(&self.client_id), version, body)
                .map(|frame| vec![frame])
        })?;
        self.decode::<R>(version, answer.frame().await?)
    }

    /// Sends a request that `encode` writes for a correlation id.
    pub(crate) fn send(
        &self,
        api: ApiKey,
        within: Duration,
        encode: impl FnOnce(i32) -> millstream_protocol::Result<Vec<Bytes>>,
    ) -> Result<Answer> {
        let what = api.name().unwrap_or("a request");
        self.wire.send(what, within, |correlation| encode(correlation).map_err(|e| self.unwritable(&e)))
    }

    /// Sends a request that the broker will not answer.
    pub(crate) fn send_unanswered(
        &self,
        api: ApiKey,
        encode: impl FnOnce(i32) -> millstream_protocol::Result<Vec<Bytes>>,
    ) -> Result<()> {
        let what = api.name().unwrap_or("a request");
        self.wire.send_unanswered(what, |correlation| encode(correlation).map_err(|e| self.unwritable(&e)))
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    fn decode<R: Request>(&self, version: i16, frame: Bytes) -> Result<R::Response> {
        messages::decode_response::<R::Response>(ApiKey(R::KEY), version, frame, &self.limits)
            .map(|(_, body)| body)
            .map_err(|e| self.malformed(e))
    }

    pub(crate) fn malformed(&self, source: millstream_protocol::Error) -> Error {
        Error::Malformed { broker: self.address().into(), source: Arc::new(source) }
    }

    fn unwritable(&self, error: &millstream_protocol::Error) -> Error {
        Error::Misuse { what: error.to_string() }
    }

    async fn agree_versions(&self) -> Result<HashMap<ApiKey, (i16, i16)>> {
        let mut answer = self.ask_versions(ASK_FIRST).await?;
        if ErrorCode(answer.error_code) == ErrorCode::UNSUPPORTED_VERSION {
            answer = self.ask_versions(0).await?;
        }
        let code = ErrorCode(answer.error_code);
        if code != ErrorCode::NONE {
            return Err(Error::api("ApiVersions", code));
        }
        let ranges = answer.api_keys.iter();
        Ok(ranges.map(|range| (ApiKey(range.api_key), (range.min_version, range.max_version))).collect())
    }

    async fn ask_versions(&self, version: i16) -> Result<ApiVersionsResponse> {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("millstream"))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        self.call_at(version, &request, self.request_timeout).await
    }
}

/// ApiVersions v4 is what Kafka 3.9 and 4.x speak; older brokers fall back to v0.
const ASK_FIRST: i16 = 4;

async fn connect_socket(address: &str, within: Duration) -> Result<TcpStream, String> {
    let deadline = Instant::now() + within;
    let too_late = || format!("no answer within {} ms", within.as_millis());
    let resolved = timeout_at(deadline, lookup_host(address))
        .await
        .map_err(|_| format!("its name was not resolved within {} ms", within.as_millis()))?;
    let candidates: Vec<_> = resolved.map_err(|e| format!("cannot be resolved: {e}"))?.collect();
    let mut why = "its name resolves to no address".to_owned();
    let share = within / u32::try_from(candidates.len().max(1)).unwrap_or(1);
    for candidate in candidates {
        match timeout(share, TcpStream::connect(candidate)).await {
            Ok(Ok(socket)) => return Ok(socket),
            Ok(Err(error)) => why = text(error),
            Err(_) => why = too_late(),
        }
    }
    Err(why)
}

fn text(error: impl Display) -> String {
    error.to_string()
}

/// The usual reasons why a port accepts a connection and then is no use.
fn handshake_failed(error: &Error) -> String {
    match error {
        Error::Timeout { after, .. } => {
            format!("it accepted the connection but did not answer within {} ms", after.as_millis())
        }
        Error::Disconnected { why, .. } => {
            format!("{why} when asked for its API versions; is this a TLS or SASL listener, or not Kafka?")
        }
        Error::Malformed { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}
