//! Functions that call a lambda: `transform`, `filter`, `exists`, `forall`, `aggregate`, `zip_with`, `array_sort` and
//! those of maps.
//!
//! A lambda's body is an expression of its own over its parameters and over the columns that it takes from around it
//! (captures). The captures are arguments of the function behind its collections, so that the plan knows them; a
//! body runs over the items of a whole batch at once, with the captures repeated for each item.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, Int32Array, RecordBatch, RecordBatchOptions, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use arrow_select::take::take;
use datafusion::common::{DFSchema, Result};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};

use super::maps::Entries;
use super::pick::{Lists, Picker, items_at};
use crate::functions::udf::{Evaluation, Kernel};
use crate::types::SparkType;

/// A lambda: its body, and the names of its parameters and captures there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Lambda {
    /// Over the parameters and captures.
    pub body: Expr,
    /// As the body calls them.
    pub parameters: Vec<String>,
    /// As the body calls them.
    pub captures: Vec<String>,
}

/// What is done with a lambda's results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Higher {
    /// Each item becomes the result.
    Transform,
    /// Items stay where it is true.
    Filter,
    /// Whether it is true for one.
    Exists,
    /// Whether it is true for all.
    ForAll,
    /// From an initial value through all items; a second lambda makes the result of the last value.
    Aggregate,
    /// Two arrays side by side.
    ZipWith,
    /// By a comparison.
    Sort,
    /// Entries stay where it is true.
    MapFilter,
    /// New keys.
    TransformKeys,
    /// New values.
    TransformValues,
    /// Two maps, key by key.
    MapZipWith,
}

/// A call; its arguments are the collections (and an initial value), then the captures of each lambda.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct HigherOrder {
    /// Which function.
    pub function: Higher,
    /// One, or two.
    pub lambdas: Vec<Lambda>,
    /// Arguments before the captures.
    pub collections: usize,
    /// Type of the result.
    pub returns: SparkType,
    /// Whether the last of equal keys wins.
    pub last_wins: bool,
}

/// A lambda ready to run.
struct Body<'a> {
    lambda: &'a Lambda,
    captures: &'a [ArrayRef],
    props: ExecutionProps,
}

impl Kernel for HigherOrder {
    fn name(&self) -> &str {
        match self.function {
            Higher::Transform => "transform",
            Higher::Filter => "filter",
            Higher::Exists => "exists",
            Higher::ForAll => "forall",
            Higher::Aggregate => "aggregate",
            Higher::ZipWith => "zip_with",
            Higher::Sort => "array_sort",
            Higher::MapFilter => "map_filter",
            Higher::TransformKeys => "transform_keys",
            Higher::TransformValues => "transform_values",
            Higher::MapZipWith => "map_zip_with",
        }
    }

    fn return_type(&self) -> DataType {
        self.returns.to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], context: &Evaluation<'_>) -> Result<ArrayRef> {
        let (collections, mut captures) = args.split_at(self.collections);
        let mut bodies = Vec::with_capacity(self.lambdas.len());
        for lambda in &self.lambdas {
            let (own, rest) = captures.split_at(lambda.captures.len());
            captures = rest;
            bodies.push(Body { lambda, captures: own, props: props(context.config) });
        }
        let body = &bodies[0];
        match self.function {
            Higher::Transform => self.transform(collections, body),
            Higher::Filter => self.filter(collections, body),
            Higher::Exists => found(collections, body, true),
            Higher::ForAll => found(collections, body, false),
            Higher::Aggregate => aggregate(collections, body, bodies.get(1)),
            Higher::ZipWith => self.zip_with(collections, body),
            Higher::Sort => self.sort(collections, body),
            Higher::MapFilter | Higher::TransformKeys | Higher::TransformValues => {
                self.map(collections, body)
            }
            Higher::MapZipWith => self.map_zip_with(collections, body),
        }
    }
}

fn props(config: &ConfigOptions) -> ExecutionProps {
    let mut props = ExecutionProps::new();
    props.config_options = Some(Arc::new(config.clone()));
    props
}

impl Body<'_> {
    /// The results for parameters whose rows belong to the rows `owners` of the batch.
    fn run(&self, parameters: &[ArrayRef], owners: &UInt64Array) -> Result<ArrayRef> {
        let mut columns = parameters[..self.lambda.parameters.len().min(parameters.len())].to_vec();
        for capture in self.captures {
            columns.push(take(capture, owners, None)?);
        }
        let names = self.lambda.parameters.iter().chain(&self.lambda.captures);
        let fields: Vec<Field> =
            names.zip(&columns).map(|(name, c)| Field::new(name, c.data_type().clone(), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let rows = RecordBatchOptions::new().with_row_count(Some(owners.len()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &rows)?;
        self.expression(&schema)?.evaluate(&batch)?.into_array(owners.len())
    }

    fn expression(&self, schema: &Arc<Schema>) -> Result<Arc<dyn PhysicalExpr>> {
        let schema = DFSchema::try_from(Arc::clone(schema))?;
        create_physical_expr(&self.lambda.body, &schema, &self.props, &PhysicalPlanningContext::default())
    }
}

/// The items of all rows one behind the other, the rows they belong to, and their places in those rows.
struct Items {
    values: ArrayRef,
    owners: UInt64Array,
    places: ArrayRef,
}

fn items(lists: &Lists<'_>) -> Result<Items> {
    let (mut values, mut owners, mut places) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..lists.len() {
        for (place, i) in lists.range(row).enumerate() {
            values.push(Some(i));
            owners.push(row as u64);
            places.push(i32::try_from(place).unwrap_or(i32::MAX));
        }
    }
    Ok(Items {
        values: items_at(lists.items(), values)?,
        owners: UInt64Array::from(owners),
        places: Arc::new(Int32Array::from(places)),
    })
}

impl HigherOrder {
    fn transform(&self, args: &[ArrayRef], body: &Body<'_>) -> Result<ArrayRef> {
        let lists = Lists::of(&args[0]);
        let items = items(&lists)?;
        let results = body.run(&[items.values, items.places], &items.owners)?;
        self.in_order(&lists, results, |_| true)
    }

    /// Results (one for each item) as arrays again.
    fn in_order(
        &self,
        lists: &Lists<'_>,
        results: ArrayRef,
        keep: impl Fn(usize) -> bool,
    ) -> Result<ArrayRef> {
        let mut out = Picker::new(vec![results]);
        let mut at = 0;
        for row in 0..lists.len() {
            if lists.is_null(row) {
                out.null()?;
                continue;
            }
            for _ in lists.range(row) {
                if keep(at) {
                    out.push(0, at);
                }
                at += 1;
            }
            out.end()?;
        }
        out.finish(&self.return_type())
    }

    fn filter(&self, args: &[ArrayRef], body: &Body<'_>) -> Result<ArrayRef> {
        let lists = Lists::of(&args[0]);
        let items = items(&lists)?;
        let kept = body.run(&[Arc::clone(&items.values), items.places], &items.owners)?;
        let kept = kept.as_boolean();
        self.in_order(&lists, items.values, |i| is_true(kept, i))
    }

    /// The shorter array is filled with NULL.
    fn zip_with(&self, args: &[ArrayRef], body: &Body<'_>) -> Result<ArrayRef> {
        let (left, right) = (Lists::of(&args[0]), Lists::of(&args[1]));
        let (mut a, mut b, mut owners) = (Vec::new(), Vec::new(), Vec::new());
        let mut lengths = Vec::with_capacity(left.len());
        for row in 0..left.len() {
            if left.is_null(row) || right.is_null(row) {
                lengths.push(None);
                continue;
            }
            let (x, y) = (left.range(row), right.range(row));
            let longest = x.len().max(y.len());
            a.extend((0..longest).map(|i| (i < x.len()).then_some(x.start + i)));
            b.extend((0..longest).map(|i| (i < y.len()).then_some(y.start + i)));
            owners.extend(std::iter::repeat_n(row as u64, longest));
            lengths.push(Some(longest));
        }
        let parameters = [items_at(left.items(), a)?, items_at(right.items(), b)?];
        let results = body.run(&parameters, &UInt64Array::from(owners))?;
        let mut out = Picker::new(vec![results]);
        let mut at = 0;
        for length in lengths {
            let Some(length) = length else {
                out.null()?;
                continue;
            };
            (at..at + length).for_each(|i| out.push(0, i));
            at += length;
            out.end()?;
        }
        out.finish(&self.return_type())
    }

    /// Items are compared one pair at a time.
    fn sort(&self, args: &[ArrayRef], body: &Body<'_>) -> Result<ArrayRef> {
        let lists = Lists::of(&args[0]);
        let mut out = Picker::new(vec![Arc::clone(lists.items())]);
        let mut failure = None;
        for row in 0..lists.len() {
            if lists.is_null(row) {
                out.null()?;
                continue;
            }
            let mut order: Vec<usize> = lists.range(row).collect();
            order.sort_by(|&a, &b| match compare(body, lists.items(), row, a, b) {
                Ok(ordering) => ordering,
                Err(error) => {
                    failure.get_or_insert(error);
                    std::cmp::Ordering::Equal
                }
            });
            if let Some(error) = failure {
                return Err(error);
            }
            order.into_iter().for_each(|i| out.push(0, i));
            out.end()?;
        }
        out.finish(&self.return_type())
    }

    fn map(&self, args: &[ArrayRef], body: &Body<'_>) -> Result<ArrayRef> {
        let map = args[0].as_map();
        let at = |i: usize| usize::try_from(map.value_offsets()[i]).unwrap_or(0);
        let range = |row: usize| if map.is_null(row) { 0..0 } else { at(row)..at(row + 1) };
        let (mut places, mut owners) = (Vec::new(), Vec::new());
        for row in 0..map.len() {
            places.extend(range(row).map(Some));
            owners.extend(range(row).map(|_| row as u64));
        }
        let (keys, values) = (items_at(map.keys(), places.clone())?, items_at(map.values(), places)?);
        let results = body.run(&[Arc::clone(&keys), Arc::clone(&values)], &UInt64Array::from(owners))?;
        let (mut rows, mut from) = (Entries::new(), 0);
        for row in 0..map.len() {
            if map.is_null(row) {
                rows.null();
                continue;
            }
            let entries = from..from + range(row).len();
            from = entries.end;
            if self.function == Higher::MapFilter {
                let kept = results.as_boolean();
                rows.row(entries.filter(|&i| is_true(kept, i)).map(|i| (i, i)));
            } else {
                rows.row(entries.map(|i| (i, i)));
            }
        }
        let (keys, values) = match self.function {
            Higher::TransformKeys => (results, values),
            Higher::TransformValues => (keys, results),
            _ => (keys, values),
        };
        rows.finish(&keys, &values, &self.return_type(), self.last_wins)
    }

    /// Keys of the first map, then those that only the second has.
    fn map_zip_with(&self, args: &[ArrayRef], body: &Body<'_>) -> Result<ArrayRef> {
        let [left, right] = [args[0].as_map(), args[1].as_map()];
        let compared = super::pick::comparable(&[left.keys(), right.keys()])?;
        let keys = arrow_select::concat::concat(&[left.keys().as_ref(), right.keys().as_ref()])?;
        let (mut key, mut a, mut b, mut owners) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut rows = Entries::new();
        for row in 0..left.len() {
            if left.is_null(row) || right.is_null(row) {
                rows.null();
                continue;
            }
            let at = |offsets: &[i32], i: usize| usize::try_from(offsets[i]).unwrap_or(0);
            let x = at(left.value_offsets(), row)..at(left.value_offsets(), row + 1);
            let y = at(right.value_offsets(), row)..at(right.value_offsets(), row + 1);
            let from = key.len();
            for i in x.clone() {
                key.push(Some(i));
                a.push(Some(i));
                b.push(y.clone().find(|&j| compared[0].row(i) == compared[1].row(j)));
            }
            for j in y.filter(|&j| !x.clone().any(|i| compared[0].row(i) == compared[1].row(j))) {
                key.push(Some(left.keys().len() + j));
                a.push(None);
                b.push(Some(j));
            }
            owners.extend((from..key.len()).map(|_| row as u64));
            rows.row((from..key.len()).map(|i| (i, i)));
        }
        let keys = items_at(&keys, key)?;
        let parameters = [Arc::clone(&keys), items_at(left.values(), a)?, items_at(right.values(), b)?];
        let values = body.run(&parameters, &UInt64Array::from(owners))?;
        rows.finish(&keys, &values, &self.return_type(), self.last_wins)
    }
}

fn compare(body: &Body<'_>, items: &ArrayRef, row: usize, a: usize, b: usize) -> Result<std::cmp::Ordering> {
    let parameters = [items.slice(a, 1), items.slice(b, 1)];
    let result = body.run(&parameters, &UInt64Array::from(vec![row as u64]))?;
    Ok(result.as_primitive::<arrow_array::types::Int32Type>().value(0).cmp(&0))
}

fn is_true(values: &BooleanArray, row: usize) -> bool {
    values.is_valid(row) && values.value(row)
}

/// Whether one item gives `wanted` (for `exists`), or none gives its opposite (for `forall`); else NULL if one is NULL.
fn found(args: &[ArrayRef], body: &Body<'_>, wanted: bool) -> Result<ArrayRef> {
    let lists = Lists::of(&args[0]);
    let items = items(&lists)?;
    let results = body.run(&[items.values], &items.owners)?;
    let results = results.as_boolean();
    let mut at = 0;
    let column: BooleanArray = (0..lists.len())
        .map(|row| {
            let range = at..at + lists.range(row).len();
            at = range.end;
            if lists.is_null(row) {
                None
            } else if range.clone().any(|i| results.is_valid(i) && results.value(i) == wanted) {
                Some(wanted)
            } else if range.clone().any(|i| results.is_null(i)) {
                None
            } else {
                Some(!wanted)
            }
        })
        .collect();
    Ok(Arc::new(column))
}

/// The n-th items of all arrays are merged at once.
fn aggregate(args: &[ArrayRef], merge: &Body<'_>, finish: Option<&Body<'_>>) -> Result<ArrayRef> {
    let lists = Lists::of(&args[0]);
    let mut value = Arc::clone(&args[1]);
    let longest = (0..lists.len()).map(|row| lists.range(row).len()).max().unwrap_or(0);
    for place in 0..longest {
        let rows: Vec<usize> = (0..lists.len()).filter(|&row| lists.range(row).len() > place).collect();
        let owners = UInt64Array::from_iter_values(rows.iter().map(|&row| row as u64));
        let item =
            items_at(lists.items(), rows.iter().map(|&r| Some(lists.range(r).start + place)).collect())?;
        let merged = merge.run(&[take(&value, &owners, None)?, item], &owners)?;
        let mut picks: Vec<(usize, usize)> = (0..lists.len()).map(|row| (0, row)).collect();
        rows.iter().enumerate().for_each(|(at, &row)| picks[row] = (1, at));
        value = arrow_select::interleave::interleave(&[value.as_ref(), merged.as_ref()], &picks)?;
    }
    let all = UInt64Array::from_iter_values((0..lists.len()).map(|row| row as u64));
    let result = match finish {
        Some(finish) => finish.run(&[value], &all)?,
        None => value,
    };
    let rows = (0..lists.len()).map(|row| (!lists.is_null(row)).then_some(row));
    items_at(&result, rows.collect())
}
