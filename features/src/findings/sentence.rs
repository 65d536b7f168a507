//! How a finding becomes a sentence: the template of its rule, filled with its values.

use super::finding::{Finding, Measure};
use crate::value::Unit;

/// The sentence of a finding. A part in brackets is left out if it lacks a value.
pub(super) fn of(finding: &Finding) -> String {
    let mut sentence = String::new();
    let mut rest = finding.rule.sentence;
    while let Some((before, behind)) = rest.split_once('[') {
        let (part, behind) = behind.split_once(']').unwrap_or((behind, ""));
        sentence.push_str(&filled(finding, before).unwrap_or_else(|| finding.rule.title.to_owned()));
        sentence.push_str(&filled(finding, part).unwrap_or_default());
        rest = behind;
    }
    sentence.push_str(&filled(finding, rest).unwrap_or_default());
    if let Some(others) = finding.number("others") {
        sentence.push_str(&format!(" (the worst of {})", integer(others)));
    }
    sentence
}

#[cfg(test)]
/// The names between the braces of a template, without their nouns.
pub(super) fn names(template: &str) -> impl Iterator<Item = &str> {
    template.split('{').skip(1).filter_map(|part| part.split_once('}')?.0.split(':').next())
}

fn filled(finding: &Finding, template: &str) -> Option<String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, behind) = behind.split_once('}')?;
        text.push_str(before);
        text.push_str(&value(finding, name)?);
        rest = behind;
    }
    text.push_str(rest);
    Some(text)
}

fn value(finding: &Finding, name: &str) -> Option<String> {
    let kind = finding.track.as_ref().and_then(|track| track.kind.as_deref());
    match name {
        "Kind" => Some(capital(kind.unwrap_or("media"))),
        "kind" => Some(kind.unwrap_or("media").to_owned()),
        _ => {
            let (name, noun) = name.split_once(':').map_or((name, None), |(name, noun)| (name, Some(noun)));
            let value = finding.value(name)?;
            Some(match (&value.measure, noun) {
                (Measure::Text(text), _) => text.clone(),
                (Measure::Number(number), Some("times")) => times(*number),
                (Measure::Number(number), Some(noun)) => {
                    format!("{} {noun}{}", integer(*number), if *number == 1.0 { "" } else { "s" })
                }
                (Measure::Number(number), None) => quantity(*number, value.unit),
            })
        }
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| [first.to_ascii_uppercase()].into_iter().chain(letters).collect()).unwrap_or_default()
}

fn times(number: f64) -> String {
    match number {
        1.0 => "once".to_owned(),
        2.0 => "twice".to_owned(),
        _ => format!("{} times", integer(number)),
    }
}

fn integer(number: f64) -> String {
    format!("{number:.0}")
}

/// With one digit behind the point where there is but one before it.
fn short(number: f64) -> String {
    let digits = if number.abs() < 9.95 && (number * 10.0).round() % 10.0 != 0.0 { 1 } else { 0 };
    format!("{number:.digits$}")
}

/// A number with its unit, as people write it. A time of day is UTC's.
pub(super) fn quantity(number: f64, unit: Unit) -> String {
    match unit {
        Unit::Seconds if number.abs() >= 120.0 => {
            let seconds = number.round();
            format!("{:.0} min {:.0} s", (seconds / 60.0).trunc(), seconds.rem_euclid(60.0))
        }
        Unit::Seconds if number.abs() < 0.095 => format!("{:.0} ms", number * 1000.0),
        Unit::Seconds => format!("{} s", short(number)),
        Unit::Milliseconds => format!("{number:.0} ms"),
        Unit::Fraction => format!("{}%", short(number * 100.0)),
        Unit::BitsPerSecond if number.abs() >= 999_500.0 => format!("{} Mbit/s", short(number / 1e6)),
        Unit::BitsPerSecond => format!("{} kbit/s", short(number / 1e3)),
        Unit::FramesPerSecond => format!("{} frames/s", short(number)),
        Unit::UnixMilliseconds => {
            let seconds = (number / 1000.0).floor().rem_euclid(86_400.0) as u32;
            format!("{:02}:{:02}:{:02} UTC", seconds / 3600, seconds / 60 % 60, seconds % 60)
        }
        Unit::Gibibytes => format!("{} GiB", short(number)),
        Unit::Decibels => format!("{} dB", short(number)),
        Unit::None | Unit::Count | Unit::Score | Unit::Pixels => short(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_read_as_people_write_them() {
        for (number, unit, text) in [
            (4.23, Unit::Seconds, "4.2 s"),
            (4.0, Unit::Seconds, "4 s"),
            (0.04, Unit::Seconds, "40 ms"),
            (9.97, Unit::Seconds, "10 s"),
            (125.2, Unit::Seconds, "2 min 5 s"),
            (0.18, Unit::Fraction, "18%"),
            (0.053, Unit::Fraction, "5.3%"),
            (1.0, Unit::Fraction, "100%"),
            (1_250_000.0, Unit::BitsPerSecond, "1.2 Mbit/s"),
            (250_000.0, Unit::BitsPerSecond, "250 kbit/s"),
            (7.5, Unit::FramesPerSecond, "7.5 frames/s"),
            (1_700_042_531_000.0, Unit::UnixMilliseconds, "10:02:11 UTC"),
            (3.0, Unit::Count, "3"),
            (230.0, Unit::Milliseconds, "230 ms"),
        ] {
            assert_eq!(quantity(number, unit), text);
        }
        assert_eq!([1.0, 2.0, 5.0].map(times), ["once", "twice", "5 times"]);
    }

    #[test]
    fn the_names_of_a_template_are_those_between_braces() {
        assert_eq!(names("{Kind} froze {count:times}[, {path}]").collect::<Vec<_>>(), ["Kind", "count", "path"]);
    }
}
