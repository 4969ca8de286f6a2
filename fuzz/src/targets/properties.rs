//! Client properties: names and values of any kind give options that validate, or an error that names the property
//! and hides secrets.
//!
//! Input: lines `name=value`.

use millstream_client::ClientOptions;

/// See the module.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let properties: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('=')).collect();
    // A text that stands elsewhere too is no secret.
    let secret = properties.iter().find(|(name, value)| {
        name.contains("password") && value.len() > 8 && text.matches(value).count() == 1
    });
    match ClientOptions::from_properties(properties.iter().copied()) {
        Ok(parsed) => {
            let shown = format!("{parsed:?}");
            assert!(secret.is_none_or(|(_, value)| !shown.contains(value)), "a password is shown");
        }
        Err(error) => {
            let shown = error.to_string();
            assert!(secret.is_none_or(|(_, value)| !shown.contains(value)), "a password is shown: {shown}");
        }
    }
}
