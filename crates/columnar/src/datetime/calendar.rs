//! The proleptic Gregorian calendar on plain integers, as `java.time.LocalDate` counts it.

/// Microseconds in a second.
pub const MICROS_PER_SECOND: i64 = 1_000_000;
/// Microseconds in a day; there are no leap seconds.
pub const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

const DAYS_PER_ERA: i64 = 146_097;
/// Days from 0000-03-01, where the computation's years begin, to 1970-01-01.
const EPOCH_FROM_MARCH_ZERO: i64 = 719_468;

/// Days since 1970-01-01 of a date whose month and day are valid.
pub fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    // Years begin in March, so that the leap day is the last of its year; 400 years are one era of equal
    // length.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_PER_ERA + day_of_era - EPOCH_FROM_MARCH_ZERO
}

/// Year, month (1-12) and day (1-31) of days since 1970-01-01.
pub fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let days = days + EPOCH_FROM_MARCH_ZERO;
    let era = days.div_euclid(DAYS_PER_ERA);
    let day_of_era = days.rem_euclid(DAYS_PER_ERA);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month as u32, day as u32)
}

/// Whether February has 29 days.
pub fn is_leap_year(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of a month (1-12); 0 for any other number.
pub fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap_year(year) => 29,
        2 => 28,
        _ => 0,
    }
}

/// Day of the year, from 1.
pub fn day_of_year(days: i64) -> u32 {
    let (year, _, _) = civil_from_days(days);
    (days - days_from_civil(year, 1, 1)) as u32 + 1
}

/// Weekday from 1 (Monday) to 7 (Sunday).
pub fn iso_weekday(days: i64) -> u32 {
    // 1970-01-01 was a Thursday.
    (days + 3).rem_euclid(7) as u32 + 1
}

/// Days since the epoch and microseconds into that day.
pub fn split_micros(micros: i64) -> (i64, i64) {
    (micros.div_euclid(MICROS_PER_DAY), micros.rem_euclid(MICROS_PER_DAY))
}

/// Days since the epoch of a date, or None when it does not exist or does not fit into a Date32.
pub(super) fn checked_days(year: i64, month: u32, day: u32) -> Option<i32> {
    if day == 0 || day > days_in_month(year, month) {
        return None;
    }
    i32::try_from(days_from_civil(year, month, day)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_inverse_over_eight_centuries_and_far_away() {
        for days in (-400_000..400_000).chain([-719_528, i64::from(i32::MIN), i64::from(i32::MAX)]) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days, "{year}-{month}-{day}");
            assert!(day >= 1 && day <= days_in_month(year, month));
        }
        assert_eq!(civil_from_days(0), (1970, 1, 1));
        assert_eq!(days_from_civil(1, 1, 1), -719_162);
        assert_eq!(civil_from_days(20_250_102), (57_412, 11, 24));
    }

    #[test]
    fn weekdays_and_year_days_follow_the_iso_calendar() {
        assert_eq!(iso_weekday(days_from_civil(2025, 1, 2)), 4);
        assert_eq!(iso_weekday(days_from_civil(1969, 12, 28)), 7);
        assert_eq!(day_of_year(days_from_civil(2024, 12, 31)), 366);
        assert_eq!(checked_days(2025, 2, 29), None);
        assert_eq!(checked_days(2024, 2, 29), Some(19_782));
    }
}
