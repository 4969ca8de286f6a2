//! InitProducerId (22). Versions 0-5.
//!
//! Kept: ids for idempotent producers; transactional ids with epoch bump, abort of what was open, and fencing
//! (KIP-360). Left out: two-phase commit (KIP-939).

use kafka_protocol::messages::{InitProducerIdRequest, InitProducerIdResponse, ProducerId};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step};

pub(super) struct InitProducerId;

/// First version that knows PRODUCER_FENCED.
const FENCED: i16 = 4;

impl Handler for InitProducerId {
    const KEY: ApiKey = ApiKey::INIT_PRODUCER_ID;
    const VERSIONS: (i16, i16) = (0, 5);
    type Request = InitProducerIdRequest;
    type Response = InitProducerIdResponse;

    fn handle(call: &mut Call<'_>, request: InitProducerIdRequest) -> Step<Self> {
        match init(call, &request) {
            Ok((producer_id, epoch)) => Step::Reply(
                InitProducerIdResponse::default()
                    .with_producer_id(ProducerId(producer_id))
                    .with_producer_epoch(epoch),
            ),
            Err(error) => Step::Reply(Self::refuse(call, request, error)),
        }
    }

    fn refuse(call: &Call<'_>, _request: InitProducerIdRequest, error: ErrorCode) -> InitProducerIdResponse {
        let old = error == ErrorCode::PRODUCER_FENCED && call.version < FENCED;
        let error = if old { ErrorCode::INVALID_PRODUCER_EPOCH } else { error };
        InitProducerIdResponse::default()
            .with_error_code(error.0)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1)
    }
}

fn init(call: &mut Call<'_>, request: &InitProducerIdRequest) -> Result<(i64, i16), ErrorCode> {
    let Some(id) = &request.transactional_id else {
        return call.state.new_producer().map_err(|error| error.code());
    };
    call.state.check_coordinator(id, call.connection.node)?;
    let claimed = (request.producer_id.0 >= 0).then_some((request.producer_id.0, request.producer_epoch));
    call.state.init_transactions(id, request.transaction_timeout_ms, claimed, call.now)
}
