//! The fuzz target `sora`; what it does is in `server/src/fuzzing/`.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: rtctrace::fuzzing::write_seeds("sora"), |data: &[u8]| rtctrace::fuzzing::sora(data));
