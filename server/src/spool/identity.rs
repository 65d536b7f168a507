//! The name of a spool: several collectors may share a database, and the row of a session that runs says in whose spool it is.

use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use uuid::Uuid;

/// Beside the spool, not in it: who empties the spool has the same collector still.
const FILE: &str = "collector-id";

/// The id of the collector that has this data directory; a new one, if it has none that can be read.
pub(crate) fn of(data_dir: &Path) -> io::Result<String> {
    std::fs::create_dir_all(data_dir)?;
    let path = data_dir.join(FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) if Uuid::try_parse(text.trim()).is_ok() => return Ok(text.trim().to_owned()),
        Ok(_) => tracing::warn!(path = %path.display(), "this file holds no UUID; the collector takes a new id"),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let id = Uuid::now_v7().hyphenated().to_string();
    let part = path.with_extension("part");
    let mut file = File::create(&part)?;
    file.write_all(id.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&part, &path)?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_directory_keeps_its_id() {
        let dir = tempfile::tempdir().unwrap();
        let id = of(dir.path()).unwrap();
        assert_eq!(of(dir.path()).unwrap(), id);
        std::fs::write(dir.path().join(FILE), "torn").unwrap();
        let next = of(dir.path()).unwrap();
        assert_ne!(next, id);
        assert_eq!(of(dir.path()).unwrap(), next);
    }
}
