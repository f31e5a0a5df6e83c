//! How long the bundle lasts: said in time, because an expired one runs nothing until people have renewed it.

use anyhow::Result;
use bartizan_trust::statement::Bundle;
use bartizan_trust::time::UnixSeconds;
use serde::{Deserialize, Serialize};

use crate::home::{Home, now};
use crate::sign::render::date;

/// From here on, `status`, `org` and every connection warn.
const WARN_S: u64 = 60 * 24 * 3600;
const FILE: &str = "bundle-seen.json";

/// What is remembered for commands that ask no server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    version: u64,
    expires: UnixSeconds,
}

/// Remembers the end of the bundle in force.
pub(crate) fn remember(home: &Home, bundle: &Bundle) -> Result<()> {
    let seen = Seen { version: bundle.version, expires: bundle.expires };
    if home.load(FILE)? == Some(seen.clone()) {
        return Ok(());
    }
    home.save(FILE, &seen)
}

/// A warning, if the bundle this console has last seen is about to end or has ended.
pub(crate) fn warning(home: &Home) -> Result<Option<String>> {
    Ok(home.load::<Seen>(FILE)?.and_then(|seen| judge(&seen, now())))
}

fn judge(seen: &Seen, now: UnixSeconds) -> Option<String> {
    let version = seen.version;
    let next = "two operators renew it: `bartizan bundle renew`, then `bartizan approve`";
    if now >= seen.expires {
        return Some(format!(
            "WARNING: bundle version {version} has expired; endpoints start nothing until it is renewed. {next}"
        ));
    }
    (seen.expires.since(now) <= WARN_S).then(|| {
        format!(
            "WARNING: bundle version {version} expires {}. A renewal waits a day. {next}",
            date(seen.expires)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_warns_from_sixty_days_before_the_end_on() {
        let now = now();
        let warns = |expires| judge(&Seen { version: 3, expires }, now);
        assert_eq!(warns(now.plus(WARN_S + 1)), None);
        assert!(warns(now.plus(WARN_S)).is_some_and(|text| text.contains("bundle renew")));
        assert!(warns(now).is_some_and(|text| text.contains("has expired")));
    }
}
