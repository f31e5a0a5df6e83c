//! Saved lists of endpoints, in the operator's own directory.

use anyhow::Result;
use bartizan_trust::statement::is_plain_char;

use crate::console::desk::Desk;
use crate::console::limits::{VIEW_NAME_CHARS_MAX, VIEWS_MAX};
use crate::console::shapes::{SavedView, SavedViews};
use crate::exit::{Code, fail};
use crate::home::Home;

const FILE: &str = "views.json";
const LOCK: &str = "views.lock";

/// All of them.
pub(crate) fn list(desk: &Desk) -> Result<SavedViews> {
    load(&desk.context.home)
}

fn load(home: &Home) -> Result<SavedViews> {
    Ok(home.load(FILE)?.unwrap_or_default())
}

/// Keeps one; one of the same name is replaced.
pub(crate) fn keep(desk: &Desk, view: SavedView) -> Result<SavedViews> {
    keep_in(&desk.context.home, view)
}

fn keep_in(home: &Home, view: SavedView) -> Result<SavedViews> {
    let view = SavedView { name: view.name.trim().to_owned(), ..view };
    check_name(&view.name)?;
    change(home, |views| {
        views.retain(|known| known.name != view.name);
        if views.len() >= VIEWS_MAX {
            let next = "forget one that nobody opens any more";
            return Err(fail(Code::Error, format!("there are {VIEWS_MAX} views already"), next));
        }
        views.push(view);
        views.sort_by_key(|view| view.name.to_lowercase());
        Ok(())
    })
}

fn check_name(name: &str) -> Result<()> {
    let count = name.chars().count();
    if (1..=VIEW_NAME_CHARS_MAX).contains(&count) && name.chars().all(is_plain_char) {
        return Ok(());
    }
    let next = format!("choose one of 1 to {VIEW_NAME_CHARS_MAX} visible characters");
    Err(fail(Code::Usage, "this is no name of a view", next))
}

/// Forgets one. That it is gone already is no error: another page was faster.
pub(crate) fn forget(desk: &Desk, name: &str) -> Result<SavedViews> {
    change(&desk.context.home, |views| {
        views.retain(|known| known.name != name);
        Ok(())
    })
}

/// Two pages may save at once: each reads what the other wrote.
fn change(
    home: &Home,
    change: impl FnOnce(&mut Vec<SavedView>) -> Result<()>,
) -> Result<SavedViews> {
    let _alone = home.lock(LOCK)?;
    let mut saved = load(home)?;
    change(&mut saved.views)?;
    home.save(FILE, &saved)?;
    Ok(saved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(name: &str) -> SavedView {
        SavedView {
            name: name.to_owned(),
            search: None,
            tenant: None,
            site: None,
            state: None,
            sort: None,
            descending: false,
            columns: None,
        }
    }

    #[test]
    fn names_are_short_visible_and_there_once() {
        let folder = tempfile::tempdir().expect("folder");
        let home = Home::open(Some(folder.path().to_owned())).expect("home");
        let longest = "x".repeat(VIEW_NAME_CHARS_MAX);
        for good in ["away", " Zweigstelle é ", &longest] {
            keep_in(&home, view(good)).expect(good);
        }
        let again = SavedView { search: Some("db".to_owned()), ..view("away") };
        let saved = keep_in(&home, again).expect("again");
        let names: Vec<&str> = saved.views.iter().map(|view| view.name.as_str()).collect();
        assert_eq!(names, ["away", &longest, "Zweigstelle é"]);
        assert_eq!(saved.views[0].search.as_deref(), Some("db"));
        for bad in ["", "  ", &format!("{longest}x"), "a\nb", "a\u{202e}b"] {
            assert!(keep_in(&home, view(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn there_is_room_for_so_many_and_no_more() {
        let folder = tempfile::tempdir().expect("folder");
        let home = Home::open(Some(folder.path().to_owned())).expect("home");
        for at in 0..VIEWS_MAX {
            keep_in(&home, view(&format!("view {at}"))).expect("room");
        }
        assert!(keep_in(&home, view("one more")).is_err());
        assert!(keep_in(&home, view("view 0")).is_ok(), "that one is replaced");
    }
}
