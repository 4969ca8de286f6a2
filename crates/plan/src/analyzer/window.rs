//! `window(time, length [, slide [, start]])`: the event-time windows that a row lies in.
//!
//! A call becomes a column `window` of the input, a struct of `start` and `end`; a row that lies in several
//! (sliding) windows is repeated, a row without a time disappears. Windows are aligned to 1970-01-01 00:00
//! UTC plus `start`. A window may itself be windowed: its time is its end less a microsecond.

use datafusion::common::{Column, NullHandling, UnnestOptions};
use datafusion::logical_expr::{Expr as Plan, LogicalPlanBuilder};

use super::coercion::{Expected, implicit_cast};
use super::expression::Resolver;
use super::relation::{Analyzer, Resolved};
use super::scope::{Attribute, column};
use super::typed::Typed;
use super::{errors, rewrite};
use crate::error::{Error, Result, SparkError};
use crate::functions::event_window::{EventWindow, SessionWindow, WindowTime, window_time, window_type};
use crate::functions::udf;
use crate::sql::parse_interval;
use crate::tree::{Call, Expr};
use crate::types::SparkType;

const SESSION: &str = "session_window";

/// Qualifier by which a rewritten call finds its column; no user can write it.
const QUALIFIER: &str = "\u{1}window";

impl Analyzer<'_> {
    /// Puts the windows that `expressions` call into the input, and the calls' columns into the expressions.
    pub(super) fn event_windows(
        &self,
        input: Resolved,
        expressions: &[Expr],
    ) -> Result<(Resolved, Vec<Expr>)> {
        let mut calls: Vec<Call> = Vec::new();
        for expression in expressions {
            rewrite::visit(expression, &mut |e| {
                if let Expr::Call(call) = e
                    && ["window", SESSION].iter().any(|name| call.name.eq_ignore_ascii_case(name))
                    && !calls.contains(call)
                {
                    calls.push(call.clone());
                }
            });
        }
        let [call] = calls.as_slice() else {
            return if calls.is_empty() { Ok((input, expressions.to_vec())) } else { Err(several()) };
        };
        let session = call.name.eq_ignore_ascii_case(SESSION);
        let input = if session { self.with_session(input, call)? } else { self.with_window(input, call)? };
        let name = if session { SESSION } else { "window" };
        let column = Expr::Attribute(vec![QUALIFIER.to_owned(), name.to_owned()]);
        let replaced = expressions
            .iter()
            .map(|e| rewrite::map(e, &|e| matches!(e, Expr::Call(c) if c == call).then(|| column.clone())));
        Ok((input, replaced.collect()))
    }

    fn with_window(&self, mut input: Resolved, call: &Call) -> Result<Resolved> {
        let args = Resolver::new(self, &input.scope).arguments(&call.arguments)?;
        let Some((time, spans)) = args.split_first().filter(|(_, spans)| (1..=3).contains(&spans.len()))
        else {
            return Err(errors::wrong_num_args("window", "[2, 3, 4]", args.len()));
        };
        let watermark = watermark_of(&input, time);
        let time = self.time_of(time)?;
        let mut window = checked(&time.sql, spans)?;
        window.local = time.data_type == SparkType::TimestampNtz;
        let sliding = window.slide < window.length;
        let name = self.fresh("window");
        let window_type = window_type(&time.data_type);
        let mut columns: Vec<Plan> =
            input.scope.attributes.iter().chain(&input.scope.hidden).map(Attribute::expr).collect();
        columns.push(udf::call(window, vec![time.expr.clone()]).alias(&name));
        let mut builder = LogicalPlanBuilder::new(input.plan);
        if time.nullable {
            builder = builder.filter(Plan::IsNotNull(Box::new(time.expr)))?;
        }
        builder = builder.project(columns)?;
        if sliding {
            let options = UnnestOptions { null_handling: NullHandling::Drop, ..UnnestOptions::default() };
            builder =
                builder.unnest_columns_with_options(vec![Column::new_unqualified(name.clone())], options)?;
        }
        input.plan = builder.build()?;
        input.scope.hidden.push(Attribute {
            name: "window".into(),
            qualifier: vec![QUALIFIER.to_owned()],
            column: name,
            data_type: window_type,
            nullable: false,
            watermark,
        });
        Ok(input)
    }

    /// Each row's own session, from its time to the gap's end; joining sessions that overlap is the aggregation's
    /// work, which only streams will have.
    fn with_session(&self, mut input: Resolved, call: &Call) -> Result<Resolved> {
        if !input.streaming {
            return Err(Error::unsupported("session_window on a relation that is no stream"));
        }
        let args = Resolver::new(self, &input.scope).arguments(&call.arguments)?;
        let [time, gap] = args.as_slice() else {
            return Err(errors::wrong_num_args(SESSION, "2", args.len()));
        };
        let watermark = watermark_of(&input, time);
        let time = self.time_of(time)?;
        let gap = implicit_cast(gap, &Expected::Exactly(SparkType::String), self.conf)?
            .ok_or_else(|| errors::unexpected_input(SESSION, 1, "\"STRING\"", gap))?;
        let name = self.fresh(SESSION);
        let data_type = window_type(&time.data_type);
        let session = SessionWindow { local: time.data_type == SparkType::TimestampNtz };
        let mut columns: Vec<Plan> =
            input.scope.attributes.iter().chain(&input.scope.hidden).map(Attribute::expr).collect();
        columns.push(udf::call(session, vec![time.expr, gap.expr]).alias(&name));
        let given = Plan::IsNotNull(Box::new(column(&name)));
        input.plan = LogicalPlanBuilder::new(input.plan).project(columns)?.filter(given)?.build()?;
        input.scope.hidden.push(Attribute {
            name: SESSION.into(),
            qualifier: vec![QUALIFIER.to_owned()],
            column: name,
            data_type,
            nullable: false,
            watermark,
        });
        Ok(input)
    }

    /// The time that is windowed.
    fn time_of(&self, arg: &Typed) -> Result<Typed> {
        if let Some(time) = window_time(arg) {
            return Ok(time);
        }
        const TIME: Expected = Expected::OneOf(&[
            Expected::Exactly(SparkType::Timestamp),
            Expected::Exactly(SparkType::TimestampNtz),
        ]);
        implicit_cast(arg, &TIME, self.conf)?.ok_or_else(|| {
            errors::unexpected_input("window", 0, "(\"TIMESTAMP\" or \"TIMESTAMP WITHOUT TIME ZONE\")", arg)
        })
    }
}

fn watermark_of(input: &Resolved, time: &Typed) -> Option<i64> {
    let window = udf::as_call::<WindowTime>(&time.expr).and_then(|(_, args)| args.first());
    let Plan::Column(column) = window.unwrap_or(&time.expr) else { return None };
    input.scope.attributes.iter().find(|a| a.column == column.name).and_then(|a| a.watermark)
}

/// Length, slide and start in microseconds, by Spark's constraints.
fn checked(time: &str, spans: &[Typed]) -> Result<EventWindow> {
    let micros = spans.iter().map(span).collect::<Result<Vec<i64>>>()?;
    let length = micros[0];
    let slide = micros.get(1).copied().unwrap_or(length);
    let start = micros.get(2).copied().unwrap_or(0);
    let sql = format!("window({time}, {length}, {slide}, {start})");
    let violated = |left: (&str, i64), constraint: &str, right: (&str, String)| {
        Err(errors::spark(
            "DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION",
            [
                ("sqlExpr", format!("\"{sql}\"")),
                ("leftExprName", errors::identifier(&[left.0])),
                ("leftExprValue", format!("{}L", left.1)),
                ("constraint", constraint.to_owned()),
                ("rightExprName", right.0.to_owned()),
                ("rightExprValue", right.1),
            ],
        ))
    };
    for (name, value) in [("window_duration", length), ("slide_duration", slide)] {
        if value <= 0 {
            return Err(errors::spark(
                "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
                [
                    ("sqlExpr", format!("\"{sql}\"")),
                    ("exprName", errors::identifier(&[name])),
                    ("valueRange", format!("(0, {}]", i64::MAX)),
                    ("currentValue", format!("{value}L")),
                ],
            ));
        }
    }
    if slide > length {
        return violated(("slide_duration", slide), "<=", ("`window_duration`", format!("{length}L")));
    }
    if start.unsigned_abs() >= slide.unsigned_abs() {
        return violated(("abs(start_time)", start), "<", ("`slide_duration`", format!("{slide}L")));
    }
    Ok(EventWindow { length, slide, start, local: false })
}

fn span(arg: &Typed) -> Result<i64> {
    let text = arg.text().ok_or_else(|| Error::unsupported("a window whose length is no constant"))?;
    let span = parse_interval(text)?;
    span.fixed_microseconds().ok_or_else(|| {
        let message = format!("Intervals greater than a month is not supported ({text}).");
        let mut error = SparkError::new("_LEGACY_ERROR_TEMP_3231", [("interval", text)]);
        error.message = message;
        error.into()
    })
}

fn several() -> Error {
    let mut error = SparkError::new::<&str, &str>("_LEGACY_ERROR_TEMP_1039", []);
    error.message =
        "several window expressions in one list would give every combination of their windows, which is \
                     not supported; use one, or windows of different steps"
            .to_owned();
    error.into()
}
