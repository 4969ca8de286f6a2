//! A call: each URL in turn, then a pause, until there is an answer or the deadline has come.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use rand::Rng;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout_at};

use crate::answer::ErrorBody;
use crate::error::{Error, Result};
use crate::http::{Answer, Http};

/// Longest pause between rounds.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Sends calls to whichever server answers.
#[derive(Debug)]
pub(crate) struct Sender {
    http: Http,
    /// The URL that answered last.
    favourite: AtomicUsize,
}

/// What to ask for.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub method: Method,
    /// With a leading slash, percent-encoded.
    pub path: String,
    pub body: Option<Bytes>,
    /// For messages.
    pub what: &'a str,
}

impl Sender {
    pub fn new(http: Http) -> Self {
        Self { http, favourite: AtomicUsize::new(0) }
    }

    pub fn http(&self) -> &Http {
        &self.http
    }

    /// The answer's body as `T`.
    pub async fn call<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T> {
        let answer = self.until_answered(call).await?;
        serde_json::from_slice(&answer.body)
            .map_err(|e| Error::BadAnswer { what: call.what.to_owned(), why: e.to_string() })
    }

    async fn until_answered(&self, call: &Call<'_>) -> Result<Answer> {
        let options = self.http.options();
        let end = Instant::now() + options.deadline;
        let mut last = "no attempt was finished".to_owned();
        let mut pause = options.backoff;
        let rounds = async {
            loop {
                let first = self.favourite.load(Ordering::Relaxed);
                for turn in 0..options.urls.len() {
                    let index = (first + turn) % options.urls.len();
                    let url = &options.urls[index];
                    match self.http.request(url, &call.method, &call.path, call.body.as_ref()).await {
                        Ok(answer) if is_passing(answer.status) => {
                            last = format!("{url}: status {}", answer.status);
                        }
                        Ok(answer) => {
                            self.favourite.store(index, Ordering::Relaxed);
                            return answer;
                        }
                        Err(why) => last = why,
                    }
                    tracing::debug!(what = call.what, last, "schema registry call failed");
                }
                let jitter = rand::rng().random_range(0.5..1.0);
                sleep(pause.mul_f64(jitter)).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        };
        match timeout_at(end, rounds).await {
            Ok(answer) => judge(answer, call.what),
            Err(_) => Err(Error::Unavailable {
                what: call.what.to_owned(),
                urls: options.urls.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
                after: options.deadline,
                last,
            }),
        }
    }
}

/// Whether another server, or the same one later, may do better.
fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599)
}

fn judge(answer: Answer, what: &str) -> Result<Answer> {
    if (200..300).contains(&answer.status) {
        return Ok(answer);
    }
    let body: Option<ErrorBody> = serde_json::from_slice(&answer.body).ok();
    let code = body.as_ref().and_then(|b| b.error_code);
    // 40401 subject, 40402 version, 40403 schema.
    if answer.status == 404 {
        return Err(Error::NotFound { what: what.to_owned() });
    }
    let message = body.and_then(|b| b.message).unwrap_or_else(|| {
        let text = String::from_utf8_lossy(&answer.body);
        text.chars().take(200).collect()
    });
    let code = code.unwrap_or_else(|| i64::from(answer.status));
    Err(Error::Refused { what: what.to_owned(), status: answer.status, code, message })
}
