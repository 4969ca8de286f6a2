//! One connection: frames in, answers out, in order.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use millstream_protocol::Limits;
use millstream_protocol::frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Clock;
use crate::broker::{Answer, Broker, Connection, Parked};

/// Serves a client until either side closes.
pub(super) async fn run(broker: Broker, clock: Arc<Clock>, connection: Connection, socket: TcpStream) {
    let _ = socket.set_nodelay(true);
    let limits = Limits { frame_bytes: broker.request_max_bytes(), ..Limits::default() };
    let mut served = Served { broker, clock, connection, socket, limits, buffer: BytesMut::new() };
    if let Err(error) = served.serve().await {
        tracing::debug!(connection = served.connection.id, %error, "connection ended");
    }
}

struct Served {
    broker: Broker,
    clock: Arc<Clock>,
    connection: Connection,
    socket: TcpStream,
    limits: Limits,
    buffer: BytesMut,
}

impl Served {
    async fn serve(&mut self) -> io::Result<()> {
        while let Some(frame) = timeout(IDLE, self.frame()).await?? {
            let mut answer = self.first_answer(frame).await;
            while let Answer::Parked(parked) = answer {
                answer = self.wait(parked).await;
            }
            match answer {
                Answer::Silent => {}
                Answer::Close | Answer::Parked(_) => return Ok(()),
                Answer::Reply(reply) => {
                    if !reply.delay.is_zero() {
                        sleep(reply.delay).await;
                    }
                    timeout(IDLE, self.socket.write_all(&reply.bytes)).await??;
                    if reply.close {
                        return self.socket.shutdown().await;
                    }
                }
            }
        }
        Ok(())
    }

    /// The next frame without its length prefix; none when the client has closed.
    async fn frame(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(prefix) = self.buffer.first_chunk::<{ frame::PREFIX_BYTES }>() {
                let length = frame::frame_length(*prefix, &self.limits).map_err(io::Error::other)?;
                let whole = frame::PREFIX_BYTES + length;
                if self.buffer.len() >= whole {
                    let mut frame = self.buffer.split_to(whole);
                    return Ok(Some(frame.split_off(frame::PREFIX_BYTES).freeze()));
                }
                // No more is reserved than has nearly come: a claimed length alone costs nothing.
                let missing = whole - self.buffer.len();
                self.buffer.reserve(missing.min(READ_BYTES.max(self.buffer.len())));
            } else {
                self.buffer.reserve(FIRST_READ_BYTES);
            }
            if self.socket.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    async fn first_answer(&self, frame: Bytes) -> Answer {
        let mut frame = Some(frame);
        poll_fn(|context| {
            let frame = frame.take().unwrap_or_default();
            Poll::Ready(self.broker.handle(&self.connection, frame, self.clock.now(), context.waker()))
        })
        .await
    }

    /// Waits until the waker that the broker holds is woken or the deadline has come, then asks once.
    async fn wait(&self, parked: Parked) -> Answer {
        let deadline = Instant::from_std(self.clock.start + parked.deadline());
        let mut woken = false;
        let wake =
            poll_fn(|_| if std::mem::replace(&mut woken, true) { Poll::Ready(()) } else { Poll::Pending });
        tokio::select! {
            () = wake => {}
            () = sleep_until(deadline) => {}
        }
        let mut parked = Some(parked);
        poll_fn(|context| {
            let Some(parked) = parked.take() else { return Poll::Ready(Answer::Close) };
            Poll::Ready(self.broker.resume(parked, &self.connection, self.clock.now(), context.waker()))
        })
        .await
    }
}

/// `connections.max.idle.ms`: who neither sends a whole request nor reads its answer in this time is cut.
const IDLE: Duration = Duration::from_secs(600);
const FIRST_READ_BYTES: usize = 16 << 10;
const READ_BYTES: usize = 1 << 20;
