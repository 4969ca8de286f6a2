//! Schemas that a schema refers to, with all that they refer to.

use std::collections::HashSet;

use tokio::time::Instant;

use crate::answer::{Reference, Schema};
use crate::client::{Registry, Version};
use crate::error::{Error, Result};

/// Schemas that one schema may draw in.
const MOST: usize = 1_000;
/// References one behind the other.
const DEEPEST: usize = 64;

/// A reference to open, or one whose own references are done.
enum Step {
    Open(Reference, usize),
    Done(String, String),
}

/// Fills in the texts of everything that the schema refers to: the referred before the referring, each once. The
/// texts together may be as long as one answer.
pub(crate) async fn resolve(
    registry: &Registry,
    schema: &mut Schema,
    what: &str,
    until: Instant,
) -> Result<()> {
    let too_much = |found, of, limit| Err(Error::References { what: what.to_owned(), found, of, limit });
    let most_bytes = registry.options().answer_bytes;
    let mut seen: HashSet<(String, i32)> = HashSet::new();
    let (mut resolved, mut bytes) = (Vec::new(), 0_usize);
    let open = |references: &[Reference], depth: usize| {
        references.iter().rev().map(|r| Step::Open(r.clone(), depth)).collect::<Vec<_>>()
    };
    if schema.references.len() > MOST {
        return too_much(schema.references.len(), "schemas", MOST);
    }
    // Depth first.
    let mut steps = open(&schema.references, 1);
    while let Some(step) = steps.pop() {
        match step {
            Step::Done(name, text) => resolved.push((name, text)),
            Step::Open(reference, depth) => {
                if !seen.insert((reference.subject.clone(), reference.version)) {
                    continue;
                }
                if depth > DEEPEST {
                    return too_much(depth, "levels", DEEPEST);
                }
                if seen.len() > MOST {
                    return too_much(seen.len(), "schemas", MOST);
                }
                let found = referred(registry, &reference, what, until).await?;
                bytes = bytes.saturating_add(found.text.len());
                if bytes > most_bytes {
                    return too_much(bytes, "bytes of text", most_bytes);
                }
                if found.references.len() > MOST {
                    return too_much(found.references.len(), "schemas", MOST);
                }
                let next = open(&found.references, depth + 1);
                steps.push(Step::Done(reference.name, found.text));
                steps.extend(next);
            }
        }
    }
    schema.resolved = resolved;
    Ok(())
}

/// A referred schema, without what it refers to itself.
async fn referred(registry: &Registry, reference: &Reference, what: &str, until: Instant) -> Result<Schema> {
    // -1 is how some registries write the newest.
    let version = if reference.version < 1 { Version::Latest } else { Version::Number(reference.version) };
    match registry.unresolved(&reference.subject, version, until).await {
        Ok(found) => Ok(found.schema.clone()),
        // That it lacks a referred schema must not pass for lacking this one.
        Err(Error::NotFound { what: lacking, urls }) => Err(Error::BadAnswer {
            what: what.to_owned(),
            url: urls,
            why: format!("it refers to {lacking}, which the registry does not have: register that first"),
        }),
        Err(error) => Err(error),
    }
}
