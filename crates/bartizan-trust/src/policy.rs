//! C2SP `tlog-policy`: which witnesses count, in which groups. Specification: `docs/spec/logs.md`, "Policy".

use crate::checkpoint::parse_decimal;
use crate::limits;
use crate::note::{Note, NoteKeyType, VerifierKey};
use crate::statement::LogRule;
use crate::time::UnixSeconds;

/// The name that demands nothing.
const NONE: &str = "none";

/// Not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("log policy line {line}: {problem}")]
pub struct PolicyError {
    /// Line number, from 1; 0 for the whole.
    pub line: usize,
    /// What is wrong.
    pub problem: &'static str,
}

/// The parsed log section of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTrust {
    /// Key of the control log.
    pub control: VerifierKey,
    /// Key of the jobs log.
    pub jobs: VerifierKey,
    /// Witnesses and groups.
    pub policy: Policy,
}

impl LogTrust {
    /// Parses keys and policy. The two logs have different names.
    pub fn parse(rule: &LogRule) -> Result<Self, PolicyError> {
        let log_key = |text| match VerifierKey::parse(text) {
            Ok(key) if key.key_type() == NoteKeyType::Ed25519 => Ok(key),
            _ => Err(PolicyError { line: 0, problem: "a log key is not an Ed25519 verifier key" }),
        };
        let (control, jobs) = (log_key(&rule.control)?, log_key(&rule.jobs)?);
        if control.name() == jobs.name() {
            return Err(PolicyError { line: 0, problem: "the two logs have one name" });
        }
        Ok(Self { control, jobs, policy: Policy::parse(&rule.policy)? })
    }
}

/// Witnesses, groups, quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    witnesses: Vec<(String, VerifierKey)>,
    // INVARIANT: members of a group are witnesses or groups defined before it, so evaluation ends.
    groups: Vec<Group>,
    quorum: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    name: String,
    threshold: usize,
    members: Vec<String>,
}

impl Policy {
    /// Reads the text.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.len() > limits::POLICY_BYTES_MAX {
            return Err(PolicyError { line: 0, problem: "longer than 8 KiB" });
        }
        let mut policy = Self { witnesses: Vec::new(), groups: Vec::new(), quorum: String::new() };
        // Lines end in LF, words are parted by spaces and tabs, and by nothing else.
        for (line, content) in (1..).zip(text.split('\n')) {
            policy.read_line(content).map_err(|problem| PolicyError { line, problem })?;
        }
        if policy.quorum.is_empty() {
            return Err(PolicyError { line: 0, problem: "no `quorum` line" });
        }
        Ok(policy)
    }

    fn read_line(&mut self, line: &str) -> Result<(), &'static str> {
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            _ if !self.quorum.is_empty() => Err("`quorum` is the last line"),
            // The bundle names its logs itself; these lines are for other tools.
            ["log", vkey] | ["log", vkey, _] => {
                VerifierKey::parse(vkey).map(|_| ()).map_err(|_| "not a log key")
            }
            ["witness", name, vkey] | ["witness", name, vkey, _] => self.add_witness(name, vkey),
            ["group", name, threshold, members @ ..] => self.add_group(name, threshold, members),
            ["quorum", name] if self.has_group(name) => {
                self.quorum = String::from(*name);
                Ok(())
            }
            ["quorum", _] => Err("the quorum is neither a witness, a group nor `none`"),
            _ => Err("not a `log`, `witness`, `group` or `quorum` line"),
        }
    }

    fn add_witness(&mut self, name: &str, vkey: &str) -> Result<(), &'static str> {
        let key = VerifierKey::parse(vkey).map_err(|_| "not a witness key")?;
        if key.key_type() != NoteKeyType::CosignatureV1 {
            return Err("a witness key is of type cosignature/v1");
        }
        // One key under two names would be two witnesses.
        if self.witnesses.iter().any(|(_, known)| known.key_bytes() == key.key_bytes()) {
            return Err("a witness key stands twice");
        }
        if self.witnesses.len() >= limits::POLICY_WITNESSES_MAX {
            return Err("more than 64 witnesses");
        }
        self.check_new_name(name)?;
        self.witnesses.push((name.to_owned(), key));
        Ok(())
    }

    fn add_group(
        &mut self,
        name: &str,
        threshold: &str,
        members: &[&str],
    ) -> Result<(), &'static str> {
        self.check_new_name(name)?;
        let distinct = members.iter().enumerate().all(|(at, member)| {
            *member != NONE
                && self.has_group(member)
                && !members.iter().skip(at + 1).any(|other| other == member)
        });
        if members.is_empty() || !distinct {
            return Err("members are witnesses or groups defined before, each once");
        }
        let threshold = match threshold {
            "any" => 1,
            "all" => members.len(),
            number => {
                let number = parse_decimal(number).and_then(|n| usize::try_from(n).ok());
                number.ok_or("the threshold is `any`, `all` or a number")?
            }
        };
        if threshold == 0 || threshold > members.len() {
            return Err("the threshold is at least 1 and at most the number of members");
        }
        if self.groups.len() >= limits::POLICY_GROUPS_MAX {
            return Err("more than 32 groups");
        }
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        self.groups.push(Group { name: name.to_owned(), threshold, members });
        Ok(())
    }

    fn check_new_name(&self, name: &str) -> Result<(), &'static str> {
        if self.has_group(name) { Err("the name stands twice, or is `none`") } else { Ok(()) }
    }

    /// Whether `name` is a witness, a group, or `none`.
    pub fn has_group(&self, name: &str) -> bool {
        name == NONE
            || self.witnesses.iter().any(|(known, _)| known == name)
            || self.groups.iter().any(|group| group.name == name)
    }

    /// Name of the quorum.
    pub fn quorum(&self) -> &str {
        &self.quorum
    }

    /// The witnesses, by name.
    pub fn witnesses(&self) -> impl Iterator<Item = (&str, &VerifierKey)> {
        self.witnesses.iter().map(|(name, key)| (name.as_str(), key))
    }

    /// The latest time T such that the co-signatures made at T or later satisfy `group`;
    /// `None` when all of them together do not. `none` is satisfied at time 0.
    pub fn satisfied_at(&self, group: &str, note: &Note) -> Option<UnixSeconds> {
        self.cosigned(note).satisfied_at(group)
    }

    /// Verifies every co-signature once, for questions about several groups.
    pub fn cosigned(&self, note: &Note) -> Cosigned<'_> {
        let mut times: Vec<(&str, Option<UnixSeconds>)> = self
            .witnesses
            .iter()
            .map(|(name, key)| (name.as_str(), note.cosigned_at(key)))
            .collect();
        // A group is satisfied at the threshold-th largest of its members' times; groups come in
        // the order of their definition, so every member is known by then.
        for group in &self.groups {
            let mut members: Vec<UnixSeconds> = group
                .members
                .iter()
                .filter_map(|member| times.iter().find(|(name, _)| name == member)?.1)
                .collect();
            members.sort_unstable_by(|a, b| b.cmp(a));
            times.push((&group.name, members.get(group.threshold - 1).copied()));
        }
        Cosigned { times, witnesses: self.witnesses.len() }
    }
}

/// What the co-signatures of one note satisfy, by witness and group.
#[derive(Debug, Clone)]
pub struct Cosigned<'p> {
    // INVARIANT: the witnesses come first, in their number, then the groups.
    times: Vec<(&'p str, Option<UnixSeconds>)>,
    witnesses: usize,
}

impl Cosigned<'_> {
    /// See [`Policy::satisfied_at`].
    pub fn satisfied_at(&self, group: &str) -> Option<UnixSeconds> {
        if group == NONE {
            return Some(UnixSeconds::ZERO);
        }
        self.times.iter().find(|(name, _)| *name == group)?.1
    }

    /// The time that `group` proves to somebody whose own clock shows `local`. Where one witness is enough for the group,
    /// that one alone cannot move time beyond the local clock: a second one must have been there by then.
    // SPEC: verification.md "Witness time"
    pub fn time(&self, group: &str, local: UnixSeconds) -> Option<UnixSeconds> {
        let claimed = self.satisfied_at(group)?;
        let mut each: Vec<UnixSeconds> =
            self.times.iter().take(self.witnesses).filter_map(|(_, at)| *at).collect();
        each.sort_unstable_by(|a, b| b.cmp(a));
        let second = each.get(1).copied().unwrap_or(UnixSeconds::ZERO);
        Some(claimed.min(second.max(local.plus(limits::CLOCK_SKEW_S))))
    }
}
