//! A scan in words.

use bartizan_trust::statement::{Job, Look, Scan};

use super::render::{conditions, date, length, why};
use crate::terminal::cell;

/// Everything that is signed: by which rules, where, how hard, and who may read what comes back.
pub(super) fn job(job: &Job, scan: &Scan) -> String {
    let mut text = format!(
        "JOB     {}\nclass   {}\nwhere   {} endpoint(s) of tenant {}\nwhen    until {}\nwhat    SCAN of {}; it reads and changes nothing\n",
        cell(&job.display.title),
        job.class,
        job.targets.count,
        job.tenant.name(),
        date(job.window.exp),
        what(scan),
    );
    text += &why(job);
    text += &conditions(job);
    for pack in &scan.packs {
        let from = match pack.size {
            0 => "built into the scanner".to_owned(),
            size => format!("{size} bytes that come with the job"),
        };
        text += &format!("rules   {}, {from}, body {}\n", cell(&pack.name), pack.body);
    }
    if scan.content.size > 0 {
        text += &format!("content {} bytes, sha256 {}\n", scan.content.size, scan.content.sha256);
    }
    for pattern in &scan.exclude {
        text += &format!("without {}\n", cell(pattern));
    }
    for tool in &scan.expect_tools {
        text += &format!("expects {}\n", cell(tool));
    }
    let rate = scan.io_mb_per_s.map_or_else(String::new, |rate| format!(", {rate} MB/s"));
    text += &format!(
        "limits  {} % of a processor{rate}, {}, {} bytes of result\n",
        scan.cpu_percent,
        length(u64::from(scan.time_budget_s)),
        scan.result_max
    );
    if let Some(evidence) = &scan.evidence {
        text += &format!(
            "EVIDENCE the CONTENTS of files that findings are about leave the endpoints, up to {} bytes from each;\n        whoever holds one of these keys, and nobody else, can read them\n",
            evidence.bytes_max
        );
        for recipient in &evidence.recipients {
            text += &format!("for     {}\n", cell(recipient));
        }
    }
    text
}

fn what(scan: &Scan) -> String {
    match &scan.look {
        Look::Machine {} if scan.processes => {
            "the whole machine and the memory of its processes".to_owned()
        }
        Look::Machine {} => "the whole machine".to_owned(),
        Look::Root { path } => format!("the image or folder {}", cell(path)),
        Look::Logs { path } => format!("the logs in {}", cell(path)),
    }
}
