//! Links that open a page once, and the pages that are logged in. Only hashes are kept, so that a look-up tells nothing by its
//! time, and nothing is written to disk.

use std::collections::VecDeque;
use std::time::Instant;

use anyhow::{Result, anyhow};
use bartizan_trust::id::Sha256;
use data_encoding::BASE64URL_NOPAD;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::limits::{LAUNCH_LIFE, LAUNCHES_MAX, PAGE_LIFE, PAGES_MAX};

/// 256 random bits as text.
pub(super) fn token() -> Result<String> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| anyhow!("no randomness"))?;
    Ok(BASE64URL_NOPAD.encode(&bytes))
}

/// What a token is remembered by.
pub(super) fn mark(token: &str) -> Sha256 {
    Sha256::of(token.as_bytes())
}

/// Launch tokens and bearer tokens.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    launches: VecDeque<(Sha256, Instant)>,
    pages: VecDeque<(Sha256, Instant)>,
}

impl Sessions {
    /// A token for a link, good once.
    pub(super) fn launch(&mut self, now: Instant) -> Result<String> {
        let token = token()?;
        self.launches.push_back((mark(&token), now + LAUNCH_LIFE));
        while self.launches.len() > LAUNCHES_MAX {
            self.launches.pop_front();
        }
        Ok(token)
    }

    /// Exchanges it for the token of a page.
    pub(super) fn open(&mut self, launch: &str, now: Instant) -> Result<Option<String>> {
        let wanted = mark(launch);
        let Some(at) = self.launches.iter().position(|(known, _)| *known == wanted) else {
            return Ok(None);
        };
        let good = self.launches.remove(at).is_some_and(|(_, until)| now < until);
        if !good {
            return Ok(None);
        }
        let token = token()?;
        self.pages.push_back((mark(&token), now + PAGE_LIFE));
        while self.pages.len() > PAGES_MAX {
            self.pages.pop_front();
        }
        Ok(Some(token))
    }

    /// Whether a page is logged in.
    pub(super) fn knows(&self, token: &str, now: Instant) -> bool {
        let wanted = mark(token);
        self.pages.iter().any(|(known, until)| *known == wanted && now < *until)
    }

    /// Ends a page's session.
    pub(super) fn close(&mut self, token: &str) {
        let wanted = mark(token);
        self.pages.retain(|(known, _)| *known != wanted);
    }

    /// Pages that are logged in.
    pub(super) fn count(&self, now: Instant) -> usize {
        self.pages.iter().filter(|(_, until)| now < *until).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_link_opens_one_page_and_no_second() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        let link = sessions.launch(now).expect("link");
        assert_eq!(sessions.open("guessed", now).expect("no"), None);
        let page = sessions.open(&link, now).expect("answer").expect("page");
        assert_eq!(sessions.open(&link, now).expect("no"), None, "replayed");
        assert!(sessions.knows(&page, now) && !sessions.knows(&link, now));
        sessions.close(&page);
        assert!(!sessions.knows(&page, now));
    }

    #[test]
    fn links_and_pages_end_by_themselves() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        let link = sessions.launch(now).expect("link");
        assert_eq!(sessions.open(&link, now + LAUNCH_LIFE).expect("no"), None);
        let link = sessions.launch(now).expect("link");
        let second = Duration::from_secs(1);
        let last = now + LAUNCH_LIFE.saturating_sub(second);
        let page = sessions.open(&link, last).expect("answer").expect("page");
        assert!(sessions.knows(&page, last + PAGE_LIFE.saturating_sub(second)));
        assert!(!sessions.knows(&page, last + PAGE_LIFE));
    }

    #[test]
    fn the_oldest_pages_and_links_leave_first() {
        let (mut sessions, now) = (Sessions::default(), Instant::now());
        let mut pages = Vec::new();
        for _ in 0..=PAGES_MAX {
            let link = sessions.launch(now).expect("link");
            pages.push(sessions.open(&link, now).expect("answer").expect("page"));
        }
        assert!(!sessions.knows(&pages[0], now));
        assert!(pages[1..].iter().all(|page| sessions.knows(page, now)));
        assert_eq!(sessions.count(now), PAGES_MAX);
        let first = sessions.launch(now).expect("link");
        for _ in 0..LAUNCHES_MAX {
            sessions.launch(now).expect("link");
        }
        assert_eq!(sessions.open(&first, now).expect("no"), None);
    }
}
