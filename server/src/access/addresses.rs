//! How many sessions come from one address. A session holds its place until the collector lets go of it, not only while it
//! has a socket.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Who has one address of IPv6 has at least so many bits of them.
const PREFIX: u32 = 64;

/// The sessions of each address.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    limit: usize,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A session's place among those of its address.
#[derive(Debug)]
pub(crate) struct AddressPlace {
    address: IpAddr,
    counts: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// The address has as many sessions as it may have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AddressFull;

impl Addresses {
    /// So many sessions from each; 0 is no limit.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, counts: Arc::default() }
    }

    /// No limit: for tools, which nobody sends anything to.
    pub(crate) fn uncounted() -> Self {
        Self::new(0)
    }

    /// A place for one more session, or `None` where nothing is counted.
    pub(crate) fn take(&self, address: Option<IpAddr>) -> Result<Option<AddressPlace>, AddressFull> {
        let Some(address) = address.filter(|_| self.limit > 0).map(counted) else { return Ok(None) };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= self.limit {
            return Err(AddressFull);
        }
        *count += 1;
        Ok(Some(AddressPlace { address, counts: Arc::clone(&self.counts) }))
    }
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> PREFIX << PREFIX)),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let addresses = Addresses::new(2);
        let take = |text: &str| addresses.take(Some(text.parse().unwrap()));
        let (first, _second) = (take("192.0.2.1").unwrap(), take("::ffff:192.0.2.1").unwrap());
        assert_eq!(take("192.0.2.1").unwrap_err(), AddressFull);
        take("192.0.2.2").unwrap();
        drop(first);
        take("192.0.2.1").unwrap();
        assert_eq!(addresses.counts.lock().unwrap().len(), 1);

        let _one = take("2001:db8::1").unwrap();
        let _two = take("2001:db8::ffff:2").unwrap();
        assert_eq!(take("2001:db8::3").unwrap_err(), AddressFull, "a /64 is one address");
        take("2001:db8:0:1::1").unwrap();
        assert!(addresses.take(None).unwrap().is_none());
        assert!(Addresses::new(0).take(Some("192.0.2.1".parse().unwrap())).unwrap().is_none());
    }
}
