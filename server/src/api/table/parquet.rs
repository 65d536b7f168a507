//! Parquet (<https://parquet.apache.org/docs/file-format/>), for DuckDB, Spark and their like: typed columns, in groups of rows. A group is
//! held until it is large enough to be worth its place in the footer, then encoded, compressed and gone. What grows with the file is the footer
//! alone: about a hundred bytes for each column of a group.

use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;

use super::csv::plain_json;
use super::{Column, Kind, Value};

/// What the values of a group hold in memory.
const GROUP: usize = 16 << 20;

/// Rows, by columns.
pub(crate) struct Parquet {
    file: SerializedFileWriter<Vec<u8>>,
    columns: Vec<Values>,
    /// The column of the next value.
    at: usize,
    /// Bytes that the columns hold.
    held: usize,
}

/// A column of the group that grows.
#[derive(Debug)]
struct Values {
    /// For each row, whether there is a value, if there may be none: the definition level.
    levels: Option<Vec<i16>>,
    typed: Typed,
}

#[derive(Debug)]
enum Typed {
    Bool(Vec<bool>),
    Integer(Vec<i64>),
    Real(Vec<f64>),
    Text(Vec<ByteArray>),
}

impl Parquet {
    /// With no row yet.
    pub(super) fn new(columns: &[Column<'_>]) -> Result<Self> {
        let fields = columns.iter().map(|column| field(column).map(Arc::new)).collect::<Result<Vec<_>>>()?;
        let schema = Type::group_type_builder("schema").with_fields(fields).build()?;
        let properties = WriterProperties::builder()
            .set_created_by(concat!("rtctrace version ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::SNAPPY)
            // Readers skip groups by these; of pages, a group has few.
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_statistics_truncate_length(Some(16))
            .set_offset_index_disabled(true)
            .build();
        let file = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
        Ok(Self { file, columns: columns.iter().map(Values::of).collect(), at: 0, held: 0 })
    }

    /// The next value of the row.
    pub(super) fn push(&mut self, value: Option<Value<'_>>) {
        if let Some(column) = self.columns.get_mut(self.at) {
            self.held += column.push(value);
        }
        self.at += 1;
    }

    /// The row is complete.
    pub(super) fn end_row(&mut self) {
        self.at = 0;
    }

    /// What the file has by now and is not sent: its beginning, for readers that wait for one.
    pub(super) fn written(&mut self) -> Result<Vec<u8>> {
        self.file.flush()?;
        Ok(std::mem::take(self.file.inner_mut()))
    }

    /// Whether it is time to write a group.
    pub(super) fn is_full(&self) -> bool {
        self.held >= GROUP
    }

    /// Makes a group of the rows; returns the bytes of the file since the last ones.
    pub(super) fn write_group(&mut self) -> Result<Vec<u8>> {
        if self.held > 0 {
            let mut group = self.file.next_row_group()?;
            for column in &mut self.columns {
                let Some(mut writer) = group.next_column()? else { break };
                column.write(&mut writer)?;
                writer.close()?;
            }
            group.close()?;
            self.held = 0;
        }
        self.written()
    }

    /// The last rows, and the footer.
    pub(super) fn finish(&mut self) -> Result<Vec<u8>> {
        let mut bytes = self.write_group()?;
        self.file.finish()?;
        bytes.append(self.file.inner_mut());
        Ok(bytes)
    }
}

impl std::fmt::Debug for Parquet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parquet").field("held", &self.held).finish_non_exhaustive()
    }
}

fn field(column: &Column<'_>) -> Result<Type> {
    let (physical, logical) = match column.kind {
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
        Kind::Integer => (Physical::INT64, None),
        Kind::Real => (Physical::DOUBLE, None),
        Kind::Bool => (Physical::BOOLEAN, None),
        Kind::Millis => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
        Kind::Micros => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
    };
    let repetition = if column.is_required { Repetition::REQUIRED } else { Repetition::OPTIONAL };
    Type::primitive_type_builder(column.name, physical).with_logical_type(logical).with_repetition(repetition).build()
}

impl Values {
    fn of(column: &Column<'_>) -> Self {
        let typed = match column.kind {
            Kind::Text | Kind::Json => Typed::Text(Vec::new()),
            Kind::Integer | Kind::Millis | Kind::Micros => Typed::Integer(Vec::new()),
            Kind::Real => Typed::Real(Vec::new()),
            Kind::Bool => Typed::Bool(Vec::new()),
        };
        Self { levels: (!column.is_required).then(Vec::new), typed }
    }

    /// Takes a value in; says what it holds in memory. One that is not of the column's type is missing when the group is written, which
    /// then fails.
    fn push(&mut self, value: Option<Value<'_>>) -> usize {
        let level = self.levels.as_mut().map_or(0, |levels| {
            levels.push(value.is_some().into());
            size_of::<i16>()
        });
        let held = match (&mut self.typed, value) {
            (Typed::Bool(values), Some(Value::Bool(value))) => add(values, value),
            (Typed::Integer(values), Some(Value::Integer(value) | Value::Micros(value))) => add(values, value),
            (Typed::Integer(values), Some(Value::Millis(time))) => add(values, time.0),
            (Typed::Real(values), Some(Value::Real(value))) => add(values, value),
            (Typed::Text(values), Some(Value::Text(text))) => text.len() + add(values, text.into()),
            (Typed::Text(values), Some(Value::Json(text))) => {
                let text = plain_json(text);
                text.len() + add(values, text.into_bytes().into())
            }
            _ => 0,
        };
        level + held
    }

    fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<()> {
        let levels = self.levels.as_mut().map(std::mem::take);
        match &mut self.typed {
            Typed::Bool(values) => write::<BoolType>(writer, values, levels.as_deref()),
            Typed::Integer(values) => write::<Int64Type>(writer, values, levels.as_deref()),
            Typed::Real(values) => write::<DoubleType>(writer, values, levels.as_deref()),
            Typed::Text(values) => write::<ByteArrayType>(writer, values, levels.as_deref()),
        }
    }
}

fn add<T>(values: &mut Vec<T>, value: T) -> usize {
    values.push(value);
    size_of::<T>()
}

fn write<T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    values: &mut Vec<T::T>,
    levels: Option<&[i16]>,
) -> Result<()> {
    let values = std::mem::take(values);
    writer.typed::<T>().write_batch(&values, levels, None).map(|_| ())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::{Field, RowAccessor as _};

    use super::*;
    use crate::session::UnixMillis;

    const COLUMNS: [Column<'_>; 7] = [
        Column::required("time", Kind::Micros),
        Column::required("id", Kind::Text),
        Column::optional("text", Kind::Text),
        Column::optional("json", Kind::Json),
        Column::optional("real", Kind::Real),
        Column::optional("bool", Kind::Bool),
        Column::optional("millis", Kind::Millis),
    ];

    #[test]
    fn a_file_of_several_groups_has_all_rows_with_their_types() {
        let mut parquet = Parquet::new(&COLUMNS).unwrap();
        let (mut bytes, mut rows) = (Vec::new(), 0_i64);
        let text = "x".repeat(3000);
        while rows < 12_000 {
            let has = rows % 3 != 0;
            parquet.push(Some(Value::Micros(rows)));
            parquet.push(Some(Value::Text(&rows.to_string())));
            parquet.push(has.then_some(Value::Text(&text)));
            parquet.push(has.then_some(Value::Json("{ \"a\": 1 }")));
            parquet.push(has.then_some(Value::Real(rows as f64 / 2.0)));
            parquet.push(has.then_some(Value::Bool(rows % 2 == 0)));
            parquet.push(has.then_some(Value::Millis(UnixMillis(-rows))));
            parquet.end_row();
            rows += 1;
            if parquet.is_full() {
                bytes.extend(parquet.write_group().unwrap());
                assert!(parquet.file.inner().is_empty() && parquet.columns.iter().all(Values::is_empty));
            }
        }
        bytes.extend(parquet.finish().unwrap());
        let file = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
        assert_eq!(file.num_row_groups(), 2);
        let mut read = 0_i64;
        for row in file.get_row_iter(None).unwrap() {
            let row = row.unwrap();
            let fields: Vec<&Field> = row.get_column_iter().map(|(_, field)| field).collect();
            assert_eq!((fields[0], row.get_string(1).unwrap()), (&Field::TimestampMicros(read), &read.to_string()));
            let expected = match read % 3 != 0 {
                true => [
                    Field::Str(text.clone()),
                    Field::Str("{\"a\":1}".to_owned()),
                    Field::Double(read as f64 / 2.0),
                    Field::Bool(read % 2 == 0),
                    Field::TimestampMillis(-read),
                ],
                false => [const { Field::Null }; 5],
            };
            assert!(fields[2..].iter().copied().eq(&expected), "{row}");
            read += 1;
        }
        assert_eq!(read, rows);
    }

    #[test]
    fn a_file_without_rows_has_its_columns() {
        let bytes = Parquet::new(&COLUMNS).unwrap().finish().unwrap();
        let file = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
        assert_eq!((file.num_row_groups(), file.get_row_iter(None).unwrap().count()), (0, 0));
        assert_eq!(file.metadata().file_metadata().schema_descr().num_columns(), COLUMNS.len());
    }

    #[test]
    fn a_value_of_another_type_breaks_the_file() {
        for value in [Value::Integer(1), Value::Real(1.0), Value::Bool(true)] {
            let mut parquet = Parquet::new(&[Column::optional("text", Kind::Text)]).unwrap();
            parquet.push(Some(value));
            parquet.end_row();
            parquet.finish().unwrap_err();
        }
    }

    impl Values {
        fn is_empty(&self) -> bool {
            let values = match &self.typed {
                Typed::Bool(values) => values.len(),
                Typed::Integer(values) => values.len(),
                Typed::Real(values) => values.len(),
                Typed::Text(values) => values.len(),
            };
            values + self.levels.as_ref().map_or(0, Vec::len) == 0
        }
    }
}
