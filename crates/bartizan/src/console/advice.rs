//! What a page advises for an error: the same remedy as the command line's, said by what the page has.

/// By stable code: in place of what names a command or an option that the pages have a control for.
const OF_PAGES: &[(&str, &str)] = &[
    ("freeze.unknown", "look at what stands still on the page of freezes"),
    (
        "bundle.anchor_mismatch",
        "compare the anchor in the install command with that in the settings",
    ),
    ("sig.approvals_missing", "have another operator approve it on their page of approvals"),
    ("sig.root_missing", "have more root operators approve it on their pages of approvals"),
    (
        "class.stages",
        "give it stages under How on the run page, or leave them empty for what the class demands",
    ),
    (
        "log.signature",
        "treat the server as compromised: sign nothing, and compare the checkpoints on the log page with those of the other operators",
    ),
    ("stage.soaks", "wait: it starts by itself; a freeze of this job stops it"),
    ("delay.runs", "wait: it starts by itself; a freeze of this job stops it"),
    (
        "stage.not_promoted",
        "it waits for its stage: promote it on the page of the job when the one before went well",
    ),
    (
        "rate.operator",
        "wait, or have other people sign; if these starts were not yours: freeze that person's work",
    ),
    ("order.full", "take back standing orders that nobody needs"),
    ("policy.full", "take back policies that nobody needs"),
    ("enrolment.invalid", "make a new install command: Enrol on the fleet page"),
    ("login.required", "log in: the start page has the button"),
    ("request.id", "open it from its list: the address names nothing that there is"),
    (
        "compose.stages",
        "correct the field Stages: counts, shares and rest, as in canary:3,10%,rest",
    ),
    ("compose.soak", "leave the field Stages empty, or give more than one stage"),
    ("compose.window", "let endpoints that are away run it for longer, or choose a shorter soak"),
    ("log.shrunk", "treat the server as compromised: sign nothing, and tell the other operators"),
    ("log.fork", "treat the server as compromised: sign nothing, and tell the other operators"),
    ("console.no_organisation", "found one or join one: the start page has both ways"),
    ("request.not_found", "look at its list again: it may have gone"),
    ("login.not_an_operator", "log in with a key that the bundle in force names"),
    ("endpoint.offline", "wait until it is connected: its page says when it was heard last"),
    ("query.malformed", "correct the words of the search"),
    ("query.no_field", "take a field that there is"),
    ("query.field_value", "give a value of the field's kind"),
    ("query.no_group", "take a group that there is"),
    ("query.group_in_group", "name the group's own conditions instead"),
    ("field.choices", "name the choices of the field"),
    ("policy.exists", "look at it on the page of policies"),
    ("alert.state", "look at it on the page of alerts: somebody was quicker"),
    ("alert.wishes", "correct what the message names on the page of alerts"),
    (
        "alert.no_channel",
        "take a channel that there is; whoever keeps the server names channels in server.toml",
    ),
    ("job.exists", "look at it on the page of jobs"),
    ("drafts.full", "sign some of what waits on the page of approvals"),
    ("server.no_organisation", "found one in this console, or log in where there is one"),
    // Something did not verify.
    (
        "refused",
        "do not sign it; tell the other operators, and compare the checkpoints on the log page with theirs",
    ),
];

/// For everything else that would send a person to the command line.
const ELSEWHERE: &str = "correct what the message names and try again; the page may be older than what it shows, so reload it first";
/// Commands that the pages have no control for.
const COMMANDS: [&str; 8] = [
    "console",
    "witness",
    "preflight",
    "bundle",
    "recover",
    "update",
    "log mirror",
    "metrics token",
];

/// Options of `bartizan console` itself: they are chosen before there is a page.
const OPTIONS: [&str; 3] = ["key", "home", "port"];

/// What to do, for a page.
pub(super) fn advice(code: &str, next: &str) -> String {
    if !is_of_the_command_line(next) {
        return next.to_owned();
    }
    let known = OF_PAGES.iter().find(|(known, _)| *known == code);
    known.map_or(ELSEWHERE, |(_, advice)| advice).to_owned()
}

/// Whether a text names an option, or a command for which pages have a control of their own.
fn is_of_the_command_line(next: &str) -> bool {
    let option = |word: &str| {
        let word = word.trim_start_matches('`');
        let name = word.strip_prefix("--").unwrap_or_default();
        let name = name.trim_end_matches(|c: char| !c.is_ascii_lowercase());
        name.starts_with(|c: char| c.is_ascii_lowercase()) && !OPTIONS.contains(&name)
    };
    let mut commands = next.split("bartizan ").skip(1);
    next.split_whitespace().any(option)
        || commands.any(|rest| !COMMANDS.iter().any(|known| rest.starts_with(known)))
}

#[cfg(test)]
mod tests {
    use bartizan_trust::refusal::Refusal;

    use super::*;

    /// Where a page's errors come from: this process, what it shares with the command line, and the server.
    const SOURCES: [&str; 6] = [
        "src/console",
        "src/rollout",
        "src/compose.rs",
        "src/founding.rs",
        "src/trust.rs",
        "../bartizan-server/src/planes/operator",
    ];

    #[test]
    fn every_refusal_has_advice_that_a_page_can_follow() {
        for refusal in Refusal::ALL {
            let said = advice(refusal.code(), refusal.advice());
            assert!(!is_of_the_command_line(&said), "{}: {said}", refusal.code());
            assert_ne!(said, ELSEWHERE, "{} wants advice of its own", refusal.code());
        }
    }

    #[test]
    fn what_pages_are_told_names_no_command_that_they_have_a_control_for() {
        for (code, said) in OF_PAGES {
            assert!(!is_of_the_command_line(said), "{code}: {said}");
            assert_eq!(advice(code, "run `bartizan run --stages`"), *said);
        }
        let check =
            |next: &str, expected: &str| assert_eq!(advice("error", next), expected, "{next}");
        check("give a longer --expires", ELSEWHERE);
        check("see `bartizan jobs`", ELSEWHERE);
        check("start the console with `--key FILE`", "start the console with `--key FILE`");
        assert_eq!(
            advice("refused", "look at `bartizan log verify`"),
            OF_PAGES.last().expect("a table").1
        );
        assert_eq!(advice("refused", "compare the words"), "compare the words");
        check(
            "open the link that `bartizan console` prints",
            "open the link that `bartizan console` prints",
        );
        check("a range -- or nothing", "a range -- or nothing");
    }

    /// Codes as they are written where errors are made: `"stage.not_promoted"`.
    fn codes(text: &str, found: &mut std::collections::BTreeMap<String, String>, file: &str) {
        for literal in text.split('"').skip(1).step_by(2) {
            let Some((area, rest)) = literal.split_once('.') else { continue };
            let plain = |part: &str| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
            };
            if plain(area)
                && plain(rest)
                && !matches!(rest, "json" | "rs" | "html" | "toml" | "css" | "js" | "csv" | "sig")
            {
                found.entry(literal.to_owned()).or_insert_with(|| file.to_owned());
            }
        }
    }

    fn files(folder: &std::path::Path, each: &mut impl FnMut(&std::path::Path)) {
        if folder.is_file() {
            return each(folder);
        }
        for entry in std::fs::read_dir(folder).expect("a folder of the tree") {
            files(&entry.expect("an entry").path(), each);
        }
    }

    /// The text that stands next to a code is its remedy; where that is of the command line, the table has to have the code.
    #[test]
    fn every_code_whose_remedy_is_a_command_is_in_the_table() {
        let (mut found, mut missing) = (0, Vec::new());
        for source in SOURCES {
            files(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(source), &mut |file| {
                let text = std::fs::read_to_string(file).expect("a source");
                let shipped = text.split("#[cfg(test)]").next().unwrap_or_default();
                for statement in shipped.split(';') {
                    let mut coded = std::collections::BTreeMap::new();
                    codes(statement, &mut coded, &file.display().to_string());
                    found += coded.len();
                    let command =
                        statement.split('"').skip(1).step_by(2).any(is_of_the_command_line);
                    let known = |code: &str| OF_PAGES.iter().any(|(known, _)| *known == code);
                    missing.extend(coded.into_iter().filter(|(code, _)| command && !known(code)));
                }
            });
        }
        assert!(found > 30, "{found} codes were seen");
        assert_eq!(missing, Vec::new(), "codes whose remedy is a command or an option");
    }
}
