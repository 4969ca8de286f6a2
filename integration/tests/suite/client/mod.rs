//! The client over a bootstrap address: one scenario, three brokers (the embedded one, Apache Kafka 4.3.1 and 3.9.1).
//!
//! A scenario is a function over a [`Cluster`]; the list below makes a test of it for every broker. What needs
//! faults injected into the broker is tested in the client's own suite, whose helpers this one shares.

mod cluster;
mod connecting;
mod killed;
mod offsets;
mod reading;
#[path = "../../../../crates/client/tests/suite/records.rs"]
mod records;
mod writing;

/// Begins alike for all, so that no program's subscribePattern on the shared Kafka takes one for its own.
macro_rules! name {
    ($scenario:ident) => {
        concat!("client_", stringify!($scenario))
    };
}

macro_rules! on_every_broker {
    ($($module:ident::$scenario:ident),* $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::$module::$scenario(&super::cluster::embedded(name!($scenario))).await;
            })*
        }
        mod kafka_4_3_1 {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                let Some(cluster) = super::cluster::real("4.3.1", name!($scenario)) else { return };
                super::$module::$scenario(&cluster).await;
            })*
        }
        mod kafka_3_9_1 {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                let Some(cluster) = super::cluster::real("3.9.1", name!($scenario)) else { return };
                super::$module::$scenario(&cluster).await;
            })*
        }
    };
}

on_every_broker! {
    connecting::a_dead_address_beside_a_live_one_does_not_matter,
    offsets::offsets_are_found_by_position_and_by_time,
    offsets::an_unknown_partition_is_named,
    offsets::topics_are_created_grown_described_and_deleted,
    reading::a_range_is_exact_at_both_ends_and_ends_by_position,
    reading::consecutive_ranges_are_read_on_from_what_was_prefetched,
    reading::ranges_of_one_partition_can_be_read_side_by_side,
    reading::an_offset_out_of_range_is_a_data_loss_with_the_logs_bounds,
    reading::a_recreated_topic_is_not_read_on_and_a_deleted_one_says_so,
    reading::an_unknown_topic_is_an_error_and_is_not_created,
    reading::followers_are_woken_without_waiting_a_long_poll_out,
    reading::a_small_budget_slows_down_but_never_stops,
    reading::a_range_beyond_the_end_waits_for_records_and_times_out_saying_why,
    reading::dropped_calls_lose_nothing,
    reading::read_committed_ends_before_an_open_transaction_and_hides_the_aborted_ones,
    writing::every_codec_brings_every_record_in_order,
    writing::records_without_partition_go_by_key_or_stick,
    writing::a_record_above_the_request_size_is_refused_at_once_in_javas_words,
    writing::a_batch_above_the_topics_size_is_split_and_a_single_record_fails,
    writing::a_missing_topic_is_created_where_allowed,
    writing::a_small_buffer_is_filled_again_and_again,
    writing::clones_write_side_by_side,
    writing::without_acknowledgements_records_arrive_too,
}
