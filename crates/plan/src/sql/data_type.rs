//! Types and lists of columns: `a STRUCT<x: INT, y: ARRAY<STRING>> NOT NULL COMMENT 'c', b DECIMAL(10,2)`.
use super::lexer::Kind;
use super::parser::{Parsed, Parser};
use crate::error::SparkError;
use crate::types::{DayTimeField, SparkType, StructField, StructType, YearMonthField};

impl Parser<'_> {
    /// Columns with commas between them, without brackets around.
    pub fn columns(&mut self) -> Parsed<StructType> {
        Ok(StructType { fields: self.list(Self::column)? })
    }

    /// `name type`, `name: type`.
    fn column(&mut self) -> Parsed<StructField> {
        let name = self.identifier()?;
        self.eat_symbol(":");
        let data_type = self.data_type()?;
        let mut nullable = true;
        loop {
            if self.eat_words(&["NOT", "NULL"]) {
                nullable = false;
            } else if self.eat_word("COMMENT") {
                self.string()?;
            } else {
                return Ok(StructField::new(name, data_type, nullable));
            }
        }
    }

    /// A type.
    pub fn data_type(&mut self) -> Parsed<SparkType> {
        self.nested(Self::any_type)
    }

    fn any_type(&mut self) -> Parsed<SparkType> {
        if self.peek().kind != Kind::Word {
            return Err(self.unexpected(false));
        }
        let name = self.advance().text.to_ascii_uppercase();
        let simple = match name.as_str() {
            "BOOLEAN" => SparkType::Boolean,
            "TINYINT" | "BYTE" => SparkType::Byte,
            "SMALLINT" | "SHORT" => SparkType::Short,
            "INT" | "INTEGER" => SparkType::Integer,
            "BIGINT" | "LONG" => SparkType::Long,
            "FLOAT" | "REAL" => SparkType::Float,
            "DOUBLE" => SparkType::Double,
            "DATE" => SparkType::Date,
            "TIMESTAMP" | "TIMESTAMP_LTZ" => SparkType::Timestamp,
            "TIMESTAMP_NTZ" => SparkType::TimestampNtz,
            "STRING" => SparkType::String,
            "BINARY" => SparkType::Binary,
            "VOID" => SparkType::Null,
            "CHAR" | "CHARACTER" | "VARCHAR" => return self.sized_string(&name),
            "DECIMAL" | "DEC" | "NUMERIC" => return self.decimal_type(),
            "INTERVAL" => return self.interval_type(),
            "ARRAY" | "MAP" | "STRUCT" => return self.nested_type(&name),
            _ => return Err(unsupported_type(&name)),
        };
        if self.at_symbol("(") {
            return Err(unsupported_type(&name));
        }
        Ok(simple)
    }

    /// CHAR(n) and VARCHAR(n) are read as STRING, as Spark's sources do.
    fn sized_string(&mut self, name: &str) -> Parsed<SparkType> {
        if !self.eat_symbol("(") {
            return Err(SparkError::new("DATATYPE_MISSING_SIZE", [("type", format!("\"{name}\""))]).into());
        }
        let _length: u32 = self.whole_number()?;
        self.expect_symbol(")")?;
        Ok(SparkType::String)
    }

    fn decimal_type(&mut self) -> Parsed<SparkType> {
        let (mut precision, mut scale) = (10u32, 0u32);
        if self.eat_symbol("(") {
            precision = self.whole_number()?;
            if self.eat_symbol(",") {
                scale = self.whole_number()?;
            }
            self.expect_symbol(")")?;
        }
        let refused = |condition: &str, first: (&'static str, u32), second: (&'static str, u32)| {
            let parameters = [first, second].map(|(name, value)| (name, value.to_string()));
            Err(SparkError::new(condition, parameters).into())
        };
        if precision > 38 {
            let condition = "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION";
            return refused(condition, ("precision", precision), ("maxPrecision", 38));
        }
        if scale > precision {
            let condition = "INVALID_DECIMAL_SCALE_EXCEEDS_PRECISION";
            return refused(condition, ("scale", scale), ("precision", precision));
        }
        Ok(SparkType::Decimal(precision as u8, scale as u8))
    }

    fn interval_type(&mut self) -> Parsed<SparkType> {
        if let Some(from) = self.year_month_field() {
            let to = if self.eat_word("TO") { self.year_month_field() } else { Some(from) };
            return match to {
                Some(to) if from <= to => Ok(SparkType::YearMonthInterval(from, to)),
                _ => Err(self.unexpected(false)),
            };
        }
        let Some(from) = self.day_time_field() else {
            return Err(unsupported_type("INTERVAL"));
        };
        let to = if self.eat_word("TO") { self.day_time_field() } else { Some(from) };
        match to {
            Some(to) if from <= to => Ok(SparkType::DayTimeInterval(from, to)),
            _ => Err(self.unexpected(false)),
        }
    }

    fn year_month_field(&mut self) -> Option<YearMonthField> {
        [YearMonthField::Year, YearMonthField::Month].into_iter().find(|f| self.eat_word(f.name()))
    }

    fn day_time_field(&mut self) -> Option<DayTimeField> {
        use DayTimeField::{Day, Hour, Minute, Second};
        [Day, Hour, Minute, Second].into_iter().find(|f| self.eat_word(f.name()))
    }

    fn nested_type(&mut self, name: &str) -> Parsed<SparkType> {
        if name == "STRUCT" && self.eat_symbol("<>") {
            return Ok(SparkType::Struct(StructType::new()));
        }
        if !self.eat_symbol("<") {
            let condition = format!("INCOMPLETE_TYPE_DEFINITION.{name}");
            return Err(SparkError::new(&condition, [("elementType", "<INT>")]).into());
        }
        let data_type = match name {
            "ARRAY" => SparkType::Array(Box::new(self.data_type()?), true),
            "MAP" => {
                let key = Box::new(self.data_type()?);
                self.expect_symbol(",")?;
                SparkType::Map(key, Box::new(self.data_type()?), true)
            }
            _ if self.at_symbol(">") => SparkType::Struct(StructType::new()),
            _ => SparkType::Struct(self.columns()?),
        };
        self.expect_symbol(">")?;
        Ok(data_type)
    }
}

fn unsupported_type(name: &str) -> super::parser::SyntaxError {
    SparkError::new("UNSUPPORTED_DATATYPE", [("typeName", format!("\"{name}\""))]).into()
}
