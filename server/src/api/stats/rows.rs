//! The rows of a stats table as a file.

use axum::body::Body;
use axum::http::Response;

use super::CHUNK;
use crate::api::Format;
use crate::api::table::{self, Column, Kind, Parts, Sheet, Value};
use crate::app::App;
use crate::problem::Problem;
use crate::store::database::Database;
use crate::store::stats::{self, Cell, Selection, StoredRow};

/// Whose row it is, and of when.
const KEY_COLUMNS: [Column<'_>; 4] = [
    Column::required("time", Kind::Micros),
    Column::required("session_id", Kind::Text),
    Column::required("connection_id", Kind::Text),
    Column::required("stats_id", Kind::Text),
];

/// Members without a column.
const EXTRA: Column<'_> = Column::optional("extra", Kind::Json);

/// Every row, with all its columns.
pub(super) async fn file(app: &App, selection: Selection, format: Format) -> Result<Response<Body>, Problem> {
    let place = table::Place::take(app)?;
    let columns: Vec<&'static stats::Column> = selection.table.columns.iter().collect();
    let described = columns.iter().map(|column| Column::optional(&column.name, kind(column)));
    let described: Vec<Column<'_>> = KEY_COLUMNS.into_iter().chain(described).chain([EXTRA]).collect();
    let name = format!("{}-{}", selection.session, selection.kind);
    let rows = Rows { database: app.stores.database.clone(), selection, columns, after: None };
    table::answer(&name, format, &described, rows, place).await
}

fn kind(column: &stats::Column) -> Kind {
    match column.kind {
        stats::Kind::Integer => Kind::Integer,
        stats::Kind::Real => Kind::Real,
        stats::Kind::Text => Kind::Text,
        stats::Kind::Bool => Kind::Bool,
        stats::Kind::Json => Kind::Json,
    }
}

struct Rows {
    database: Database,
    selection: Selection,
    columns: Vec<&'static stats::Column>,
    after: Option<StoredRow>,
}

impl Parts for Rows {
    async fn next(&mut self, sheet: &mut Sheet) -> sqlx::Result<bool> {
        let (rows, has_more) =
            self.selection.rows(&self.database, &self.columns, true, self.after.as_ref(), CHUNK).await?;
        let session = self.selection.session.to_string();
        for row in &rows {
            sheet.push(Some(Value::Micros((row.time * 1000.0).round() as i64)));
            sheet.push(Some(Value::Text(&session)));
            sheet.push(Some(Value::Text(&row.connection)));
            sheet.push(Some(Value::Text(&row.entry)));
            for (cell, column) in row.cells.iter().zip(&self.columns) {
                sheet.push(match cell {
                    Cell::Null => None,
                    Cell::Integer(value) if column.kind == stats::Kind::Bool => Some(Value::Bool(*value != 0)),
                    Cell::Integer(value) => Some(Value::Integer(*value)),
                    Cell::Real(value) => Some(Value::Real(*value)),
                    Cell::Text(value) if column.kind == stats::Kind::Json => Some(Value::Json(value)),
                    Cell::Text(value) => Some(Value::Text(value)),
                });
            }
            sheet.push(row.extra.as_deref().map(Value::Json));
            sheet.end_row();
        }
        self.after = rows.into_iter().last();
        Ok(has_more)
    }
}
