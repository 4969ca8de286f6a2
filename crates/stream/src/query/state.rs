//! What a running query and the handles on it share.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio::sync::watch;
use uuid::Uuid;

use super::exception::StreamingQueryException;
use crate::error::Error;
use crate::progress::StreamingQueryProgress;

/// What a query is doing, in Spark's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamingQueryStatus {
    /// Such as `Processing new data`, `Waiting for data to arrive`, `Waiting for next trigger`, `Stopped`.
    pub message: Cow<'static, str>,
    /// Whether there was data at the last look.
    pub is_data_available: bool,
    /// Whether a batch is being planned or run.
    pub is_trigger_active: bool,
}

impl StreamingQueryStatus {
    /// The status with Spark's field names.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "message": self.message,
            "isDataAvailable": self.is_data_available,
            "isTriggerActive": self.is_trigger_active,
        })
    }
}

/// The shared part of a query. The driver writes it, handles read it and ask through it.
#[derive(Debug)]
pub(crate) struct QueryState {
    pub(crate) id: Uuid,
    pub(crate) run_id: Uuid,
    pub(crate) name: Option<String>,
    status: Mutex<StreamingQueryStatus>,
    recent: Mutex<VecDeque<StreamingQueryProgress>>,
    keep: usize,
    plan: Mutex<Option<String>>,
    exception: OnceLock<StreamingQueryException>,
    terminated: watch::Sender<bool>,
    stop: watch::Sender<bool>,
    requested: watch::Sender<u64>,
    served: watch::Sender<u64>,
}

impl QueryState {
    /// A query that is about to run; `keep` reports are remembered.
    pub(crate) fn new(id: Uuid, name: Option<String>, keep: usize) -> Arc<Self> {
        let status = StreamingQueryStatus {
            message: Cow::Borrowed("Initializing sources"),
            is_data_available: false,
            is_trigger_active: false,
        };
        Arc::new(Self {
            id,
            run_id: Uuid::new_v4(),
            name,
            status: Mutex::new(status),
            recent: Mutex::new(VecDeque::new()),
            keep,
            plan: Mutex::new(None),
            exception: OnceLock::new(),
            terminated: watch::Sender::new(false),
            stop: watch::Sender::new(false),
            requested: watch::Sender::new(0),
            served: watch::Sender::new(0),
        })
    }

    pub(crate) fn status(&self) -> StreamingQueryStatus {
        self.status.lock().clone()
    }

    pub(crate) fn set_status(&self, message: impl Into<Cow<'static, str>>, data: bool, active: bool) {
        *self.status.lock() = StreamingQueryStatus {
            message: message.into(),
            is_data_available: data,
            is_trigger_active: active,
        };
    }

    pub(crate) fn recent(&self) -> Vec<StreamingQueryProgress> {
        self.recent.lock().iter().cloned().collect()
    }

    pub(crate) fn last(&self) -> Option<StreamingQueryProgress> {
        self.recent.lock().back().cloned()
    }

    pub(crate) fn report(&self, progress: StreamingQueryProgress) {
        let mut recent = self.recent.lock();
        if recent.len() >= self.keep {
            recent.pop_front();
        }
        recent.push_back(progress);
    }

    pub(crate) fn plan(&self) -> Option<String> {
        self.plan.lock().clone()
    }

    pub(crate) fn set_plan(&self, plan: String) {
        *self.plan.lock() = Some(plan);
    }

    /// The query has ended, for good or with an error. Called once, when everything it held is released.
    pub(crate) fn terminate(&self, error: Option<Error>) {
        match error {
            None => self.set_status("Stopped", false, false),
            Some(error) => {
                self.set_status(format!("Terminated with exception: {error}"), false, false);
                let exception = StreamingQueryException::new(self.id, self.run_id, error);
                // Set once: a query ends once.
                let _ = self.exception.set(exception);
            }
        }
        self.terminated.send_replace(true);
    }

    pub(crate) fn exception(&self) -> Option<&StreamingQueryException> {
        self.exception.get()
    }

    pub(crate) fn is_active(&self) -> bool {
        !*self.terminated.borrow()
    }

    pub(crate) fn terminated(&self) -> watch::Receiver<bool> {
        self.terminated.subscribe()
    }

    pub(crate) fn request_stop(&self) {
        self.stop.send_replace(true);
    }

    pub(crate) fn stop(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Asks that everything there is be processed; the answer is the number to wait for in
    /// [`QueryState::served`].
    pub(crate) fn request_all(&self) -> u64 {
        let mut number = 0;
        self.requested.send_modify(|requested| {
            *requested += 1;
            number = *requested;
        });
        number
    }

    pub(crate) fn requested(&self) -> watch::Receiver<u64> {
        self.requested.subscribe()
    }

    pub(crate) fn served(&self) -> watch::Receiver<u64> {
        self.served.subscribe()
    }

    /// Everything that was there when request `number` was made is processed.
    pub(crate) fn serve(&self, number: u64) {
        self.served.send_replace(number);
    }
}
