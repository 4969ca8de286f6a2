//! Numbers and names that travel on the wire and are shared by every crate.
//!
//! Integers from the wire keep values that this version does not know: a newer broker must not
//! break an older client, so [`ApiKey`] and [`ErrorCode`] wrap the number and name what they can.

mod api_key;
mod error_code;
mod topic_partition;

pub use api_key::ApiKey;
pub use error_code::ErrorCode;
pub use topic_partition::TopicPartition;
