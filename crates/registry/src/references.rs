//! Schemas that a schema refers to, with all that they refer to.

use std::collections::HashSet;

use crate::answer::{Reference, Schema};
use crate::client::{Registry, Version};
use crate::error::{Error, Result};

/// Schemas that one schema may draw in.
const MOST: usize = 1_000;
/// References one behind the other.
const DEEPEST: usize = 64;

/// Fills in the texts of everything that the schema refers to: the referred before the referring, each once.
pub(crate) async fn resolve(registry: &Registry, schema: &mut Schema, what: &str) -> Result<()> {
    let mut seen: HashSet<(String, i32)> = HashSet::new();
    let mut resolved = Vec::new();
    // Depth first; a step is a reference to open, or one whose own references are done.
    enum Step {
        Open(Reference, usize),
        Done(String, String),
    }
    let open = |references: &[Reference], depth: usize| {
        references.iter().rev().map(|r| Step::Open(r.clone(), depth)).collect::<Vec<_>>()
    };
    let mut steps = open(&schema.references, 1);
    while let Some(step) = steps.pop() {
        match step {
            Step::Done(name, text) => resolved.push((name, text)),
            Step::Open(reference, depth) => {
                if !seen.insert((reference.subject.clone(), reference.version)) {
                    continue;
                }
                if depth > DEEPEST || seen.len() > MOST {
                    let (found, limit) = if depth > DEEPEST { (depth, DEEPEST) } else { (seen.len(), MOST) };
                    return Err(Error::References { what: what.to_owned(), found, limit });
                }
                let version = Version::Number(reference.version);
                let found = registry.unresolved(&reference.subject, version).await?;
                steps.push(Step::Done(reference.name, found.schema.text.clone()));
                steps.extend(open(&found.schema.references, depth + 1));
            }
        }
    }
    schema.resolved = resolved;
    Ok(())
}
