//! The first contact.

use millstream::client::{ClientOptions, Kafka};

use super::cluster::Cluster;

pub async fn a_dead_address_beside_a_live_one_does_not_matter(cluster: &Cluster) {
    let options = ClientOptions::new(&format!("127.0.0.1:1,{}", cluster.bootstrap));
    let kafka = Kafka::connect(options).await.unwrap();
    let description = kafka.admin().describe_cluster().await.unwrap();
    assert_eq!(description.brokers.len(), 1);
    assert!(description.cluster_id.is_some());
}
