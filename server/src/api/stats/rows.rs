//! The rows of a stats table as comma-separated values.

use axum::body::Body;
use axum::http::Response;

use super::CHUNK;
use crate::api::csv::{self, Csv, Parts};
use crate::api::exact_rfc3339;
use crate::app::App;
use crate::problem::Problem;
use crate::store::database::Database;
use crate::store::stats::{Cell, Column, Kind, Selection, StoredRow};

/// Every row, with all its columns.
pub(super) async fn csv(app: &App, selection: Selection) -> Result<Response<Body>, Problem> {
    let columns: Vec<&'static Column> = selection.table.columns.iter().collect();
    let names = ["time", "session_id", "connection_id", "stats_id"].into_iter();
    let csv = Csv::with_header(names.chain(columns.iter().map(|column| column.name.as_str())).chain(["extra"]));
    let name = format!("{}-{}.csv", selection.session, selection.kind);
    csv::answer(&name, csv, Rows { database: app.stores.database.clone(), selection, columns, after: None }).await
}

struct Rows {
    database: Database,
    selection: Selection,
    columns: Vec<&'static Column>,
    after: Option<StoredRow>,
}

impl Parts for Rows {
    async fn next(&mut self, csv: &mut Csv) -> sqlx::Result<bool> {
        let rows = self.selection.rows(&self.database, &self.columns, true, self.after.as_ref(), CHUNK).await?;
        for row in &rows {
            csv.plain(Some(exact_rfc3339(row.time)));
            csv.plain(Some(self.selection.session));
            csv.text(Some(&row.connection));
            csv.text(Some(&row.entry));
            for (cell, column) in row.cells.iter().zip(&self.columns) {
                match cell {
                    Cell::Null => csv.plain(None::<i64>),
                    Cell::Integer(value) if column.kind == Kind::Bool => csv.plain(Some(*value != 0)),
                    Cell::Integer(value) => csv.plain(Some(value)),
                    Cell::Real(value) => csv.plain(Some(value)),
                    Cell::Text(value) if column.kind == Kind::Json => csv.json(Some(value)),
                    Cell::Text(value) => csv.text(Some(value)),
                }
            }
            csv.json(row.extra.as_deref());
            csv.end_row();
        }
        let has_more = rows.len() == CHUNK as usize;
        self.after = rows.into_iter().last();
        Ok(has_more)
    }
}
