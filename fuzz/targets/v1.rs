//! The fuzz target `v1`; what it does is in `server/src/fuzzing/`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: rtctrace::fuzzing::write_seeds("v1"), |data: &[u8]| rtctrace::fuzzing::v1(data));
