//! Sigma and YARA sources: each is taken whole or not at all.

use super::{Imported, Rule, SigmaRule, YaraRule};
use crate::limits;
use crate::model::{Confidence, Level};
use crate::pack::Pack;
use crate::sigma::Sigma;

/// Takes Sigma sources in: path and text of each. A correlation that names rules of another source needs them in one source;
/// sources are compiled one by one.
pub fn sigma<'a>(sources: impl IntoIterator<Item = (&'a str, &'a str)>) -> Imported {
    let mut imported = Imported::default();
    for (name, source) in sources {
        let rule = SigmaRule { source: source.to_owned(), origin: name.to_owned() };
        let alone = Pack { sigma: vec![rule.clone()], ..Pack::default() };
        let loads = Sigma::new([&alone]).loads;
        match loads.into_iter().flat_map(|load| load.not_understood).next() {
            None => imported.pack.sigma.push(rule),
            Some((_, why)) => imported.reject(name, why),
        }
    }
    imported
}

/// Takes YARA sources in: path and text of each. Sources that use modules or includes that are not there are rejected by name.
pub fn yara<'a>(sources: impl IntoIterator<Item = (&'a str, &'a str)>) -> Imported {
    let mut imported = Imported::default();
    for (name, source) in sources {
        if source.len() > limits::RULE_SOURCE_BYTES_MAX {
            imported.reject(name, "longer than a source may be");
            continue;
        }
        let mut compiler = crate::rules::yara_compiler();
        if let Err(error) = compiler.add_rules_str(source) {
            imported.reject(name, error.to_string());
            continue;
        }
        let count = compiler.finalize().rules().count();
        let Ok(rules) = u32::try_from(count) else { continue };
        imported.pack.yara.push(YaraRule {
            rule: Rule {
                id: format!("yara.{}", super::slug(name)),
                reason: "an imported YARA rule matches".to_owned(),
                level: Level::Suspicious,
                confidence: Confidence::Medium,
                stage: None,
                source: name.to_owned(),
                advice:
                    "read the rule's own description, and compare the file with a known good copy"
                        .to_owned(),
            },
            source: source.to_owned(),
            rules,
        });
    }
    imported
}
