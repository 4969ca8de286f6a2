//! Error codes that brokers send, and what a client does about them.
//!
//! Numbers and names are Kafka's. A code is retriable where the Java client calls it retriable;
//! it *refreshes metadata* where retrying at the same broker would only fail again.

use std::fmt;

/// Error code of a response, of a topic or of a partition. 0 is [`ErrorCode::NONE`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(pub i16);

/// What a client does after an error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Tell the caller.
    Fatal,
    /// Ask the same broker again after a pause.
    Retriable,
    /// Ask for metadata, then ask the broker it names.
    Refresh,
}

struct Entry {
    code: i16,
    name: &'static str,
    fate: Fate,
    message: &'static str,
}

/// One line for each code: constant, number, what to do, meaning.
macro_rules! error_codes {
    ($($constant:ident = $code:literal, $fate:ident, $message:literal;)*) => {
        impl ErrorCode {
            $(#[doc = concat!("Code ", stringify!($code), ": ", $message, ".")]
            pub const $constant: ErrorCode = ErrorCode($code);)*

            const TABLE: &'static [Entry] = &[$(Entry {
                code: $code, name: stringify!($constant), fate: Fate::$fate, message: $message,
            }),*];
        }
    };
}

error_codes! {
    UNKNOWN_SERVER_ERROR = -1, Fatal,
        "the broker failed in a way it has no code for; its log names the cause";
    NONE = 0, Fatal, "no error";
    OFFSET_OUT_OF_RANGE = 1, Fatal, "the offset is below the log's start or above its end";
    CORRUPT_MESSAGE = 2, Retriable, "the broker found a batch with a wrong checksum, size or missing key";
    UNKNOWN_TOPIC_OR_PARTITION = 3, Refresh, "the broker does not know this topic or partition";
    INVALID_FETCH_SIZE = 4, Fatal, "the fetch size is not valid";
    LEADER_NOT_AVAILABLE = 5, Refresh, "the partition has no leader at the moment";
    NOT_LEADER_OR_FOLLOWER = 6, Refresh, "this broker no longer hosts the partition";
    REQUEST_TIMED_OUT = 7, Retriable, "the broker gave up waiting; the request may still have taken effect";
    BROKER_NOT_AVAILABLE = 8, Fatal, "the broker is not available";
    REPLICA_NOT_AVAILABLE = 9, Refresh, "the replica asked for is not available";
    MESSAGE_TOO_LARGE = 10, Fatal, "a batch exceeds max.message.bytes of the topic";
    STALE_CONTROLLER_EPOCH = 11, Fatal, "the controller has moved";
    OFFSET_METADATA_TOO_LARGE = 12, Fatal, "the metadata text of an offset commit is too long";
    NETWORK_EXCEPTION = 13, Refresh, "the connection was lost before the answer came";
    COORDINATOR_LOAD_IN_PROGRESS = 14, Retriable, "the coordinator is still loading its state";
    COORDINATOR_NOT_AVAILABLE = 15, Retriable, "there is no coordinator at the moment";
    NOT_COORDINATOR = 16, Retriable, "this broker is not the coordinator; find it again";
    INVALID_TOPIC_EXCEPTION = 17, Fatal, "the topic name is not legal or the topic may not be used this way";
    RECORD_LIST_TOO_LARGE = 18, Fatal, "a batch exceeds the segment size of the topic";
    NOT_ENOUGH_REPLICAS = 19, Retriable,
        "fewer replicas are in sync than min.insync.replicas asks for; nothing was written";
    NOT_ENOUGH_REPLICAS_AFTER_APPEND = 20, Retriable,
        "written, but to fewer replicas than min.insync.replicas asks for";
    INVALID_REQUIRED_ACKS = 21, Fatal, "acks must be -1, 0 or 1";
    ILLEGAL_GENERATION = 22, Fatal, "the group has moved on to another generation";
    INCONSISTENT_GROUP_PROTOCOL = 23, Fatal, "the member shares no assignor or protocol type with its group";
    INVALID_GROUP_ID = 24, Fatal, "the group id is empty or not legal";
    UNKNOWN_MEMBER_ID = 25, Fatal, "the coordinator does not know this member";
    INVALID_SESSION_TIMEOUT = 26, Fatal, "the session timeout is outside the range that the broker allows";
    REBALANCE_IN_PROGRESS = 27, Fatal, "the group is rebalancing; join again";
    INVALID_COMMIT_OFFSET_SIZE = 28, Fatal, "the offset commit is too large";
    TOPIC_AUTHORIZATION_FAILED = 29, Fatal, "the principal may not use this topic; ask for an ACL";
    GROUP_AUTHORIZATION_FAILED = 30, Fatal, "the principal may not use this group; ask for an ACL";
    CLUSTER_AUTHORIZATION_FAILED = 31, Fatal, "the principal may not do this on the cluster; ask for an ACL";
    INVALID_TIMESTAMP = 32, Fatal, "a record's timestamp is outside what the topic accepts";
    UNSUPPORTED_SASL_MECHANISM = 33, Fatal, "the broker does not offer this SASL mechanism";
    ILLEGAL_SASL_STATE = 34, Fatal, "the request does not fit the state of the SASL exchange";
    UNSUPPORTED_VERSION = 35, Fatal, "the broker does not support this version of the request";
    TOPIC_ALREADY_EXISTS = 36, Fatal, "a topic of this name exists";
    INVALID_PARTITIONS = 37, Fatal, "the number of partitions is not valid";
    INVALID_REPLICATION_FACTOR = 38, Fatal,
        "the replication factor is below 1 or above the number of brokers";
    INVALID_REPLICA_ASSIGNMENT = 39, Fatal, "the replica assignment is not valid";
    INVALID_CONFIG = 40, Fatal, "a configuration value is not valid";
    NOT_CONTROLLER = 41, Retriable, "this broker is not the controller; ask another";
    INVALID_REQUEST = 42, Fatal, "the broker could not make sense of the request";
    UNSUPPORTED_FOR_MESSAGE_FORMAT = 43, Fatal, "the topic's message format is too old for this request";
    POLICY_VIOLATION = 44, Fatal, "a policy of the cluster forbids this";
    OUT_OF_ORDER_SEQUENCE_NUMBER = 45, Fatal, "a batch of this producer is missing before this one";
    DUPLICATE_SEQUENCE_NUMBER = 46, Fatal, "the broker already has this batch";
    INVALID_PRODUCER_EPOCH = 47, Fatal, "a newer producer with the same transactional id has taken over";
    INVALID_TXN_STATE = 48, Fatal, "the transaction is in a state that does not allow this";
    INVALID_PRODUCER_ID_MAPPING = 49, Fatal, "the producer id does not belong to this transactional id";
    INVALID_TRANSACTION_TIMEOUT = 50, Fatal,
        "the transaction timeout exceeds transaction.max.timeout.ms of the broker";
    CONCURRENT_TRANSACTIONS = 51, Retriable, "the last transaction of this producer is still being completed";
    TRANSACTION_COORDINATOR_FENCED = 52, Fatal, "the coordinator that sent the marker has been replaced";
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53, Fatal,
        "the principal may not use this transactional id; ask for an ACL";
    SECURITY_DISABLED = 54, Fatal, "the broker has no authorizer or security configured";
    OPERATION_NOT_ATTEMPTED = 55, Fatal, "the broker skipped this because another part of the request failed";
    KAFKA_STORAGE_ERROR = 56, Refresh, "the broker's disk failed for this partition";
    LOG_DIR_NOT_FOUND = 57, Fatal, "the log directory is not configured on the broker";
    SASL_AUTHENTICATION_FAILED = 58, Fatal, "the user name, password or token was refused";
    UNKNOWN_PRODUCER_ID = 59, Fatal,
        "the broker has forgotten this producer id, often because its records were deleted";
    REASSIGNMENT_IN_PROGRESS = 60, Fatal, "the partition is being reassigned";
    DELEGATION_TOKEN_AUTH_DISABLED = 61, Fatal, "delegation tokens are switched off";
    DELEGATION_TOKEN_NOT_FOUND = 62, Fatal, "the delegation token does not exist";
    DELEGATION_TOKEN_OWNER_MISMATCH = 63, Fatal, "the principal neither owns nor may renew the token";
    DELEGATION_TOKEN_REQUEST_NOT_ALLOWED = 64, Fatal,
        "tokens cannot be requested over this kind of connection";
    DELEGATION_TOKEN_AUTHORIZATION_FAILED = 65, Fatal, "the principal may not use delegation tokens";
    DELEGATION_TOKEN_EXPIRED = 66, Fatal, "the delegation token has expired";
    INVALID_PRINCIPAL_TYPE = 67, Fatal, "the principal type is not supported";
    NON_EMPTY_GROUP = 68, Fatal, "the group still has members";
    GROUP_ID_NOT_FOUND = 69, Fatal, "the group does not exist";
    FETCH_SESSION_ID_NOT_FOUND = 70, Retriable, "the broker has dropped the fetch session; send a full fetch";
    INVALID_FETCH_SESSION_EPOCH = 71, Retriable, "the fetch session is out of step; send a full fetch";
    LISTENER_NOT_FOUND = 72, Refresh, "the leader has no listener of the name this connection uses";
    TOPIC_DELETION_DISABLED = 73, Fatal, "delete.topic.enable is off";
    FENCED_LEADER_EPOCH = 74, Refresh, "the leader epoch in the request is older than the broker's";
    UNKNOWN_LEADER_EPOCH = 75, Refresh, "the leader epoch in the request is newer than the broker's";
    UNSUPPORTED_COMPRESSION_TYPE = 76, Fatal, "the request version cannot carry this compression";
    STALE_BROKER_EPOCH = 77, Fatal, "the broker has registered again since";
    OFFSET_NOT_AVAILABLE = 78, Retriable, "the new leader does not know the end of its log yet";
    MEMBER_ID_REQUIRED = 79, Fatal, "join again with the member id that came with this answer";
    PREFERRED_LEADER_NOT_AVAILABLE = 80, Refresh, "the preferred leader is not available";
    GROUP_MAX_SIZE_REACHED = 81, Fatal, "the group has group.max.size members";
    FENCED_INSTANCE_ID = 82, Fatal, "another member has joined with the same group.instance.id";
    ELIGIBLE_LEADERS_NOT_AVAILABLE = 83, Refresh, "no replica may become leader at the moment";
    ELECTION_NOT_NEEDED = 84, Fatal, "the leader is already the one asked for";
    NO_REASSIGNMENT_IN_PROGRESS = 85, Fatal, "there is no reassignment to act on";
    GROUP_SUBSCRIBED_TO_TOPIC = 86, Fatal,
        "the group is subscribed to the topic, so its offsets cannot be deleted";
    INVALID_RECORD = 87, Fatal, "the broker refused a record of the batch";
    UNSTABLE_OFFSET_COMMIT = 88, Retriable, "an open transaction still holds offsets of the group";
    THROTTLING_QUOTA_EXCEEDED = 89, Retriable, "the quota for this kind of request is used up";
    PRODUCER_FENCED = 90, Fatal, "a newer producer with the same transactional id has taken over";
    RESOURCE_NOT_FOUND = 91, Fatal, "the resource does not exist";
    DUPLICATE_RESOURCE = 92, Fatal, "the request names a resource twice";
    UNACCEPTABLE_CREDENTIAL = 93, Fatal, "the credential does not meet the broker's rules";
    INCONSISTENT_VOTER_SET = 94, Fatal, "sender and receiver disagree on the voters";
    INVALID_UPDATE_VERSION = 95, Fatal, "the feature update names a version that is not valid";
    FEATURE_UPDATE_FAILED = 96, Fatal, "the broker could not update the features";
    PRINCIPAL_DESERIALIZATION_FAILURE = 97, Fatal, "a forwarded principal could not be read";
    SNAPSHOT_NOT_FOUND = 98, Fatal, "the snapshot does not exist";
    POSITION_OUT_OF_RANGE = 99, Fatal, "the position is outside the snapshot";
    UNKNOWN_TOPIC_ID = 100, Refresh,
        "the broker does not know this topic id; the topic may have been created anew";
    DUPLICATE_BROKER_REGISTRATION = 101, Fatal, "the broker id is in use";
    BROKER_ID_NOT_REGISTERED = 102, Fatal, "the broker id is not registered";
    INCONSISTENT_TOPIC_ID = 103, Refresh,
        "the topic id does not match the log; the topic has been created anew";
    INCONSISTENT_CLUSTER_ID = 104, Fatal, "this broker belongs to another cluster";
    TRANSACTIONAL_ID_NOT_FOUND = 105, Fatal, "the transactional id is not known";
    FETCH_SESSION_TOPIC_ID_ERROR = 106, Retriable,
        "the fetch session mixed topic names and ids; send a full fetch";
    INELIGIBLE_REPLICA = 107, Fatal, "a replica may not join the in-sync set";
    NEW_LEADER_ELECTED = 108, Fatal, "the partition has a new leader";
    OFFSET_MOVED_TO_TIERED_STORAGE = 109, Fatal, "the offset lies in tiered storage";
    FENCED_MEMBER_EPOCH = 110, Fatal, "the coordinator has fenced the member; join again without partitions";
    UNRELEASED_INSTANCE_ID = 111, Fatal, "another member still holds this instance id";
    UNSUPPORTED_ASSIGNOR = 112, Fatal, "the group does not support this assignor";
    STALE_MEMBER_EPOCH = 113, Fatal, "the member epoch is old; heartbeat first";
    MISMATCHED_ENDPOINT_TYPE = 114, Fatal, "this endpoint is of the other kind, broker or controller";
    UNSUPPORTED_ENDPOINT_TYPE = 115, Fatal, "the endpoint type is not supported";
    UNKNOWN_CONTROLLER_ID = 116, Fatal, "the controller id is not known";
    UNKNOWN_SUBSCRIPTION_ID = 117, Fatal, "the telemetry subscription is not known";
    TELEMETRY_TOO_LARGE = 118, Fatal, "the telemetry is larger than the broker accepts";
    INVALID_REGISTRATION = 119, Fatal, "the controller refused the broker's registration";
    TRANSACTION_ABORTABLE = 120, Fatal,
        "the transaction failed and must be aborted; the producer may go on after that";
    INVALID_RECORD_STATE = 121, Fatal, "the acknowledgement does not fit the record's state";
    SHARE_SESSION_NOT_FOUND = 122, Retriable, "the broker has dropped the share session";
    INVALID_SHARE_SESSION_EPOCH = 123, Retriable, "the share session is out of step";
    FENCED_STATE_EPOCH = 124, Fatal, "the share group's state epoch did not match";
    INVALID_VOTER_KEY = 125, Fatal, "the voter's key does not match the receiver's";
    DUPLICATE_VOTER = 126, Fatal, "the voter is already in the set";
    VOTER_NOT_FOUND = 127, Fatal, "the voter is not in the set";
    INVALID_REGULAR_EXPRESSION = 128, Fatal, "the regular expression is not valid";
    REBOOTSTRAP_REQUIRED = 129, Fatal,
        "the broker asks the client to start again from its bootstrap addresses";
    STREAMS_INVALID_TOPOLOGY = 130, Fatal, "the streams topology is not valid";
    STREAMS_INVALID_TOPOLOGY_EPOCH = 131, Fatal, "the streams topology epoch is not valid";
    STREAMS_TOPOLOGY_FENCED = 132, Fatal, "the streams topology epoch is out of date";
    SHARE_SESSION_LIMIT_REACHED = 133, Retriable, "the broker holds as many share sessions as it may";
}

impl ErrorCode {
    /// Kafka's name, `UNKNOWN` for a code that this version does not know (Display adds the number).
    pub fn name(self) -> &'static str {
        self.entry().map_or("UNKNOWN", |entry| entry.name)
    }

    /// What the code means, for people.
    pub fn message(self) -> &'static str {
        self.entry().map_or("an error code that this version does not know", |entry| entry.message)
    }

    /// Whether the code is 0.
    pub fn is_ok(self) -> bool {
        self == Self::NONE
    }

    /// Whether sending the request again may succeed. Unknown codes are not retriable.
    pub fn is_retriable(self) -> bool {
        self.entry().is_some_and(|entry| entry.fate != Fate::Fatal)
    }

    /// Whether metadata has to be fetched before the request is sent again.
    pub fn refreshes_metadata(self) -> bool {
        self.entry().is_some_and(|entry| entry.fate == Fate::Refresh)
    }

    fn entry(self) -> Option<&'static Entry> {
        let index = Self::TABLE.binary_search_by_key(&self.0, |entry| entry.code).ok()?;
        Self::TABLE.get(index)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry() {
            Some(entry) => f.write_str(entry.name),
            None => write!(f, "UNKNOWN({})", self.0),
        }
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_code_from_minus_one_in_order() {
        let codes: Vec<i16> = ErrorCode::TABLE.iter().map(|entry| entry.code).collect();
        assert_eq!(codes, (-1..=133).collect::<Vec<i16>>());
    }

    #[test]
    fn an_unknown_code_keeps_its_number_and_is_not_retried() {
        let code = ErrorCode(4242);
        assert_eq!(code.to_string(), "UNKNOWN(4242)");
        assert!(!code.is_retriable() && !code.refreshes_metadata());
    }

    #[test]
    fn a_lost_leader_is_retried_after_new_metadata_and_a_bad_name_never() {
        assert!(ErrorCode::NOT_LEADER_OR_FOLLOWER.refreshes_metadata());
        assert!(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS.is_retriable());
        assert!(!ErrorCode::COORDINATOR_LOAD_IN_PROGRESS.refreshes_metadata());
        assert!(!ErrorCode::INVALID_TOPIC_EXCEPTION.is_retriable());
    }
}
