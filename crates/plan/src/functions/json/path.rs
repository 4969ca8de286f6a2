//! `get_json_object(text, path)`: Hive's paths, `$.name`, `$['name']`, `$[0]`, `$[*]`.
//!
//! A path that matches one value gives it; `[*]` collects what the rest of the path matches into an array,
//! without brackets if it is one value (text then keeps its quotes). Nothing found, and a path or document
//! that cannot be read, give NULL.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringViewArray};
use datafusion::common::Result;

use super::document::Node;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
    Every,
}

/// The values that paths find in documents.
pub(super) fn get_json_object(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (texts, paths) = (args[0].as_string_view(), args[1].as_string_view());
    let mut last: Option<(&str, Option<Vec<Step>>)> = None;
    let mut found = Vec::with_capacity(texts.len());
    for (text, path) in texts.iter().zip(paths) {
        let (Some(text), Some(path)) = (text, path) else {
            found.push(None);
            continue;
        };
        if last.as_ref().is_none_or(|(known, _)| *known != path) {
            last = Some((path, parse(path)));
        }
        let steps = last.as_ref().and_then(|(_, steps)| steps.as_deref());
        found.push(steps.and_then(|steps| find(Node::parse(text)?, steps)));
    }
    Ok(Arc::new(StringViewArray::from_iter(found)))
}

fn parse(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix('.') {
            let end = behind.find(['.', '[']).unwrap_or(behind.len());
            let name = &behind[..end];
            if name.is_empty() || name == "*" {
                return None;
            }
            steps.push(Step::Name(name.to_owned()));
            rest = &behind[end..];
        } else {
            let (inside, behind) = rest.strip_prefix('[')?.split_once(']')?;
            steps.push(match inside {
                "*" => Step::Every,
                quoted if quoted.len() > 1 && quoted.starts_with('\'') && quoted.ends_with('\'') => {
                    Step::Name(quoted[1..quoted.len() - 1].to_owned())
                }
                digits => Step::Index(digits.parse().ok()?),
            });
            rest = behind;
        }
    }
    Some(steps)
}

fn find(node: Node, steps: &[Step]) -> Option<String> {
    let every = steps.iter().position(|s| *s == Step::Every);
    let Some(every) = every else { return walk(node, steps)?.into_result() };
    let Node::Array(items) = walk(node, &steps[..every])? else { return None };
    let mut matched = Vec::new();
    for item in items {
        collect(item, &steps[every + 1..], &mut matched);
    }
    let mut out = String::new();
    match matched.as_slice() {
        [] => return None,
        [one] => one.write(&mut out),
        _ => Node::Array(matched).write(&mut out),
    }
    Some(out)
}

fn collect(node: Node, steps: &[Step], matched: &mut Vec<Node>) {
    let every = steps.iter().position(|s| *s == Step::Every);
    let upto = every.unwrap_or(steps.len());
    match (walk(node, &steps[..upto]), every) {
        (Some(Node::Null) | None, _) => {}
        (Some(found), None) => matched.push(found),
        (Some(Node::Array(items)), Some(every)) => {
            items.into_iter().for_each(|item| collect(item, &steps[every + 1..], matched));
        }
        (Some(_), Some(_)) => {}
    }
}

/// The value at the end of names and indices; of a repeated name the first.
fn walk(node: Node, steps: &[Step]) -> Option<Node> {
    steps.iter().try_fold(node, |node, step| match (node, step) {
        (Node::Object(fields), Step::Name(name)) => {
            fields.into_iter().find(|(n, _)| n == name).map(|(_, value)| value)
        }
        (Node::Array(items), Step::Index(index)) => items.into_iter().nth(*index),
        _ => None,
    })
}
