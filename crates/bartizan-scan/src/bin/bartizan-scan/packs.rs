//! Loads packs, and believes only those it was told to.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use bartizan_scan::logs::WebLogs;
use bartizan_scan::model::PackCoverage;
use bartizan_scan::pack::{Pack, body_digest, decode_body, encode_body, join_pack, split_pack};
use bartizan_scan::rules::{self, Rules};
use bartizan_scan::sigma::{Sigma, SigmaLoad};
use bartizan_scan::{builtin, limits, self_test};
use serde_json::json;

use crate::arguments::PackArguments;
use crate::output;
use crate::signature;

/// Rules, what is known of their packs, and what went wrong with single rules.
pub(crate) struct Loaded {
    pub(crate) rules: Rules,
    pub(crate) sigma: Sigma,
    pub(crate) packs: Vec<Pack>,
    pub(crate) coverage: Vec<PackCoverage>,
    pub(crate) problems: Vec<String>,
}

/// Loads everything that the command line names.
pub(crate) fn load(arguments: &PackArguments) -> Result<Loaded> {
    let (packs, trust) = read(arguments)?;
    Ok(assemble(packs, trust))
}

/// Makes the rules of packs ready, each with what is known of who vouches for it.
pub(crate) fn assemble(packs: Vec<Pack>, trust: Vec<String>) -> Loaded {
    let (rules, loaded) = rules::compile(&packs);
    let sigma = Sigma::new(&packs);
    let mut problems = Vec::new();
    let mut coverage = Vec::new();
    for ((pack, trust), (loaded, load)) in
        packs.iter().zip(trust).zip(loaded.into_iter().zip(&sigma.loads))
    {
        let (in_logs, more) = log_rules(pack, load);
        let here = loaded.problems.into_iter().chain(more);
        problems.extend(here.map(|problem| format!("{}: {problem}", pack.name)));
        coverage.push(PackCoverage {
            name: pack.name.clone(),
            version: pack.version.clone(),
            made: pack.made,
            trust,
            expected: pack.expected(),
            loaded: loaded.rules.saturating_add(in_logs),
        });
    }
    Loaded { rules, sigma, packs, coverage, problems }
}

/// What in a pack cannot be used.
pub(crate) fn unusable(pack: &Pack) -> Vec<String> {
    let (_, loaded) = rules::compile(std::slice::from_ref(pack));
    let loads = Sigma::new([pack]).loads;
    let in_logs = loads.iter().flat_map(|load| log_rules(pack, load).1);
    loaded.into_iter().flat_map(|loaded| loaded.problems).chain(in_logs).collect()
}

/// Rules about logs that are in force, and what is wrong with the others.
fn log_rules(pack: &Pack, sigma: &SigmaLoad) -> (u64, Vec<String>) {
    let (web, mut problems) = WebLogs::new(&[pack], None);
    let unusable = sigma.not_understood.iter();
    problems.extend(unusable.map(|(which, why)| format!("{which}: {why}")));
    let in_force = u64::try_from(web.rules()).unwrap_or(u64::MAX);
    (in_force.saturating_add(sigma.loaded), problems)
}

fn read(arguments: &PackArguments) -> Result<(Vec<Pack>, Vec<String>)> {
    let mut packs = Vec::new();
    let mut trust = Vec::new();
    for pack in builtin::packs().context("decode the built-in packs: this program is damaged")? {
        // Without the rules of the self-test nothing could be tested.
        if arguments.no_builtin && pack.name != builtin::SELF_TEST {
            continue;
        }
        packs.push(pack);
        trust.push("built in".to_owned());
    }
    let keys = arguments.keys.as_deref().map(signature::read_keys).transpose()?.unwrap_or_default();
    for file in &arguments.packs {
        let name = file.display();
        let bytes = read_bounded(file)?;
        let parts = split_pack(&bytes).with_context(|| format!("read the pack {name}"))?;
        let signer = signature::signer(&parts, &keys);
        let by = match (signer, arguments.danger_unsigned) {
            (Ok(by), _) => format!("signed by {by}"),
            (Err(_), true) => "unsigned".to_owned(),
            (Err(error), false) => {
                bail!(
                    "the pack {name} is not used: {error:#}; have it signed with `bartizan pack sign` by a key that \
                     --pack-keys names, or look at it yourself and give --danger-unsigned"
                );
            }
        };
        let pack = decode_body(parts.body).with_context(|| format!("decode the pack {name}"))?;
        if packs.iter().any(|known: &Pack| known.name == pack.name) {
            bail!("two packs are named `{}`: give one of them only", pack.name);
        }
        packs.push(pack);
        trust.push(by);
    }
    Ok((packs, trust))
}

fn read_bounded(file: &Path) -> Result<Vec<u8>> {
    let size = fs::metadata(file).with_context(|| format!("read {}", file.display()))?.len();
    if usize::try_from(size).map_or(true, |size| size > limits::PACK_BYTES_MAX) {
        bail!("{} is above the size limit of packs", file.display());
    }
    fs::read(file).with_context(|| format!("read {}", file.display()))
}

/// `pack build`
pub(crate) fn build(source: &Path, output: &Path, org: Option<&str>) -> Result<u8> {
    let text = fs::read(source).with_context(|| format!("read {}", source.display()))?;
    let pack = Pack::parse(&text).with_context(|| format!("read {}", source.display()))?;
    let problems = unusable(&pack);
    if !problems.is_empty() {
        bail!("rules that cannot be used: {}; correct them and build again", problems.join("; "));
    }
    let body = encode_body(&pack).context("encode the pack")?;
    let envelope = match org {
        Some(org) => signature::unsigned(&pack, &body, org)?,
        None => Vec::new(),
    };
    fs::write(output, join_pack(&envelope, &body))
        .with_context(|| format!("write {}", output.display()))?;
    output::line(&format!(
        "{}: {} rules and digests, body {}; not signed yet: {}",
        pack.name,
        pack.expected(),
        body_digest(&body),
        match org {
            Some(_) => format!("bartizan pack sign {}", output.display()),
            None => "build it with --org to have it signed".to_owned(),
        }
    ))?;
    Ok(0)
}

/// `pack show`
pub(crate) fn show(arguments: &PackArguments) -> Result<u8> {
    let (packs, trust) = read(arguments)?;
    for (pack, trust) in packs.iter().zip(trust) {
        if arguments.json {
            output::line(&json!({ "trust": trust, "pack": pack }).to_string())?;
            continue;
        }
        output::line(&format!(
            "{} {} of {} ({trust}): {}\n  {} rules, {} digests",
            pack.name,
            pack.version,
            pack.made.day(),
            pack.title,
            pack.rule_count(),
            pack.digest_count()
        ))?;
    }
    Ok(0)
}

/// `self-test`
pub(crate) fn self_test(arguments: &PackArguments) -> Result<u8> {
    let mut loaded = load(arguments)?;
    let triggers = self_test::run(&loaded.rules, &loaded.packs, &mut loaded.sigma);
    let all = triggers.iter().all(|trigger| trigger.found) && loaded.problems.is_empty();
    if arguments.json {
        let list: Vec<_> =
            triggers.iter().map(|t| json!({ "name": t.name, "found": t.found })).collect();
        output::line(
            &json!({ "works": all, "triggers": list, "problems": loaded.problems }).to_string(),
        )?;
    } else {
        for trigger in &triggers {
            let word = if trigger.found { "found" } else { "NOT FOUND" };
            output::line(&format!("{}: {word}", trigger.name))?;
        }
        for problem in &loaded.problems {
            output::line(&format!("a rule that is not in force: {problem}"))?;
        }
        output::line(if all {
            "the scanner works"
        } else {
            "the scanner does not work: do not rely on it; get the program and the packs again"
        })?;
    }
    Ok(if all { 0 } else { crate::FAILED })
}
