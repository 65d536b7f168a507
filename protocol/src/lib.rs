//! What travels between an rtctrace client, its collector and its viewer: events and lines, the static tables, the codecs
//! of reports and descriptions, dumps, and the obfuscation of addresses.
//!
//! Nothing here does I/O, knows a clock or panics on input: text and bytes come in, values and text go out. Every other
//! crate of the project stands on this one, compiled natively and to wasm.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "std")]
mod calendar;
#[cfg(feature = "std")]
mod checksum;
pub mod description;
#[cfg(feature = "std")]
pub mod dump;
#[cfg(feature = "std")]
pub mod event;
#[cfg(feature = "std")]
mod internals;
#[cfg(feature = "std")]
pub mod jitsi;
pub mod json;
pub mod line;
#[cfg(feature = "std")]
pub mod privacy;
pub mod report;
#[cfg(feature = "std")]
pub mod sora;
mod sort;
mod tables;

pub use sort::sorted_by;
