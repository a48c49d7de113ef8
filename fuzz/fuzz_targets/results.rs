//! Authentication-Results: no bytes make the reader panic, and what it accepts reads the same once written down again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailshelf::sender::results::Results;

fuzz_target!(|value: &[u8]| {
    if let Ok(read) = Results::parse(value) {
        assert_eq!(Results::parse(read.to_string().as_bytes()), Ok(read));
    }
});
