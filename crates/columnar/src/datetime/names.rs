//! English names of months, weekdays, quarters and eras, short and full (locale en-US).

/// Months from January; the short form is the first three letters.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Weekdays from Monday; the short form is the first three letters.
pub(super) const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Quarters in full; the short form is `Q1` to `Q4`.
pub(super) const QUARTERS: [&str; 4] = ["1st quarter", "2nd quarter", "3rd quarter", "4th quarter"];

/// Eras in full, before and after; the short forms are `BC` and `AD`.
pub(super) const ERAS: [&str; 2] = ["Before Christ", "Anno Domini"];

/// First three letters.
pub(super) fn short(name: &str) -> &str {
    name.get(..3).unwrap_or(name)
}
