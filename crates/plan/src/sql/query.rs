//! Queries: SELECT, VALUES, WITH, set operations, and what stands behind them (ORDER BY, LIMIT, OFFSET).
use super::lexer::Kind;
use super::parser::{Parsed, Parser};
use crate::error::Error;
use crate::tree::{Call, Expr, Grouping, Relation, SetKind, Value};

/// Words with which a query may begin.
const QUERY_STARTS: [&str; 5] = ["SELECT", "WITH", "VALUES", "TABLE", "FROM"];

/// Words that may follow a query in parentheses, if the whole is a query again.
const AFTER_QUERY: [&str; 11] = [
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "MINUS",
    "ORDER",
    "SORT",
    "CLUSTER",
    "DISTRIBUTE",
    "LIMIT",
    "OFFSET",
    "WINDOW",
];

impl Parser<'_> {
    /// Whether a query begins at the cursor.
    pub fn at_query(&self) -> bool {
        self.is_query_at(0)
    }

    /// Whether a query begins so many tokens ahead.
    pub fn is_query_at(&self, ahead: usize) -> bool {
        let mut open = 0;
        while self.peek_at(ahead + open).is_symbol("(") {
            open += 1;
        }
        let first = self.peek_at(ahead + open);
        let follows = &self.peek_at(ahead + open + 1).kind;
        let begins = QUERY_STARTS.iter().any(|word| first.is_word(word))
            && !matches!(follows, Kind::End | Kind::Symbol("." | "," | ")" | "=" | "::" | "[" | "<" | ">"));
        // `((SELECT 1) + 1)` is an expression: what follows each inner parenthesis tells.
        begins && (0..open).all(|inner| self.closes_as_query(ahead + inner))
    }

    /// Whether what follows the bracket that closes the one `ahead` goes on with a query.
    fn closes_as_query(&self, ahead: usize) -> bool {
        let mut depth = 0usize;
        for at in ahead.. {
            match self.peek_at(at).kind {
                Kind::Symbol("(") => depth += 1,
                Kind::Symbol(")") => depth -= 1,
                Kind::End => return true,
                _ => {}
            }
            if depth == 0 {
                let follows = self.peek_at(at + 1);
                return follows.is_symbol(")")
                    || follows.kind == Kind::End
                    || AFTER_QUERY.iter().any(|word| follows.is_word(word));
            }
        }
        true
    }

    /// A whole query.
    pub fn query(&mut self) -> Parsed<Relation> {
        self.nested(|p| {
            if p.eat_word("WITH") {
                return p.with();
            }
            let query = p.set_operation(false)?;
            p.organization(query)
        })
    }

    fn with(&mut self) -> Parsed<Relation> {
        if self.at_word("RECURSIVE") && self.peek_at(1).kind == Kind::Word {
            return Err(Error::unsupported("WITH RECURSIVE").into());
        }
        let ctes = self.list(|p| {
            let name = p.identifier()?;
            let columns =
                if p.at_symbol("(") && !p.is_query_at(1) { p.identifier_list()? } else { Vec::new() };
            p.eat_word("AS");
            p.expect_symbol("(")?;
            let query = p.query()?;
            p.expect_symbol(")")?;
            let query = match columns.is_empty() {
                true => query,
                false => Relation::SubqueryAlias { input: Box::new(query), alias: name.clone(), columns },
            };
            Ok((name, query))
        })?;
        let query = self.set_operation(false)?;
        let query = self.organization(query)?;
        self.grow(1)?;
        Ok(Relation::With { ctes, input: Box::new(query) })
    }

    /// Queries with set operations between them; INTERSECT binds tighter than the others.
    fn set_operation(&mut self, only_intersect: bool) -> Parsed<Relation> {
        let mut left =
            if only_intersect { self.query_primary()? } else { self.nested(|p| p.set_operation(true))? };
        loop {
            let kind = if only_intersect {
                if !self.eat_word("INTERSECT") {
                    return Ok(left);
                }
                SetKind::Intersect
            } else if self.eat_word("UNION") {
                SetKind::Union
            } else if self.eat_word("EXCEPT") || self.eat_word("MINUS") {
                SetKind::Except
            } else {
                return Ok(left);
            };
            let all = self.eat_word("ALL");
            if !all {
                self.eat_word("DISTINCT");
            }
            let right =
                if only_intersect { self.query_primary()? } else { self.nested(|p| p.set_operation(true))? };
            self.grow(1)?;
            left = Relation::SetOperation {
                left: Box::new(left),
                right: Box::new(right),
                kind,
                all,
                by_name: false,
                allow_missing_columns: false,
            };
        }
    }

    fn query_primary(&mut self) -> Parsed<Relation> {
        if self.eat_symbol("(") {
            let query = self.query()?;
            self.expect_symbol(")")?;
            return Ok(query);
        }
        if self.eat_word("SELECT") {
            return self.select(None);
        }
        if self.at_word("VALUES") {
            return self.values();
        }
        if self.eat_word("TABLE") {
            return Ok(Relation::Table(self.qualified_name()?));
        }
        if self.at_word("FROM") {
            let from = self.parse_from()?;
            self.expect_word("SELECT")?;
            return self.select(Some(from));
        }
        Err(self.unexpected(false))
    }

    /// A SELECT behind that word; `from` is given where it stands before.
    fn select(&mut self, from: Option<Relation>) -> Parsed<Relation> {
        let distinct = self.eat_word("DISTINCT");
        if !distinct && self.at_word("ALL") && !self.word_is_a_name() {
            self.advance();
        }
        let expressions = self.list(Self::named_expression)?;
        let input = match from {
            Some(from) => from,
            None if self.at_word("FROM") => self.parse_from()?,
            None => Relation::OneRow,
        };
        let mut input = self.lateral_views(input)?;
        if self.eat_word("WHERE") {
            let condition = self.expression()?;
            self.grow(1)?;
            input = Relation::Filter { input: Box::new(input), condition };
        }
        let group = if self.eat_words(&["GROUP", "BY"]) { Some(self.group_by()?) } else { None };
        let having = if self.eat_word("HAVING") { Some(self.expression()?) } else { None };
        if self.at_word("WINDOW") {
            return Err(Error::unsupported("a WINDOW clause").into());
        }
        self.grow(3)?;
        let input = Box::new(input);
        let mut query = match (group, &having) {
            (Some((group, grouping)), _) => {
                Relation::Aggregate { input, group, output: expressions, grouping }
            }
            (None, Some(_)) => Relation::Aggregate {
                input,
                group: Vec::new(),
                output: expressions,
                grouping: Grouping::GroupBy,
            },
            (None, None) => Relation::Project { input, expressions },
        };
        if let Some(condition) = having {
            query = Relation::Having { input: Box::new(query), condition };
        }
        if distinct {
            query = Relation::Distinct { input: Box::new(query) };
        }
        Ok(query)
    }

    fn group_by(&mut self) -> Parsed<(Vec<Expr>, Grouping)> {
        if self.at_word("ALL") && !self.peek_at(1).is_symbol(".") && !self.peek_at(1).is_symbol(",") {
            self.advance();
            return Ok((Vec::new(), Grouping::All));
        }
        let forms = [("ROLLUP", Grouping::Rollup), ("CUBE", Grouping::Cube)];
        for (word, grouping) in forms.clone() {
            if self.at_word(word) && self.peek_at(1).is_symbol("(") {
                self.advance();
                let group = self.grouping_set()?;
                self.refuse_more_groups()?;
                return Ok((group, grouping));
            }
        }
        if self.eat_words(&["GROUPING", "SETS"]) {
            let sets = self.grouping_sets()?;
            self.refuse_more_groups()?;
            let mut group: Vec<Expr> = Vec::new();
            for key in sets.iter().flatten() {
                if !group.contains(key) {
                    group.push(key.clone());
                }
            }
            return Ok((group, Grouping::Sets(sets)));
        }
        let group = self.list(Self::expression)?;
        for (word, grouping) in forms {
            if self.eat_words(&["WITH", word]) {
                return Ok((group, grouping));
            }
        }
        if self.eat_words(&["GROUPING", "SETS"]) {
            return Ok((group, Grouping::Sets(self.grouping_sets()?)));
        }
        Ok((group, Grouping::GroupBy))
    }

    fn refuse_more_groups(&self) -> Parsed<()> {
        if self.at_symbol(",") {
            return Err(Error::unsupported("ROLLUP, CUBE or GROUPING SETS beside other keys").into());
        }
        Ok(())
    }

    fn grouping_sets(&mut self) -> Parsed<Vec<Vec<Expr>>> {
        self.expect_symbol("(")?;
        let sets =
            self.list(
                |p| {
                    if p.at_symbol("(") { p.grouping_set() } else { p.expression().map(|key| vec![key]) }
                },
            )?;
        self.close_list(sets.len(), ")")?;
        Ok(sets)
    }

    fn grouping_set(&mut self) -> Parsed<Vec<Expr>> {
        self.expect_symbol("(")?;
        if self.eat_symbol(")") {
            return Ok(Vec::new());
        }
        let keys = self.list(Self::expression)?;
        self.close_list(keys.len(), ")")?;
        Ok(keys)
    }

    /// `VALUES (1, 'a'), (2, 'b') [AS t(x, y)]`.
    pub fn values(&mut self) -> Parsed<Relation> {
        self.expect_word("VALUES")?;
        let rows = self.list(|p| {
            Ok(match p.expression()? {
                Expr::Call(Call { name, arguments, .. }) if name.eq_ignore_ascii_case("struct") => arguments,
                value => vec![value],
            })
        })?;
        self.grow(1)?;
        self.table_alias(Relation::Values(rows))
    }

    /// What orders and cuts a query's rows.
    fn organization(&mut self, mut query: Relation) -> Parsed<Relation> {
        if self.at_words(&["CLUSTER", "BY"]) || self.at_words(&["DISTRIBUTE", "BY"]) {
            let sorts = self.at_word("CLUSTER");
            self.advance();
            self.advance();
            let keys = self.list(Self::expression)?;
            let order = keys.iter().map(sort_key).collect();
            query = Relation::Repartition { input: Box::new(query), partitions: None, keys, shuffle: true };
            if sorts {
                query = Relation::Sort { input: Box::new(query), order, global: false };
            }
        }
        if self.at_words(&["ORDER", "BY"]) || self.at_words(&["SORT", "BY"]) {
            let global = self.at_word("ORDER");
            let order = self.order_by()?;
            query = Relation::Sort { input: Box::new(query), order, global };
        }
        if self.at_word("WINDOW") {
            return Err(Error::unsupported("a WINDOW clause").into());
        }
        let limit = if self.eat_word("LIMIT") { self.row_count("LIMIT")? } else { None };
        if self.eat_word("OFFSET")
            && let Some(count) = self.row_count("OFFSET")?
        {
            query = Relation::Offset { input: Box::new(query), count };
        }
        if let Some(count) = limit {
            query = Relation::Limit { input: Box::new(query), count };
        }
        self.grow(4)?;
        Ok(query)
    }

    /// A number, or none for ALL.
    fn row_count(&mut self, clause: &str) -> Parsed<Option<i64>> {
        if self.eat_word("ALL") {
            return Ok(None);
        }
        match self.expression()? {
            Expr::Literal(Value::Integer(count)) => Ok(Some(count.into())),
            Expr::Literal(Value::Long(count)) => Ok(Some(count)),
            _ => Err(Error::unsupported(format!("{clause} with anything but a number")).into()),
        }
    }
}

fn sort_key(key: &Expr) -> crate::tree::SortOrder {
    crate::tree::SortOrder { child: Box::new(key.clone()), ascending: true, nulls_first: true }
}
