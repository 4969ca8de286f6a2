//! Kafka's own tools beside our client: what one writes the other reads.

use millstream_integration::real_kafka::RealKafka;

#[test]
fn apache_kafka_starts_and_answers_its_own_tools() {
    for version in ["4.3.1", "3.9.1"] {
        let Some(kafka) = RealKafka::shared(version) else { return };
        let bootstrap = kafka.bootstrap();
        let topic = ["--bootstrap-server", &bootstrap, "--create", "--topic", "started", "--partitions", "3"];
        kafka.tool("org.apache.kafka.tools.TopicCommand", &topic, "").unwrap();
        let list = ["--bootstrap-server", &bootstrap, "--list"];
        let list = kafka.tool("org.apache.kafka.tools.TopicCommand", &list, "").unwrap();
        assert!(list.lines().any(|line| line == "started"), "{list}");
    }
}
