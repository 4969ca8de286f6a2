//! Figures of interleaved runs.

use std::collections::BTreeMap;

/// Figures by contender and name, in the order in which they were measured.
#[derive(Default)]
pub struct Figures(BTreeMap<(String, String), Vec<f64>>);

impl Figures {
    /// Adds one figure.
    pub fn add(&mut self, contender: &str, name: &str, value: f64) {
        self.0.entry((contender.into(), name.into())).or_default().push(value);
    }

    /// The median; 0 where nothing was measured.
    pub fn median(&self, contender: &str, name: &str) -> f64 {
        let mut values = self.0.get(&(contender.into(), name.into())).cloned().unwrap_or_default();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    }
}

/// Rounded for reading: three significant digits are more than such a machine gives.
pub fn rounded(value: f64) -> f64 {
    if value >= 1000.0 { value.round() } else { (value * 1000.0).round() / 1000.0 }
}
