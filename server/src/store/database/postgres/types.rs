//! Types of PostgreSQL that the driver does not bring, in its binary format.

use std::borrow::Cow;

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};

use super::text;
use crate::session::UnixMillis;

/// From 1970 to 2000, where the server's time begins, in microseconds.
const EPOCH: i64 = 946_684_800_000_000;

/// The first and the last one that the server takes (`MIN_TIMESTAMP` and `END_TIMESTAMP` of its sources): in 4714 BC and 294276.
const FIRST: i64 = -211_813_488_000_000_000;
const LAST: i64 = 9_223_371_331_199_999_999;

/// `timestamptz`: microseconds since 2000. The ends of its range are the server's infinities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(i64);

impl Moment {
    /// That time.
    pub(crate) fn of(time: UnixMillis) -> Self {
        match time.0.checked_mul(1000) {
            Some(micros) => Self::within(micros.saturating_sub(EPOCH)),
            // What is as far away as can be stays there.
            None if time.0 < 0 => Self(i64::MIN),
            None => Self(i64::MAX),
        }
    }

    /// What no `timestamptz` can be is the nearest one that can: a client may say of its clock what it likes.
    fn within(micros: i64) -> Self {
        Self(micros.clamp(FIRST, LAST))
    }

    /// Of a Unix time in milliseconds with a fraction.
    pub(crate) fn of_fraction(millis: f64) -> Self {
        // Whole milliseconds first: their microseconds have no room left for rounding.
        let whole = millis.floor();
        let micros = ((millis - whole) * 1000.0).round() as i64;
        Self::within((whole as i64).saturating_mul(1000).saturating_add(micros).saturating_sub(EPOCH))
    }

    /// The next one that the server tells from this.
    pub(crate) fn next(self) -> Self {
        Self::within(self.0.saturating_add(1))
    }

    /// As milliseconds of Unix time, with a fraction.
    pub(crate) fn fraction(self) -> f64 {
        self.0.saturating_add(EPOCH) as f64 / 1000.0
    }

    /// As whole milliseconds of Unix time.
    pub(crate) fn unix_millis(self) -> UnixMillis {
        UnixMillis(self.0.saturating_add(EPOCH).div_euclid(1000))
    }

    /// As the server takes it.
    pub(crate) fn to_be_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

impl Type<Postgres> for Moment {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(1184))
    }
}

impl Encode<'_, Postgres> for Moment {
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buf.extend_from_slice(&self.to_be_bytes());
        Ok(IsNull::No)
    }
}

impl Decode<'_, Postgres> for Moment {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        match value.format() {
            PgValueFormat::Binary => Ok(Self(i64::from_be_bytes(value.as_bytes()?.try_into()?))),
            PgValueFormat::Text => Err("a time came as text".into()),
        }
    }
}

/// `jsonb`, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonText<'t>(pub(crate) Cow<'t, str>);

impl<'t> JsonText<'t> {
    /// The version of the binary format, which is a text behind it.
    pub(crate) const VERSION: u8 = 1;

    /// Of a JSON text, without what the server refuses.
    pub(crate) fn of(json: &'t str) -> Self {
        Self(text::json(json))
    }
}

impl Type<Postgres> for JsonText<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(3802))
    }
}

impl Encode<'_, Postgres> for JsonText<'_> {
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buf.extend_from_slice(&[Self::VERSION]);
        buf.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

impl<'r> Decode<'r, Postgres> for JsonText<'r> {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let bytes = match value.format() {
            PgValueFormat::Binary => {
                value.as_bytes()?.strip_prefix(&[Self::VERSION]).ok_or("jsonb of another version")?
            }
            PgValueFormat::Text => value.as_bytes()?,
        };
        Ok(Self(Cow::Borrowed(std::str::from_utf8(bytes)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_microseconds_and_the_ends_stay_the_ends() {
        let millis = 1_795_159_384_861_i64;
        assert_eq!(Moment::of(UnixMillis(millis)).unix_millis(), UnixMillis(millis));
        assert_eq!(Moment::of_fraction(1_795_159_384_861.123).0, millis * 1000 + 123 - EPOCH);
        assert_eq!(Moment::of_fraction(1_795_159_384_861.123).fraction(), 1_795_159_384_861.123);
        assert_eq!(Moment::of_fraction(0.0).0, -EPOCH);
        assert_eq!((Moment::of(UnixMillis(i64::MAX)).0, Moment::of(UnixMillis(i64::MIN)).0), (i64::MAX, i64::MIN));
    }
}
