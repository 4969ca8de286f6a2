//! UNION, INTERSECT, EXCEPT: columns by position, each of the common type of both sides.

use std::sync::Arc;

use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, Union};

use super::{Analyzer, Resolved};
use crate::analyzer::scope::{Attribute, Scope};
use crate::analyzer::{Typed, cast_to, common_type, errors};
use crate::error::{Error, Result};
use crate::tree::{Relation, SetKind};
use crate::types::SparkType;

impl Analyzer<'_> {
    pub(super) fn set_operation(&self, relation: &Relation) -> Result<Resolved> {
        let Relation::SetOperation { left, right, kind, all, by_name, allow_missing_columns } = relation
        else {
            return Err(Error::unsupported("a set operation of another kind"));
        };
        let (left, mut right) = (self.relation(left)?, self.relation(right)?);
        let mut left = left;
        if *by_name {
            (left, right) = self.by_name(left, right, *allow_missing_columns)?;
        }
        let operator = match kind {
            SetKind::Union => "UNION",
            SetKind::Intersect => "INTERSECT",
            SetKind::Except => "EXCEPT",
        };
        let types = self.common_columns(&left, &right, operator)?;
        let streaming = left.streaming || right.streaming;
        let names: Vec<String> = left.scope.attributes.iter().map(|a| self.fresh(&a.name)).collect();
        let attributes = self.set_attributes(&left, &right, &types, &names);
        let scope = Scope { attributes, case_sensitive: self.conf.case_sensitive(), ..Scope::default() };
        let left = self.widened(left, &types, &names)?;
        let right = self.widened(right, &types, &names)?;
        let plan = match kind {
            SetKind::Union => {
                let union = Union::try_new(vec![Arc::new(left), Arc::new(right)])?;
                let builder = LogicalPlanBuilder::new(LogicalPlan::Union(union));
                if *all { builder.build()? } else { builder.distinct()?.build()? }
            }
            SetKind::Intersect => LogicalPlanBuilder::intersect(left, right, *all)?,
            SetKind::Except => LogicalPlanBuilder::except(left, right, *all)?,
        };
        Ok(Resolved::new(plan, scope, streaming))
    }

    fn common_columns(&self, left: &Resolved, right: &Resolved, operator: &str) -> Result<Vec<SparkType>> {
        let (l, r) = (&left.scope.attributes, &right.scope.attributes);
        if l.len() != r.len() {
            return Err(errors::spark(
                "NUM_COLUMNS_MISMATCH",
                [
                    ("operator", operator.to_owned()),
                    ("firstNumColumns", l.len().to_string()),
                    ("invalidOrdinalNum", "second".to_owned()),
                    ("invalidNumColumns", r.len().to_string()),
                ],
            ));
        }
        l.iter()
            .zip(r)
            .enumerate()
            .map(|(index, (a, b))| {
                common_type(&a.data_type, &b.data_type, self.conf).ok_or_else(|| {
                    errors::spark(
                        "INCOMPATIBLE_COLUMN_TYPE",
                        [
                            ("operator", operator.to_owned()),
                            ("columnOrdinalNumber", ordinal(index)),
                            ("tableOrdinalNumber", "second".to_owned()),
                            ("dataType1", errors::quoted_type(&b.data_type)),
                            ("dataType2", errors::quoted_type(&a.data_type)),
                            ("hint", String::new()),
                        ],
                    )
                })
            })
            .collect()
    }

    fn set_attributes(
        &self,
        left: &Resolved,
        right: &Resolved,
        types: &[SparkType],
        names: &[String],
    ) -> Vec<Attribute> {
        let sides = left.scope.attributes.iter().zip(&right.scope.attributes);
        sides
            .zip(types.iter().zip(names))
            .map(|((a, b), (data_type, column))| Attribute {
                name: a.name.clone(),
                qualifier: Vec::new(),
                column: column.clone(),
                data_type: data_type.clone(),
                nullable: a.nullable || b.nullable,
                watermark: a.watermark.max(b.watermark),
            })
            .collect()
    }

    /// A side with its columns cast and named for the operation.
    fn widened(&self, side: Resolved, types: &[SparkType], names: &[String]) -> Result<LogicalPlan> {
        let columns = side
            .scope
            .attributes
            .iter()
            .zip(types.iter().zip(names))
            .map(|(a, (to, name))| Ok(cast_to(a.typed(), to, self.conf)?.expr.alias(name)))
            .collect::<Result<Vec<_>>>()?;
        Ok(LogicalPlanBuilder::new(side.plan).project(columns)?.build()?)
    }

    /// The right side in the order of the left one's names.
    fn by_name(&self, left: Resolved, right: Resolved, missing: bool) -> Result<(Resolved, Resolved)> {
        let null = || Typed { foldable: true, ..crate::functions::null() };
        let find = |side: &Resolved, name: &str| -> Result<Option<Typed>> {
            match side.scope.named(name).as_slice() {
                [one] => Ok(Some(side.scope.attributes[*one].typed())),
                [] if missing => Ok(None),
                [] => Err(side.scope.unresolved(&[name.to_owned()])),
                _ => Err(errors::ambiguous(&[name.to_owned()], &[errors::identifier(&[name])])),
            }
        };
        let mut rights = Vec::new();
        for attribute in &left.scope.attributes {
            let found = find(&right, &attribute.name)?.unwrap_or_else(null);
            rights.push(Typed { label: crate::analyzer::Label::Alias(attribute.name.to_string()), ..found });
        }
        let mut lefts: Vec<Typed> = left.scope.attributes.iter().map(Attribute::typed).collect();
        for attribute in &right.scope.attributes {
            if !left.scope.named(&attribute.name).is_empty() {
                continue;
            }
            if !missing {
                return Err(left.scope.unresolved(&[attribute.name.to_string()]));
            }
            let label = crate::analyzer::Label::Alias(attribute.name.to_string());
            lefts.push(Typed { label, ..null() });
            rights.push(attribute.typed());
        }
        Ok((self.select(left, lefts, Vec::new())?, self.select(right, rights, Vec::new())?))
    }
}

fn ordinal(index: usize) -> String {
    const NAMES: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];
    NAMES.get(index).map_or_else(|| format!("{}th", index + 1), |n| (*n).to_owned())
}
