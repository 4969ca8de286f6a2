//! The broker's options, with Kafka's names and defaults where Kafka has them.

use std::path::PathBuf;

use crate::error::{Error, Result};

/// How a broker is set up. All fields have defaults: `BrokerOptions::default()` is one node in memory on free
/// ports.
#[derive(Clone, Debug)]
pub struct BrokerOptions {
    /// Number of simulated nodes, each with its own listener and node id (1, 2, ...). Default 1, at most 100.
    pub nodes: usize,
    /// Address to listen on. Default `127.0.0.1`.
    pub host: String,
    /// Port of the first node; node i listens on `port + i - 1`. Default 0: each node takes a free port.
    pub port: u16,
    /// Host told to clients. Default: `host`, or `localhost` when that is a wildcard address.
    pub advertised_host: Option<String>,
    /// `num.partitions`: partitions of topics that are created without a count. Default 1.
    pub default_partitions: i32,
    /// `auto.create.topics.enable`. Default true.
    pub auto_create_topics: bool,
    /// Folder for logs and metadata; none (the default) keeps everything in memory.
    pub data_dir: Option<PathBuf>,
    /// `message.max.bytes`: largest record batch taken, in bytes. Default 1048588.
    pub message_max_bytes: i32,
    /// `socket.request.max.bytes`: largest request frame taken, in bytes. Default 104857600.
    pub request_max_bytes: usize,
    /// `fetch.max.bytes` of the broker: upper bound of one fetch response, in bytes. Default 57671680.
    pub fetch_max_bytes: usize,
    /// The cluster's id as told to clients; none (the default) makes one, or takes the data directory's.
    pub cluster_id: Option<String>,
    /// `group.initial.rebalance.delay.ms`: how long the first join of an empty group waits for more members.
    /// Default 0.
    pub group_initial_rebalance_delay_ms: u64,
    /// Seed for topic ids and member names; none (the default) takes the system's randomness.
    pub seed: Option<u64>,
}

impl Default for BrokerOptions {
    fn default() -> Self {
        Self {
            nodes: 1,
            host: "127.0.0.1".to_owned(),
            port: 0,
            advertised_host: None,
            default_partitions: 1,
            auto_create_topics: true,
            data_dir: None,
            message_max_bytes: 1_048_588,
            request_max_bytes: 104_857_600,
            fetch_max_bytes: 57_671_680,
            cluster_id: None,
            group_initial_rebalance_delay_ms: 0,
            seed: None,
        }
    }
}

impl BrokerOptions {
    /// The host that metadata names.
    pub(crate) fn advertised(&self) -> String {
        match (&self.advertised_host, self.host.as_str()) {
            (Some(host), _) => host.clone(),
            (None, "0.0.0.0" | "::" | "[::]" | "") => "localhost".to_owned(),
            (None, host) => host.to_owned(),
        }
    }

    pub(crate) fn validate(&self) -> Result<()> {
        let bad =
            |option, value: String, why: &str| Err(Error::Option { option, value, why: why.to_owned() });
        if !(1..=100).contains(&self.nodes) {
            return bad("nodes", self.nodes.to_string(), "give 1 to 100");
        }
        if !(1..=MAX_PARTITIONS).contains(&self.default_partitions) {
            return bad("default_partitions", self.default_partitions.to_string(), "give 1 to 10000");
        }
        if self.message_max_bytes < 0 {
            return bad("message_max_bytes", self.message_max_bytes.to_string(), "give 0 or more");
        }
        if self.request_max_bytes > (1 << 30) {
            return bad("request_max_bytes", self.request_max_bytes.to_string(), "give at most 1 GiB");
        }
        Ok(())
    }
}

/// Most partitions that one topic may have.
pub(crate) const MAX_PARTITIONS: i32 = 10_000;
/// Most partitions that all topics may have together, so that a few bytes of requests cannot ask for all memory.
pub(crate) const MAX_ALL_PARTITIONS: usize = 100_000;
