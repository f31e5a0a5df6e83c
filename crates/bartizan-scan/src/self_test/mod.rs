//! The self-test: harmless triggers, one for each way of finding something. A scanner that would find nothing says so.

mod elf;
mod event_log;
mod hive;
mod logs;

pub use elf::{Elf, elf};
pub use event_log::{Written, event_log};
pub use hive::hive;

use data_encoding::BASE64;

use crate::batch::Batch;
use crate::builtin::SELF_TEST;
use crate::command;
use crate::digest::Digests;
use crate::evidence::{FileEvidence, Output};
use crate::file::{self, structure};
use crate::model::{Evidence, Finding};
use crate::pack::Pack;
use crate::process::{self, ProcessEvidence};
use crate::rules::Rules;
use crate::sigma::Sigma;

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

/// Puts every trigger before the rules. The rules of the pack `self-test` must be among them. What the triggers leave in
/// `sigma` is taken out again.
pub fn run(rules: &Rules, packs: &[Pack], sigma: &mut Sigma) -> Vec<Trigger> {
    let mut triggers = files(rules);
    triggers.push(Trigger { name: "encrypted files together", found: finds_batch(rules) });
    let mut output = Output::default();
    command::examine(rules, TRIGGER, &Evidence::at("self-test"), &mut output);
    triggers.push(Trigger { name: "command", found: has(&output.findings, "command") });
    let mut output = Output::default();
    process::examine_memory(rules, &ProcessEvidence::default(), TRIGGER.as_bytes(), &mut output);
    triggers.push(Trigger { name: "memory", found: has(&output.findings, "memory") });
    triggers.extend(logs::run(rules, packs, sigma));
    triggers
}

fn files(rules: &Rules) -> Vec<Trigger> {
    let text = format!("{TRIGGER}\n");
    let program = [b"MZ".as_slice(), &[0; 200], TRIGGER.as_bytes()].concat();
    let encoded = BASE64.encode(&program);
    let values = [("trigger", TRIGGER)];
    let software = hive(&[("BartizanSelfTest", &values)]);
    let task = format!(
        "<Task><Actions><Exec><Command>x</Command><Arguments>{TRIGGER}</Arguments></Exec></Actions></Task>"
    );
    let tar = tar_of("bartizan-self-test/member.txt", text.as_bytes());
    let code = random(8192);
    let packed = elf(&Elf { code: &code, ..Elf::default() });
    let footer = structure::footer(&random(32));
    let trigger = |name: &'static str, path: &str, bytes: &[u8], rule: &str| Trigger {
        name,
        found: has(&examine(rules, path, bytes).findings, rule),
    };
    vec![
        trigger("digest", "bartizan-self-test/digest.txt", text.as_bytes(), "digest"),
        trigger("path", "Bartizan-SELF-test/Path.TXT", b"x", "path"),
        trigger("yara", "bartizan-self-test/yara.txt", text.as_bytes(), "yara"),
        trigger("base64", "bartizan-self-test/program.crt", encoded.as_bytes(), "base64"),
        trigger("archive", "bartizan-self-test/archive.tar", &tar, "member"),
        trigger("structure", "bartizan-self-test/footer.bin", &footer, "footer"),
        trigger("facts of a program", "bartizan-self-test/packed", &packed, "facts"),
        trigger("registry", "Windows/System32/config/SOFTWARE", &software, "registry"),
        trigger("scheduled task", "Windows/System32/Tasks/self-test", task.as_bytes(), "command"),
    ]
}

/// Files with one unknown ending and random content, and the note that names it.
fn finds_batch(rules: &Rules) -> bool {
    let content = [&[0, 1], random(2048).as_slice()].concat();
    let mut batch = Batch::default();
    let names = (0..8).map(|number| format!("bartizan-self-test/{number}.txt.7d1fx"));
    for path in names {
        examine(rules, &path, &content).batch.into_iter().for_each(|trace| batch.add(trace));
    }
    let note = examine(rules, "bartizan-self-test/7d1fx-readme.txt", TRIGGER.as_bytes());
    note.batch.into_iter().for_each(|trace| batch.add(trace));
    let mut output = Output::default();
    batch.finish(rules, &mut output);
    has(&output.findings, "batch")
}

/// Bytes that look random and are the same every time.
fn random(length: usize) -> Vec<u8> {
    let mut state = 0x7d1f_7d1f_7d1f_7d1f_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let [_, _, _, byte, ..] = state.to_le_bytes();
        byte
    };
    (0..length).map(|_| next()).collect()
}

fn examine(rules: &Rules, path: &str, bytes: &[u8]) -> Output {
    let file = FileEvidence {
        place: path,
        path,
        size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        modified: None,
        created: None,
        mode: None,
        is_deleted: false,
        head: bytes,
        tail: &[],
        logs: &[],
        digests: Some(Digests::of(bytes, rules.wanted())),
    };
    let mut output = Output::default();
    file::examine(rules, &file, &mut output);
    output
}

/// Whether a rule of the self-test is among the findings; those of YARA go on with the name of the rule.
fn has(findings: &[Finding], rule: &str) -> bool {
    findings.iter().any(|finding| {
        let rest = finding.rule.id.strip_prefix(rule);
        finding.pack == SELF_TEST
            && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
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
