//! Joins.

use datafusion::common::JoinType;
use datafusion::logical_expr::{Case, Expr as Plan, LogicalPlanBuilder, Operator};

use super::{Analyzer, Resolved};
use crate::analyzer::expression::Resolver;
use crate::analyzer::scope::{Attribute, Scope};
use crate::analyzer::{Label, Typed, cast_to, comparison_type, errors};
use crate::error::Result;
use crate::tree::{JoinCondition, JoinKind, Relation};

impl Analyzer<'_> {
    pub(super) fn join(
        &self,
        left: &Relation,
        right: &Relation,
        kind: JoinKind,
        condition: &JoinCondition,
    ) -> Result<Resolved> {
        let (left, right) = (self.relation(left)?, self.relation(right)?);
        let streaming = left.streaming || right.streaming;
        let both = self.joined_scope(&left, &right, kind);
        match condition {
            JoinCondition::None => self.join_on(left, right, kind, Vec::new(), both, streaming),
            JoinCondition::On(condition) => {
                let visible = self.all_columns(&left, &right);
                let condition = Resolver::new(self, &visible).condition(condition)?;
                self.join_on(left, right, kind, vec![condition.expr], both, streaming)
            }
            JoinCondition::Using(names) => self.join_using(left, right, kind, names),
            JoinCondition::Natural => {
                let common = |a: &&Attribute| !right.scope.named(&a.name).is_empty();
                let names: Vec<String> =
                    left.scope.attributes.iter().filter(common).map(|a| a.name.to_string()).collect();
                self.join_using(left, right, kind, &names)
            }
        }
    }

    fn join_on(
        &self,
        left: Resolved,
        right: Resolved,
        kind: JoinKind,
        on: Vec<Plan>,
        scope: Scope,
        streaming: bool,
    ) -> Result<Resolved> {
        let builder = LogicalPlanBuilder::new(left.plan);
        let crossed = on.is_empty() && matches!(kind, JoinKind::Inner | JoinKind::Cross);
        let plan = if crossed {
            builder.cross_join(right.plan)?.build()?
        } else {
            builder.join_on(right.plan, join_type(kind), on)?.build()?
        };
        Ok(Resolved::new(plan, scope, streaming))
    }

    /// Equal columns of both sides come out once, first.
    fn join_using(
        &self,
        left: Resolved,
        right: Resolved,
        kind: JoinKind,
        names: &[String],
    ) -> Result<Resolved> {
        let streaming = left.streaming || right.streaming;
        let joined = self.joined_scope(&left, &right, kind);
        let visible = self.all_columns(&left, &right);
        let resolver = Resolver::new(self, &visible);
        let (mut on, mut keys, mut used) = (Vec::new(), Vec::new(), Vec::new());
        for name in names {
            let (l, r) = (key(&left, name, "left")?, key(&right, name, "right")?);
            let equal = resolver.compare(Operator::Eq, l.typed(), r.typed())?;
            on.push(equal.expr);
            used.extend([l.column.clone(), r.column.clone()]);
            keys.push(self.merged(&l, &r, kind)?);
        }
        let below = self.join_on(left, right, kind, on, joined.clone(), streaming)?;
        let rest = joined.attributes.iter().filter(|a| !used.contains(&a.column));
        let mut outputs = keys;
        outputs.extend(rest.map(Attribute::typed));
        let hidden: Vec<Attribute> =
            joined.attributes.iter().filter(|a| used.contains(&a.column)).cloned().collect();
        let width = outputs.len();
        outputs.extend(hidden.iter().map(Attribute::typed));
        let mut selected = self.select(below, outputs, Vec::new())?;
        let mut tail = selected.scope.attributes.split_off(width);
        for (attribute, from) in tail.iter_mut().zip(&hidden) {
            attribute.qualifier.clone_from(&from.qualifier);
        }
        selected.scope.hidden = tail;
        Ok(selected)
    }

    /// The key that comes out: the side that is never missing, or the first that is not.
    fn merged(&self, left: &Attribute, right: &Attribute, kind: JoinKind) -> Result<Typed> {
        let common = comparison_type(&left.data_type, &right.data_type, self.conf)
            .ok_or_else(|| errors::different_operands("USING", &left.data_type, &right.data_type))?;
        let label = Label::Alias(left.name.to_string());
        match kind {
            JoinKind::RightOuter => Ok(Typed { label, ..right.typed() }),
            JoinKind::FullOuter => {
                let l = cast_to(left.typed(), &common, self.conf)?;
                let r = cast_to(right.typed(), &common, self.conf)?;
                let given = Plan::IsNotNull(Box::new(l.expr.clone()));
                let branch = (Box::new(given), Box::new(l.expr));
                let expr = Plan::Case(Case::new(None, vec![branch], Some(Box::new(r.expr))));
                Ok(Typed { label, ..Typed::new(expr, common, left.name.to_string()) })
            }
            _ => Ok(Typed { label, ..left.typed() }),
        }
    }

    /// What a join condition may name.
    fn all_columns(&self, left: &Resolved, right: &Resolved) -> Scope {
        let chain = |a: &[Attribute], b: &[Attribute]| a.iter().chain(b).cloned().collect();
        Scope {
            attributes: chain(&left.scope.attributes, &right.scope.attributes),
            hidden: chain(&left.scope.hidden, &right.scope.hidden),
            fallback: Vec::new(),
            case_sensitive: self.conf.case_sensitive(),
        }
    }

    /// What comes out of a join: a side that may be missing is nullable.
    fn joined_scope(&self, left: &Resolved, right: &Resolved, kind: JoinKind) -> Scope {
        let mut scope = self.all_columns(left, right);
        let width = left.scope.attributes.len();
        if matches!(kind, JoinKind::LeftSemi | JoinKind::LeftAnti) {
            scope.attributes.truncate(width);
            scope.hidden.clone_from(&left.scope.hidden);
            return scope;
        }
        for (index, attribute) in scope.attributes.iter_mut().enumerate() {
            attribute.nullable |= match kind {
                JoinKind::LeftOuter => index >= width,
                JoinKind::RightOuter => index < width,
                JoinKind::FullOuter => true,
                _ => false,
            };
        }
        scope
    }
}

fn join_type(kind: JoinKind) -> JoinType {
    match kind {
        JoinKind::Inner | JoinKind::Cross => JoinType::Inner,
        JoinKind::LeftOuter => JoinType::Left,
        JoinKind::RightOuter => JoinType::Right,
        JoinKind::FullOuter => JoinType::Full,
        JoinKind::LeftSemi => JoinType::LeftSemi,
        JoinKind::LeftAnti => JoinType::LeftAnti,
    }
}

fn key(side: &Resolved, name: &str, word: &str) -> Result<Attribute> {
    match side.scope.named(name).as_slice() {
        [one] => Ok(side.scope.attributes[*one].clone()),
        [] => {
            let columns: Vec<String> =
                side.scope.attributes.iter().map(|a| errors::identifier(&[&a.name])).collect();
            Err(errors::spark(
                "UNRESOLVED_USING_COLUMN_FOR_JOIN",
                [
                    ("colName", errors::identifier(&[name])),
                    ("side", word.to_owned()),
                    ("suggestion", columns.join(", ")),
                ],
            ))
        }
        _ => Err(errors::ambiguous(&[name.to_owned()], &[errors::identifier(&[name])])),
    }
}
