//! A call: each URL in turn, then a pause, until there is an answer or the deadline has come.
//!
//! Every call may be repeated after a failed attempt, whatever became of that: it asks, or it registers, which gives
//! the same id again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rand::Rng;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout_at};

use crate::answer::ErrorBody;
use crate::error::{Error, Result};
use crate::http::{Answer, Asked, Http};

/// Longest pause between rounds.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Characters of a registry's message that an error holds.
const LONGEST_MESSAGE: usize = 2_000;

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
    pub asked: Asked,
    /// For messages.
    pub what: &'a str,
    /// When to give up.
    pub until: Instant,
}

/// The outcome of trying each URL once.
enum Round {
    Answered(usize, Answer),
    /// Waiting may help.
    Failed,
    /// It will not: why, for each URL.
    Hopeless(String),
}

impl Sender {
    pub fn new(http: Http) -> Self {
        Self { http, favourite: AtomicUsize::new(0) }
    }

    pub fn http(&self) -> &Http {
        &self.http
    }

    /// All URLs, for messages.
    pub fn urls(&self) -> String {
        self.http.options().urls.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// The answer's body as `T`.
    pub async fn call<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T> {
        let (index, answer) = self.until_answered(call).await?;
        let url = self.http.options().urls[index].to_string();
        let bad = |url, why| Error::BadAnswer { what: call.what.to_owned(), url, why };
        if (200..300).contains(&answer.status) {
            return serde_json::from_slice(&answer.body).map_err(|e| bad(url, e.to_string()));
        }
        Err(self.refusal(answer, call.what, url))
    }

    async fn until_answered(&self, call: &Call<'_>) -> Result<(usize, Answer)> {
        let options = self.http.options();
        let mut last = "the first attempt had no answer yet".to_owned();
        let mut pause = options.backoff;
        let rounds = async {
            loop {
                match self.round(call, &mut last).await {
                    Round::Answered(index, answer) => return Ok((index, answer)),
                    Round::Hopeless(why) => {
                        return Err(Error::Unusable { what: call.what.to_owned(), why });
                    }
                    Round::Failed => {}
                }
                let jitter = rand::rng().random_range(0.5..1.0);
                sleep(pause.mul_f64(jitter)).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        };
        let done = timeout_at(call.until, rounds).await;
        done.unwrap_or_else(|_| {
            Err(Error::Unavailable {
                what: call.what.to_owned(),
                urls: self.urls(),
                after: options.deadline,
                last,
            })
        })
    }

    async fn round(&self, call: &Call<'_>, last: &mut String) -> Round {
        let urls = &self.http.options().urls;
        let first = self.favourite.load(Ordering::Relaxed);
        let mut hopeless = Vec::new();
        for turn in 0..urls.len() {
            let index = (first + turn) % urls.len();
            match self.http.request(index, &call.asked).await {
                Ok(answer) if is_passing(answer.status) => {
                    let message = message(&answer, error_body(&answer));
                    *last = format!("{}: status {}: {message}", urls[index], answer.status);
                }
                Ok(answer) => {
                    self.favourite.store(index, Ordering::Relaxed);
                    return Round::Answered(index, answer);
                }
                Err(failure) => {
                    last.clone_from(&failure.why);
                    hopeless.extend(failure.is_lasting.then_some(failure.why));
                }
            }
            tracing::debug!(what = call.what, last, "schema registry call failed");
        }
        if hopeless.len() == urls.len() { Round::Hopeless(hopeless.join("; ")) } else { Round::Failed }
    }

    fn refusal(&self, answer: Answer, what: &str, url: String) -> Error {
        let (status, body) = (answer.status, error_body(&answer));
        let code = body.as_ref().and_then(|body| body.error_code);
        let (what, message) = (what.to_owned(), message(&answer, body));
        match (status, code) {
            (401 | 403, _) => Error::Denied { what, url, status, message },
            // 40401 subject, 40402 version, 40403 schema. Without a code it is no registry that says so.
            (404, Some(_)) => Error::NotFound { what, urls: self.urls() },
            (409, _) => Error::Incompatible { what, url, code: code.unwrap_or(409), message },
            (422, _) => Error::Invalid { what, url, code: code.unwrap_or(422), message },
            _ => Error::Refused { what, url, status, code: code.unwrap_or(i64::from(status)), message },
        }
    }
}

/// Whether another server, or the same one later, may do better.
fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599)
}

fn error_body(answer: &Answer) -> Option<ErrorBody> {
    serde_json::from_slice(&answer.body).ok()
}

/// What a server says beside the status; not more than fits a message, and on one line.
fn message(answer: &Answer, body: Option<ErrorBody>) -> String {
    let said = match (&answer.location, body.and_then(|body| body.message)) {
        (Some(to), _) if (300..400).contains(&answer.status) => format!("moved to {to}"),
        (_, Some(message)) => message,
        _ => String::from_utf8_lossy(&answer.body[..answer.body.len().min(LONGEST_MESSAGE)]).into_owned(),
    };
    let said: String =
        said.chars().take(LONGEST_MESSAGE).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if said.trim().is_empty() { "nothing else was said".into() } else { said.trim().to_owned() }
}
