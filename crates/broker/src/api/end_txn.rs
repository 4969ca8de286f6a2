//! EndTxn (26). Versions 0-4.
//!
//! Kept: markers in every partition of the transaction before the answer; repeated calls; fencing. Left out:
//! version 5, which belongs to the second transaction protocol (not advertised).

use kafka_protocol::messages::{EndTxnRequest, EndTxnResponse};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, writer_error};
use crate::transactions::Writer;

pub(super) struct EndTxn;

/// First version that knows PRODUCER_FENCED.
const FENCED: i16 = 2;

impl Handler for EndTxn {
    const KEY: ApiKey = ApiKey::END_TXN;
    const VERSIONS: (i16, i16) = (0, 4);
    type Request = EndTxnRequest;
    type Response = EndTxnResponse;

    fn handle(call: &mut Call<'_>, request: EndTxnRequest) -> Step<Self> {
        let ended = end(call, &request).err().unwrap_or(ErrorCode::NONE);
        Step::Reply(Self::refuse(call, request, writer_error(ended, call.version >= FENCED)))
    }

    fn refuse(_call: &Call<'_>, _request: EndTxnRequest, error: ErrorCode) -> EndTxnResponse {
        EndTxnResponse::default().with_error_code(error.0)
    }
}

fn end(call: &mut Call<'_>, request: &EndTxnRequest) -> Result<(), ErrorCode> {
    let id = &request.transactional_id;
    call.state.check_coordinator(id, call.connection.node)?;
    let writer = Writer { id, producer_id: request.producer_id.0, epoch: request.producer_epoch };
    call.state.end_transaction(writer, request.committed, call.now)
}
