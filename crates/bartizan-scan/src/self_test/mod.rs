//! The self-test: harmless triggers, one for each way of finding something. A scanner that would find nothing says so.

mod hive;

pub use hive::hive;

use data_encoding::BASE64;

use crate::builtin::SELF_TEST;
use crate::command;
use crate::digest::Digests;
use crate::evidence::{FileEvidence, Output};
use crate::file;
use crate::model::Evidence;
use crate::rules::Rules;

/// Text that has no meaning but in the rules of the self-test.
const TRIGGER: &str = "bartizan-scan harmless self-test trigger 7d1f";

/// One way of finding something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// What is tried.
    pub name: &'static str,
    /// It was found.
    pub found: bool,
}

/// Puts every trigger before the rules. The rules of the pack `self-test` must be among them.
pub fn run(rules: &Rules) -> Vec<Trigger> {
    let text = format!("{TRIGGER}\n");
    let program = [b"MZ".as_slice(), &[0; 200], TRIGGER.as_bytes()].concat();
    let encoded = BASE64.encode(&program);
    let values = [("trigger", TRIGGER)];
    let software = hive(&[("BartizanSelfTest", &values)]);
    let task = format!(
        "<Task><Actions><Exec><Command>x</Command><Arguments>{TRIGGER}</Arguments></Exec></Actions></Task>"
    );
    let tar = tar_of("bartizan-self-test/member.txt", text.as_bytes());
    let by_file = |name: &'static str, path: &str, bytes: &[u8], rule: &str| Trigger {
        name,
        found: finds(rules, path, bytes, rule),
    };
    let mut command_output = Output::default();
    command::examine(rules, TRIGGER, &Evidence::at("self-test"), &mut command_output);
    vec![
        by_file("digest", "bartizan-self-test/digest.txt", text.as_bytes(), "digest"),
        by_file("path", "Bartizan-SELF-test/Path.TXT", b"x", "path"),
        by_file("yara", "bartizan-self-test/yara.txt", text.as_bytes(), "yara"),
        by_file("base64", "bartizan-self-test/program.crt", encoded.as_bytes(), "base64"),
        by_file("archive", "bartizan-self-test/archive.tar", &tar, "member"),
        by_file("registry", "Windows/System32/config/SOFTWARE", &software, "registry"),
        by_file("scheduled task", "Windows/System32/Tasks/self-test", task.as_bytes(), "command"),
        Trigger { name: "command", found: has(&command_output, "command") },
    ]
}

fn finds(rules: &Rules, path: &str, bytes: &[u8], rule: &str) -> bool {
    let file = FileEvidence {
        place: path,
        path,
        size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        modified: None,
        created: None,
        head: bytes,
        tail: &[],
        digests: Some(Digests::of(bytes, rules.wanted())),
    };
    let mut output = Output::default();
    file::examine(rules, &file, &mut output);
    has(&output, rule)
}

fn has(output: &Output, rule: &str) -> bool {
    output
        .findings
        .iter()
        .any(|finding| finding.pack == SELF_TEST && finding.rule.id.split('.').next() == Some(rule))
}

/// A tar archive with one member.
fn tar_of(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut tar = vec![0_u8; 512];
    let mut put = |at: usize, text: &[u8]| {
        for (to, from) in tar.iter_mut().skip(at).zip(text) {
            *to = *from;
        }
    };
    put(0, name.as_bytes());
    put(124, format!("{:011o}", bytes.len()).as_bytes());
    put(156, b"0");
    put(257, b"ustar\0");
    tar.extend_from_slice(bytes);
    tar.resize(tar.len().div_ceil(512) * 512 + 1024, 0);
    tar
}
