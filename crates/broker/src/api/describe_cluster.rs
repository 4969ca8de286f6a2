//! DescribeCluster (60). Versions 0-2.
//!
//! Kept: nodes, cluster id; node 1 is the controller. Left out: controller endpoints, fenced nodes,
//! authorized operations.

use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::{BrokerId, DescribeClusterRequest, DescribeClusterResponse};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, text};

pub(super) struct DescribeCluster;

impl Handler for DescribeCluster {
    const KEY: ApiKey = ApiKey::DESCRIBE_CLUSTER;
    const VERSIONS: (i16, i16) = (0, 2);
    type Request = DescribeClusterRequest;
    type Response = DescribeClusterResponse;

    fn handle(call: &mut Call<'_>, request: DescribeClusterRequest) -> Step<Self> {
        const BROKERS: i8 = 1;
        if call.version >= 1 && request.endpoint_type != BROKERS {
            return Step::Reply(Self::refuse(call, request, ErrorCode::MISMATCHED_ENDPOINT_TYPE));
        }
        let brokers = call.state.nodes().map(|(id, (host, port))| {
            DescribeClusterBroker::default()
                .with_broker_id(BrokerId(id))
                .with_host(text(host.as_str()))
                .with_port(i32::from(*port))
        });
        Step::Reply(
            DescribeClusterResponse::default()
                .with_cluster_id(text(call.state.cluster_id.as_str()))
                .with_controller_id(BrokerId(1))
                .with_brokers(brokers.collect()),
        )
    }

    fn refuse(
        _call: &Call<'_>,
        _request: DescribeClusterRequest,
        error: ErrorCode,
    ) -> DescribeClusterResponse {
        DescribeClusterResponse::default()
            .with_error_code(error.0)
            .with_error_message(Some(text(error.message())))
    }
}
