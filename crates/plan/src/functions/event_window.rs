//! The windows that a time lies in.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, ListArray, PrimitiveArray, StructArray, TimestampMicrosecondArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::scalar::ScalarValue;

use super::access::field_at;
use super::interval::parse_calendar;
use super::time_math::moved_by;
use super::udf::{Evaluation, Kernel};
use crate::analyzer::Typed;
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
    if names != ["start", "end"] {
        return None;
    }
    let end = field_at(window, fields, 1);
    Some(Typed { sql: window.sql.clone(), ..moved_by(end, ScalarValue::DurationMicrosecond(Some(-1))) })
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
                let gap = parse_calendar(gap?).filter(|g| g.months == 0 && g.micros > 0)?;
                time?.checked_add(gap.micros)
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
