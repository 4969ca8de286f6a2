//! Where a scenario runs.

use std::time::Duration;

use millstream::client::{ClientOptions, ErrorCode, Kafka, TopicMetadata};
use millstream_broker::BrokerOptions;
use millstream_broker::net::{EmbeddedBroker, start_in_thread};
use millstream_integration::real_kafka::RealKafka;

use super::records::PATIENCE;

/// A broker of one node, and a name in it that no other scenario uses.
pub struct Cluster {
    pub bootstrap: String,
    /// For a topic, or as the beginning of a topic's name.
    pub name: &'static str,
    _embedded: Option<EmbeddedBroker>,
}

impl Cluster {
    pub fn options(&self) -> ClientOptions {
        ClientOptions::new(&self.bootstrap)
    }

    pub async fn connect(&self) -> Kafka {
        Kafka::connect(self.options()).await.unwrap()
    }
}

/// An embedded broker of the scenario's own.
pub fn embedded(name: &'static str) -> Cluster {
    let broker = start_in_thread(BrokerOptions::default()).unwrap();
    Cluster { bootstrap: broker.bootstrap(), name, _embedded: Some(broker) }
}

/// The Apache Kafka of this version that all suites share; `None`, said loudly, where there is none.
pub fn real(version: &str, name: &'static str) -> Option<Cluster> {
    let kafka = tokio::task::block_in_place(|| RealKafka::shared(version))?;
    Some(Cluster { bootstrap: kafka.bootstrap(), name, _embedded: None })
}

/// What the broker says of a topic and of one that is missing, once it is as wanted: a change reaches the metadata
/// of a real broker a moment after the controller has confirmed it.
pub async fn described(
    kafka: &Kafka,
    name: &str,
    wanted: impl Fn(&[TopicMetadata]) -> bool,
) -> Vec<TopicMetadata> {
    let ask = async {
        loop {
            let described = kafka.describe_topics(&[name.to_owned(), "missing".to_owned()]).await.unwrap();
            if wanted(&described) {
                return described;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ask).await.expect("the change is seen in time")
}

/// Whether a topic that was there is no more.
pub fn is_gone(described: &[TopicMetadata]) -> bool {
    described[0].error == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
}
