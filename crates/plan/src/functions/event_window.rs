//! The windows that a time lies in.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, ListArray, PrimitiveArray, StructArray, TimestampMicrosecondArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use super::call::Call;
use super::udf::{self, Evaluation, Kernel};
use crate::analyzer::{Label, Typed, errors};
use crate::sql::parse_interval;
use crate::types::{SparkType, StructType};

/// Tumbling windows give a struct, sliding ones (`slide` < `length`) a list of structs. All in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct EventWindow {
    /// From start to end.
    pub length: i64,
    /// From one start to the next.
    pub slide: i64,
    /// Offset of a start from 1970-01-01 00:00 UTC.
    pub start: i64,
    /// Whether the time has no zone.
    pub local: bool,
}

/// The type of a window over times of a type.
pub(crate) fn window_type(time: &SparkType) -> SparkType {
    SparkType::Struct(StructType::new().add("start", time.clone(), true).add("end", time.clone(), true))
}

/// The time of a window: the last microsecond in it. None if `window` is none.
pub(crate) fn window_time(window: &Typed) -> Option<Typed> {
    let SparkType::Struct(fields) = &window.data_type else { return None };
    let names: Vec<&str> = fields.fields.iter().map(|f| f.name.as_ref()).collect();
    let [start, end] = fields.fields.as_slice() else { return None };
    if names != ["start", "end"] || start.data_type != end.data_type {
        return None;
    }
    let local = match end.data_type {
        SparkType::Timestamp => false,
        SparkType::TimestampNtz => true,
        _ => return None,
    };
    let expr = udf::call(WindowTime { local }, vec![window.expr.clone()]);
    Some(Typed { expr, data_type: end.data_type.clone(), label: Label::Sql, ..window.clone() })
}

/// `window_time(window)`.
pub(super) fn window_time_call(call: &Call<'_>) -> crate::error::Result<Typed> {
    let time = window_time(&call.args[0])
        .ok_or_else(|| errors::unexpected_input(&call.sql(), 0, "\"STRUCT\"", &call.args[0]))?;
    Ok(Typed { sql: call.sql(), ..time })
}

/// The last microsecond of a window.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct WindowTime {
    local: bool,
}

impl Kernel for WindowTime {
    fn name(&self) -> &str {
        "window_time"
    }

    fn return_type(&self) -> DataType {
        if self.local { SparkType::TimestampNtz.to_arrow() } else { SparkType::Timestamp.to_arrow() }
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let windows = args[0].as_struct();
        let ends = windows.column(1).as_primitive::<TimestampMicrosecondType>();
        let last = ends.unary::<_, TimestampMicrosecondType>(|end| end.saturating_sub(1));
        let nulls = NullBuffer::union(windows.nulls(), ends.nulls());
        let last = TimestampMicrosecondArray::new(last.values().clone(), nulls);
        Ok(Arc::new(last.with_data_type(self.return_type())))
    }
}

/// From a row's time (first argument) to as long after it as the second says; NULL when that is not a positive
/// length of time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SessionWindow {
    /// Whether the time has no zone.
    pub local: bool,
}

impl Kernel for SessionWindow {
    fn name(&self) -> &str {
        "session_window"
    }

    fn return_type(&self) -> DataType {
        let time = if self.local { SparkType::TimestampNtz } else { SparkType::Timestamp };
        window_type(&time).to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let DataType::Struct(fields) = self.return_type() else {
            return Err(DataFusionError::Internal("a window is a struct".into()));
        };
        let (times, gaps) = (args[0].as_primitive::<TimestampMicrosecondType>(), args[1].as_string_view());
        let ends: TimestampMicrosecondArray = times
            .iter()
            .zip(gaps)
            .map(|(time, gap)| {
                let gap = parse_interval(gap?).ok()?.fixed_microseconds().filter(|gap| *gap > 0)?;
                time?.checked_add(gap)
            })
            .collect();
        let nulls = ends.nulls().cloned();
        let starts = TimestampMicrosecondArray::new(times.values().clone(), nulls.clone());
        let typed = |array: TimestampMicrosecondArray| -> ArrayRef {
            Arc::new(array.with_data_type(fields[0].data_type().clone()))
        };
        let columns = vec![typed(starts), typed(ends)];
        Ok(Arc::new(StructArray::try_new(fields.clone(), columns, nulls)?))
    }
}

impl EventWindow {
    fn time_type(&self) -> SparkType {
        if self.local { SparkType::TimestampNtz } else { SparkType::Timestamp }
    }

    /// Start of the last window that begins at or before `time`.
    fn last_start(&self, time: i64) -> i64 {
        time - (time - self.start).rem_euclid(self.slide)
    }

    fn structs(&self, starts: PrimitiveArray<TimestampMicrosecondType>) -> Result<StructArray> {
        let DataType::Struct(fields) = window_type(&self.time_type()).to_arrow() else {
            return Err(DataFusionError::Internal("a window is a struct".into()));
        };
        let ends = starts.unary::<_, TimestampMicrosecondType>(|s| s.saturating_add(self.length));
        let nulls = starts.nulls().cloned();
        let typed = |array: TimestampMicrosecondArray| -> ArrayRef {
            Arc::new(array.with_data_type(self.time_type().to_arrow()))
        };
        Ok(StructArray::try_new(fields, vec![typed(starts), typed(ends)], nulls)?)
    }
}

impl Kernel for EventWindow {
    fn name(&self) -> &str {
        "window"
    }

    fn return_type(&self) -> DataType {
        let window = window_type(&self.time_type());
        if self.slide == self.length {
            return window.to_arrow();
        }
        SparkType::Array(Box::new(window), true).to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let times = args[0].as_primitive::<TimestampMicrosecondType>();
        let DataType::List(field) = self.return_type() else {
            let starts = times.unary::<_, TimestampMicrosecondType>(|t| self.last_start(t));
            return Ok(Arc::new(self.structs(starts)?));
        };
        let (mut starts, mut lengths) = (Vec::new(), Vec::with_capacity(times.len()));
        for time in times {
            let before = starts.len();
            if let Some(time) = time {
                let mut start = self.last_start(time);
                while start.saturating_add(self.length) > time {
                    starts.push(start);
                    start = start.saturating_sub(self.slide);
                }
            }
            lengths.push(starts.len() - before);
        }
        let windows: ArrayRef = Arc::new(self.structs(TimestampMicrosecondArray::from(starts))?);
        Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), windows, None)?))
    }
}
