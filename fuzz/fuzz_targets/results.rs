//! Authentication-Results, sealed ones too: no bytes make the reader panic, and what it accepts reads the same once
//! written down again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailshelf::sender::results::Results;

fuzz_target!(|value: &[u8]| {
    if let Ok(read) = Results::parse(value) {
        let sealed = [b"i=1;", value].concat();
        assert_eq!(Results::parse_sealed(&sealed).as_ref(), Ok(&read));
        assert_eq!(Results::parse(read.to_string().as_bytes()), Ok(read));
    }
    if let Ok(read) = Results::parse_sealed(value) {
        assert_eq!(Results::parse(read.to_string().as_bytes()), Ok(read));
    }
});
