//! Passing over values that the reader does not want.

use super::{Bad, Reading};
use crate::avro::schema::{Kind, Type};
use crate::avro::sql_type::MOST_LEVELS;

impl Reading<'_> {
    /// [`Reading::skip`] with the types that most fields have in line.
    #[inline(always)]
    pub(super) fn skip_flat(&mut self, of: &Type) -> Result<(), Bad> {
        match of {
            Type::Bytes(_) | Type::String => self.take(|c| c.prefixed()).map(drop),
            Type::Int(_) => self.take(|c| c.int()).map(drop),
            Type::Long(_) => self.take(|c| c.long()).map(drop),
            _ => self.skip(of, 0),
        }
    }

    /// Passes over a value of the writer's type.
    pub(super) fn skip(&mut self, of: &Type, depth: usize) -> Result<(), Bad> {
        if depth > MOST_LEVELS {
            return self.fail("a value is nested too deep");
        }
        match of {
            Type::Null => {}
            Type::Boolean => drop(self.take(|c| c.byte())?),
            Type::Int(_) => drop(self.take(|c| c.int())?),
            Type::Long(_) => drop(self.take(|c| c.long())?),
            Type::Float => drop(self.take(|c| c.skip(4))?),
            Type::Double => drop(self.take(|c| c.skip(8))?),
            Type::Bytes(_) | Type::String => drop(self.take(|c| c.prefixed())?),
            Type::Array(items) => self.skip_blocks(items, false, depth)?,
            Type::Map(values) => self.skip_blocks(values, true, depth)?,
            Type::Union(branches) => {
                let index = self.take(|c| c.int())?;
                match usize::try_from(index).ok().and_then(|index| branches.get(index)) {
                    Some(branch) => self.skip(branch, depth + 1)?,
                    None => return self.fail("a union has no branch of this index"),
                }
            }
            Type::Named(index) => {
                let schema = self.schema;
                match &schema.named(*index).kind {
                    Kind::Fixed { size, .. } => drop(self.take(|c| c.skip(*size))?),
                    Kind::Enum { .. } => drop(self.take(|c| c.int())?),
                    Kind::Record(fields) => {
                        for field in fields {
                            self.skip(&field.of, depth + 1)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn skip_blocks(&mut self, of: &Type, keys: bool, depth: usize) -> Result<(), Bad> {
        loop {
            let (count, size) = self.take(|c| c.block())?;
            if count == 0 {
                return Ok(());
            }
            if let Some(size) = size {
                let Ok(size) = usize::try_from(size) else { return self.fail("a block's size is negative") };
                self.take(|c| c.skip(size))?;
                continue;
            }
            for _ in 0..count {
                let before = self.cursor.at;
                if keys {
                    self.take(|c| c.prefixed())?;
                }
                self.skip(of, depth + 1)?;
                // Items without bytes need no walk, however many they are.
                if self.cursor.at == before {
                    break;
                }
            }
        }
    }
}
