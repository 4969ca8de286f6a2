//! Unresolved relations.
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::{Expr, Options, SortOrder, Value};
use crate::types::StructType;

/// A relation before names and types are looked up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Relation {
    /// A source.
    Read(Read),
    /// Rows in memory.
    Rows {
        /// Their columns.
        schema: StructType,
        /// Values in the order of the columns.
        rows: Vec<Vec<Value>>,
    },
    /// A table or view of the catalog by its name's parts.
    Table(Vec<String>),
    /// `range(start, end, step, partitions)`: one column `id`, BIGINT NOT NULL.
    Range {
        /// First value.
        start: i64,
        /// Exclusive.
        end: i64,
        /// Not 0.
        step: i64,
        /// The session's parallelism if missing.
        partitions: Option<usize>,
    },
    /// `VALUES (..), (..)`: columns are `col1`, `col2`, ...
    Values(Vec<Vec<Expr>>),
    /// One row without columns: `SELECT` without `FROM`.
    OneRow,
    /// A function in FROM: `explode(..)`, `range(..)`.
    TableFunction {
        /// As written.
        name: String,
        /// In order.
        arguments: Vec<Expr>,
    },
    /// SELECT. Aggregate functions without GROUP BY make one group of everything.
    Project {
        /// Source of the columns.
        input: Box<Relation>,
        /// Stars, generators and aliases included.
        expressions: Vec<Expr>,
    },
    /// WHERE.
    Filter {
        /// Source of the rows.
        input: Box<Relation>,
        /// BOOLEAN.
        condition: Expr,
    },
    /// Columns set or added.
    WithColumns {
        /// Source of the rows.
        input: Box<Relation>,
        /// Name and value.
        columns: Vec<(String, Expr)>,
    },
    /// Columns renamed; names that do not exist are passed over.
    WithColumnsRenamed {
        /// Source of the rows.
        input: Box<Relation>,
        /// Old and new name.
        renames: Vec<(String, String)>,
    },
    /// All columns renamed, by position.
    ToDf {
        /// Source of the rows.
        input: Box<Relation>,
        /// As many as there are columns.
        names: Vec<String>,
    },
    /// Columns taken away; names that do not exist are passed over.
    Drop {
        /// Source of the rows.
        input: Box<Relation>,
        /// Attributes, or names as one part.
        columns: Vec<Expr>,
    },
    /// `relation AS alias (columns)`.
    SubqueryAlias {
        /// What is named.
        input: Box<Relation>,
        /// Qualifier of its columns.
        alias: String,
        /// New names by position, or empty.
        columns: Vec<String>,
    },
    /// GROUP BY.
    Aggregate {
        /// Source of the rows.
        input: Box<Relation>,
        /// Keys: expressions, ordinals (integer literals, SQL only) or aliases of the output.
        group: Vec<Expr>,
        /// All columns that come out, the keys included where they are wanted.
        output: Vec<Expr>,
        /// Which sets of keys are grouped by.
        grouping: Grouping,
    },
    /// HAVING over an [`Relation::Aggregate`].
    Having {
        /// The aggregation.
        input: Box<Relation>,
        /// May hold aggregate functions and keys that are not in the output.
        condition: Expr,
    },
    /// JOIN.
    Join {
        /// Left side.
        left: Box<Relation>,
        /// Right side.
        right: Box<Relation>,
        /// Kind.
        kind: JoinKind,
        /// ON, USING or NATURAL.
        condition: JoinCondition,
    },
    /// UNION, INTERSECT, EXCEPT.
    SetOperation {
        /// First side, which names the columns.
        left: Box<Relation>,
        /// Second side.
        right: Box<Relation>,
        /// Kind.
        kind: SetKind,
        /// Keep duplicates. `DataFrame.union` has it set.
        all: bool,
        /// Match columns by name.
        by_name: bool,
        /// With `by_name`: a missing column is NULL.
        allow_missing_columns: bool,
    },
    /// ORDER BY (global) or SORT BY (within partitions).
    Sort {
        /// Source of the rows.
        input: Box<Relation>,
        /// Keys; integer literals are ordinals.
        order: Vec<SortOrder>,
        /// Over all partitions.
        global: bool,
    },
    /// LIMIT.
    Limit {
        /// Source of the rows.
        input: Box<Relation>,
        /// At most so many rows.
        count: i64,
    },
    /// OFFSET.
    Offset {
        /// Source of the rows.
        input: Box<Relation>,
        /// Rows passed over.
        count: i64,
    },
    /// SELECT DISTINCT.
    Distinct {
        /// Source of the rows.
        input: Box<Relation>,
    },
    /// `dropDuplicates` and `dropDuplicatesWithinWatermark`.
    Deduplicate {
        /// Source of the rows.
        input: Box<Relation>,
        /// Key columns; all if empty.
        columns: Vec<String>,
        /// Forget keys behind the watermark.
        within_watermark: bool,
    },
    /// `withWatermark`.
    WithWatermark {
        /// Source of the rows.
        input: Box<Relation>,
        /// Event time column.
        column: String,
        /// Such as "10 seconds".
        delay: String,
    },
    /// `sample`.
    Sample {
        /// Source of the rows.
        input: Box<Relation>,
        /// Lower bound of the share.
        lower: f64,
        /// Upper bound of the share.
        upper: f64,
        /// A row may come several times.
        with_replacement: bool,
        /// Random if missing.
        seed: Option<i64>,
    },
    /// `repartition`, `coalesce`, DISTRIBUTE BY.
    Repartition {
        /// Source of the rows.
        input: Box<Relation>,
        /// The session's number if missing.
        partitions: Option<usize>,
        /// Keys, or empty for round robin.
        keys: Vec<Expr>,
        /// False for `coalesce`.
        shuffle: bool,
    },
    /// LATERAL VIEW.
    Generate {
        /// Source of the rows.
        input: Box<Relation>,
        /// A call of a generator.
        generator: Expr,
        /// Keep rows for which nothing is generated.
        outer: bool,
        /// Qualifier of the new columns.
        alias: Option<String>,
        /// Their names; the generator's own if empty.
        columns: Vec<String>,
    },
    /// WITH.
    With {
        /// Names and queries; a later one may use earlier ones.
        ctes: Vec<(String, Relation)>,
        /// The query that uses them.
        input: Box<Relation>,
    },
    /// SQL text that the analyzer parses in the session's setting.
    Sql(String),
}

/// `read` and `readStream`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Read {
    /// Such as "kafka".
    pub format: String,
    /// Options of the format.
    pub options: Options,
    /// The user's schema.
    pub schema: Option<StructType>,
    /// Paths given to `load`.
    pub paths: Vec<String>,
    /// `readStream`.
    pub streaming: bool,
    /// Tells two reads with equal options apart; a frame used twice is one read.
    pub id: u64,
}

impl Read {
    /// A read with an id of its own, unique in this process.
    pub fn new(format: impl Into<String>, streaming: bool) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            format: format.into(),
            options: Options::new(),
            schema: None,
            paths: Vec::new(),
            streaming,
            id: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }
}

/// Which sets of keys an aggregation groups by.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub enum Grouping {
    /// All keys.
    #[default]
    GroupBy,
    /// All prefixes of the keys.
    Rollup,
    /// All subsets of the keys.
    Cube,
    /// These sets of keys.
    Sets(Vec<Vec<Expr>>),
    /// `GROUP BY ALL`: every output column that holds no aggregate function.
    All,
}

/// Kinds of join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JoinKind {
    /// Pairs that match.
    Inner,
    /// All pairs.
    Cross,
    /// And left rows without a match.
    LeftOuter,
    /// And right rows without a match.
    RightOuter,
    /// And rows of both sides without a match.
    FullOuter,
    /// Left rows that have a match, once.
    LeftSemi,
    /// Left rows that have none.
    LeftAnti,
}

/// What makes two rows of a join match.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub enum JoinCondition {
    /// Everything.
    #[default]
    None,
    /// A predicate.
    On(Expr),
    /// Equal columns of these names, which come out once.
    Using(Vec<String>),
    /// Equal columns of all common names.
    Natural,
}

/// Kinds of set operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetKind {
    /// Rows of both.
    Union,
    /// Rows in both.
    Intersect,
    /// Rows of the first that are not in the second.
    Except,
}
