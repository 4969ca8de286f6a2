//! DescribeLogDirs (35). Versions 1-4.
//!
//! Kept: one directory (the data directory, or `memory`) with the size of each partition that this node
//! leads. Left out: the volume's total and free bytes (-1).

use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse, TopicName};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, text};

pub(super) struct DescribeLogDirs;

impl Handler for DescribeLogDirs {
    const KEY: ApiKey = ApiKey::DESCRIBE_LOG_DIRS;
    const VERSIONS: (i16, i16) = (1, 4);
    type Request = DescribeLogDirsRequest;
    type Response = DescribeLogDirsResponse;

    fn handle(call: &mut Call<'_>, request: DescribeLogDirsRequest) -> Step<Self> {
        let wanted = |name: &str, index: i32| {
            request.topics.as_ref().is_none_or(|topics| {
                topics.iter().any(|topic| topic.topic.as_str() == name && topic.partitions.contains(&index))
            })
        };
        let mut topics = Vec::new();
        for (name, topic) in &call.state.topics {
            let here = (0..).zip(&topic.partitions).filter(|(index, partition)| {
                partition.leader == call.connection.node && wanted(name, *index)
            });
            let parts: Vec<DescribeLogDirsPartition> = here
                .map(|(index, partition)| {
                    let size = i64::try_from(partition.log.size()).unwrap_or(i64::MAX);
                    DescribeLogDirsPartition::default().with_partition_index(index).with_partition_size(size)
                })
                .collect();
            if !parts.is_empty() {
                let name = TopicName(text(&**name));
                topics.push(DescribeLogDirsTopic::default().with_name(name).with_partitions(parts));
            }
        }
        let folder = call.state.options.data_dir.as_ref();
        let folder = folder.map_or_else(|| "memory".to_owned(), |folder| folder.display().to_string());
        let result = DescribeLogDirsResult::default()
            .with_log_dir(text(folder))
            .with_topics(topics)
            .with_total_bytes(-1)
            .with_usable_bytes(-1);
        Step::Reply(DescribeLogDirsResponse::default().with_results(vec![result]))
    }

    fn refuse(
        _call: &Call<'_>,
        _request: DescribeLogDirsRequest,
        error: ErrorCode,
    ) -> DescribeLogDirsResponse {
        DescribeLogDirsResponse::default().with_error_code(error.0)
    }
}
