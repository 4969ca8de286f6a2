//! The settings that a query keeps for life: `conf` in `offsets/N`.
//!
//! Spark writes fifteen settings into every entry and, at a restart, takes them from the last entry over the
//! session's, because state on disk depends on them. They are written here with Spark's names, order and
//! defaults, so that Spark can go on with a checkpoint of ours. The state partition count is the one default
//! that differs (8, Spark 200).

use indexmap::IndexMap;

/// Name and default, in Spark's order.
const FROZEN: [(&str, &str); 15] = [
    (
        "spark.sql.streaming.stateStore.providerClass",
        "org.apache.spark.sql.execution.streaming.state.HDFSBackedStateStoreProvider",
    ),
    ("spark.sql.streaming.stateStore.rocksdb.mergeOperatorVersion", "2"),
    ("spark.sql.streaming.stateStore.rocksdb.formatVersion", "5"),
    ("spark.sql.streaming.queryEvolution.enableSourceEvolution", "false"),
    ("spark.sql.streaming.stateStore.encodingFormat", "unsaferow"),
    ("spark.sql.streaming.statefulOperator.useStrictDistribution", "true"),
    ("spark.sql.streaming.flatMapGroupsWithState.stateFormatVersion", "2"),
    ("spark.sql.streaming.multipleWatermarkPolicy", "min"),
    ("spark.sql.streaming.stateStore.rowChecksum.enabled", "false"),
    ("spark.sql.streaming.aggregation.stateFormatVersion", "2"),
    ("spark.sql.function.protobufExtensions.enabled", "false"),
    ("spark.sql.shuffle.partitions", "8"),
    ("spark.sql.streaming.join.stateFormatVersion", "2"),
    ("spark.sql.streaming.stateStore.compression.codec", "lz4"),
    ("spark.sql.optimizer.pruneFiltersCanPruneStreamingSubplan", "false"),
];

/// The settings of the next entry: those of the last entry, then the session's, then the defaults. Settings
/// of the last entry that are not known here stay.
pub(crate) fn freeze(
    logged: Option<&IndexMap<String, String>>,
    session: impl Fn(&str) -> Option<String>,
) -> IndexMap<String, String> {
    let mut frozen = IndexMap::with_capacity(FROZEN.len());
    for (name, default) in FROZEN {
        let value = logged
            .and_then(|logged| logged.get(name).cloned())
            .or_else(|| session(name))
            .unwrap_or_else(|| default.to_owned());
        frozen.insert(name.to_owned(), value);
    }
    for (name, value) in logged.into_iter().flatten() {
        frozen.entry(name.clone()).or_insert_with(|| value.clone());
    }
    frozen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_query_takes_the_session_and_then_keeps_it() {
        let partitions = "spark.sql.shuffle.partitions";
        let first = freeze(None, |name| (name == partitions).then(|| "2".to_owned()));
        assert_eq!(first.len(), 15);
        assert_eq!(first[partitions], "2");
        let later = freeze(Some(&first), |_| Some("changed".into()));
        assert_eq!(later, first);
        assert_eq!(freeze(None, |_| None)[partitions], "8");
    }

    #[test]
    fn settings_of_a_newer_engine_are_kept() {
        let logged = IndexMap::from([("spark.new".to_owned(), "1".to_owned())]);
        let frozen = freeze(Some(&logged), |_| None);
        assert_eq!(frozen.keys().last().map(String::as_str), Some("spark.new"));
    }
}
