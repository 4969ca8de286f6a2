//! `convert_timezone`: what a clock in one zone shows when that of another shows a given time.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use datafusion::common::Result;

use super::{TEXT, now};
use crate::analyzer::Typed;
use crate::functions::call::Call;
use crate::functions::computed::Computed;
use crate::functions::{external, zone};
use crate::types::SparkType;

/// `convert_timezone([source,] target, time)`; the source is the session's zone if there is none.
pub(super) fn convert_timezone(call: &Call<'_>) -> crate::error::Result<Typed> {
    let mut args = call.args.clone();
    if args.len() == 2 {
        let own = Call { name: "current_timezone".to_owned(), args: Vec::new(), conf: call.conf };
        args.insert(0, now::current_timezone(&own)?);
    }
    let call = Call { name: call.name.clone(), args, conf: call.conf };
    let cast = vec![call.take(0, &TEXT)?, call.take(1, &TEXT)?, call.take_as(2, SparkType::TimestampNtz)?];
    let kernel = Computed { name: call.name.clone(), returns: SparkType::TimestampNtz, run };
    Ok(call.finish(kernel, cast, SparkType::TimestampNtz).nullable(true))
}

fn run(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (from, to) = (args[0].as_string_view(), args[1].as_string_view());
    let times = args[2].as_primitive::<TimestampMicrosecondType>();
    let moved: PrimitiveArray<TimestampMicrosecondType> = (0..times.len())
        .map(|row| {
            if args.iter().any(|arg| arg.is_null(row)) {
                return Ok(None);
            }
            let instant = zone(from.value(row)).map_err(external)?.instant_micros(times.value(row));
            let to = zone(to.value(row)).map_err(external)?;
            Ok(instant.map(|instant| to.local_micros(instant)))
        })
        .collect::<Result<_>>()?;
    Ok(Arc::new(moved))
}
