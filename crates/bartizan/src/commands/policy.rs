//! The log policy that the wizard writes: every operator's console is a witness; one suffices for small work, two are
//! needed for more. A spare witness counts for the control log only, so that endpoints can follow it when all consoles
//! are gone.

use anyhow::Result;
use bartizan_trust::policy::Policy;

use crate::exit::{Code, fail};

/// What the spare witness is called.
pub(crate) const SPARE: &str = "spare-witness";

/// A witness: its short name, its verifier key.
pub(crate) type Witness = (String, String);

/// The policy of these people and a spare witness.
pub(crate) fn write(people: &[Witness], spare: Option<&str>) -> String {
    let mut text = String::new();
    for (name, vkey) in people {
        text += &format!("witness {name} {vkey}\n");
    }
    let names: Vec<&str> = people.iter().map(|(name, _)| name.as_str()).collect();
    let all = names.join(" ");
    if let Some(vkey) = spare {
        text += &format!("witness {SPARE} {vkey}\n");
    }
    text += &format!("group any-one any {all}\n");
    if people.len() > 1 {
        text += &format!("group any-two 2 {all}\n");
    }
    match spare {
        Some(_) => text + &format!("group with-spare any {all} {SPARE}\nquorum with-spare\n"),
        None => text + "quorum any-one\n",
    }
}

/// Changes people and spare witness of a policy that this tool wrote. One that was written by hand is left to its author.
pub(crate) fn rewrite(
    policy: &str,
    edit: impl FnOnce(&mut Vec<Witness>, &mut Option<String>),
) -> Result<String> {
    let (mut people, mut spare) = read(policy).ok_or_else(|| {
        let next = "write it by hand too: `bartizan bundle show`, edit, then `bartizan bundle propose`; `operator add --no-witness` leaves it alone";
        fail(Code::Error, "the log policy was written by hand", next)
    })?;
    edit(&mut people, &mut spare);
    if people.is_empty() {
        let next = "add another operator's console first";
        return Err(fail(Code::Error, "no console would be left as a witness", next));
    }
    Ok(write(&people, spare.as_deref()))
}

fn read(text: &str) -> Option<(Vec<Witness>, Option<String>)> {
    let policy = Policy::parse(text).ok()?;
    let mut people: Vec<Witness> =
        policy.witnesses().map(|(name, vkey)| (name.to_owned(), vkey.to_string())).collect();
    let spare = people.iter().position(|(name, _)| name == SPARE);
    let spare = spare.map(|at| people.remove(at).1);
    (write(&people, spare.as_deref()) == text).then_some((people, spare))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bartizan_trust::note::{NoteKeyType, VerifierKey};

    fn vkey(name: &str, byte: u8) -> String {
        VerifierKey::new(name, NoteKeyType::CosignatureV1, [byte; 32]).expect("vkey").to_string()
    }

    #[test]
    fn people_come_and_go_and_a_policy_by_hand_is_left_alone() {
        let alice = ("alice".to_owned(), vkey("a", 7));
        let text = write(core::slice::from_ref(&alice), None);
        assert!(Policy::parse(&text).is_ok() && text.contains("quorum any-one"));
        let two = rewrite(&text, |people, spare| {
            people.push(("bob".to_owned(), vkey("b", 9)));
            *spare = Some(vkey("s", 11));
        })
        .expect("rewritten");
        let policy = Policy::parse(&two).expect("policy");
        assert_eq!(policy.quorum(), "with-spare");
        assert!(policy.has_group("any-two") && two.contains("group any-two 2 alice bob\n"));
        let again = rewrite(&two, |people, spare| {
            people.truncate(1);
            *spare = None;
        });
        assert_eq!(again.expect("rewritten"), text);
        assert!(rewrite(&format!("# by hand\n{text}"), |_, _| {}).is_err());
        assert!(rewrite(&text, |people, _| people.clear()).is_err());
    }
}
