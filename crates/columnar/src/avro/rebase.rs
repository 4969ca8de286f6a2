//! Dates and timestamps of writers that counted days in the hybrid calendar: Julian up to 1582-10-04, Gregorian from
//! 1582-10-15 on (Spark up to 2.4, Hive).

/// 1582-10-15, the first day of the Gregorian calendar, in days since 1970.
pub(super) const GREGORIAN_START: i32 = -141_427;
/// 1900-01-01 in microseconds: later times are the same in both calendars in every time zone.
pub(super) const SAME_SINCE: i64 = -2_208_988_800_000_000;
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Days since 1970 as counted in the hybrid calendar, to the same date's days in the proleptic Gregorian one. The
/// days that Julian dates have and Gregorian ones lack (29 February of 1500) become the day after.
pub(super) fn rebase_days(days: i32) -> i32 {
    if days >= GREGORIAN_START {
        return days;
    }
    let (year, month, day) = julian(i64::from(days));
    i32::try_from(gregorian_days(year, month, day)).unwrap_or(days)
}

/// The same for microseconds, the time of day kept (time zone UTC).
pub(super) fn rebase_micros(micros: i64) -> i64 {
    let days = micros.div_euclid(MICROS_PER_DAY);
    match i32::try_from(days) {
        Ok(hybrid) if hybrid < GREGORIAN_START => {
            i64::from(rebase_days(hybrid)) * MICROS_PER_DAY + micros.rem_euclid(MICROS_PER_DAY)
        }
        _ => micros,
    }
}

/// The Julian date of a day since 1970. Years are astronomical: 0 is 1 BC.
fn julian(days: i64) -> (i64, i64, i64) {
    // 1970-01-01 is the day 719,470 after the Julian 0000-03-01; years here begin in March.
    let since_march = days + 719_470;
    let cycle = since_march.div_euclid(1461);
    let day_of_cycle = since_march.rem_euclid(1461);
    let year_of_cycle = (day_of_cycle / 365).min(3);
    let day_of_year = day_of_cycle - 365 * year_of_cycle;
    let (month, day) = month_and_day(day_of_year);
    (cycle * 4 + year_of_cycle + i64::from(month <= 2), month, day)
}

/// From the day of a year that begins on the first of March.
fn month_and_day(day_of_year: i64) -> (i64, i64) {
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    (if shifted < 10 { shifted + 3 } else { shifted - 9 }, day)
}

fn gregorian_days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(year: i64, month: i64, day: i64) -> i32 {
        i32::try_from(gregorian_days(year, month, day)).unwrap()
    }

    #[test]
    fn the_days_before_the_switch_move_by_the_calendars_difference() {
        assert_eq!(days(1582, 10, 15), GREGORIAN_START);
        assert_eq!(rebase_days(GREGORIAN_START), GREGORIAN_START);
        assert_eq!(rebase_days(GREGORIAN_START - 1), days(1582, 10, 4));
        // What Spark 4.2 reads these as under LEGACY.
        assert_eq!(rebase_days(-357_824), days(990, 4, 19));
        assert_eq!(rebase_days(-4_158_912), days(-9417, 6, 27));
        assert_eq!(rebase_micros(-1), -1);
        let noon = i64::from(GREGORIAN_START - 1) * MICROS_PER_DAY + MICROS_PER_DAY / 2;
        assert_eq!(rebase_micros(noon), i64::from(days(1582, 10, 4)) * MICROS_PER_DAY + MICROS_PER_DAY / 2);
    }
}
