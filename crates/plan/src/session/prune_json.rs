//! `from_json` reads only the fields that the query uses.
//!
//! A column made by `from_json` whose every use is a field of it gets a schema of just those fields; the
//! parser skips the others. Columns of analyzed plans have unique names, so uses are counted over the whole
//! plan. Not done with options of the user's own (FAILFAST must see all fields) or with a corrupt-record
//! column, whose text depends on them.

use std::collections::{BTreeSet, HashMap};

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use crate::functions::udf::{self, as_call};
use crate::functions::{FromJson, StructFieldKernel};
use crate::types::{SparkType, StructType};

/// The rule.
#[derive(Debug, Default)]
pub(super) struct PruneJson;

/// How a column is used.
#[derive(Debug, Default)]
struct Usage {
    whole: bool,
    fields: BTreeSet<usize>,
}

impl OptimizerRule for PruneJson {
    fn name(&self) -> &str {
        "prune_json"
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let mut usages: HashMap<String, Usage> = HashMap::new();
        find_parsers(&plan, &mut usages)?;
        if usages.is_empty() {
            return Ok(Transformed::no(plan));
        }
        use_whole(&plan, &mut usages);
        count_uses(&plan, &mut usages)?;
        let pruned: HashMap<String, Vec<usize>> = usages
            .into_iter()
            .filter(|(_, usage)| !usage.whole && !usage.fields.is_empty())
            .map(|(name, usage)| (name, usage.fields.into_iter().collect()))
            .collect();
        let rewritten = plan.transform_up(|node| prune(node, &pruned))?;
        Ok(rewritten)
    }
}

/// Columns that are a `from_json` to a struct with more than one field, and may be pruned.
fn find_parsers(plan: &LogicalPlan, usages: &mut HashMap<String, Usage>) -> Result<()> {
    plan.apply(|node| {
        if let LogicalPlan::Projection(projection) = node {
            for expr in &projection.expr {
                if let Expr::Alias(alias) = expr
                    && as_call::<FromJson>(&alias.expr).is_some_and(|(kernel, _)| kernel.may_be_pruned())
                {
                    usages.insert(alias.name.clone(), Usage::default());
                }
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

/// All columns of a relation count as used.
fn use_whole(plan: &LogicalPlan, usages: &mut HashMap<String, Usage>) {
    for field in plan.schema().fields() {
        if let Some(usage) = usages.get_mut(field.name()) {
            usage.whole = true;
        }
    }
}

fn count_uses(plan: &LogicalPlan, usages: &mut HashMap<String, Usage>) -> Result<()> {
    plan.apply(|node| {
        match node {
            LogicalPlan::Projection(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::Sort(_)
            | LogicalPlan::Limit(_)
            | LogicalPlan::Join(_)
            | LogicalPlan::Aggregate(_)
            | LogicalPlan::TableScan(_) => {}
            LogicalPlan::Unnest(unnest) => {
                for column in &unnest.exec_columns {
                    usages.entry(column.name.clone()).and_modify(|u| u.whole = true);
                }
                return Ok(TreeNodeRecursion::Continue);
            }
            LogicalPlan::Distinct(Distinct::On(_)) => {}
            // Everything else takes its input's columns by position or is not known here.
            other => other.inputs().into_iter().for_each(|input| use_whole(input, usages)),
        }
        let passes_on = matches!(node, LogicalPlan::Projection(_));
        node.apply_expressions(|expr| {
            // A column that a projection hands on is used above it.
            if !(passes_on && matches!(expr, Expr::Column(_))) {
                count_in(expr, usages)?;
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(())
}

fn count_in(expr: &Expr, usages: &mut HashMap<String, Usage>) -> Result<()> {
    expr.apply(|e| {
        if let Some((kernel, [Expr::Column(column)])) = as_call::<StructFieldKernel>(e) {
            if let Some(usage) = usages.get_mut(&column.name) {
                usage.fields.insert(kernel.index);
            }
            return Ok(TreeNodeRecursion::Jump);
        }
        if let Expr::Column(column) = e
            && let Some(usage) = usages.get_mut(&column.name)
        {
            usage.whole = true;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

fn prune(node: LogicalPlan, pruned: &HashMap<String, Vec<usize>>) -> Result<Transformed<LogicalPlan>> {
    let changed = node.map_expressions(|expr| expr.transform_up(|e| prune_expr(e, pruned)))?;
    // Also nodes above a changed one carry its columns' types.
    changed.map_data(LogicalPlan::recompute_schema)
}

fn prune_expr(expr: Expr, pruned: &HashMap<String, Vec<usize>>) -> Result<Transformed<Expr>> {
    if let Some((kernel, [Expr::Column(column)])) = as_call::<StructFieldKernel>(&expr)
        && let Some(fields) = pruned.get(&column.name)
    {
        let index = fields.iter().position(|f| *f == kernel.index).unwrap_or(kernel.index);
        let moved = StructFieldKernel { index, ..kernel.clone() };
        let argument = Expr::Column(column.clone());
        return Ok(Transformed::new(
            udf::call(moved, vec![argument]),
            index != kernel.index,
            TreeNodeRecursion::Continue,
        ));
    }
    let Expr::Alias(alias) = &expr else { return Ok(Transformed::no(expr)) };
    let (Some(wanted), Some((kernel, args))) = (pruned.get(&alias.name), as_call::<FromJson>(&alias.expr))
    else {
        return Ok(Transformed::no(expr));
    };
    let SparkType::Struct(all) = &kernel.schema else { return Ok(Transformed::no(expr)) };
    if wanted.len() == all.fields.len() {
        return Ok(Transformed::no(expr));
    }
    let fields: StructType = wanted.iter().map(|i| all.fields[*i].clone()).collect();
    let narrowed = FromJson::new(SparkType::Struct(fields), kernel.options.clone())?;
    Ok(Transformed::yes(udf::call(narrowed, args.to_vec()).alias(&alias.name)))
}
