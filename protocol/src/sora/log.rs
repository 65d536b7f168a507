//! [`Entry`]: a line of `rtc_stats.jsonl`, which holds one entry of a push. Lines with one envelope follow each other.

use crate::json::{Kind, RawValue};

use super::BadBody;
use super::fields::Fields;
use super::push::{Connection, Sender, check_entry, write_report};

/// A line of the log of statistics, borrowing its text.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// Who sent it.
    pub sender: Sender<'a>,
    /// Whose it is.
    pub connection: Connection<'a>,
    /// The entry itself: `rtc_data`.
    pub data: RawValue<'a>,
}

impl<'a> Entry<'a> {
    /// Reads a line.
    ///
    /// # Errors
    /// [`BadBody`] names the member that is wrong.
    pub fn read(line: &'a str) -> Result<Self, BadBody> {
        let fields = Fields::of_text(line)?;
        let data = fields.required("rtc_data")?;
        if data.kind() != Kind::Object {
            return Err(fields.wrong("rtc_data", "an object"));
        }
        check_entry(Fields::of(data, "rtc_data."))?;
        Ok(Self { sender: Sender::read(fields)?, connection: Connection::read(fields)?, data })
    }

    /// Whether a line is of the same push: of the same connection, at the same moment, under the same id.
    #[must_use]
    pub fn is_with(&self, other: &Entry<'_>) -> bool {
        self.connection.connection_id == other.connection.connection_id
            && self.sender.timestamp == other.sender.timestamp
            && self.sender.id == other.sender.id
    }

    /// Appends the report that the entries of a push are.
    pub fn write_report(entries: &[RawValue<'_>], out: &mut String) {
        write_report(entries, out);
    }
}
