//! Sockets around the broker: one listener per node, one task per connection, on tokio.
//!
//! A connection reads a frame, hands it to the broker, waits if the broker says so, writes the answer, and
//! reads the next frame: requests of one connection are answered in their order. This is the only module that
//! reads a clock.

mod connection;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::broker::{Broker, Now};
use crate::error::{Error, Result};
use crate::options::BrokerOptions;

/// A running server. Dropping it stops listening and closes every connection.
pub struct Server {
    broker: Broker,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Server {
    /// Opens one listener per node on `host`: node i on `port + i - 1`, or on free ports when `port` is 0.
    pub async fn start(broker: Broker, host: &str, port: u16) -> Result<Server> {
        let (stop, stopped) = watch::channel(false);
        let clock = Arc::new(Clock { start: Instant::now() });
        let mut tasks = JoinSet::new();
        for node in 1..=i32::try_from(broker.nodes()).expect("at most 100 nodes") {
            let wanted = if port == 0 { 0 } else { port.saturating_add(node as u16 - 1) };
            let listen = |source| Error::Listen { address: format!("{host}:{wanted}"), source };
            let listener =
                TcpListener::bind((host.trim_matches(['[', ']']), wanted)).await.map_err(listen)?;
            let bound = listener.local_addr().map_err(listen)?;
            broker.set_port(node, bound.port());
            let accepting =
                Accepting { broker: broker.clone(), clock: clock.clone(), node, stopped: stopped.clone() };
            tasks.spawn(accepting.run(listener));
        }
        Ok(Server { broker, stop, tasks })
    }

    /// `host:port` of every node, joined by commas.
    pub fn bootstrap(&self) -> String {
        self.broker.bootstrap()
    }

    /// The broker behind the sockets.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }

    /// Stops listening, closes every connection, and waits until that is done.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Both clocks as the broker wants them.
#[derive(Debug)]
struct Clock {
    start: Instant,
}

impl Clock {
    fn now(&self) -> Now {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { elapsed: self.start.elapsed(), unix_ms: i64::try_from(unix.as_millis()).unwrap_or(i64::MAX) }
    }
}

/// One node's listener.
struct Accepting {
    broker: Broker,
    clock: Arc<Clock>,
    node: i32,
    stopped: watch::Receiver<bool>,
}

impl Accepting {
    async fn run(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        let mut stopped = self.stopped.clone();
        loop {
            tokio::select! {
                // Changes once: to stop, or to closed when the server is dropped.
                _ = stopped.changed() => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok(_) if connections.len() >= MAX_CONNECTIONS => {
                        tracing::warn!(node = self.node, MAX_CONNECTIONS, "refused a connection: too many");
                    }
                    Ok((socket, peer)) => { connections.spawn(self.connection(socket, peer)); }
                    // Out of descriptors, or the peer is gone already: neither is a reason to stop listening.
                    Err(error) => {
                        tracing::warn!(%error, node = self.node, "accept failed");
                        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                    }
                },
            }
        }
        connections.shutdown().await;
    }

    fn connection(&self, socket: TcpStream, peer: SocketAddr) -> impl Future<Output = ()> + use<> {
        let connection = self.broker.connect(self.node, &format!("/{}", peer.ip()));
        connection::run(self.broker.clone(), self.clock.clone(), connection, socket)
    }
}

/// Connections that one node keeps at a time; further ones are closed at once.
const MAX_CONNECTIONS: usize = 10_000;

/// A broker on a runtime and thread of its own, for demos and tests without tokio. Dropping it stops it.
pub struct EmbeddedBroker {
    broker: Broker,
    bootstrap: String,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// Starts a broker with its sockets on a thread of its own; it listens when this returns.
pub fn start_in_thread(options: BrokerOptions) -> Result<EmbeddedBroker> {
    let (host, port) = (options.host.clone(), options.port);
    let broker = Broker::new(options)?;
    serve_in_thread(broker, &host, port)
}

/// Puts an existing broker behind sockets, on a thread of its own.
pub fn serve_in_thread(broker: Broker, host: &str, port: u16) -> Result<EmbeddedBroker> {
    let (ready, started) = std::sync::mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (served, address) = (broker.clone(), host.to_owned());
    let spawn = |source| Error::Listen { address: format!("{host}:{port}"), source };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("millstream-broker-io")
        .enable_all()
        .build()
        .map_err(spawn)?;
    let serve = move || {
        runtime.block_on(async move {
            let server = Server::start(served, &address, port).await;
            let (server, answer) = match server {
                Ok(server) => (Some(server), Ok(())),
                Err(error) => (None, Err(error)),
            };
            let _ = ready.send(answer);
            if let Some(server) = server {
                let _ = stopped.await;
                server.stop().await;
            }
        });
    };
    let thread =
        std::thread::Builder::new().name("millstream-broker".to_owned()).spawn(serve).map_err(spawn)?;
    match started.recv() {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(error),
        Err(_) => return Err(spawn(std::io::Error::other("the broker's thread ended before it listened"))),
    }
    Ok(EmbeddedBroker { bootstrap: broker.bootstrap(), broker, stop: Some(stop), thread: Some(thread) })
}

impl EmbeddedBroker {
    /// `host:port` of every node, joined by commas.
    pub fn bootstrap(&self) -> String {
        self.bootstrap.clone()
    }

    /// The broker behind the sockets: topics, faults, leaders.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }

    /// Stops listening, closes every connection, and waits until that is done. What the broker holds stays in
    /// it.
    pub fn stop(self) {}
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
