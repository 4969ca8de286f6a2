//! What is flushed is in the log once and in order.

use std::sync::Arc;
use std::time::Duration;

use millstream::client::{Acks, Compression, ErrorCode, ProducerOptions, RecordRef, TopicPartition};
use millstream::protocol::partitioner::partition_for_key;

use super::cluster::Cluster;
use super::records::{PATIENCE, assert_exact, bounds, create, everything, producer_options, write};

pub async fn every_codec_brings_every_record_in_order(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    for compression in Compression::ALL {
        let topic = format!("{}-{compression}", cluster.name);
        create(&kafka, &topic, 3, &[]).await;
        let producer = kafka.producer(ProducerOptions { compression, ..producer_options() });
        write(&producer, &topic, 3, 0..3000).await;
        assert_exact(&kafka, &topic, 3, 3000).await;
    }
}

pub async fn records_without_partition_go_by_key_or_stick(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    create(&kafka, cluster.name, 4, &[]).await;
    let producer = kafka.producer(producer_options());
    let topic: Arc<str> = cluster.name.into();
    for n in 0..400 {
        let key = format!("k{}", n % 10);
        let record =
            RecordRef { key: Some(key.as_bytes()), value: Some(key.as_bytes()), ..RecordRef::default() };
        producer.send(&topic, None, record).await.unwrap();
    }
    producer.flush().await.unwrap();
    let rows = everything(&kafka, cluster.name).await;
    for n in 0..10 {
        let key = format!("k{n}");
        let partition = partition_for_key(key.as_bytes(), 4);
        assert_eq!(rows[&partition].iter().filter(|value| **value == key).count(), 40, "{key}");
    }
    let bad = producer.send(&topic, Some(4), RecordRef::default()).await.unwrap_err();
    let text = format!("partition 4 of topic {topic} does not exist: it has 4");
    assert!(bad.to_string().contains(&text), "{bad}");
}

pub async fn a_record_above_the_request_size_is_refused_at_once_in_javas_words(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    let producer = kafka.producer(ProducerOptions { max_request_bytes: 1000, ..producer_options() });
    let value = vec![b'x'; 2000];
    let record = RecordRef { value: Some(&value), ..RecordRef::default() };
    let error = producer.try_send(cluster.name, None, record).unwrap_err();
    assert_eq!(
        error.to_string(),
        "The message is 2086 bytes when serialized which is larger than 1000, which is the value of the \
         max.request.size configuration."
    );
    producer.flush().await.unwrap();
}

pub async fn a_batch_above_the_topics_size_is_split_and_a_single_record_fails(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    create(&kafka, cluster.name, 1, &[("max.message.bytes", "300")]).await;
    let producer =
        kafka.producer(ProducerOptions { linger: Duration::from_millis(20), ..producer_options() });
    write(&producer, cluster.name, 1, 0..2000).await;
    assert_exact(&kafka, cluster.name, 1, 2000).await;
    let value = vec![b'x'; 500];
    let record = RecordRef { value: Some(&value), ..RecordRef::default() };
    producer.send(&cluster.name.into(), None, record).await.unwrap();
    let error = producer.flush().await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::MESSAGE_TOO_LARGE));
    assert!(!error.possibly_written(), "{error}");
    // The producer goes on.
    write(&producer, cluster.name, 1, 2000..3000).await;
    assert_exact(&kafka, cluster.name, 1, 3000).await;
}

pub async fn a_missing_topic_is_created_where_allowed(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    write(&kafka.producer(producer_options()), cluster.name, 1, 0..10).await;
    assert_exact(&kafka, cluster.name, 1, 10).await;
}

pub async fn a_small_buffer_is_filled_again_and_again(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    create(&kafka, cluster.name, 1, &[]).await;
    // A lingering batch does not hold a full buffer back.
    let linger = Duration::from_secs(100);
    let producer = kafka.producer(ProducerOptions { buffer_bytes: 5000, linger, ..producer_options() });
    write(&producer, cluster.name, 1, 0..2000).await;
    assert_exact(&kafka, cluster.name, 1, 2000).await;
}

pub async fn clones_write_side_by_side(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    create(&kafka, cluster.name, 4, &[]).await;
    let producer = kafka.producer(producer_options());
    let one = |partition: i32| {
        let (producer, topic): (_, Arc<str>) = (producer.clone(), cluster.name.into());
        tokio::spawn(async move {
            for number in 0..1000 {
                let value = (number * 4 + partition).to_string();
                let record = RecordRef { value: Some(value.as_bytes()), ..RecordRef::default() };
                producer.send(&topic, Some(partition), record).await.unwrap();
            }
            producer.flush().await.unwrap();
        })
    };
    for writing in (0..4).map(one).collect::<Vec<_>>() {
        writing.await.unwrap();
    }
    assert_exact(&kafka, cluster.name, 4, 4000).await;
}

pub async fn without_acknowledgements_records_arrive_too(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    create(&kafka, cluster.name, 1, &[]).await;
    let options = ProducerOptions { acks: Acks::None, idempotence: false, ..producer_options() };
    write(&kafka.producer(options), cluster.name, 1, 0..500).await;
    let tp = TopicPartition::new(cluster.name, 0);
    let arrival = async {
        while bounds(&kafka, &tp).await.1 < 500 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, arrival).await.expect("the records arrive");
    assert_exact(&kafka, cluster.name, 1, 500).await;
}
