//! Function calls: plain, aggregate, window, and those whose arguments have a grammar of their own.
use super::lexer::Kind;
use super::parser::{Parsed, Parser};
use crate::error::Error;
use crate::tree::{Call, CastMode, Expr, FrameBound, FrameUnit, SortOrder, Value, Window, WindowFrame, call};

/// Functions whose first argument may be a unit as a bare word.
const UNIT_FIRST: [&str; 6] =
    ["TIMESTAMPADD", "TIMESTAMPDIFF", "DATEADD", "DATE_ADD", "DATEDIFF", "DATE_DIFF"];

/// Those units.
const UNITS: [&str; 11] = [
    "YEAR",
    "QUARTER",
    "MONTH",
    "WEEK",
    "DAY",
    "DAYOFYEAR",
    "HOUR",
    "MINUTE",
    "SECOND",
    "MILLISECOND",
    "MICROSECOND",
];

impl Parser<'_> {
    /// A call that is not written as a plain list of arguments; the cursor is at its name.
    pub fn keyword_call(&mut self, name: &str) -> Parsed<Option<Expr>> {
        let special = match name {
            "CAST" | "TRY_CAST" | "STRUCT" => true,
            "EXISTS" => self.is_query_at(2),
            "POSITION" => self.first_argument_is_followed_by("IN"),
            "EXTRACT" | "SUBSTRING" | "SUBSTR" | "TRIM" => self.first_argument_is_followed_by("FROM"),
            "OVERLAY" => self.first_argument_is_followed_by("PLACING"),
            _ => false,
        };
        if !special {
            return Ok(None);
        }
        self.advance();
        self.expect_symbol("(")?;
        let expr = match name {
            "CAST" => self.cast(CastMode::Session)?,
            "TRY_CAST" => self.cast(CastMode::Try)?,
            "STRUCT" => return self.struct_call().map(Some),
            "EXISTS" => Expr::Exists(Box::new(self.query()?)),
            "EXTRACT" => self.extract()?,
            "POSITION" => call("position", self.worded_arguments(&["IN"], None)?),
            "OVERLAY" => call("overlay", self.worded_arguments(&["PLACING", "FROM"], Some("FOR"))?),
            "TRIM" => self.trim()?,
            _ => call("substring", self.worded_arguments(&["FROM"], Some("FOR"))?),
        };
        self.expect_symbol(")")?;
        self.grow(1)?;
        Ok(Some(expr))
    }

    /// Whether the word stands in the first argument, outside inner brackets; the cursor is at the function's name.
    fn first_argument_is_followed_by(&self, word: &str) -> bool {
        let mut depth = 0usize;
        for ahead in 1.. {
            let token = self.peek_at(ahead);
            match token.kind {
                Kind::Symbol("(" | "[") => depth += 1,
                Kind::Symbol(")" | "]") if depth <= 1 => return false,
                Kind::Symbol(")" | "]") => depth -= 1,
                Kind::Symbol(",") if depth == 1 => return false,
                Kind::Word if depth == 1 && token.is_word(word) => return true,
                Kind::End => return false,
                _ => {}
            }
        }
        false
    }

    /// Arguments with words instead of commas between them, the last perhaps missing.
    fn worded_arguments(&mut self, words: &[&str], last: Option<&str>) -> Parsed<Vec<Expr>> {
        let mut arguments = vec![self.nested(|p| p.value(0))?];
        for word in words {
            self.expect_word(word)?;
            arguments.push(self.nested(|p| p.value(0))?);
        }
        if last.is_some_and(|word| self.eat_word(word)) {
            arguments.push(self.nested(|p| p.value(0))?);
        }
        Ok(arguments)
    }

    /// A call with its arguments and all that may follow them; the cursor is at the parenthesis.
    pub fn function_call(&mut self, name: String) -> Parsed<Expr> {
        self.expect_symbol("(")?;
        self.arguments_and_modifiers(name)
    }

    fn arguments_and_modifiers(&mut self, name: String) -> Parsed<Expr> {
        let distinct = self.eat_word("DISTINCT") || {
            self.eat_words(&["ALL"]);
            false
        };
        let mut call = Call { distinct, ..Call::new(name, Vec::new()) };
        if !self.eat_symbol(")") {
            call.arguments = self.list(Self::argument)?;
            call.ignore_nulls = self.ignore_nulls();
            self.close_list(call.arguments.len(), ")")?;
        }
        self.settle_arguments(&mut call);
        if self.eat_words(&["WITHIN", "GROUP"]) {
            self.expect_symbol("(")?;
            call.order_by = self.order_by()?;
            self.expect_symbol(")")?;
        }
        if self.at_word("FILTER") && self.peek_at(1).is_symbol("(") && self.peek_at(2).is_word("WHERE") {
            self.advance();
            self.expect_symbol("(")?;
            self.expect_word("WHERE")?;
            call.filter = Some(Box::new(self.expression()?));
            self.expect_symbol(")")?;
        }
        call.ignore_nulls |= self.ignore_nulls();
        self.grow(1)?;
        if self.eat_word("OVER") {
            self.grow(1)?;
            return self.window(Expr::Call(call));
        }
        Ok(Expr::Call(call))
    }

    fn argument(&mut self) -> Parsed<Expr> {
        if self.peek().kind == Kind::Word && self.peek_at(1).is_symbol("=>") {
            return Err(Error::unsupported("a named argument").into());
        }
        self.expression()
    }

    fn ignore_nulls(&mut self) -> bool {
        self.eat_words(&["IGNORE", "NULLS"]) || {
            self.eat_words(&["RESPECT", "NULLS"]);
            false
        }
    }

    /// What Spark's parser rewrites: `count(*)` is `count(1)`, and units are text.
    fn settle_arguments(&self, call: &mut Call) {
        let named = |name: &str| call.name.eq_ignore_ascii_case(name);
        if named("count") && !call.distinct && call.arguments == [Expr::Star { target: Vec::new() }] {
            call.arguments = vec![Expr::Literal(Value::Integer(1))];
        } else if UNIT_FIRST.iter().any(|name| named(name))
            && let [Expr::Attribute(unit), _, _] = call.arguments.as_slice()
            && let [unit] = unit.as_slice()
            && UNITS.iter().any(|u| unit.eq_ignore_ascii_case(u))
        {
            call.arguments[0] = Expr::Literal(Value::String(unit.to_ascii_uppercase()));
        }
    }

    fn cast(&mut self, mode: CastMode) -> Parsed<Expr> {
        let child = Box::new(self.expression()?);
        self.expect_word("AS")?;
        Ok(Expr::Cast { child, to: self.data_type()?, mode })
    }

    fn struct_call(&mut self) -> Parsed<Expr> {
        let fields = if self.at_symbol(")") { Vec::new() } else { self.list(Self::named_expression)? };
        self.close_list(fields.len(), ")")?;
        self.grow(1)?;
        Ok(call("struct", fields))
    }

    fn extract(&mut self) -> Parsed<Expr> {
        let field = match self.peek().kind {
            Kind::String(_) => self.string()?,
            _ => self.identifier()?,
        };
        self.expect_word("FROM")?;
        let source = self.expression()?;
        Ok(call("extract", vec![Expr::Literal(Value::String(field)), source]))
    }

    /// `[BOTH | LEADING | TRAILING] [characters] FROM text`.
    fn trim(&mut self) -> Parsed<Expr> {
        let name = if self.eat_word("LEADING") {
            "ltrim"
        } else if self.eat_word("TRAILING") {
            "rtrim"
        } else {
            self.eat_word("BOTH");
            "trim"
        };
        let arguments = if self.eat_word("FROM") {
            vec![self.expression()?]
        } else {
            self.worded_arguments(&["FROM"], None)?
        };
        Ok(call(name, arguments))
    }

    fn window(&mut self, function: Expr) -> Parsed<Expr> {
        if !self.eat_symbol("(") {
            self.identifier()?;
            return Err(Error::unsupported("a named window").into());
        }
        let mut partition_by = Vec::new();
        if self.eat_words(&["PARTITION", "BY"]) || self.eat_words(&["DISTRIBUTE", "BY"]) {
            partition_by = self.list(Self::expression)?;
        }
        let ordered = self.at_words(&["ORDER", "BY"]) || self.at_words(&["SORT", "BY"]);
        let order_by = if ordered { self.order_by()? } else { Vec::new() };
        let frame = if self.at_any_word(&["ROWS", "RANGE"]) { Some(self.frame()?) } else { None };
        self.expect_symbol(")")?;
        Ok(Expr::Window(Window { function: Box::new(function), partition_by, order_by, frame }))
    }

    fn frame(&mut self) -> Parsed<WindowFrame> {
        let unit = if self.eat_word("ROWS") {
            FrameUnit::Rows
        } else {
            self.expect_word("RANGE")?;
            FrameUnit::Range
        };
        if !self.eat_word("BETWEEN") {
            return Ok(WindowFrame { unit, lower: self.frame_bound()?, upper: FrameBound::CurrentRow });
        }
        let lower = self.frame_bound()?;
        self.expect_word("AND")?;
        Ok(WindowFrame { unit, lower, upper: self.frame_bound()? })
    }

    fn frame_bound(&mut self) -> Parsed<FrameBound> {
        if self.eat_words(&["UNBOUNDED", "PRECEDING"]) || self.eat_words(&["UNBOUNDED", "FOLLOWING"]) {
            return Ok(FrameBound::Unbounded);
        }
        if self.eat_words(&["CURRENT", "ROW"]) {
            return Ok(FrameBound::CurrentRow);
        }
        let distance = Box::new(self.expression()?);
        if self.eat_word("PRECEDING") {
            return Ok(FrameBound::Preceding(distance));
        }
        self.expect_word("FOLLOWING")?;
        Ok(FrameBound::Following(distance))
    }

    /// `ORDER BY` or `SORT BY` and its keys; the cursor is at the first word.
    pub fn order_by(&mut self) -> Parsed<Vec<SortOrder>> {
        self.advance();
        self.expect_word("BY")?;
        self.list(Self::sort_key)
    }

    fn sort_key(&mut self) -> Parsed<SortOrder> {
        let child = Box::new(self.expression()?);
        let ascending = !self.eat_word("DESC");
        if ascending {
            self.eat_word("ASC");
        }
        let nulls_first = if self.eat_words(&["NULLS", "FIRST"]) {
            true
        } else if self.eat_words(&["NULLS", "LAST"]) {
            false
        } else {
            ascending
        };
        Ok(SortOrder { child, ascending, nulls_first })
    }
}
