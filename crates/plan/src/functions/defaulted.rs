//! Functions of fixed types whose last arguments have default values, which Spark writes out in column names:
//! `lpad(a, 5)` is called `lpad(a, 5,  )`.

use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;

use super::call::{Arity, Call};
use super::simple::Simple;
use crate::analyzer::{Typed, integer_literal};
use crate::error::Result;
use crate::types::SparkType;

/// A family's table has one of these for each function.
#[derive(Debug)]
pub(crate) struct Defaulted {
    /// The function with all its arguments.
    pub simple: Simple,
    /// Values of the last arguments where they are left out.
    pub defaults: &'static [Default],
}

/// The value of an argument that is left out.
#[derive(Debug)]
pub(crate) enum Default {
    /// A string.
    Text(&'static str),
    /// An INT.
    Int(i32),
}

impl Defaulted {
    /// Adds what is left out, then checks and casts.
    pub fn build(&'static self, call: &Call<'_>) -> Result<Typed> {
        let all = self.simple.params.len();
        let required = all - self.defaults.len();
        call.check(Arity::between(required, all))?;
        let given = call.args.len() - required;
        let mut args = call.args.clone();
        args.extend(self.defaults[given..].iter().map(Default::literal));
        self.simple.build(&Call { name: call.name.clone(), args, conf: call.conf })
    }
}

impl Default {
    fn literal(&self) -> Typed {
        match self {
            Self::Int(value) => integer_literal(*value),
            Self::Text(value) => literal_text(value),
        }
    }
}

/// A STRING constant.
pub(crate) fn literal_text(value: &str) -> Typed {
    let expr = Expr::Literal(ScalarValue::Utf8View(Some(value.to_owned())), None);
    Typed { foldable: true, ..Typed::new(expr, SparkType::String, value).nullable(false) }
}
