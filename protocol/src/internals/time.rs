//! Times as the dumps of different ages write them: milliseconds, ISO 8601, or the words of the browser's language and time zone.

use crate::calendar::days_since_epoch;
use crate::json::{Kind, RawValue, number};

const DAY: i64 = 86_400_000;
/// Time zones differ by multiples of it.
pub(super) const QUARTER_HOUR: f64 = 900_000.0;

/// When something was, in ms since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Moment {
    At(f64),
    /// By a clock whose time zone is not told, as if it were that of Greenwich.
    Local(f64),
}

/// The time that a value says, if it is one.
pub(super) fn moment_of(value: RawValue<'_>) -> Option<Moment> {
    if value.kind() == Kind::Number {
        return sensible(value.as_f64()?).map(Moment::At);
    }
    let text = value.as_str()?;
    let text = text.trim();
    if let Some(moment) = text.strip_suffix('Z').and_then(|text| {
        let (date, time) = text.split_once('T')?;
        sensible(day(date, '-', [0, 1, 2])? + time_of_day(time)?).map(Moment::At)
    }) {
        return Some(moment);
    }
    if let Some(number) = number(text).and_then(sensible) {
        return Some(Moment::At(number));
    }
    let (date, time) = text.split_once(", ").or_else(|| text.split_once(' '))?;
    // Month first, day first, or year first: English of the United States, much of Europe, and ISO 8601 and its friends.
    let date = day(date, '/', [2, 0, 1])
        .or_else(|| day(date, '.', [2, 1, 0]))
        .or_else(|| day(date, '-', [0, 1, 2]))
        .or_else(|| day(date, '/', [0, 1, 2]))?;
    sensible(date + time_of_day(time)?).map(Moment::Local)
}

/// A time that can be one. A fraction of the first millisecond may have hundreds of digits, and none of them means anything.
pub(super) fn sensible(time: f64) -> Option<f64> {
    (0.0..1e14).contains(&time).then_some(if time < 1.0 { 0.0 } else { time })
}

/// Midnight of a date, whose parts stand in that order: where the year is, the month, the day.
fn day(text: &str, between: char, order: [usize; 3]) -> Option<f64> {
    // A fourth is one too many, however many follow.
    let parts = text.splitn(4, between).map(|part| part.trim().parse().ok());
    let parts: Vec<i64> = parts.collect::<Option<_>>()?;
    if parts.len() != 3 {
        return None;
    }
    let [year, month, day] = order.map(|place| parts.get(place).copied().unwrap_or(0));
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    Some((days_since_epoch(year, month, day) * DAY) as f64)
}

/// Milliseconds since midnight: `H:MM:SS`, with a fraction, with AM or PM.
fn time_of_day(text: &str) -> Option<f64> {
    let (text, half) = match text.trim_end().split_once([' ', '\u{202f}', '\u{a0}']) {
        Some((text, half)) if half.eq_ignore_ascii_case("AM") => (text, Some(0.0)),
        Some((text, half)) if half.eq_ignore_ascii_case("PM") => (text, Some(12.0)),
        Some(_) => return None,
        None => (text, None),
    };
    let mut parts = text.split(':').map(|part| number(part).filter(|part| (0.0..61.0).contains(part)));
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let hours = match half {
        Some(half) => hours % 12.0 + half,
        None => hours,
    };
    parts.next().is_none().then_some(((hours * 60.0 + minutes) * 60.0 + seconds) * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_the_words_of_several_languages() {
        let moment = |text: &str| moment_of(RawValue::parse(text).unwrap());
        let noon = 1_633_429_745_000.0;
        assert_eq!(moment("1633429745000.25"), Some(Moment::At(noon + 0.25)));
        assert_eq!(moment("\"1633429745000.25\""), Some(Moment::At(noon + 0.25)));
        assert_eq!(moment("\"2021-10-05T10:29:05.000Z\""), Some(Moment::At(noon)));
        for local in [
            "10/5/2021, 10:29:05 AM",
            "10/5/2021, 10:29:05\u{202f}AM",
            "5.10.2021, 10:29:05",
            "2021-10-05 10:29:05",
            "2021/10/5 10:29:05",
        ] {
            assert_eq!(moment(&format!("\"{local}\"")), Some(Moment::Local(noon)), "{local}");
        }
        assert_eq!(moment("\"2/29/2024, 12:00:01 AM\""), Some(Moment::Local(1_709_164_801_000.0)));
        for none in
            ["null", "-1", "1e300", "\"\"", "\"yesterday\"", "\"13/13/2021, 1:00:00 AM\"", "\"1/1/2021, 99:00:00\""]
        {
            assert_eq!(moment(none), None, "{none}");
        }
    }
}
