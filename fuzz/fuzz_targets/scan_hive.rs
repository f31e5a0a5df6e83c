#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| { (bartizan_scan::fuzz::TARGETS[2].run)(bytes); });
