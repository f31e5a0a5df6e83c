//! The library of scripts, and what the jobs log says about each version.

use std::collections::BTreeMap;

use anyhow::Result;
use bartizan_trust::id::Sha256;
use bartizan_trust::statement::Interpreter;

use super::{bounded, difference, word};
use crate::commands::Console;
use crate::console::desk::Desk;
use crate::console::failure::problem;
use crate::console::shapes::{
    LibraryScript, RefusedFile, ScriptAbout, ScriptFiles, ScriptLanguage, ScriptLibrary,
    ScriptParameter, ScriptReview, ScriptToKeep, ScriptVersion, ScriptsImported, VersionText,
};
use crate::exit::{Code, fail};
use crate::home::now;
use crate::journal::{self, Did};
use crate::library::folder::{self, Loose};
use crate::library::{About, Kept, Library, Parameter, unknown};
use crate::reviews::Review;

/// Reviews of one version that are shown: the newest.
const REVIEWS_MAX: usize = 20;

/// All scripts.
pub(crate) fn list(desk: &Desk) -> Result<ScriptLibrary> {
    let scripts = Library::new(&desk.context.home).list()?;
    let known = desk.console().and_then(|console| {
        let reviews = desk.logs.reviews(&console)?;
        Ok(by_text(&console, &reviews))
    });
    let (reviews, unknown) = match known {
        Ok(reviews) => (reviews, None),
        Err(error) => (BTreeMap::new(), Some(problem(&error))),
    };
    let scripts = scripts.into_iter().map(|kept| script(kept, &reviews)).collect();
    Ok(ScriptLibrary { scripts, unknown })
}

type Reviews = BTreeMap<Sha256, Vec<ScriptReview>>;

fn by_text(console: &Console, reviews: &[Review]) -> Reviews {
    let mut found: Reviews = BTreeMap::new();
    for one in reviews {
        let of_text = found.entry(one.script.content.sha256).or_default();
        if of_text.len() < REVIEWS_MAX {
            of_text.push(review(console, one));
        }
    }
    found
}

pub(super) fn review(console: &Console, review: &Review) -> ScriptReview {
    let script = &review.script;
    ScriptReview {
        job: review.id.to_string(),
        log_index: review.index,
        title: bounded(&review.job.display.title),
        at: review.job.iat.get(),
        people: review.people.iter().map(|id| super::name_of(console, id)).collect(),
        interpreter: word(&script.interpreter),
        args: script.args.clone(),
        env: script.env.iter().map(|var| format!("{}={}", var.name, var.value)).collect(),
        run_as: script.run_as.clone(),
        destructive: script.destructive,
    }
}

fn script(kept: Kept, reviews: &Reviews) -> LibraryScript {
    let versions = kept.versions.iter().map(|version| ScriptVersion {
        sha256: version.sha256.to_string(),
        size: version.size,
        at: version.at.get(),
        reviews: reviews.get(&version.sha256).cloned().unwrap_or_default(),
    });
    let versions = versions.collect();
    let about = kept.about;
    let parameters = about.parameters.into_iter().map(|one| ScriptParameter {
        name: one.name,
        about: one.about,
        value: one.value,
    });
    let about = ScriptAbout {
        name: kept.name,
        title: about.title,
        description: about.description,
        interpreter: match about.interpreter {
            Interpreter::Bash => ScriptLanguage::Bash,
            Interpreter::Sh => ScriptLanguage::Sh,
            Interpreter::Python3 => ScriptLanguage::Python3,
        },
        timeout_s: about.timeout_s,
        destructive: about.destructive,
        run_as: about.run_as,
        parameters: parameters.collect(),
    };
    LibraryScript { about, versions }
}

/// Keeps a script.
pub(crate) fn keep(desk: &Desk, request: &ScriptToKeep) -> Result<ScriptLibrary> {
    let about = &request.about;
    let parameters = about.parameters.iter().map(|one| Parameter {
        name: one.name.trim().to_owned(),
        about: one.about.clone(),
        value: one.value.clone(),
    });
    let kept = About {
        title: about.title.trim().to_owned(),
        description: about.description.trim().to_owned(),
        interpreter: about.interpreter.into(),
        timeout_s: about.timeout_s,
        destructive: about.destructive,
        run_as: about.run_as.clone().filter(|user| !user.is_empty()),
        parameters: parameters.collect(),
    };
    Library::new(&desk.context.home).keep(&about.name, kept, &request.text, now())?;
    changed(desk, &format!("kept {}", about.name))?;
    list(desk)
}

/// Forgets one.
pub(crate) fn forget(desk: &Desk, name: &str) -> Result<ScriptLibrary> {
    Library::new(&desk.context.home).forget(name)?;
    changed(desk, &format!("forgot {name}"))?;
    list(desk)
}

fn changed(desk: &Desk, about: &str) -> Result<()> {
    journal::note(&desk.context.home, Did::Scripts, about, None)
}

/// Takes files in.
pub(crate) fn import(desk: &Desk, request: ScriptFiles) -> Result<ScriptsImported> {
    let files = request.files.into_iter().map(|file| Loose { name: file.name, text: file.text });
    let files: Vec<Loose> = files.collect();
    let done = folder::import(&Library::new(&desk.context.home), &files, now());
    changed(desk, &format!("took in {} new, {} changed", done.new.len(), done.changed.len()))?;
    let refused = done.refused.into_iter();
    Ok(ScriptsImported {
        new: done.new,
        changed: done.changed,
        same: done.same,
        refused: refused
            .map(|(name, reason)| RefusedFile { name: bounded(&name), reason })
            .collect(),
    })
}

/// One text.
pub(crate) fn version(
    desk: &Desk,
    name: &str,
    sha256: &str,
    since: Option<&str>,
) -> Result<VersionText> {
    let library = Library::new(&desk.context.home);
    let kept = library.find(name)?.ok_or_else(|| unknown(name))?;
    let known = |text: &str| {
        let found = kept.versions.iter().find(|version| version.sha256.to_string() == text);
        found.ok_or_else(|| fail(Code::Usage, "there is no such version", "choose one of the list"))
    };
    let text = library.text(name, &known(sha256)?.sha256)?;
    let difference = match since.filter(|since| !since.is_empty()) {
        Some(since) => {
            let before = known(since)?;
            let old = library.text(name, &before.sha256)?;
            Some(difference::lines(since.to_owned(), before.at, &old, &text))
        }
        None => None,
    };
    Ok(VersionText { sha256: sha256.to_owned(), text, difference })
}
