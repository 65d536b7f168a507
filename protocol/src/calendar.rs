//! The calendar, as far as times of dumps and of Sora need it.

/// Days from 1 January 1970 to a date of the Gregorian calendar. Its parts are taken as they are: the 31st of a month of 30 days is
/// the first of the next.
pub(crate) fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is their last.
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    // From 1 March of the year 0 to 1 January 1970.
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468
}
