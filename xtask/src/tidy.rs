//! Limits on files, functions and lines, so that style does not decay: exceptions are named and may only shrink.

use crate::step;
use std::path::{Path, PathBuf};

/// Lines of a file before its tests.
const FILE_LINES: usize = 500;
/// Lines of a function.
const FUNCTION_LINES: usize = 70;
/// Characters of a line.
const LINE_CHARACTERS: usize = 120;
/// Module names that say nothing.
const EMPTY_NAMES: [&str; 4] = ["util", "common", "helpers", "misc"];
/// `path` or `path:function` that is allowed to be longer, with the reason beside it.
const EXCEPTIONS: [&str; 0] = [];

/// What breaks the limits under `root`, one line each.
fn breaches(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for folder in ["crates", "xtask", "integration/src", "integration/tests", "benches", "examples", "fuzz"] {
        collect(&root.join(folder), &mut files);
    }
    files.sort();
    files.iter().flat_map(|path| file_breaches(root, path)).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn file_breaches(root: &Path, path: &Path) -> Vec<String> {
    let shown = path.strip_prefix(root).unwrap_or(path).display().to_string();
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut breaches = Vec::new();
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    if EMPTY_NAMES.contains(&stem) {
        breaches.push(format!("{shown}: a module name that says nothing"));
    }
    let is_test = stem == "tests" || shown.contains("/tests/");
    let own = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
    if own > FILE_LINES && !is_test && !EXCEPTIONS.contains(&shown.as_str()) {
        breaches.push(format!("{shown}: {own} lines before its tests, {FILE_LINES} at most"));
    }
    for (number, line) in text.lines().enumerate() {
        if line.chars().count() > LINE_CHARACTERS && !line.contains('"') {
            breaches.push(format!("{shown}:{}: longer than {LINE_CHARACTERS} characters", number + 1));
        }
    }
    breaches.extend(long_functions(&shown, &text));
    breaches
}

/// A function runs from its `fn` line to the closing brace at the same indent, which rustfmt guarantees.
fn long_functions(shown: &str, text: &str) -> Vec<String> {
    let mut breaches = Vec::new();
    let mut open: Vec<(usize, usize, String)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        if let Some(name) = function_name(line.trim_start()) {
            open.push((indent, number, name));
        }
        if line.trim_start().starts_with('}') {
            while let Some((at, start, name)) = open.last() {
                if indent > *at {
                    break;
                }
                let lines = number - start + 1;
                let place = format!("{shown}:{name}");
                if indent == *at && lines > FUNCTION_LINES && !EXCEPTIONS.contains(&place.as_str()) {
                    breaches.push(format!("{place}: {lines} lines, {FUNCTION_LINES} at most"));
                }
                open.pop();
            }
        }
    }
    breaches
}

fn function_name(line: &str) -> Option<String> {
    let (before, after) = line.split_once("fn ")?;
    let words = ["pub", "pub(crate)", "pub(super)", "async", "const", "unsafe"];
    if line.ends_with(';') || (line.contains('{') && line.ends_with('}')) {
        return None;
    }
    let only_qualifiers = before.split_whitespace().all(|word| words.contains(&word));
    let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (only_qualifiers && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_keeps_its_limits() {
        let found = breaches(&step::root());
        assert!(found.is_empty(), "{} places over the limits:\n{}", found.len(), found.join("\n"));
    }

    #[test]
    fn a_long_function_is_named() {
        let body = "    x();\n".repeat(FUNCTION_LINES);
        let text = format!("fn short() {{\n}}\n\npub fn long() {{\n{body}}}\n");
        assert_eq!(long_functions("a.rs", &text).len(), 1);
    }
}
