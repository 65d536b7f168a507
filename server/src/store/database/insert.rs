//! Statements over several rows. Each costs a round trip, to a server or to the thread that has the file, and each text is understood
//! once and remembered: rows go in powers of two, so that there are few texts.

use std::fmt::Write as _;

/// So many rows go by one statement, if they have few columns.
pub(super) const MOST_ROWS: usize = 32;
/// So many parameters has a statement at most. SQLite takes 32,766, PostgreSQL 65,535.
const MOST_PARAMETERS: usize = 4096;

/// The columns as queries name them. `SELECT *` names none: what a server has prepared for it fails once a migration has added one. The
/// table is named, too: a quoted name alone is a text for SQLite, as long as there is no such column.
pub(crate) fn columns_of(table: &str, columns: &[&str]) -> String {
    let names: Vec<String> = columns.iter().map(|column| format!("{table}.\"{column}\"")).collect();
    names.join(", ")
}

/// How rows are inserted into a table.
#[derive(Debug)]
pub(crate) struct Insert {
    head: String,
    columns: usize,
    on_conflict: String,
}

impl Insert {
    /// Into these columns; `on_conflict` is the statement's clause for a row that is there. It may have one value of its own, where it says `{}`.
    pub(crate) fn new(table: &str, columns: &[&str], on_conflict: impl Into<String>) -> Self {
        let names: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
        let head = format!("INSERT INTO {table} ({}) VALUES ", names.join(", "));
        Self { head, columns: columns.len(), on_conflict: on_conflict.into() }
    }

    /// How many rows one statement takes.
    pub(super) fn most_rows(&self) -> usize {
        (MOST_PARAMETERS / self.columns.max(1)).clamp(1, MOST_ROWS)
    }

    /// The statement for so many rows.
    pub(super) fn sql(&self, rows: usize, parameter: Parameter) -> String {
        let mut sql = self.head.clone();
        for row in 0..rows {
            let comma = if row == 0 { "" } else { ", " };
            let _ = write!(sql, "{comma}({})", parameter.list(row * self.columns + 1, self.columns));
        }
        sql.push(' ');
        sql.push_str(&self.on_conflict.replace("{}", &parameter.list(rows * self.columns + 1, 1)));
        sql
    }
}

/// How parameters are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Parameter {
    /// `$1`, `$2`.
    Numbered,
    /// `?` by its place: SQLite knows numbers as names, and looks through all of them for each value.
    Placed,
}

impl Parameter {
    /// So many parameters from this number on, separated by commas.
    pub(super) fn list(self, first: usize, count: usize) -> String {
        let mut text = String::with_capacity(6 * count);
        for number in first..first + count {
            let comma = if number == first { "" } else { ", " };
            let _ = match self {
                Self::Numbered => write!(text, "{comma}${number}"),
                Self::Placed => write!(text, "{comma}?"),
            };
        }
        text
    }
}

/// The rows in their order, in groups of as many as the largest power of two that there still are, at most `most`.
pub(super) fn in_powers<T>(mut rows: &[T], most: usize) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = 1 << rows.len().min(most.max(1)).checked_ilog2()?;
        let (group, rest) = rows.split_at_checked(size)?;
        rows = rest;
        Some(group)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_in_powers_of_two() {
        let rows: Vec<usize> = (0..77).collect();
        let sizes: Vec<usize> = in_powers(&rows, 32).map(<[_]>::len).collect();
        assert_eq!(sizes, [32, 32, 8, 4, 1]);
        assert_eq!(in_powers(&rows, 32).flatten().copied().collect::<Vec<_>>(), rows);
        assert_eq!(in_powers(&rows, 0).count(), 77);
        assert_eq!(in_powers(&rows[..0], 32).count(), 0);
    }

    #[test]
    fn a_statement_has_a_parameter_for_each_value() {
        let insert = Insert::new("t", &["a", "user"], "ON CONFLICT DO NOTHING");
        let sql = "INSERT INTO t (\"a\", \"user\") VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING";
        assert_eq!(insert.sql(2, Parameter::Numbered), sql);
        let sql = "INSERT INTO t (\"a\", \"user\") VALUES (?, ?) ON CONFLICT DO NOTHING";
        assert_eq!(insert.sql(1, Parameter::Placed), sql);
        let one_more = Insert::new("t", &["a", "b"], "ON CONFLICT (a) DO UPDATE SET b = excluded.b WHERE t.b = {}");
        assert!(
            one_more
                .sql(2, Parameter::Numbered)
                .ends_with("($3, $4) ON CONFLICT (a) DO UPDATE SET b = excluded.b WHERE t.b = $5")
        );
        assert!(
            one_more
                .sql(2, Parameter::Placed)
                .ends_with("(?, ?) ON CONFLICT (a) DO UPDATE SET b = excluded.b WHERE t.b = ?")
        );
        let wide = Insert::new("t", &["x"; 1000], "");
        assert_eq!(wide.most_rows(), 4);
        assert!(wide.sql(4, Parameter::Numbered).contains("$4000"));
    }
}
