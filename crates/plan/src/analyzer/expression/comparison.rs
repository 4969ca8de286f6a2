//! Comparisons: both sides are brought to one type first; under ANSI a string takes the other side's type.

use datafusion::logical_expr::Operator;

use super::Resolver;
use super::operator::binary;
use crate::analyzer::coercion::{cast_to, comparison_type};
use crate::analyzer::errors;
use crate::analyzer::typed::Typed;
use crate::error::Result;
use crate::tree::Expr;
use crate::types::SparkType;

impl Resolver<'_> {
    pub(super) fn comparison(&self, operator: Operator, args: &[Expr]) -> Result<Typed> {
        let (left, right) = self.pair(sign(operator), args)?;
        self.compare(operator, left, right)
    }

    /// `left operator right`.
    pub fn compare(&self, operator: Operator, left: Typed, right: Typed) -> Result<Typed> {
        let sql = format!("({} {} {})", left.sql, sign(operator), right.sql);
        let common = comparison_type(&left.data_type, &right.data_type, self.conf())
            .ok_or_else(|| errors::different_operands(&sql, &left.data_type, &right.data_type))?;
        if let SparkType::Map(..) = common {
            return Err(errors::invalid_ordering(sign(operator), &sql, &common));
        }
        let (left, right) = (cast_to(left, &common, self.conf())?, cast_to(right, &common, self.conf())?);
        Ok(binary(operator, left, right, sql))
    }
}

fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Eq => "=",
        Operator::Lt => "<",
        Operator::LtEq => "<=",
        Operator::Gt => ">",
        Operator::GtEq => ">=",
        _ => "<=>",
    }
}
