//! From the text of `checkpointLocation` to a directory.
//!
//! A plain path (relative to the working directory), `file:/path` and `file:///path` are understood. A
//! `file:` URL with a host or a drive in the place of the host is refused as Spark refuses it.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The directory that a location names, as an absolute path.
pub fn resolve(location: &str) -> Result<PathBuf> {
    let text = location.trim();
    if text.is_empty() {
        return Err(Error::option(
            "checkpointLocation",
            "checkpointLocation is empty: give the path of a directory",
        ));
    }
    let path = match text.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) && scheme.eq_ignore_ascii_case("file") => {
            file_path(text, rest)?
        }
        Some((scheme, rest)) if is_scheme(scheme) && rest.starts_with("//") => {
            return Err(Error::Unsupported {
                feature: format!(
                    "checkpointLocation on {scheme}:// ({text}); use a local directory or a file:/// URL"
                ),
            });
        }
        _ => text,
    };
    std::path::absolute(Path::new(path)).map_err(|source| Error::Io { path: PathBuf::from(path), source })
}

fn file_path<'a>(whole: &str, rest: &'a str) -> Result<&'a str> {
    let path = match rest.strip_prefix("//") {
        None => rest,
        Some(path) if path.starts_with('/') => path,
        Some(_) => {
            return Err(Error::option(
                "checkpointLocation",
                format!("Wrong FS: {whole}, expected: file:/// (three slashes and an absolute path)"),
            ));
        }
    };
    Ok(path)
}

fn is_scheme(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_file_urls_name_the_same_directory() {
        for text in
            ["/data/check", "file:/data/check", "file:///data/check", "FILE:///data/check", " /data/check "]
        {
            assert_eq!(resolve(text).unwrap(), Path::new("/data/check"), "{text}");
        }
        assert_eq!(resolve("chk/notify").unwrap(), std::env::current_dir().unwrap().join("chk/notify"));
    }

    #[test]
    fn a_drive_letter_in_the_place_of_a_host_is_refused_as_spark_does() {
        let error = resolve("file://F:/tmp/kafka/checkpoint").unwrap_err().to_string();
        assert!(error.contains("Wrong FS: file://F:/tmp/kafka/checkpoint, expected: file:///"), "{error}");
    }

    #[test]
    fn other_stores_are_named_as_missing() {
        let error = resolve("s3a://bucket/check").unwrap_err();
        assert!(matches!(&error, Error::Unsupported { feature } if feature.contains("s3a://")), "{error}");
        assert!(resolve("  ").unwrap_err().to_string().contains("empty"));
    }
}
