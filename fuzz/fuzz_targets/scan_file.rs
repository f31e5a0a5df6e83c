#![no_main]
static RULES: std::sync::LazyLock<bartizan_scan::rules::Rules> = std::sync::LazyLock::new(bartizan_scan::fuzz::rules);
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| { let _ = bartizan_scan::fuzz::file(&RULES, "Windows/System32/Tasks/x.crt", bytes); });
