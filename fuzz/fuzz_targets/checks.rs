#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| { let _ = bartizan_testkit::fuzz::checks(bytes); });
