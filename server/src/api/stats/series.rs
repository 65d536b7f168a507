//! Series of numbers with few points that keep their peaks: time is cut into equal parts, and of each the smallest and the largest value
//! stay, with their times. Nothing is averaged or made up, so a spike of one report stays one.

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use rtctrace_features::FeatureValue;

/// The values of one member of one entry.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = StatsSeries)]
pub(crate) struct Series {
    /// The connection's id.
    pub(crate) connection: String,
    /// The entry's id.
    pub(crate) entry: String,
    /// The member, as W3C or Sora names it.
    pub(crate) member: String,
    /// The unit of the values, as W3C gives it: `s`, `ms`, `byte`, `bit/s`, `1/s`, `px`, `Hz`, `dB`, `0..1`, `s²`; `word`, of Erlang's memory; `1` for what is
    /// counted. Absent for what is no quantity, and for members without a column.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "s")]
    pub(crate) unit: Option<&'static str>,
    /// When: milliseconds since 1970, ascending.
    #[serde(serialize_with = "numbers")]
    pub(crate) times: Vec<f64>,
    /// The value at each of these times. Booleans are 0 and 1.
    #[serde(serialize_with = "numbers")]
    pub(crate) values: Vec<f64>,
}

/// As JavaScript writes numbers: `16`, not `16.0`.
fn numbers<S: Serializer>(numbers: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(numbers.iter().map(|number| FeatureValue::Double(*number)))
}

/// How time is cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    first: f64,
    width: f64,
    last_part: u64,
}

impl Cut {
    /// From `first` to `last`, for as many points.
    pub(crate) fn of(first: f64, last: f64, points: u32) -> Self {
        let parts = u64::from((points / 2).max(1));
        Self { first, width: (last - first) / parts as f64, last_part: parts - 1 }
    }

    fn part(&self, time: f64) -> u64 {
        (((time - self.first) / self.width) as u64).min(self.last_part)
    }
}

/// A time and a value.
type Point = (f64, f64);

/// A series that grows, by points in the order of their times.
#[derive(Debug, Default)]
pub(crate) struct Growing {
    points: Vec<Point>,
    /// The part of time that the newest point lies in, and its lowest and highest points.
    open: Option<(u64, Point, Point)>,
}

impl Growing {
    /// Takes a point in; without a cut, all are kept. Says how many points have become final by that.
    pub(crate) fn push(&mut self, point: Point, cut: Option<Cut>) -> usize {
        let Some(cut) = cut else {
            self.points.push(point);
            return 1;
        };
        let part = cut.part(point.0);
        match &mut self.open {
            Some((open, low, high)) if *open == part => {
                if point.1 < low.1 {
                    *low = point;
                }
                if point.1 > high.1 {
                    *high = point;
                }
                0
            }
            _ => {
                let before = self.points.len();
                self.close();
                self.open = Some((part, point, point));
                self.points.len() - before
            }
        }
    }

    fn close(&mut self) {
        let Some((_, low, high)) = self.open.take() else { return };
        let (first, second) = if low.0 <= high.0 { (low, high) } else { (high, low) };
        self.points.push(first);
        if second.0 > first.0 {
            self.points.push(second);
        }
    }

    /// The series.
    pub(crate) fn finish(mut self, connection: &str, entry: &str, member: &str, unit: &'static str) -> Series {
        self.close();
        // Databases differ in what they keep beyond microseconds.
        let micros = |millis: f64| (millis * 1000.0).round() / 1000.0;
        Series {
            connection: connection.to_owned(),
            entry: entry.to_owned(),
            member: member.to_owned(),
            unit: (!unit.is_empty()).then_some(unit),
            times: self.points.iter().map(|point| micros(point.0)).collect(),
            values: self.points.iter().map(|point| point.1).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(values: impl IntoIterator<Item = f64>, points: u32) -> Series {
        let values: Vec<f64> = values.into_iter().collect();
        let cut = Cut::of(0.0, (values.len() - 1) as f64 * 10.0, points);
        let mut growing = Growing::default();
        for (at, value) in values.into_iter().enumerate() {
            growing.push((at as f64 * 10.0, value), Some(cut));
        }
        growing.finish("PC_0", "x", "jitter", "s")
    }

    #[test]
    fn peaks_stay_where_they_were() {
        let series = cut(
            (0..10_000).map(|at| {
                if at == 4321 {
                    99.0
                } else if at == 4322 {
                    -99.0
                } else {
                    f64::from(at % 7)
                }
            }),
            100,
        );
        assert!(series.times.len() <= 100 && series.times.len() > 90, "{}", series.times.len());
        assert!(series.times.is_sorted());
        let at = series.values.iter().position(|value| *value == 99.0).unwrap();
        assert_eq!((series.times[at], series.times[at + 1], series.values[at + 1]), (43_210.0, 43_220.0, -99.0));
    }

    #[test]
    fn what_does_not_change_and_what_is_one_point_stays_itself() {
        assert_eq!(cut([5.0; 1000], 10).values, [5.0; 5]);
        assert_eq!(cut([5.0], 10).times, [0.0]);
        assert_eq!(cut([1.0, 2.0, 3.0], 2).values, [1.0, 3.0]);
    }

    #[test]
    fn numbers_are_written_as_browsers_write_them() {
        let series = cut([1.0, 2.5], 2);
        assert_eq!(
            serde_json::to_string(&series).unwrap(),
            r#"{"connection":"PC_0","entry":"x","member":"jitter","unit":"s","times":[0,10],"values":[1,2.5]}"#
        );
    }
}
