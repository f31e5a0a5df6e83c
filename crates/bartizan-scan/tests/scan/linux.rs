//! Facts of Linux programs: what is suspicious in one place is ordinary in another.
#![cfg(unix)]

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;

use bartizan_scan::self_test::{Elf, elf};

use crate::tree::{Tree, ids, packed, plain};

fn found(path: &str, program: &[u8], mode: u32) -> Vec<String> {
    let tree = Tree::new();
    tree.add(path, program);
    set_permissions(tree.root().join(path), Permissions::from_mode(mode)).unwrap();
    ids(&tree.scan(&[]))
}

#[test]
fn what_a_program_is_counts_with_where_it_lies() {
    let (packed, plain) = (packed(), plain());
    let normal = Some("/lib64/ld-linux-x86-64.so.2");
    let with = |code, interpreter| elf(&Elf { code, interpreter, ..Elf::default() });
    for (path, program, mode, expected) in [
        ("tmp/update", with(&packed, None), 0o755, "execution.packed-temporary"),
        ("tmp/update", with(&plain, None), 0o755, ""),
        ("usr/local/bin/tool", with(&packed, None), 0o755, ""),
        ("var/tmp/sh", with(&plain, normal), 0o4755, "privilege.setuid-temporary"),
        ("var/tmp/sh", with(&plain, normal), 0o2755, "privilege.setuid-temporary"),
        ("var/tmp/sh", with(&plain, normal), 0o755, ""),
        ("usr/bin/passwd", with(&plain, normal), 0o4755, ""),
        ("usr/bin/tool", with(&plain, Some("/tmp/ld.so")), 0o755, "persistence.loader"),
        ("usr/bin/tool", with(&plain, Some("/home/linuxbrew/.linuxbrew/lib/ld.so")), 0o755, ""),
    ] {
        let expected: Vec<&str> = [expected].into_iter().filter(|id| !id.is_empty()).collect();
        assert_eq!(found(path, &program, mode), expected, "{path} {mode:o}");
    }
}

/// The rules are not put before programs and archives; before a picture they must be.
#[test]
fn code_for_a_web_server_is_found_behind_the_beginning_of_a_picture() {
    let code = b"GIF89a\x01\x00\x00\x00<?php system($_GET['c']); ?>";
    assert_eq!(found("var/www/html/a.gif", code, 0o644), ["web.shell.Php_Runs_Request"]);
}

/// The compiler's own output, and not only what this crate writes.
#[cfg(target_os = "linux")]
#[test]
fn this_test_is_a_program_that_something_loads() {
    let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let facts =
        bartizan_scan::file::elf::facts(&bytes, u64::try_from(bytes.len()).unwrap()).unwrap();
    assert!(facts.interpreter.is_some_and(|path| path.contains("ld-")));
    assert_eq!((facts.is_stripped, facts.overlay, facts.soname), (Some(false), Some(0), None));
    assert!(!facts.is_static);
}
