//! Where in the world an address is, by a file in MaxMind's format. Only the name of country and city are kept.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use maxminddb::{MaxMindDbError, Reader, path};

use crate::access::{Reload, Watched};
use crate::config;

/// Where an address is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Location {
    /// ISO 3166-1 code of the country, such as `AT`.
    pub(crate) country: Option<String>,
    /// English name of the city.
    pub(crate) city: Option<String>,
}

/// The file that knows.
#[derive(Debug)]
pub(crate) struct Geo(Arc<Watched<Reader<Vec<u8>>>>);

impl Geo {
    /// Reads the file, if the settings name one.
    pub(crate) fn open(settings: &config::Geo) -> anyhow::Result<Option<Self>> {
        let file = settings.database.clone();
        if file.as_os_str().is_empty() {
            return Ok(None);
        }
        let load = {
            let file = file.clone();
            move || read(&file)
        };
        Ok(Some(Self(Arc::new(Watched::new("places", vec![file], load)?))))
    }

    /// What is to be read anew when the file changes.
    pub(crate) fn watched(&self) -> Arc<dyn Reload> {
        Arc::clone(&self.0) as Arc<dyn Reload>
    }

    /// Where an address is; nowhere, if the file does not know or is broken there.
    pub(crate) fn find(&self, address: IpAddr) -> Location {
        self.look_up(address).unwrap_or_else(|error| {
            tracing::warn!("a client's place cannot be looked up: {error}");
            Location::default()
        })
    }

    fn look_up(&self, address: IpAddr) -> Result<Location, MaxMindDbError> {
        let reader = self.0.get();
        let found = reader.lookup(address)?;
        Ok(Location {
            country: found.decode_path(&path!["country", "iso_code"])?,
            city: found.decode_path(&path!["city", "names", "en"])?,
        })
    }
}

fn read(file: &PathBuf) -> anyhow::Result<Reader<Vec<u8>>> {
    let context = || format!("geo.database {} is no file in MaxMind's format that can be read", file.display());
    let reader = Reader::open_readfile(file).with_context(context)?;
    // A torn file is found now and not at the first client.
    reader.verify().with_context(context)?;
    Ok(reader)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 192.0.2.0/25 is in Vienna, 192.0.2.128/25 in Switzerland, 2001:db8:1::/48 in Tokyo.
    const PLACES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/collector/places.mmdb");

    fn open(file: impl Into<PathBuf>) -> anyhow::Result<Option<Geo>> {
        Geo::open(&config::Geo { database: file.into() })
    }

    #[test]
    fn an_address_is_in_a_country_and_a_city_as_far_as_the_file_knows() {
        let geo = open(PLACES).unwrap().unwrap();
        let place = |address: &str| {
            let Location { country, city } = geo.find(address.parse().unwrap());
            [country.unwrap_or_default(), city.unwrap_or_default()]
        };
        assert_eq!(place("192.0.2.77"), ["AT", "Vienna"]);
        assert_eq!(place("192.0.2.177"), ["CH", ""]);
        assert_eq!(place("2001:db8:1::7"), ["JP", "Tokyo"]);
        assert_eq!(place("127.0.0.1"), ["", ""]);
        assert_eq!(place("2001:db8:2::7"), ["", ""]);
    }

    #[test]
    fn without_a_file_nobody_is_looked_up_and_a_wrong_one_is_refused() {
        assert!(open("").unwrap().is_none());
        let dir = tempfile::tempdir().unwrap();
        let torn = dir.path().join("torn.mmdb");
        let whole = std::fs::read(PLACES).unwrap();
        std::fs::write(&torn, whole.get(whole.len() / 2..).unwrap()).unwrap();
        for file in [torn, dir.path().join("missing.mmdb")] {
            let error = format!("{:#}", open(file).unwrap_err());
            assert!(error.contains("geo.database"), "{error}");
        }
    }
}
