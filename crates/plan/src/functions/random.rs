//! Random values: `rand`, `randn`, `uniform`, `randstr`, `uuid`, `shuffle`.
//!
//! With a seed the values are Spark's: numbers and texts by its XORShift generator, UUIDs and orders by the Mersenne
//! Twister. A call has one sequence for all partitions of a plan, in the order in which they ask; Spark's partitions
//! have sequences of their own, from the seed plus their number. Each run of a batch goes on with the sequence.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Float64Array, StringViewArray, UInt32Array};
use arrow_buffer::OffsetBuffer;
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, Volatility};
use datafusion::scalar::ScalarValue;

use super::call::{Arity, Call, Function, fold};
use super::udf::{self, Evaluation, Kernel};
use crate::analyzer::{Expected, Typed, cast_to, errors, is_integral};
use crate::error::SparkError;
use crate::types::SparkType;

mod twister;
mod xorshift;

use twister::Twister;
use xorshift::XorShift;

/// The family's functions.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "rand", arity: Arity::between(0, 1), build: rand },
    Function { name: "random", arity: Arity::between(0, 1), build: rand },
    Function { name: "randn", arity: Arity::between(0, 1), build: randn },
    Function { name: "uniform", arity: Arity::between(2, 3), build: uniform },
    Function { name: "randstr", arity: Arity::between(1, 2), build: randstr },
    Function { name: "uuid", arity: Arity::between(0, 1), build: uuid },
    Function { name: "shuffle", arity: Arity::between(1, 2), build: shuffle },
];

/// A random function in a plan. Clones share the sequence.
#[derive(Debug, Clone)]
struct Random {
    draw: Draw,
    returns: DataType,
    sequence: Arc<Mutex<Sequence>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Draw {
    Uniform,
    Normal,
    Text(usize),
    Uuid,
    Order,
}

#[derive(Debug)]
enum Sequence {
    XorShift(XorShift),
    Twister(Box<Twister>),
}

/// The longest text of `randstr`.
const MAX_LENGTH: i32 = 1 << 20;

fn rand(call: &Call<'_>) -> crate::error::Result<Typed> {
    let seed = number_seed(call, 0)?;
    Ok(drawn(call, Draw::Uniform, SparkType::Double, Sequence::XorShift(XorShift::new(seed))))
}

fn randn(call: &Call<'_>) -> crate::error::Result<Typed> {
    let seed = number_seed(call, 0)?;
    Ok(drawn(call, Draw::Normal, SparkType::Double, Sequence::XorShift(XorShift::new(seed))))
}

fn drawn(call: &Call<'_>, draw: Draw, returns: SparkType, sequence: Sequence) -> Typed {
    let kernel = Random { draw, returns: returns.to_arrow(), sequence: Arc::new(Mutex::new(sequence)) };
    Typed::new(udf::call(kernel, Vec::new()), returns, call.sql()).nullable(false)
}

/// A seed in argument `index`; NULL counts as 0, and none is a new one.
fn number_seed(call: &Call<'_>, index: usize) -> crate::error::Result<i64> {
    let Some(arg) = call.args.get(index) else { return Ok(new_seed()) };
    if !matches!(arg.data_type, SparkType::Integer | SparkType::Long | SparkType::Null) {
        return Err(errors::unexpected_input(&call.sql(), index, "(\"INT\" or \"BIGINT\")", arg));
    }
    if !arg.foldable {
        return Err(errors::spark(
            "SEED_EXPRESSION_IS_UNFOLDABLE",
            [("seedExpr", arg.quoted_sql()), ("exprWithSeed", format!("\"{}\"", call.sql()))],
        ));
    }
    long(call, arg)
}

fn long(call: &Call<'_>, arg: &Typed) -> crate::error::Result<i64> {
    match fold(&cast_to(arg.clone(), &SparkType::Long, call.conf)?.expr)? {
        ScalarValue::Int64(seed) => Ok(seed.unwrap_or(0)),
        other => Err(DataFusionError::Internal(format!("a seed came out as {other}")).into()),
    }
}

/// Differs from call to call.
fn new_seed() -> i64 {
    std::hash::RandomState::new().hash_one(0u8) as i64
}

/// Between two constants; of their wider type, and whole if both are.
fn uniform(call: &Call<'_>) -> crate::error::Result<Typed> {
    use SparkType as T;
    for (index, name) in [(0, "min"), (1, "max")] {
        let arg = call.take(index, &Expected::Numeric)?;
        if !arg.foldable {
            return Err(errors::not_foldable(&call.sql(), name, &arg.data_type, &call.args[index]));
        }
    }
    let (low, high) = (&call.args[0], &call.args[1]);
    let returns = match (&low.data_type, &high.data_type) {
        (a, b) if is_integral(a) && is_integral(b) => [T::Long, T::Integer, T::Short, T::Byte]
            .into_iter()
            .find(|wide| wide == a || wide == b)
            .unwrap_or(T::Integer),
        (T::Double, _) | (_, T::Double) => T::Double,
        (T::Float, _) | (_, T::Float) => T::Float,
        (_, decimal @ T::Decimal(..)) | (decimal, _) => decimal.clone(),
    };
    let seed = number_seed(call, 2)?;
    let random = drawn(call, Draw::Uniform, T::Double, Sequence::XorShift(XorShift::new(seed)));
    let as_double = |arg: &Typed| cast_to(arg.clone(), &T::Double, call.conf).map(|arg| arg.expr);
    let (low, high) = (as_double(low)?, as_double(high)?);
    let expr = low.clone() + (high - low) * random.expr;
    cast_to(Typed { expr, ..random }, &returns, call.conf)
}

/// Letters and digits.
fn randstr(call: &Call<'_>) -> crate::error::Result<Typed> {
    let arg = &call.args[0];
    if !arg.foldable {
        let mut error = SparkError::new(
            "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
            [
                ("sqlExpr", format!("\"{}\"", call.sql())),
                ("inputName", "`length`".to_owned()),
                ("inputExpr", arg.quoted_sql()),
            ],
        );
        error.parameters.insert("inputType".to_owned(), "integer".to_owned());
        return Err(error.into());
    }
    let length = match call.constant(0, "length", &SparkType::Integer)? {
        ScalarValue::Int32(Some(length)) if (0..=MAX_LENGTH).contains(&length) => length,
        other => {
            return Err(errors::spark(
                "INVALID_PARAMETER_VALUE.LENGTH",
                [
                    ("functionName", "`randstr`".to_owned()),
                    ("parameter", "`length`".to_owned()),
                    ("length", other.to_string()),
                ],
            ));
        }
    };
    let seed = number_seed(call, 1)?;
    let draw = Draw::Text(usize::try_from(length).unwrap_or(0));
    Ok(drawn(call, draw, SparkType::String, Sequence::XorShift(XorShift::new(seed))))
}

/// A UUID of version 4 as text.
fn uuid(call: &Call<'_>) -> crate::error::Result<Typed> {
    let seed = match call.args.first() {
        None => new_seed(),
        Some(arg) if arg.foldable && is_integral(&arg.data_type) => long(call, arg)?,
        Some(arg) => {
            return Err(errors::spark(
                "INVALID_PARAMETER_VALUE.LONG",
                [
                    ("functionName", "`UUID`".to_owned()),
                    ("parameter", "`seed`".to_owned()),
                    ("invalidValue", arg.quoted_sql()),
                ],
            ));
        }
    };
    let sequence = Sequence::Twister(Box::new(Twister::new(seed)));
    Ok(drawn(call, Draw::Uuid, SparkType::String, sequence))
}

/// An array's elements in another order.
fn shuffle(call: &Call<'_>) -> crate::error::Result<Typed> {
    let array = call.take(0, &Expected::Array)?;
    let seed = number_seed(call, 1)?;
    let sequence = Sequence::Twister(Box::new(Twister::new(seed)));
    let returns = array.data_type.to_arrow();
    let kernel = Random { draw: Draw::Order, returns, sequence: Arc::new(Mutex::new(sequence)) };
    let expr = udf::call(kernel, vec![array.expr.clone()]);
    Ok(Typed { foldable: false, ..call.result(expr, array.data_type).nullable(array.nullable) })
}

impl PartialEq for Random {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.sequence, &other.sequence)
    }
}

impl Eq for Random {}

impl Hash for Random {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.sequence).hash(state);
    }
}

impl Kernel for Random {
    fn name(&self) -> &str {
        match self.draw {
            Draw::Uniform => "rand",
            Draw::Normal => "randn",
            Draw::Text(_) => "randstr",
            Draw::Uuid => "uuid",
            Draw::Order => "shuffle",
        }
    }

    fn return_type(&self) -> DataType {
        self.returns.clone()
    }

    fn volatility(&self) -> Volatility {
        Volatility::Volatile
    }

    /// A constant argument gives another value for each row, too.
    fn evaluate_columnar(&self, args: &[ColumnarValue], context: &Evaluation<'_>) -> Result<ColumnarValue> {
        let arrays = args.iter().map(|arg| arg.to_array(context.rows)).collect::<Result<Vec<_>>>()?;
        self.evaluate(&arrays, context).map(ColumnarValue::Array)
    }

    fn evaluate(&self, args: &[ArrayRef], context: &Evaluation<'_>) -> Result<ArrayRef> {
        let mut sequence = self.sequence.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let rows = 0..context.rows;
        Ok(match (&self.draw, &mut *sequence) {
            (Draw::Uniform, Sequence::XorShift(random)) => {
                Arc::new(Float64Array::from_iter_values(rows.map(|_| random.double())))
            }
            (Draw::Normal, Sequence::XorShift(random)) => {
                Arc::new(Float64Array::from_iter_values(rows.map(|_| random.gaussian())))
            }
            (Draw::Text(length), Sequence::XorShift(random)) => {
                Arc::new(StringViewArray::from_iter_values(rows.map(|_| random.text(*length))))
            }
            (Draw::Uuid, Sequence::Twister(random)) => {
                Arc::new(StringViewArray::from_iter_values(rows.map(|_| random.uuid())))
            }
            (Draw::Order, Sequence::Twister(random)) => shuffled(&args[0], random)?,
            _ => return Err(DataFusionError::Internal("a random function has another's sequence".into())),
        })
    }
}

fn shuffled(array: &ArrayRef, random: &mut Twister) -> Result<ArrayRef> {
    let lists = array.as_list::<i32>();
    let mut order = Vec::with_capacity(lists.values().len());
    let mut lengths = Vec::with_capacity(lists.len());
    for row in 0..lists.len() {
        let count = if lists.is_null(row) { 0 } else { lists.value_length(row) };
        let start = lists.value_offsets()[row];
        order.extend(random.order(count).into_iter().map(|at| (start + at) as u32));
        lengths.push(usize::try_from(count).unwrap_or(0));
    }
    let DataType::List(field) = array.data_type() else {
        return Err(DataFusionError::Internal("shuffle of what is no list".into()));
    };
    let values = arrow_select::take::take(lists.values(), &UInt32Array::from(order), None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(arrow_array::ListArray::try_new(Arc::clone(field), offsets, values, lists.nulls().cloned())?))
}
