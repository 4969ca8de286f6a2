//! The DataFrame steps of a case as the unresolved tree, frame by frame.

use super::case::{Query, setting};
use super::literal;
use millstream_plan::sql;
use millstream_plan::tree::{
    Expr, Grouping, JoinCondition, JoinKind, Options, Read, Relation, SetKind, SortOrder,
};
use millstream_plan::types::StructType;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Why a frame could not be built.
#[derive(Debug)]
pub enum FrameError {
    /// The runner does not know a step or a form of it.
    Unsupported(String),
    /// Our SQL or DDL parser refused a text.
    Plan(millstream_plan::Error),
}

impl From<millstream_plan::Error> for FrameError {
    fn from(error: millstream_plan::Error) -> Self {
        Self::Plan(error)
    }
}

/// Every frame of a query as a tree; `options` overrides reader options (frame to option to value or null).
pub fn build(
    query: &Query,
    bootstrap: &str,
    options: &Map<String, Value>,
) -> Result<HashMap<String, Relation>, FrameError> {
    let mut frames = HashMap::new();
    for (name, steps) in &query.frames {
        let overrides = options.get(name).and_then(Value::as_object);
        let mut relation = None;
        for step in steps.as_array().map_or(&[][..], Vec::as_slice) {
            let step = step.as_object().ok_or_else(|| unsupported("a step that is no object"))?;
            relation = Some(apply(step, relation, &frames, bootstrap, overrides)?);
        }
        frames.insert(name.clone(), relation.ok_or_else(|| unsupported("a frame without steps"))?);
    }
    Ok(frames)
}

fn unsupported(what: impl Into<String>) -> FrameError {
    FrameError::Unsupported(what.into())
}

fn text<'a>(step: &'a Map<String, Value>, key: &str) -> Result<&'a str, FrameError> {
    step.get(key).and_then(Value::as_str).ok_or_else(|| unsupported(format!("a step without {key}")))
}

fn texts(step: &Map<String, Value>, key: &str) -> Vec<String> {
    let list = step.get(key).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn expressions(step: &Map<String, Value>, key: &str) -> Result<Vec<Expr>, FrameError> {
    texts(step, key).iter().map(|text| sql::parse_expression(text).map_err(FrameError::Plan)).collect()
}

type Frames = HashMap<String, Relation>;

fn other(step: &Map<String, Value>, key: &str, frames: &Frames) -> Result<Box<Relation>, FrameError> {
    let name = text(step, key)?;
    frames.get(name).cloned().map(Box::new).ok_or_else(|| unsupported(format!("an unknown frame {name}")))
}

fn apply(
    step: &Map<String, Value>,
    input: Option<Relation>,
    frames: &Frames,
    bootstrap: &str,
    overrides: Option<&Map<String, Value>>,
) -> Result<Relation, FrameError> {
    match text(step, "op")? {
        "read" => read(step, false, bootstrap, overrides),
        "readStream" => read(step, true, bootstrap, overrides),
        "rows" => rows(step),
        "frame" => Ok(*other(step, "name", frames)?),
        "sql" => Ok(Relation::With {
            ctes: frames.iter().map(|(name, relation)| (name.clone(), relation.clone())).collect(),
            input: Box::new(sql::parse_query(text(step, "text")?)?),
        }),
        op => {
            let input = Box::new(input.ok_or_else(|| unsupported(format!("{op} without a frame")))?);
            transform(op, step, input, frames)
        }
    }
}

fn read(
    step: &Map<String, Value>,
    streaming: bool,
    bootstrap: &str,
    overrides: Option<&Map<String, Value>>,
) -> Result<Relation, FrameError> {
    let mut read = Read::new(text(step, "format")?, streaming);
    let mut options = Options::new();
    options.set("kafka.bootstrap.servers", bootstrap);
    let given = step.get("options").and_then(Value::as_object);
    for (name, value) in given.into_iter().flatten().chain(overrides.into_iter().flatten()) {
        if value.is_null() {
            options.remove(name);
        } else {
            options.set(name, setting(value).replace("BROKERS", bootstrap));
        }
    }
    read.options = options;
    if let Some(schema) = step.get("schema").and_then(Value::as_str) {
        read.schema = Some(StructType::parse_ddl(schema)?);
    }
    Ok(Relation::Read(read))
}

fn rows(step: &Map<String, Value>) -> Result<Relation, FrameError> {
    let schema = StructType::parse_ddl(text(step, "schema")?)?;
    let rows = step.get("rows").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let rows =
        rows.iter().map(|row| literal::row(row, &schema).map_err(unsupported)).collect::<Result<_, _>>()?;
    Ok(Relation::Rows { schema, rows })
}

fn transform(
    op: &str,
    step: &Map<String, Value>,
    input: Box<Relation>,
    frames: &Frames,
) -> Result<Relation, FrameError> {
    Ok(match op {
        "selectExpr" => Relation::Project { input, expressions: expressions(step, "exprs")? },
        "where" => Relation::Filter { input, condition: sql::parse_expression(text(step, "cond")?)? },
        "withColumn" => {
            let value = sql::parse_expression(text(step, "expr")?)?;
            Relation::WithColumns { input, columns: vec![(text(step, "name")?.into(), value)] }
        }
        "drop" => Relation::Drop { input, columns: expressions(step, "cols")? },
        "withWatermark" => Relation::WithWatermark {
            input,
            column: text(step, "col")?.into(),
            delay: text(step, "delay")?.into(),
        },
        "groupBy" => aggregate(step, input, Grouping::GroupBy)?,
        "rollup" => aggregate(step, input, Grouping::Rollup)?,
        "cube" => aggregate(step, input, Grouping::Cube)?,
        "dropDuplicates" => {
            Relation::Deduplicate { input, columns: texts(step, "cols"), within_watermark: false }
        }
        "dropDuplicatesWithinWatermark" => {
            Relation::Deduplicate { input, columns: texts(step, "cols"), within_watermark: true }
        }
        "alias" => Relation::SubqueryAlias { input, alias: text(step, "name")?.into(), columns: Vec::new() },
        "join" => join(step, input, other(step, "right", frames)?)?,
        "crossJoin" => Relation::Join {
            left: input,
            right: other(step, "right", frames)?,
            kind: JoinKind::Cross,
            condition: JoinCondition::None,
        },
        "union" => set(input, other(step, "other", frames)?, SetKind::Union, true),
        "intersect" => set(input, other(step, "other", frames)?, SetKind::Intersect, false),
        "subtract" => set(input, other(step, "other", frames)?, SetKind::Except, false),
        "exceptAll" => set(input, other(step, "other", frames)?, SetKind::Except, true),
        "orderBy" => {
            let order = expressions(step, "exprs")?.into_iter().map(order).collect();
            Relation::Sort { input, order, global: true }
        }
        "limit" => Relation::Limit { input, count: number(step)? },
        "offset" => Relation::Offset { input, count: number(step)? },
        // As the method of that name, which drops duplicates; SQL's DISTINCT is an aggregation.
        "distinct" => Relation::Deduplicate { input, columns: Vec::new(), within_watermark: false },
        "sample" => {
            let upper = step.get("fraction").and_then(Value::as_f64).unwrap_or(1.0);
            Relation::Sample { input, lower: 0.0, upper, with_replacement: false, seed: None }
        }
        other => return Err(unsupported(format!("the DataFrame step {other}"))),
    })
}

fn number(step: &Map<String, Value>) -> Result<i64, FrameError> {
    step.get("n").and_then(Value::as_i64).ok_or_else(|| unsupported("a step without n"))
}

fn order(expression: Expr) -> SortOrder {
    match expression {
        Expr::Sort(order) => order,
        child => SortOrder { child: Box::new(child), ascending: true, nulls_first: true },
    }
}

/// Keys come out before the aggregates, as DataFrame.groupBy(..).agg(..) has it.
fn aggregate(
    step: &Map<String, Value>,
    input: Box<Relation>,
    grouping: Grouping,
) -> Result<Relation, FrameError> {
    let group = expressions(step, "keys")?;
    let output = group.iter().cloned().chain(expressions(step, "aggs")?).collect();
    Ok(Relation::Aggregate { input, group, output, grouping })
}

fn set(left: Box<Relation>, right: Box<Relation>, kind: SetKind, all: bool) -> Relation {
    Relation::SetOperation { left, right, kind, all, by_name: false, allow_missing_columns: false }
}

fn join(
    step: &Map<String, Value>,
    left: Box<Relation>,
    right: Box<Relation>,
) -> Result<Relation, FrameError> {
    let kind = match text(step, "how")?.replace('_', "").as_str() {
        "inner" => JoinKind::Inner,
        "left" | "leftouter" => JoinKind::LeftOuter,
        "right" | "rightouter" => JoinKind::RightOuter,
        "full" | "outer" | "fullouter" => JoinKind::FullOuter,
        "semi" | "leftsemi" => JoinKind::LeftSemi,
        "anti" | "leftanti" => JoinKind::LeftAnti,
        other => return Err(unsupported(format!("the join kind {other}"))),
    };
    let condition = match step.get("on") {
        None | Some(Value::Null) => JoinCondition::None,
        Some(Value::String(text)) => JoinCondition::On(sql::parse_expression(text)?),
        Some(_) => JoinCondition::Using(texts(step, "on")),
    };
    Ok(Relation::Join { left, right, kind, condition })
}
