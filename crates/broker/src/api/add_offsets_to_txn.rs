//! AddOffsetsToTxn (25). Versions 0-3.
//!
//! Kept: a group becomes part of the transaction. Left out: nothing (version 4 belongs to the second
//! transaction protocol, which is not advertised).

use kafka_protocol::messages::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, writer_error};
use crate::transactions::Writer;

pub(super) struct AddOffsetsToTxn;

/// First version that knows PRODUCER_FENCED.
const FENCED: i16 = 2;

impl Handler for AddOffsetsToTxn {
    const KEY: ApiKey = ApiKey::ADD_OFFSETS_TO_TXN;
    const VERSIONS: (i16, i16) = (0, 3);
    type Request = AddOffsetsToTxnRequest;
    type Response = AddOffsetsToTxnResponse;

    fn handle(call: &mut Call<'_>, request: AddOffsetsToTxnRequest) -> Step<Self> {
        let added = add(call, &request).err().unwrap_or(ErrorCode::NONE);
        Step::Reply(Self::refuse(call, request, writer_error(added, call.version >= FENCED)))
    }

    fn refuse(
        _call: &Call<'_>,
        _request: AddOffsetsToTxnRequest,
        error: ErrorCode,
    ) -> AddOffsetsToTxnResponse {
        AddOffsetsToTxnResponse::default().with_error_code(error.0)
    }
}

fn add(call: &mut Call<'_>, request: &AddOffsetsToTxnRequest) -> Result<(), ErrorCode> {
    let id = &request.transactional_id;
    call.state.check_coordinator(id, call.connection.node)?;
    let writer = Writer { id, producer_id: request.producer_id.0, epoch: request.producer_epoch };
    call.state.add_group_to_transaction(writer, &request.group_id, call.now)
}
