//! ListTransactions (66). Version 0.
//!
//! Kept: this node's transactional ids, filters by state and producer id. Left out: filters by duration and
//! pattern (versions 1 and 2).

use kafka_protocol::messages::list_transactions_response::TransactionState;
use kafka_protocol::messages::{
    ListTransactionsRequest, ListTransactionsResponse, ProducerId, TransactionalId,
};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, text};

pub(super) struct ListTransactions;

const STATES: [&str; 2] = ["Empty", "Ongoing"];

impl Handler for ListTransactions {
    const KEY: ApiKey = ApiKey::LIST_TRANSACTIONS;
    const VERSIONS: (i16, i16) = (0, 0);
    type Request = ListTransactionsRequest;
    type Response = ListTransactionsResponse;

    fn handle(call: &mut Call<'_>, request: ListTransactionsRequest) -> Step<Self> {
        let mut response = ListTransactionsResponse::default();
        let (states, producers) = (&request.state_filters, &request.producer_id_filters);
        response.unknown_state_filters =
            states.iter().filter(|state| !STATES.contains(&state.as_str())).cloned().collect();
        for (id, transaction) in call.state.transactions.iter() {
            let state = STATES[usize::from(transaction.open.is_some())];
            let producer = ProducerId(transaction.producer_id);
            let wanted = (states.is_empty() || states.iter().any(|wanted| wanted.as_str() == state))
                && (producers.is_empty() || producers.contains(&producer));
            if wanted && call.state.coordinator_of(id) == call.connection.node {
                response.transaction_states.push(
                    TransactionState::default()
                        .with_transactional_id(TransactionalId(text(id)))
                        .with_producer_id(producer)
                        .with_transaction_state(text(state)),
                );
            }
        }
        Step::Reply(response)
    }

    fn refuse(
        _call: &Call<'_>,
        _request: ListTransactionsRequest,
        error: ErrorCode,
    ) -> ListTransactionsResponse {
        ListTransactionsResponse::default().with_error_code(error.0)
    }
}
