//! A server of a few lines, for tests: it says to each request what a test wants.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::{Registry, RegistryOptions};

/// What a server does about a request.
pub(crate) enum Reply {
    /// Status and body; the connection stays open.
    Answer(u16, String),
    /// These bytes; the connection stays open.
    Bytes(String),
    /// These bytes, and the connection ends.
    Last(String),
    /// The first, then the second again and again, after such a pause each.
    Endless(String, String, Duration),
    /// Nothing, ever.
    Silence,
}

impl From<(u16, String)> for Reply {
    fn from((status, body): (u16, String)) -> Self {
        Self::Answer(status, body)
    }
}

/// A running server; it ends with the test's runtime.
pub(crate) struct Server {
    pub url: String,
    /// The connection's number, and request line, headers and body as text.
    pub requests: Arc<Mutex<Vec<(usize, String)>>>,
}

impl Server {
    pub async fn start<F, R>(answer: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = R> + Send,
        R: Into<Reply> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
        tokio::spawn(async move {
            for connection in 0.. {
                let Ok((mut stream, _)) = listener.accept().await else { return };
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                tokio::spawn(async move {
                    while let Some(request) = read_request(&mut stream).await {
                        seen.lock().push((connection, request.clone()));
                        let reply = answer(request).await.into();
                        if !say(&mut stream, reply).await {
                            return;
                        }
                    }
                });
            }
        });
        Self { url, requests }
    }

    /// How many requests came.
    pub fn count(&self) -> usize {
        self.requests.lock().len()
    }

    /// The numbers of the connections that requests came over.
    pub fn connections(&self) -> Vec<usize> {
        self.requests.lock().iter().map(|(connection, _)| *connection).collect()
    }

    /// A request as text.
    pub fn request(&self, index: usize) -> String {
        self.requests.lock()[index].1.clone()
    }
}

/// Whether the connection stays open.
async fn say(stream: &mut TcpStream, reply: Reply) -> bool {
    let (bytes, stays) = match reply {
        Reply::Answer(status, body) => {
            (format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len()), true)
        }
        Reply::Bytes(bytes) => (bytes, true),
        Reply::Last(bytes) => (bytes, false),
        Reply::Endless(first, again, pause) => {
            let mut open = stream.write_all(first.as_bytes()).await.is_ok();
            while open {
                tokio::time::sleep(pause).await;
                open = stream.write_all(again.as_bytes()).await.is_ok();
            }
            return false;
        }
        Reply::Silence => std::future::pending().await,
    };
    stream.write_all(bytes.as_bytes()).await.is_ok() && stays
}

/// A whole request; none when the connection ended.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

/// Options with short pauses, changed as the test wants.
pub(crate) fn options(urls: &str, change: impl FnOnce(&mut RegistryOptions)) -> RegistryOptions {
    let mut options = RegistryOptions::new(urls).unwrap();
    options.backoff = Duration::from_millis(5);
    change(&mut options);
    options
}

/// A client with such options.
pub(crate) fn client(urls: &str, change: impl FnOnce(&mut RegistryOptions)) -> Registry {
    Registry::new(options(urls, change)).unwrap()
}

/// A port on which nobody listens.
pub(crate) fn closed() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
