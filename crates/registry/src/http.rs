//! One HTTP/1.1 request over a connection of its own: what a registry once said is kept, so requests are few.
//!
//! An answer is, after lines of status and headers, a body: of `content-length` bytes; or in chunks (size in
//! hexadecimal digits and a line end, so many bytes, a line end; a chunk of size 0 and trailers end it) under
//! `transfer-encoding: chunked`; or all that comes until the connection ends (RFC 9112, 6.3). Redirects are not
//! followed.

use std::sync::Arc;

use base64::Engine;
use bytes::Bytes;
use http::{Method, Uri};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::error::{Error, Result};
use crate::options::{Authentication, RegistryOptions};
use crate::tls;

const MEDIA: &str = "application/vnd.schemaregistry.v1+json";
/// Headers of an answer.
const MOST_HEADERS: usize = 64;
/// Bytes of status line and headers.
const MOST_HEAD: usize = 64 << 10;
/// Digits of a chunk's size, with extensions.
const LONGEST_SIZE_LINE: usize = 256;

/// What a server said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub status: u16,
    pub body: Bytes,
}

/// Why there is no answer, for the message of the last attempt.
pub(crate) type Failure = String;

/// What is needed to speak to the servers.
#[derive(Debug)]
pub(crate) struct Http {
    options: RegistryOptions,
    tls: Option<Arc<ClientConfig>>,
}

impl Http {
    pub fn new(options: RegistryOptions) -> Result<Self> {
        let secure = options.urls.iter().any(|url| url.scheme_str() == Some("https"));
        let tls = secure.then(|| tls::client_config(&options.tls)).transpose()?;
        if let Authentication::Bearer(token) = &options.authentication
            && !token.reveal().bytes().all(|byte| byte.is_ascii_graphic())
        {
            let why = "it holds characters that a header cannot carry".into();
            return Err(Error::Config { option: "bearer.auth.token".into(), why });
        }
        Ok(Self { tls, options })
    }

    pub fn options(&self) -> &RegistryOptions {
        &self.options
    }

    /// Sends a request for a path below the base URL and reads the whole answer.
    pub async fn request(
        &self,
        base: &Uri,
        method: &Method,
        path: &str,
        body: Option<&Bytes>,
    ) -> Result<Answer, Failure> {
        let work = async {
            let within = self.options.connect_timeout;
            let connected = timeout(within, self.connect(base)).await;
            let mut stream = connected.map_err(|_| format!("no connection within {within:?}"))??;
            let request = self.request_bytes(base, method, path, body);
            stream.write_all(&request).await.map_err(text)?;
            stream.flush().await.map_err(text)?;
            read_answer(&mut stream, self.options.answer_bytes).await
        };
        let within = self.options.request_timeout;
        let done =
            timeout(within, work).await.unwrap_or_else(|_| Err(format!("no answer within {within:?}")));
        done.map_err(|why| format!("{base}: {why}"))
    }

    async fn connect(&self, base: &Uri) -> Result<Box<dyn Stream>, Failure> {
        let host = base.host().unwrap_or_default();
        let secure = base.scheme_str() == Some("https");
        let port = base.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let tcp = TcpStream::connect((bare, port)).await.map_err(text)?;
        let _ = tcp.set_nodelay(true);
        let Some(tls) = self.tls.as_ref().filter(|_| secure) else { return Ok(Box::new(tcp)) };
        let name = ServerName::try_from(bare.to_owned()).map_err(text)?;
        let stream = TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await;
        Ok(Box::new(stream.map_err(|e| format!("TLS: {e}"))?))
    }

    fn request_bytes(&self, base: &Uri, method: &Method, path: &str, body: Option<&Bytes>) -> Vec<u8> {
        let authority = base.authority().map_or("", |a| a.as_str());
        let mut head = format!(
            "{method} {}{path} HTTP/1.1\r\nhost: {authority}\r\naccept: {MEDIA}, application/json\r\n\
             connection: close\r\n",
            base.path().trim_end_matches('/')
        );
        match &self.options.authentication {
            Authentication::None => {}
            Authentication::Basic { user, password } => {
                let plain = format!("{user}:{}", password.reveal());
                let encoded = base64::engine::general_purpose::STANDARD.encode(plain);
                head.push_str(&format!("authorization: Basic {encoded}\r\n"));
            }
            Authentication::Bearer(token) => {
                head.push_str(&format!("authorization: Bearer {}\r\n", token.reveal()));
            }
        }
        if let Some(body) = body {
            head.push_str(&format!("content-type: {MEDIA}\r\ncontent-length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body.map_or(&[], |body| body));
        bytes
    }
}

/// What a connection reads and writes, with TLS or without.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

fn text(error: impl std::fmt::Display) -> Failure {
    error.to_string()
}

/// How the end of a body is found.
enum Length {
    Known(usize),
    Chunked,
    UntilEnd,
}

async fn read_answer(stream: &mut (impl AsyncRead + Unpin), limit: usize) -> Result<Answer, Failure> {
    let mut source = Source { stream, bytes: Vec::new(), at: 0 };
    let (status, length) = loop {
        match head(&source.bytes)? {
            Some((end, status, length)) => {
                source.at = end;
                break (status, length);
            }
            None if source.bytes.len() > MOST_HEAD => {
                return Err(format!("the answer's head has more than {MOST_HEAD} bytes"));
            }
            None => source.more().await?,
        }
    };
    let mut body = Vec::new();
    match length {
        Length::Known(length) => source.take(length, limit, &mut body).await?,
        Length::Chunked => loop {
            let line = source.line().await?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let size =
                usize::from_str_radix(digits, 16).map_err(|_| "a chunk's size is no number".to_owned())?;
            if size == 0 {
                break;
            }
            source.take(size, limit, &mut body).await?;
            source.line().await?;
        },
        Length::UntilEnd => loop {
            let rest = source.bytes.len() - source.at;
            source.take(rest, limit, &mut body).await?;
            if !source.fill().await? {
                break;
            }
        },
    }
    Ok(Answer { status, body: body.into() })
}

/// Where the head ends, its status and the body's length; none while more of it is to come.
fn head(bytes: &[u8]) -> Result<Option<(usize, u16, Length)>, Failure> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(end) = response.parse(bytes).map_err(|e| format!("no HTTP: {e}"))? else {
        return Ok(None);
    };
    let value = |name: &str| {
        let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        header.map(|header| String::from_utf8_lossy(header.value).trim().to_ascii_lowercase())
    };
    let status = response.code.unwrap_or(0);
    let length = match (value("transfer-encoding"), value("content-length")) {
        _ if matches!(status, 204 | 304) => Length::Known(0),
        (Some(encoding), _) if encoding.ends_with("chunked") => Length::Chunked,
        (_, Some(length)) => {
            Length::Known(length.parse().map_err(|_| "the answer's content-length is no number".to_owned())?)
        }
        _ => Length::UntilEnd,
    };
    Ok(Some((end, status, length)))
}

/// Bytes that came, and how many of them are used.
struct Source<'a, S> {
    stream: &'a mut S,
    bytes: Vec<u8>,
    at: usize,
}

impl<S: AsyncRead + Unpin> Source<'_, S> {
    /// Waits for more bytes; false at the end.
    async fn fill(&mut self) -> Result<bool, Failure> {
        self.bytes.drain(..self.at);
        self.at = 0;
        match self.stream.read_buf(&mut self.bytes).await {
            Ok(read) => Ok(read > 0),
            // Servers that end TLS without saying so are common; a body cut short is found by its length.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(text(error)),
        }
    }

    async fn more(&mut self) -> Result<(), Failure> {
        if self.fill().await? { Ok(()) } else { Err("the connection ended within the answer".into()) }
    }

    /// Moves so many bytes to `body`, which may not become longer than `limit`.
    async fn take(&mut self, count: usize, limit: usize, body: &mut Vec<u8>) -> Result<(), Failure> {
        if count > limit - body.len() {
            return Err(format!("the answer has more than {limit} bytes"));
        }
        let mut missing = count;
        while missing > 0 {
            if self.at == self.bytes.len() {
                self.more().await?;
            }
            let now = missing.min(self.bytes.len() - self.at);
            body.extend_from_slice(&self.bytes[self.at..self.at + now]);
            self.at += now;
            missing -= now;
        }
        Ok(())
    }

    /// The text up to the next line end, which is used up with it.
    async fn line(&mut self) -> Result<String, Failure> {
        loop {
            let rest = &self.bytes[self.at..];
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line = String::from_utf8_lossy(&rest[..end]).trim_end_matches('\r').to_owned();
                self.at += end + 1;
                return Ok(line);
            }
            if rest.len() > LONGEST_SIZE_LINE {
                return Err("a chunk's size line is too long".into());
            }
            self.more().await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answer when the bytes come one by one, and when they come at once.
    async fn read(bytes: &str, limit: usize) -> Result<(u16, String), Failure> {
        let mut answers = Vec::new();
        for step in [1, bytes.len().max(1)] {
            let (mut ours, mut theirs) = tokio::io::duplex(step);
            let bytes = bytes.to_owned();
            tokio::spawn(async move { theirs.write_all(bytes.as_bytes()).await });
            let answer = read_answer(&mut ours, limit).await;
            answers.push(answer.map(|a| (a.status, String::from_utf8_lossy(&a.body).into_owned())));
        }
        assert_eq!(answers[0], answers[1]);
        answers.remove(0)
    }

    #[tokio::test]
    async fn a_body_ends_by_its_length_its_chunks_or_the_connection() {
        let good = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcrest", (200, "abc")),
            (
                "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\nA\r\n0123456789\r\n0\r\n\r\n",
                (404, "ab0123456789"),
            ),
            ("HTTP/1.1 200 OK\r\n\r\nall of it", (200, "all of it")),
            ("HTTP/1.1 204 No Content\r\n\r\n", (204, "")),
        ];
        for (bytes, (status, body)) in good {
            assert_eq!(read(bytes, 12).await, Ok((status, body.to_owned())), "{bytes}");
        }
    }

    #[tokio::test]
    async fn what_is_cut_short_too_long_or_no_http_is_told() {
        let bad = [
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", "ended within"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n", "more than 12 bytes"),
            ("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "no number"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n",
                "more than 12 bytes",
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "no number"),
            ("HTTP/1.1 200 OK\r\n\r\n0123456789abc", "more than 12 bytes"),
            ("SSH-2.0-OpenSSH\r\n", "no HTTP"),
            ("HTTP/1.1 200 OK\r\n", "ended within"),
        ];
        for (bytes, why) in bad {
            let found = read(bytes, 12).await.unwrap_err();
            assert!(found.contains(why), "{bytes}: {found}");
        }
    }
}
