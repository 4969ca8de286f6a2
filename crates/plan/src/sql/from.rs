//! FROM: tables, subqueries, joins, table functions, lateral views.
use super::lexer::Kind;
use super::parser::{Parsed, Parser};
use crate::error::Error;
use crate::tree::{Call, Expr, JoinCondition, JoinKind, Relation};

/// Words that go on with the query behind a relation; any other word there is its alias.
const AFTER_RELATION: [&str; 34] = [
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "SORT",
    "CLUSTER",
    "DISTRIBUTE",
    "LIMIT",
    "OFFSET",
    "UNION",
    "EXCEPT",
    "MINUS",
    "INTERSECT",
    "LATERAL",
    "WINDOW",
    "JOIN",
    "INNER",
    "CROSS",
    "LEFT",
    "RIGHT",
    "FULL",
    "NATURAL",
    "SEMI",
    "ANTI",
    "ON",
    "USING",
    "TABLESAMPLE",
    "PIVOT",
    "UNPIVOT",
    "SELECT",
    "FROM",
    "AND",
    "OR",
    "AS",
];

impl Parser<'_> {
    /// FROM and all its relations.
    pub fn parse_from(&mut self) -> Parsed<Relation> {
        self.expect_word("FROM")?;
        let mut from = self.relation()?;
        while self.eat_symbol(",") {
            from = if self.eat_word("LATERAL") {
                self.lateral_function(from, false)?
            } else {
                let right = Box::new(self.relation()?);
                let (kind, condition) = (JoinKind::Inner, JoinCondition::None);
                Relation::Join { left: Box::new(from), right, kind, condition }
            };
            self.grow(1)?;
        }
        self.lateral_views(from)
    }

    /// A relation and what is joined to it.
    fn relation(&mut self) -> Parsed<Relation> {
        self.nested(|p| {
            let mut left = p.relation_primary()?;
            loop {
                let natural = p.at_word("NATURAL") && p.eat_word("NATURAL");
                let Some(kind) = p.join_kind()? else {
                    return if natural { Err(p.unexpected(false)) } else { Ok(left) };
                };
                left = p.join(left, kind, natural)?;
                p.grow(1)?;
            }
        })
    }

    fn join(&mut self, left: Relation, kind: JoinKind, natural: bool) -> Parsed<Relation> {
        if self.eat_word("LATERAL") {
            return match kind {
                JoinKind::Inner | JoinKind::Cross => self.lateral_function(left, false),
                JoinKind::LeftOuter => self.lateral_function(left, true),
                _ => Err(Error::unsupported("this kind of LATERAL join").into()),
            };
        }
        let right = Box::new(self.nested(Self::relation_primary)?);
        let condition = if natural {
            JoinCondition::Natural
        } else if self.eat_word("ON") {
            JoinCondition::On(self.expression()?)
        } else if self.eat_word("USING") {
            JoinCondition::Using(self.identifier_list()?)
        } else {
            JoinCondition::None
        };
        Ok(Relation::Join { left: Box::new(left), right, kind, condition })
    }

    /// The words up to JOIN.
    fn join_kind(&mut self) -> Parsed<Option<JoinKind>> {
        const KINDS: [(&[&str], JoinKind); 14] = [
            (&["JOIN"], JoinKind::Inner),
            (&["INNER", "JOIN"], JoinKind::Inner),
            (&["CROSS", "JOIN"], JoinKind::Cross),
            (&["LEFT", "JOIN"], JoinKind::LeftOuter),
            (&["LEFT", "OUTER", "JOIN"], JoinKind::LeftOuter),
            (&["RIGHT", "JOIN"], JoinKind::RightOuter),
            (&["RIGHT", "OUTER", "JOIN"], JoinKind::RightOuter),
            (&["FULL", "JOIN"], JoinKind::FullOuter),
            (&["FULL", "OUTER", "JOIN"], JoinKind::FullOuter),
            (&["LEFT", "SEMI", "JOIN"], JoinKind::LeftSemi),
            (&["SEMI", "JOIN"], JoinKind::LeftSemi),
            (&["LEFT", "ANTI", "JOIN"], JoinKind::LeftAnti),
            (&["ANTI", "JOIN"], JoinKind::LeftAnti),
            (&["LEFT", "ANTI", "OUTER", "JOIN"], JoinKind::LeftAnti),
        ];
        Ok(KINDS.iter().find(|(words, _)| self.eat_words(words)).map(|(_, kind)| *kind))
    }

    fn relation_primary(&mut self) -> Parsed<Relation> {
        if self.at_word("LATERAL") {
            return Err(Error::unsupported("a LATERAL subquery").into());
        }
        if self.at_symbol("(") {
            let inner = if self.is_query_at(1) {
                self.advance();
                self.query()?
            } else {
                self.advance();
                self.relation()?
            };
            self.expect_symbol(")")?;
            let inner = self.sample(inner)?;
            return self.table_alias(inner);
        }
        if self.at_word("VALUES") && !self.word_is_a_name() {
            return self.values();
        }
        let name = self.qualified_name()?;
        let relation = if self.at_symbol("(") {
            let (name, arguments) = self.table_function(name)?;
            Relation::TableFunction { name, arguments }
        } else {
            Relation::Table(name)
        };
        let relation = self.sample(relation)?;
        self.table_alias(relation)
    }

    fn table_function(&mut self, name: Vec<String>) -> Parsed<(String, Vec<Expr>)> {
        match self.function_call(name.join("."))? {
            Expr::Call(Call { name, arguments, .. }) => Ok((name, arguments)),
            _ => Err(self.unexpected(false)),
        }
    }

    /// `TABLESAMPLE (n PERCENT)`.
    fn sample(&mut self, relation: Relation) -> Parsed<Relation> {
        if !self.eat_word("TABLESAMPLE") {
            return Ok(relation);
        }
        self.expect_symbol("(")?;
        let percent: f64 = self.whole_number()?;
        if !self.eat_word("PERCENT") {
            return Err(Error::unsupported("TABLESAMPLE by anything but PERCENT").into());
        }
        self.expect_symbol(")")?;
        Ok(Relation::Sample {
            input: Box::new(relation),
            lower: 0.0,
            upper: percent / 100.0,
            with_replacement: false,
            seed: None,
        })
    }

    /// `[AS] name [(columns)]`, if there.
    pub fn table_alias(&mut self, relation: Relation) -> Parsed<Relation> {
        for word in ["PIVOT", "UNPIVOT"] {
            if self.at_word(word) && self.peek_at(1).is_symbol("(") {
                return Err(Error::unsupported(word).into());
            }
        }
        let Some(alias) = self.relation_name()? else {
            return Ok(relation);
        };
        let columns = if self.at_symbol("(") { self.identifier_list()? } else { Vec::new() };
        self.grow(1)?;
        Ok(Relation::SubqueryAlias { input: Box::new(relation), alias, columns })
    }

    fn relation_name(&mut self) -> Parsed<Option<String>> {
        let token = self.peek();
        let is_alias = match token.kind {
            Kind::Quoted(_) => true,
            Kind::Word if token.is_word("AS") => {
                self.advance();
                true
            }
            Kind::Word => !AFTER_RELATION.iter().any(|word| token.is_word(word)),
            _ => false,
        };
        if is_alias { self.identifier().map(Some) } else { Ok(None) }
    }

    /// `LATERAL VIEW [OUTER] f(..) name [AS] columns`, as many as there are.
    pub fn lateral_views(&mut self, mut input: Relation) -> Parsed<Relation> {
        while self.eat_words(&["LATERAL", "VIEW"]) {
            let outer = self.eat_word("OUTER");
            let name = self.qualified_name()?;
            let generator = self.function_call(name.join("."))?;
            let alias = self.relation_name()?;
            let names_follow = self.eat_word("AS") || matches!(self.peek().kind, Kind::Quoted(_)) || {
                let token = self.peek();
                token.kind == Kind::Word && !AFTER_RELATION.iter().any(|word| token.is_word(word))
            };
            let columns = if names_follow { self.list(Self::identifier)? } else { Vec::new() };
            self.grow(1)?;
            input = Relation::Generate { input: Box::new(input), generator, outer, alias, columns };
        }
        Ok(input)
    }

    /// `LATERAL f(..) [AS name (columns)]` behind a relation whose columns the function may use.
    fn lateral_function(&mut self, input: Relation, outer: bool) -> Parsed<Relation> {
        if self.at_symbol("(") {
            return Err(Error::unsupported("a LATERAL subquery").into());
        }
        let name = self.qualified_name()?;
        let generator = self.function_call(name.join("."))?;
        let alias = self.relation_name()?;
        let columns =
            if alias.is_some() && self.at_symbol("(") { self.identifier_list()? } else { Vec::new() };
        Ok(Relation::Generate { input: Box::new(input), generator, outer, alias, columns })
    }
}
