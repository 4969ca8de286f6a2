//! The one file that reads or writes a socket: a connection is a task, and everybody else holds a channel to
//! it.
//!
//! ```text
//!   send(request) --channel--> [ outbox ] --write--> socket
//!                              [ pending: FIFO, correlation id, deadline ]
//!   answer <----oneshot------- [ inbound frame ] <--read-- socket
//! ```
//!
//! Facts: a broker answers the requests of one connection in the order in which they came, so answers are
//! matched first in, first out, and the correlation id is only checked. A frame is read into one allocation
//! of its exact size. The first failure ends the connection: it is stored once and told to every waiter, and
//! to every later call at once. A request whose deadline passes ends the connection too, because the answers
//! behind it are stuck.

use std::collections::VecDeque;
use std::future::pending;
use std::io::IoSlice;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use millstream_protocol::{Limits, frame, messages};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::error::{Error, Result};
use crate::frames::Frames;

/// A request on its way to the driver.
#[derive(Debug)]
struct Call {
    /// The whole frame in pieces, length prefix included.
    frame: Vec<Bytes>,
    correlation: i32,
    what: &'static str,
    timeout: Duration,
    /// `None` for a request that has no answer: Produce with acks=0.
    answer: Option<oneshot::Sender<Result<Bytes>>>,
}

/// A request that waits for its answer.
#[derive(Debug)]
struct Pending {
    correlation: i32,
    what: &'static str,
    timeout: Duration,
    deadline: Instant,
    answer: oneshot::Sender<Result<Bytes>>,
}

#[derive(Debug)]
struct Shared {
    address: String,
    next_correlation: AtomicI32,
    failure: OnceLock<Error>,
}

/// One connection to one broker. Clones share it; it closes when the last one is dropped and nothing is
/// pending.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    shared: Arc<Shared>,
    calls: mpsc::UnboundedSender<Call>,
}

/// An answer that has not come yet. Dropping it discards the answer, not the request.
#[derive(Debug)]
pub(crate) struct Answer {
    shared: Arc<Shared>,
    frame: oneshot::Receiver<Result<Bytes>>,
}

impl Wire {
    /// Takes over a connected socket. Must be called on a tokio runtime.
    pub(crate) fn start(
        socket: TcpStream,
        address: String,
        limits: Limits,
        max_idle: Duration,
        frames: Frames,
    ) -> Self {
        let shared =
            Arc::new(Shared { address, next_correlation: AtomicI32::new(0), failure: OnceLock::new() });
        let (calls, inbox) = mpsc::unbounded_channel();
        let (read, write) = socket.into_split();
        let driver = Driver {
            shared: shared.clone(),
            inbox,
            read,
            write,
            inbound: Inbound::new(limits, frames),
            outbox: VecDeque::new(),
            pending: VecDeque::new(),
            idle_since: Instant::now(),
            max_idle,
        };
        tokio::spawn(driver.run());
        Self { shared, calls }
    }

    /// Where it leads.
    pub(crate) fn address(&self) -> &str {
        &self.shared.address
    }

    /// Why it ended, once it has.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.shared.failure.get().cloned()
    }

    /// Sends a request that `encode` writes for a correlation id. The answer comes in the returned future,
    /// its frame without the length prefix. Does not wait.
    pub(crate) fn send(
        &self,
        what: &'static str,
        timeout: Duration,
        encode: impl FnOnce(i32) -> Result<Vec<Bytes>>,
    ) -> Result<Answer> {
        let (sender, receiver) = oneshot::channel();
        self.put(what, timeout, Some(sender), encode)?;
        Ok(Answer { shared: self.shared.clone(), frame: receiver })
    }

    /// Sends a request that has no answer.
    pub(crate) fn send_unanswered(
        &self,
        what: &'static str,
        encode: impl FnOnce(i32) -> Result<Vec<Bytes>>,
    ) -> Result<()> {
        self.put(what, Duration::ZERO, None, encode)
    }

    fn put(
        &self,
        what: &'static str,
        timeout: Duration,
        answer: Option<oneshot::Sender<Result<Bytes>>>,
        encode: impl FnOnce(i32) -> Result<Vec<Bytes>>,
    ) -> Result<()> {
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        let correlation = self.shared.next_correlation.fetch_add(1, Ordering::Relaxed) & i32::MAX;
        let frame = encode(correlation)?;
        let call = Call { frame, correlation, what, timeout, answer };
        self.calls.send(call).map_err(|_| self.shared.ended())
    }
}

impl Answer {
    /// The answer's frame, or why there is none.
    pub(crate) async fn frame(self) -> Result<Bytes> {
        match self.frame.await {
            Ok(answer) => answer,
            Err(_) => Err(self.shared.ended()),
        }
    }
}

impl Shared {
    fn lost(&self, why: impl ToString) -> Error {
        Error::Disconnected { broker: self.address.clone(), why: why.to_string() }
    }

    /// The stored failure; only a runtime that is shutting down leaves none.
    fn ended(&self) -> Error {
        self.failure.get().cloned().unwrap_or(Error::Closed)
    }

    fn malformed(&self, source: millstream_protocol::Error) -> Error {
        Error::Malformed { broker: self.address.clone(), source: Arc::new(source) }
    }
}

/// The frame that is being read.
#[derive(Debug)]
struct Inbound {
    limits: Limits,
    prefix: [u8; frame::PREFIX_BYTES],
    prefix_filled: usize,
    /// `None` until the prefix is complete.
    body: Option<(Vec<u8>, usize)>,
    frames: Frames,
}

impl Inbound {
    fn new(limits: Limits, frames: Frames) -> Self {
        Self { limits, prefix: [0; frame::PREFIX_BYTES], prefix_filled: 0, body: None, frames }
    }

    /// Reads what has arrived; a frame when one is complete. Cancel-safe: what was read is kept.
    async fn read(&mut self, socket: &mut OwnedReadHalf) -> Result<Option<Bytes>, ReadError> {
        let Some((body, length)) = &mut self.body else {
            let read = socket.read(&mut self.prefix[self.prefix_filled..]).await.map_err(ReadError::Io)?;
            self.prefix_filled += read;
            if read == 0 {
                return Err(ReadError::End { mid_frame: self.prefix_filled > 0 });
            }
            if self.prefix_filled == frame::PREFIX_BYTES {
                let length = frame::frame_length(self.prefix, &self.limits).map_err(ReadError::Bytes)?;
                self.body = Some((self.frames.take(length), length));
            }
            return Ok(None);
        };
        if body.len() < *length {
            // The spare capacity is filled by the kernel without being zeroed first.
            let left = *length - body.len();
            let mut room = (&mut *body).limit(left);
            if socket.read_buf(&mut room).await.map_err(ReadError::Io)? == 0 {
                return Err(ReadError::End { mid_frame: true });
            }
        }
        if body.len() < *length {
            return Ok(None);
        }
        self.prefix_filled = 0;
        Ok(self.body.take().map(|(body, _)| self.frames.lend(body)))
    }
}

enum ReadError {
    Io(std::io::Error),
    End { mid_frame: bool },
    Bytes(millstream_protocol::Error),
}

/// The task that owns a socket.
struct Driver {
    shared: Arc<Shared>,
    inbox: mpsc::UnboundedReceiver<Call>,
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
    inbound: Inbound,
    outbox: VecDeque<Bytes>,
    pending: VecDeque<Pending>,
    idle_since: Instant,
    max_idle: Duration,
}

impl Driver {
    async fn run(mut self) {
        let Err(failure) = self.drive().await;
        tracing::debug!(broker = %self.shared.address, %failure, "connection ended");
        // Stored before the inbox closes, so that whoever fails to send finds the reason.
        let failure = self.shared.failure.get_or_init(|| failure).clone();
        self.inbox.close();
        for pending in self.pending.drain(..) {
            let _ = pending.answer.send(Err(failure.clone()));
        }
        while let Ok(call) = self.inbox.try_recv() {
            if let Some(answer) = call.answer {
                let _ = answer.send(Err(failure.clone()));
            }
        }
    }

    async fn drive(&mut self) -> Result<std::convert::Infallible> {
        let mut open = true;
        loop {
            let deadline = self.pending.iter().map(|p| p.deadline).min();
            let wake = deadline.unwrap_or(self.idle_since + self.max_idle);
            tokio::select! {
                biased;
                frame = self.inbound.read(&mut self.read) => match frame {
                    Ok(Some(frame)) => self.answer(frame)?,
                    Ok(None) => {}
                    Err(error) => return Err(self.read_failed(error)),
                },
                call = self.inbox.recv(), if open => match call {
                    Some(call) => self.take(call),
                    None => open = false,
                },
                written = write_some(&mut self.write, &mut self.outbox) => {
                    written.map_err(|e| self.shared.lost(e))?;
                }
                () = sleep_until(wake) => self.timer(deadline)?,
            }
            if !open && self.pending.is_empty() && self.outbox.is_empty() {
                return Err(Error::Closed);
            }
        }
    }

    fn take(&mut self, call: Call) {
        let now = Instant::now();
        self.idle_since = now;
        self.outbox.extend(call.frame);
        if let Some(answer) = call.answer {
            let Call { correlation, what, timeout, .. } = call;
            self.pending.push_back(Pending { correlation, what, timeout, deadline: now + timeout, answer });
        }
    }

    fn answer(&mut self, frame: Bytes) -> Result<()> {
        let found = messages::peek_correlation(&frame).map_err(|e| self.shared.malformed(e))?;
        let Some(pending) = self.pending.pop_front() else {
            return Err(self
                .shared
                .lost(format!("it sent an answer (correlation id {found}) to no request")));
        };
        if found != pending.correlation {
            let why = format!(
                "its answer to {} has correlation id {found}, not {}",
                pending.what, pending.correlation
            );
            let failure = self.shared.lost(why);
            self.pending.push_front(pending);
            return Err(failure);
        }
        self.idle_since = Instant::now();
        let _ = pending.answer.send(Ok(frame));
        Ok(())
    }

    /// A deadline passed, or nobody used the connection for long.
    fn timer(&mut self, deadline: Option<Instant>) -> Result<()> {
        let now = Instant::now();
        if deadline.is_none() && now >= self.idle_since + self.max_idle {
            return Err(self.shared.lost("closed after being idle for connections.max.idle.ms"));
        }
        match self.pending.iter().find(|p| p.deadline <= now) {
            Some(late) => {
                let what = format!("broker {} did not answer {}", self.shared.address, late.what);
                Err(Error::Timeout { what, after: late.timeout })
            }
            None => Ok(()),
        }
    }

    fn read_failed(&self, error: ReadError) -> Error {
        match error {
            ReadError::Io(error) => self.shared.lost(error),
            ReadError::End { mid_frame: true } => {
                self.shared.lost("it closed the connection inside an answer")
            }
            ReadError::End { mid_frame: false } => self.shared.lost("it closed the connection"),
            ReadError::Bytes(error) => self.shared.malformed(error),
        }
    }
}

/// Pieces of requests given to the kernel in one call; it takes 1024 at most.
const PIECES_AT_ONCE: usize = 64;

/// Writes as much of the outbox as the socket takes; never resolves while it is empty. Cancel-safe.
async fn write_some(socket: &mut OwnedWriteHalf, outbox: &mut VecDeque<Bytes>) -> std::io::Result<()> {
    if outbox.is_empty() {
        return pending().await;
    }
    let pieces: Vec<_> = outbox.iter().take(PIECES_AT_ONCE).map(|piece| IoSlice::new(piece)).collect();
    let mut written = socket.write_vectored(&pieces).await?;
    if written == 0 {
        return Err(std::io::ErrorKind::WriteZero.into());
    }
    while written > 0 {
        let Some(front) = outbox.front_mut() else { break };
        let part = written.min(front.len());
        front.advance(part);
        written -= part;
        if front.is_empty() {
            outbox.pop_front();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
