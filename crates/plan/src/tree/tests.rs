//! The tree survives serialisation, node by node.
use super::*;
use crate::types::{DayTimeField, SparkType, StructType, YearMonthField};

fn values() -> Vec<Value> {
    vec![
        Value::Null,
        Value::NullOf(SparkType::Array(Box::new(SparkType::DAY_TIME), false)),
        Value::Boolean(true),
        Value::Byte(-1),
        Value::Short(2),
        Value::Integer(3),
        Value::Long(i64::MIN),
        Value::Float(f32::NEG_INFINITY),
        Value::Double(5e-324),
        Value::Double(-0.0),
        Value::Decimal { unscaled: i128::MIN, precision: 38, scale: 2 },
        Value::String("日本\0\"".into()),
        Value::Binary(vec![0, 255]),
        Value::Date(-1),
        Value::Timestamp(i64::MAX),
        Value::TimestampNtz(1),
        Value::DayTimeInterval { microseconds: -1, from: DayTimeField::Hour, to: DayTimeField::Second },
        Value::YearMonthInterval { months: 14, from: YearMonthField::Year, to: YearMonthField::Month },
        Value::Array(vec![Value::Null, Value::Integer(1)]),
        Value::Map(vec![(Value::Integer(1), Value::Null)]),
        Value::Struct(vec![("x".into(), Value::Integer(1)), ("x".into(), Value::Null)]),
    ]
}

fn expressions() -> Vec<Expr> {
    let a = || Box::new(col("a"));
    let key = || SortOrder { child: a(), ascending: false, nulls_first: true };
    let frame = WindowFrame {
        unit: FrameUnit::Rows,
        lower: FrameBound::Preceding(Box::new(lit(1))),
        upper: FrameBound::Following(Box::new(lit(2))),
    };
    let wide =
        WindowFrame { unit: FrameUnit::Range, lower: FrameBound::Unbounded, upper: FrameBound::CurrentRow };
    let window = |frame| Window { function: a(), partition_by: vec![col("k")], order_by: vec![key()], frame };
    let mut all: Vec<Expr> = values().into_iter().map(Expr::Literal).collect();
    all.extend([
        col("a.b"),
        col("t.*"),
        star(),
        Expr::RegexColumn("a.*".into()),
        Expr::Alias { child: a(), names: vec!["x".into(), "y".into()] },
        col("a").cast(SparkType::Decimal(10, 2)),
        col("a").try_cast(SparkType::Struct(StructType::new().add("x", SparkType::Date, false))),
        Expr::Call(Call {
            name: "count".into(),
            arguments: vec![col("a")],
            distinct: true,
            filter: Some(a()),
            ignore_nulls: true,
            order_by: vec![key()],
        }),
        when(col("a"), 1).otherwise(2),
        when(col("a"), 1),
        col("a").get_item("k"),
        Expr::UpdateField { child: a(), field: "b.c".into(), value: Some(a()) },
        Expr::UpdateField { child: a(), field: "b.c".into(), value: None },
        Expr::Lambda { body: Box::new(Expr::LambdaVariable(vec!["x".into()])), parameters: vec!["x".into()] },
        col("a").desc(),
        Expr::Window(window(Some(frame))),
        Expr::Window(window(Some(wide))),
        Expr::Window(window(None)),
        Expr::ScalarSubquery(Box::new(Relation::OneRow)),
        Expr::Exists(Box::new(Relation::OneRow)),
        Expr::InSubquery { values: vec![col("a")], query: Box::new(Relation::OneRow) },
        expr("a + 1"),
    ]);
    all
}

fn filled_read(schema: &StructType) -> Read {
    let mut read = Read::new("kafka", true);
    read.options.set("kafka.bootstrap.servers", "a:9092");
    read.schema = Some(schema.clone());
    read.paths.push("p".into());
    read
}

fn relations() -> Vec<Relation> {
    let input = || Box::new(Relation::Table(vec!["t".into()]));
    let schema = StructType::new().add("a", SparkType::Long, true);
    let read = filled_read(&schema);
    let join = |kind, condition| Relation::Join { left: input(), right: input(), kind, condition };
    let aggregate = |grouping| Relation::Aggregate {
        input: input(),
        group: vec![col("a")],
        output: expressions(),
        grouping,
    };
    let set = |kind| Relation::SetOperation {
        left: input(),
        right: input(),
        kind,
        all: true,
        by_name: true,
        allow_missing_columns: false,
    };
    let order = vec![SortOrder { child: Box::new(col("a")), ascending: true, nulls_first: true }];
    vec![
        Relation::Read(read),
        Relation::Rows { schema, rows: vec![values()] },
        Relation::Range { start: 0, end: 9, step: -1, partitions: Some(2) },
        Relation::Values(vec![expressions()]),
        Relation::TableFunction { name: "range".into(), arguments: vec![lit(1)] },
        Relation::Project { input: Box::new(Relation::OneRow), expressions: expressions() },
        Relation::Filter { input: input(), condition: col("a") },
        Relation::WithColumns { input: input(), columns: vec![("a".into(), lit(1))] },
        Relation::WithColumnsRenamed { input: input(), renames: vec![("a".into(), "b".into())] },
        Relation::ToDf { input: input(), names: vec!["a".into()] },
        Relation::Drop { input: input(), columns: vec![col("a")] },
        Relation::SubqueryAlias { input: input(), alias: "x".into(), columns: vec!["y".into()] },
        aggregate(Grouping::GroupBy),
        aggregate(Grouping::Rollup),
        aggregate(Grouping::Cube),
        aggregate(Grouping::Sets(vec![vec![], vec![col("a")]])),
        aggregate(Grouping::All),
        Relation::Having { input: input(), condition: col("a") },
        join(JoinKind::Inner, JoinCondition::None),
        join(JoinKind::Cross, JoinCondition::Natural),
        join(JoinKind::LeftOuter, JoinCondition::On(col("a"))),
        join(JoinKind::RightOuter, JoinCondition::Using(vec!["a".into()])),
        join(JoinKind::FullOuter, JoinCondition::None),
        join(JoinKind::LeftSemi, JoinCondition::None),
        join(JoinKind::LeftAnti, JoinCondition::None),
        set(SetKind::Union),
        set(SetKind::Intersect),
        set(SetKind::Except),
        Relation::Sort { input: input(), order, global: true },
        Relation::Limit { input: input(), count: 1 },
        Relation::Offset { input: input(), count: 1 },
        Relation::Distinct { input: input() },
        Relation::Deduplicate { input: input(), columns: vec!["a".into()], within_watermark: true },
        Relation::WithWatermark { input: input(), column: "a".into(), delay: "1 second".into() },
        Relation::Sample { input: input(), lower: 0.0, upper: 0.1, with_replacement: true, seed: Some(1) },
        Relation::Repartition { input: input(), partitions: Some(2), keys: vec![col("a")], shuffle: true },
        Relation::Generate {
            input: input(),
            generator: col("a"),
            outer: true,
            alias: Some("x".into()),
            columns: vec!["y".into()],
        },
        Relation::With { ctes: vec![("a".into(), Relation::OneRow)], input: input() },
        Relation::Sql("SELECT 1".into()),
    ]
}

#[test]
fn every_node_survives_serialisation() {
    for relation in relations() {
        let json = serde_json::to_string(&relation).unwrap();
        let back: Relation = serde_json::from_str(&json).unwrap();
        assert_eq!(back, relation, "{json}");
    }
    let nan = serde_json::to_string(&Value::Double(f64::NAN)).unwrap();
    assert!(matches!(serde_json::from_str(&nan).unwrap(), Value::Double(v) if v.is_nan()));
}
