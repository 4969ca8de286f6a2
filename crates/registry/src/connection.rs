//! One connection to a server: TCP, TLS for `https`, and hyper's HTTP/1.1 over it.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{AlertDescription, CertificateError, ClientConfig, Error as TlsError};

/// Headers of an answer.
const MOST_HEADERS: usize = 64;
/// Bytes of status line and headers, and of what is read ahead.
const MOST_HEAD: usize = 64 << 10;

/// Why there is no answer, for the message of the last attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What happened and, where it is known, what to do.
    pub why: String,
    /// Whether the same attempt would end the same way.
    pub is_lasting: bool,
}

impl Failure {
    pub fn passing(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_lasting: false }
    }

    pub fn lasting(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_lasting: true }
    }
}

/// A request that brought no answer.
pub(crate) struct Unanswered {
    pub failure: Failure,
    /// Whether the connection ended, and the request may be sent over another: nothing of it was sent, or its method
    /// is one that may be repeated.
    pub may_be_repeated: bool,
}

/// A connection, which ends when this is dropped, whatever it is doing.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    _driver: JoinSet<()>,
}

impl Connection {
    /// Connects to the host of a URL.
    pub async fn open(base: &Uri, tls: Option<&Arc<ClientConfig>>) -> Result<Self, Failure> {
        let host = base.host().unwrap_or_default();
        let secure = base.scheme_str() == Some("https");
        let port = base.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let tcp = TcpStream::connect((bare, port)).await.map_err(|e| failure(&e))?;
        // Requests are small and wait for their answers; without it they are only slower.
        let _ = tcp.set_nodelay(true);
        let Some(tls) = tls.filter(|_| secure) else { return Self::over(tcp).await };
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|e| Failure::lasting(format!("{bare} cannot be the name of a TLS server: {e}")))?;
        let stream = TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await;
        Self::over(stream.map_err(|e| failure(&e))?).await
    }

    async fn over(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Result<Self, Failure> {
        let builder = Builder::new()
            .max_headers(MOST_HEADERS)
            .max_header_size(MOST_HEAD)
            .max_buf_size(MOST_HEAD)
            .to_owned();
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|e| failure(&e))?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // Who waits for an answer is told the same.
            if let Err(error) = connection.await {
                tracing::trace!(%error, "a connection to a schema registry ended");
            }
        });
        Ok(Self { sender, _driver: driver })
    }

    /// Whether the other side has not ended it, as far as it is known.
    #[cfg(test)]
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Whether another request can be sent; waits until the last one is done with.
    pub async fn is_usable(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// Sends a request and waits for the answer's head.
    pub async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Unanswered> {
        let is_idempotent = Method::is_idempotent(request.method());
        self.sender.try_send_request(request).await.map_err(|mut error| {
            let is_unsent = error.take_message().is_some();
            let error = error.into_error();
            let may_be_repeated = is_unsent || (is_idempotent && !error.is_parse());
            Unanswered { failure: failure(&error), may_be_repeated }
        })
    }
}

/// An error with its causes, and what to do about those that are known.
pub(crate) fn failure(error: &(dyn StdError + 'static)) -> Failure {
    if let Some(tls) = tls_error(error) {
        return Failure { why: format!("TLS: {tls}{}", tls_hint(tls)), is_lasting: is_lasting(tls) };
    }
    let mut why = error.to_string();
    let mut at = error;
    while let Some(cause) = at.source() {
        let text = cause.to_string();
        if !why.contains(&text) {
            why = format!("{why}: {text}");
        }
        at = cause;
    }
    match error.downcast_ref::<hyper::Error>() {
        Some(error) if error.is_parse() => Failure::lasting(format!(
            "the answer cannot be read as HTTP ({why}); if the port speaks TLS, write https://"
        )),
        _ => Failure::passing(why),
    }
}

/// The TLS library's error, if it lies beneath.
fn tls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a TlsError> {
    let mut next = Some(error);
    while let Some(at) = next {
        let inner = at.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let inner = inner.and_then(|inner| inner.downcast_ref::<TlsError>());
        if let Some(tls) = inner.or_else(|| at.downcast_ref::<TlsError>()) {
            return Some(tls);
        }
        next = at.source();
    }
    None
}

fn tls_hint(error: &TlsError) -> &'static str {
    use AlertDescription as Alert;
    match error {
        TlsError::InvalidMessage(_) => {
            "; the port does not speak TLS: write http://, or name the port that does"
        }
        TlsError::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "; set ssl.ca.location to a file with the certificate of the authority that signed it"
        }
        TlsError::InvalidCertificate(_) => {
            "; the server's certificate has to be renewed, or the URL's host corrected"
        }
        TlsError::AlertReceived(
            Alert::CertificateRequired | Alert::BadCertificate | Alert::UnknownCA | Alert::HandshakeFailure,
        ) => "; set ssl.certificate.location and ssl.key.location to a certificate that the server accepts",
        _ => "",
    }
}

fn is_lasting(error: &TlsError) -> bool {
    match error {
        TlsError::InvalidMessage(_) | TlsError::InvalidCertificate(_) | TlsError::PeerIncompatible(_) => true,
        TlsError::AlertReceived(alert) => *alert != AlertDescription::InternalError,
        _ => false,
    }
}
