//! What the filters answer to any call, and what the kernel answers to a process that has entered.

use super::*;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod answers;
mod attempts;

#[test]
fn the_log_names_what_holds_and_what_does_not() {
    let missing = || Landlock::Missing("this kernel has none".to_owned());
    assert_eq!(report(Landlock::Whole, Ok(())), ["sandbox: landlock, seccomp"]);
    let lines = report(missing(), Ok(()));
    assert_eq!(lines.first().map(String::as_str), Some("sandbox: seccomp"));
    assert!(lines.iter().any(|line| line.starts_with("[sandbox.no_landlock] ")), "{lines:?}");
    let lines = report(missing(), Err("refused".to_owned()));
    assert_eq!(lines.first().map(String::as_str), Some("sandbox: none"));
    assert!(lines.iter().any(|line| line.starts_with("[sandbox.no_seccomp] ")), "{lines:?}");
}
