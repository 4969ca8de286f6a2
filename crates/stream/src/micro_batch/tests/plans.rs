//! One plan for all batches: what its operators learnt in one batch is gone in the next.

use datafusion::functions_aggregate::expr_fn::{max, sum};
use datafusion::logical_expr::{col, lit};
use datafusion::prelude::JoinType;

use super::*;

/// Runs three batches, the second smaller in every way than the first, and returns the sink's batches.
fn three_batches(build: impl FnOnce(LogicalPlanBuilder) -> LogicalPlanBuilder) -> BTreeMap<i64, Vec<i64>> {
    let dir = tempfile::tempdir().unwrap();
    let stream = MemoryStream::with_max_blocks(schema(), 1);
    stream.add_data(rows([100, 200, 300])).unwrap();
    stream.add_data(rows([1, 2])).unwrap();
    stream.add_data(rows([50])).unwrap();
    let query = Query::with(session(&[]), analyzed(&stream, build), Trigger::AvailableNow);
    query.run(dir.path()).unwrap();
    query.shelf.batches()
}

#[test]
fn a_filter_sees_each_batch_whole() {
    let batches = three_batches(|scan| scan.filter(col("v").gt(lit(1i64))).unwrap());
    assert_eq!(batches, BTreeMap::from([(0, vec![100, 200, 300]), (1, vec![2]), (2, vec![50])]));
}

#[test]
fn aggregates_start_from_nothing_in_every_batch() {
    let total = three_batches(|scan| {
        scan.aggregate(Vec::<datafusion::prelude::Expr>::new(), [sum(col("v"))]).unwrap()
    });
    assert_eq!(total, BTreeMap::from([(0, vec![600]), (1, vec![3]), (2, vec![50])]));
    // A bound that MAX learnt in the first batch would drop every row of the second.
    let largest = three_batches(|scan| {
        scan.aggregate(Vec::<datafusion::prelude::Expr>::new(), [max(col("v"))]).unwrap()
    });
    assert_eq!(largest, BTreeMap::from([(0, vec![300]), (1, vec![2]), (2, vec![50])]));
    let grouped = three_batches(|scan| scan.aggregate([col("v") % lit(2i64)], [sum(col("v"))]).unwrap());
    assert_eq!(grouped, BTreeMap::from([(0, vec![600]), (1, vec![1, 2]), (2, vec![50])]));
}

#[test]
fn sorts_limits_and_joins_start_anew_too() {
    let top =
        three_batches(|scan| scan.sort([col("v").sort(false, false)]).unwrap().limit(0, Some(1)).unwrap());
    assert_eq!(top, BTreeMap::from([(0, vec![300]), (1, vec![2]), (2, vec![50])]));
    let joined = three_batches(|scan| {
        let list =
            LogicalPlanBuilder::values(vec![vec![lit(2i64)], vec![lit(50i64)], vec![lit(300i64)]]).unwrap();
        let list = list.project([col("column1").alias("w")]).unwrap().build().unwrap();
        scan.join(list, JoinType::Inner, (vec!["v"], vec!["w"]), None).unwrap()
    });
    assert_eq!(joined, BTreeMap::from([(0, vec![300]), (1, vec![2]), (2, vec![50])]));
}

#[test]
fn a_stream_used_twice_is_one_source() {
    let dir = tempfile::tempdir().unwrap();
    let stream = MemoryStream::new(schema());
    stream.add_data(rows([1, 2])).unwrap();
    let table = stream.table(2);
    let scan = || LogicalPlanBuilder::scan("s", provider_as_source(table.clone()), None).unwrap();
    let plan = scan().union(scan().build().unwrap()).unwrap().build().unwrap();
    let schema = StructType::from_arrow(plan.schema().as_arrow()).unwrap();
    let analyzed = Arc::new(Analyzed { plan, schema, streaming: true, watermarks: Vec::new() });
    let query = Query::with(session(&[]), analyzed, Trigger::AvailableNow);
    let progress = query.run(dir.path()).unwrap();
    assert_eq!(query.shelf.values(), [1, 1, 2, 2]);
    assert_eq!(progress[0].sources.len(), 1);
    // As Spark counts them: once for each scan.
    assert_eq!(progress[0].num_input_rows(), 4);
}
