//! Trees in, Spark's refusals out; no session needed.

use std::collections::HashMap;

use millstream_plan::analyzer::{Catalog, Source};
use millstream_plan::tree::*;

use super::*;

/// Views by name.
struct Views(HashMap<&'static str, Relation>);

impl Catalog for Views {
    fn table(&self, name: &str) -> Option<Relation> {
        self.0.get(name).cloned()
    }

    fn source(&self, _: &Read) -> millstream_plan::Result<Source> {
        Err(millstream_plan::Error::unsupported("sources in this test"))
    }
}

fn stream() -> Box<Relation> {
    Box::new(Relation::Read(Read::new("kafka", true)))
}

fn fixed() -> Box<Relation> {
    Box::new(Relation::Read(Read::new("kafka", false)))
}

fn watermarked(column: &str) -> Box<Relation> {
    Box::new(Relation::WithWatermark { input: stream(), column: column.into(), delay: "1 second".into() })
}

fn grouped(input: Box<Relation>, key: Expr) -> Relation {
    let output = vec![key.clone(), call("count", vec![lit(1)]).alias("n")];
    Relation::Aggregate { input, group: vec![key], output, grouping: Grouping::GroupBy }
}

fn joined(left: Box<Relation>, right: Box<Relation>, kind: JoinKind, condition: Expr) -> Relation {
    Relation::Join { left, right, kind, condition: JoinCondition::On(condition) }
}

fn equal(left: &str, right: &str) -> Expr {
    call("=", vec![col(left), col(right)])
}

fn outcome(relation: &Relation, mode: OutputMode) -> Result<()> {
    let views = Views(HashMap::from([("src", *stream())]));
    let shape = Shape::of(relation, &views)?;
    check(&shape, mode).and_then(|()| refuse_state(&shape))
}

/// The parameter that names the operation, or the message of a check without a condition.
fn refusal(relation: &Relation, mode: OutputMode) -> String {
    let error = outcome(relation, mode).unwrap_err();
    let spark = error.spark().unwrap_or_else(|| panic!("{error}"));
    spark.parameters.get("operation").or(spark.parameters.get("msg")).unwrap().clone()
}

#[test]
fn stateless_operations_pass() {
    let filtered = Relation::Filter { input: stream(), condition: equal("k", "v") };
    outcome(&filtered, OutputMode::Append).unwrap();
    outcome(&filtered, OutputMode::Update).unwrap();
    let watched = Relation::Filter { input: watermarked("ts"), condition: equal("k", "v") };
    outcome(&watched, OutputMode::Append).unwrap();
    let with_reference = joined(stream(), fixed(), JoinKind::LeftOuter, equal("k", "nk"));
    outcome(&with_reference, OutputMode::Append).unwrap();
    outcome(&joined(stream(), fixed(), JoinKind::LeftAnti, equal("k", "nk")), OutputMode::Append).unwrap();
}

#[test]
fn output_modes_are_checked_against_aggregations() {
    let plain = grouped(stream(), col("k"));
    assert_eq!(refusal(&plain, OutputMode::Append), "streaming aggregations without watermark");
    assert_eq!(refusal(&stream(), OutputMode::Complete), "no streaming aggregations");
    let session = grouped(stream(), call("session_window", vec![col("ts"), lit("5 seconds")]));
    assert_eq!(refusal(&session, OutputMode::Update), "session window streaming aggregations");
    assert_eq!(refusal(&session, OutputMode::Append), "streaming aggregations without watermark");
}

#[test]
fn a_window_over_a_watermarked_column_may_be_appended() {
    let window = call("window", vec![col("ts"), lit("10 seconds")]).alias("w");
    let query = grouped(watermarked("TS"), window);
    let error = outcome(&query, OutputMode::Append).unwrap_err();
    assert!(matches!(&error, Error::Unsupported { .. }), "{error}");
}

#[test]
fn single_operations_are_refused_in_sparks_words() {
    let order = SortOrder { child: Box::new(col("v")), ascending: true, nulls_first: true };
    let cases = [
        (Relation::Sort { input: stream(), order: vec![order], global: true }, "Sorting is not supported"),
        (Relation::Offset { input: stream(), count: 1 }, "Offset is not supported"),
        (
            Relation::Sample { input: stream(), lower: 0.0, upper: 0.5, with_replacement: false, seed: None },
            "Sampling is not supported",
        ),
        (
            Relation::Deduplicate { input: stream(), columns: vec!["k".into()], within_watermark: true },
            "dropDuplicatesWithinWatermark is not supported on streaming DataFrames/DataSets without watermark",
        ),
        (
            Relation::Project {
                input: stream(),
                expressions: vec![call("monotonically_increasing_id", vec![]).alias("i")],
            },
            "Expression(s): monotonically_increasing_id() is not supported",
        ),
    ];
    for (query, text) in cases {
        assert!(refusal(&query, OutputMode::Append).starts_with(text), "{text}");
    }
    let limit = Relation::Limit { input: stream(), count: 2 };
    assert!(refusal(&limit, OutputMode::Update).starts_with("Limits are not supported"));
}

#[test]
fn set_operations_need_streams_on_the_right_sides() {
    let set = |kind, left, right| Relation::SetOperation {
        left,
        right,
        kind,
        all: true,
        by_name: false,
        allow_missing_columns: false,
    };
    outcome(&set(SetKind::Union, stream(), stream()), OutputMode::Append).unwrap();
    let mixed = set(SetKind::Union, stream(), fixed());
    assert_eq!(
        refusal(&mixed, OutputMode::Append),
        "Union between streaming and batch DataFrames/Datasets is not supported"
    );
    let both = set(SetKind::Intersect, stream(), stream());
    assert_eq!(
        refusal(&both, OutputMode::Append),
        "Intersect of streaming DataFrames/Datasets is not supported"
    );
}

#[test]
fn outer_joins_need_the_stream_on_the_kept_side() {
    let right = joined(stream(), fixed(), JoinKind::RightOuter, equal("k", "nk"));
    assert_eq!(
        refusal(&right, OutputMode::Append),
        "RightOuter join with a streaming DataFrame/Dataset on the left and a static DataFrame/DataSet on the right \
         not supported"
    );
    let left = joined(fixed(), stream(), JoinKind::LeftOuter, equal("k", "nk"));
    assert_eq!(
        refusal(&left, OutputMode::Append),
        "LeftOuter join with a streaming DataFrame/Dataset on the right and a static DataFrame/Dataset on the left is \
         not supported"
    );
}

#[test]
fn an_outer_join_of_streams_needs_an_end_of_the_wait() {
    let text = "Stream-stream LeftOuter join between two streaming DataFrame/Datasets is not supported without a \
                watermark in the join keys";
    let range = call("and", vec![equal("lk", "rk"), call("<=", vec![col("rt"), col("lt")])]);
    let no_watermark = joined(watermarked("lt"), stream(), JoinKind::LeftOuter, range.clone());
    assert!(refusal(&no_watermark, OutputMode::Append).starts_with(text));
    let bounded = joined(watermarked("lt"), watermarked("rt"), JoinKind::LeftOuter, range);
    assert!(matches!(outcome(&bounded, OutputMode::Append), Err(Error::Unsupported { .. })));
}

#[test]
fn an_aggregation_over_an_aggregation_is_refused_outside_append() {
    let chained = grouped(Box::new(grouped(stream(), col("k"))), col("k"));
    assert!(
        refusal(&chained, OutputMode::Update).starts_with("Detected pattern of possible 'correctness' issue")
    );
}

#[test]
fn a_window_function_is_named_with_its_specification() {
    let order = SortOrder { child: Box::new(col("v")), ascending: true, nulls_first: true };
    let function = Box::new(call("row_number", vec![]));
    let window = Window { function, partition_by: vec![col("k")], order_by: vec![order], frame: None };
    let query = Relation::Project { input: stream(), expressions: vec![Expr::Window(window).alias("rn")] };
    let error = outcome(&query, OutputMode::Append).unwrap_err();
    let spark = error.spark().unwrap();
    assert_eq!(spark.condition.as_deref(), Some("NON_TIME_WINDOW_NOT_SUPPORTED_IN_STREAMING"));
    assert_eq!(spark.parameters["columnName"], "`rn`");
    assert_eq!(spark.parameters["windowFunc"], "ROW_NUMBER()");
    assert_eq!(
        spark.parameters["windowSpec"],
        "(PARTITION BY K ORDER BY V ASC NULLS FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    );
}

#[test]
fn views_and_their_streams_are_followed() {
    let view = Relation::Table(vec!["src".into()]);
    let query = Relation::Offset { input: Box::new(view), count: 1 };
    assert!(refusal(&query, OutputMode::Append).starts_with("Offset"));
    let error = refusal(&fixed(), OutputMode::Append);
    assert!(error.starts_with("Queries without streaming sources"), "{error}");
}
