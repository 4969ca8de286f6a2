use super::*;

fn read(streaming: bool, options: &[(&str, &str)]) -> Read {
    let mut read = Read::new("kafka", streaming);
    read.options.set("kafka.bootstrap.servers", "localhost:1");
    for (name, value) in options {
        read.options.set(*name, *value);
    }
    read
}

fn refused(streaming: bool, options: &[(&str, &str)]) -> String {
    KafkaRead::check(&read(streaming, options)).unwrap_err().to_string()
}

fn refused_when_run(options: &[(&str, &str)]) -> String {
    KafkaRead::check(&read(true, options)).unwrap().settings().unwrap_err().to_string()
}

#[test]
fn exactly_one_subscription_is_taken() {
    let all = "subscribe, subscribepattern, assign";
    assert!(
        refused(true, &[]).starts_with("One of the following options must be specified for Kafka source")
    );
    let two = refused(false, &[("subscribe", "t"), ("subscribePattern", "t.*")]);
    assert!(two.starts_with("Only one of the following options") && two.contains(all));
    let blank = refused(true, &[("subscribe", " , ")]);
    assert_eq!(blank, "No topics to subscribe to as specified value for option 'subscribe' is ' , '");
    let blank = refused(true, &[("subscribePattern", " ")]);
    assert_eq!(
        blank,
        "Pattern to subscribe is empty as specified value for option 'subscribePattern' is ' '"
    );
    let bare = refused(true, &[("assign", "t:0")]);
    assert_eq!(bare, "No topicpartitions to assign as specified value for option 'assign' is 't:0'");
}

#[test]
fn forbidden_client_properties_are_named_with_what_to_use_instead() {
    for (name, advice) in [
        ("auto.offset.reset", "'startingoffsets'"),
        ("key.deserializer", "DataFrame operations"),
        ("value.deserializer", "DataFrame operations"),
        ("enable.auto.commit", "checkpoint"),
        ("interceptor.classes", "DataFrame operations"),
    ] {
        let text = refused(true, &[("subscribe", "t"), (&format!("Kafka.{name}"), "x")]);
        assert!(text.starts_with(&format!("Kafka option '{name}' is not supported")), "{text}");
        assert!(text.contains(advice), "{text}");
    }
}

#[test]
fn a_stream_has_no_end_and_a_batch_no_open_start() {
    let stream = refused(true, &[("subscribe", "t"), ("endingOffsets", "latest")]);
    assert_eq!(stream, "ending offset not valid in streaming queries");
    let batch = refused(false, &[("subscribe", "t"), ("startingOffsets", "Latest")]);
    assert_eq!(batch, "starting offset can't be latest for batch queries on Kafka");
    let batch = refused(false, &[("subscribe", "t"), ("endingOffsets", r#"{"t":{"0":-2}}"#)]);
    assert_eq!(batch, "ending offset for t-0 can't be earliest for batch queries on Kafka");
}

#[test]
fn a_batch_refuses_ranges_that_run_backwards_or_do_not_match() {
    let given =
        [("subscribe", "t"), ("startingOffsets", r#"{"t":{"0":3}}"#), ("endingOffsets", r#"{"t":{"0":1}}"#)];
    let error = KafkaRead::check(&read(false, &given)).unwrap_err();
    let spark = error.spark().unwrap();
    assert_eq!(spark.condition.as_deref(), Some("UNRESOLVED_START_OFFSET_GREATER_THAN_END_OFFSET"));
    assert_eq!(spark.parameters["startOffset"], "3");
    let given = [given[0], ("startingOffsets", r#"{"t":{"0":0,"1":0}}"#), given[2]];
    let error = KafkaRead::check(&read(false, &given)).unwrap_err();
    let spark = error.spark().unwrap();
    assert_eq!(spark.parameters["tpsForStartOffset"], "t-0, t-1");
    assert_eq!(spark.parameters["tpsForEndOffset"], "t-0");
}

#[test]
fn numbers_are_checked_when_the_frame_is_made_or_when_it_runs() {
    let subscribe = ("subscribe", "t");
    assert!(refused(true, &[subscribe, ("minPartitions", "a")]).contains("For input string: \"a\""));
    assert_eq!(refused(true, &[subscribe, ("minPartitions", "0")]), "minPartitions must be positive");
    let zero = refused(false, &[subscribe, ("maxRecordsPerPartition", "0")]);
    assert_eq!(zero, "maxrecordsperpartition must be positive");
    let crossed = [subscribe, ("minOffsetsPerTrigger", "10"), ("maxOffsetsPerTrigger", "5")];
    assert!(
        refused(true, &crossed)
            .contains("minOffsetPerTrigger(10) is higher than the maxOffsetsPerTrigger(5)")
    );
    assert!(refused(true, &[subscribe, ("minPartitions", "99999999999")]).contains("\"99999999999\""));
    assert!(refused(false, &[subscribe, ("kafkaConsumer.pollTimeoutMs", "x")]).contains("\"x\""));
    let retries = KafkaRead::check(&read(false, &[subscribe, ("fetchOffset.numRetries", "x")])).unwrap();
    assert!(retries.retries().unwrap_err().to_string().contains("\"x\""));
    let negative =
        KafkaRead::check(&read(true, &[subscribe, ("kafkaConsumer.pollTimeoutMs", "-1")])).unwrap();
    let text = negative.properties(&negative.settings().unwrap()).unwrap_err().to_string();
    assert!(text.contains("negative timeout -1"), "{text}");
    assert!(refused_when_run(&[subscribe, ("maxOffsetsPerTrigger", "ten")]).contains("\"ten\""));
    assert!(refused_when_run(&[subscribe, ("failOnDataLoss", "maybe")]).contains("\"maybe\""));
    let text = refused_when_run(&[subscribe, ("startingTimestamp", "2025-01-01")]);
    assert_eq!(text, "Expected a single long value, got 2025-01-01");
    assert!(refused_when_run(&[subscribe, ("startingOffsets", "t:0:1")]).ends_with("got t:0:1"));
    assert!(refused_when_run(&[subscribe, ("maxTriggerDelay", "soon")]).contains("'soon'"));
}

#[test]
fn the_first_form_of_start_wins_and_defaults_differ() {
    let start = |streaming, options: &[(&str, &str)]| {
        let mut given = vec![("subscribe", "t")];
        given.extend_from_slice(options);
        KafkaRead::check(&read(streaming, &given)).unwrap().settings().unwrap().start
    };
    assert_eq!(start(true, &[]), Position::Latest);
    assert_eq!(start(false, &[]), Position::Earliest);
    let all = [
        ("startingOffsets", "earliest"),
        ("startingOffsetsByTimestamp", r#"{"t":{"0":1}}"#),
        ("startingTimestamp", "7"),
    ];
    assert_eq!(start(true, &all), Position::Timestamp(7, positions::OnNoMatch::Fail));
    assert!(matches!(start(true, &all[..2]), Position::Timestamps(..)));
    assert_eq!(start(true, &all[..1]), Position::Earliest);
}

#[test]
fn limits_and_durations_are_read() {
    let options = [("subscribe", "t"), ("maxTriggerDelay", "30m"), ("maxRatePerPartition", "100")];
    let limits = KafkaRead::check(&read(true, &options)).unwrap().settings().unwrap().limits;
    assert_eq!(limits.max_delay, Duration::from_secs(1800));
    assert_eq!(limits.max_per_partition, Some(100));
}

#[test]
fn an_unknown_isolation_level_is_found_when_the_read_runs() {
    let options = [("subscribe", "t"), ("kafka.isolation.level", "serializable")];
    let read = KafkaRead::check(&read(true, &options)).unwrap();
    let text = read.properties(&read.settings().unwrap()).unwrap_err().to_string();
    assert!(text.contains("SERIALIZABLE") && text.contains("read_committed"), "{text}");
}

#[test]
fn a_group_id_and_limits_on_a_batch_are_warned_of() {
    let options = [("subscribe", "t"), ("kafka.group.id", "g"), ("maxOffsetsPerTrigger", "1")];
    let warnings = KafkaRead::check(&read(false, &options)).unwrap().warnings(false).unwrap();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
}
