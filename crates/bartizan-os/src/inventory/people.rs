//! Accounts and groups. Of passwords only whether there is one.

use std::collections::BTreeMap;
use std::io::{Read as _, Seek as _, SeekFrom};

use super::root::{Root, Unread};
use super::section::{Item, Section};

/// Bytes of one record of `/var/log/lastlog`: seconds, line, host.
const LASTLOG_BYTES: u64 = 4 + 32 + 256;
/// Largest account file: some thousand accounts.
const ACCOUNTS_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Accounts.
pub(super) fn users(root: &Root) -> Section {
    let mut section = Section::new("users");
    let text = match root.large_text("/etc/passwd", ACCOUNTS_BYTES_MAX) {
        Ok(text) => text,
        Err(error) => {
            section.unknown("users", error.failure().unwrap_or("/etc/passwd is not there"));
            return section;
        }
    };
    let passwords = passwords(root, &mut section);
    let mut lastlog = root.open("/var/log/lastlog");
    match &lastlog {
        Ok(_) => {}
        Err(Unread::Absent) => section.unknown(
            "last_login",
            "there is no /var/log/lastlog; newer systems keep it in a database of their own",
        ),
        Err(Unread::Failed(why)) => section.unknown("last_login", why),
    }
    for line in text.lines() {
        let fields: Vec<&str> = line.splitn(7, ':').collect();
        let [name, _, uid, gid, full, home, shell] = fields.as_slice() else { continue };
        let (Ok(uid), Ok(gid)) = (uid.parse::<u32>(), gid.parse::<u32>()) else { continue };
        let mut item = Item::default()
            .text("name", name)
            .number("uid", uid.into())
            .number("gid", gid.into())
            .text("full_name", full.split(',').next().unwrap_or_default())
            .text("home", home)
            .text("shell", shell)
            .maybe("password", passwords.get(*name).copied());
        if let Ok(file) = &mut lastlog
            && let Some((at, from)) = last_login(file, uid)
        {
            item = item.number("last_login", at).text("last_login_from", &from);
        }
        section.add(name, item);
    }
    section.finish()
}

/// Whether an account can be entered with a password; what the password looks like stays where it is.
fn passwords(root: &Root, section: &mut Section) -> BTreeMap<String, &'static str> {
    let text = match root.large_text("/etc/shadow", ACCOUNTS_BYTES_MAX) {
        Ok(text) => text,
        Err(error) => {
            section.unknown("password", error.failure().unwrap_or("/etc/shadow is not there"));
            return BTreeMap::new();
        }
    };
    let state = |line: &str| {
        let mut fields = line.split(':');
        let (name, hash) = (fields.next()?, fields.next()?);
        let state = match hash.as_bytes().first() {
            None => "none needed",
            Some(b'!' | b'*') => "locked",
            Some(_) => "set",
        };
        Some((name.to_owned(), state))
    };
    text.lines().filter_map(state).collect()
}

fn last_login(file: &mut std::fs::File, uid: u32) -> Option<(u64, String)> {
    file.seek(SeekFrom::Start(u64::from(uid) * LASTLOG_BYTES)).ok()?;
    let mut record = [0; 4 + 32 + 256];
    file.read_exact(&mut record).ok()?;
    let (seconds, rest) = record.split_first_chunk::<4>()?;
    let at = u32::from_ne_bytes(*seconds);
    let from = rest.get(32..)?;
    let end = from.iter().position(|byte| *byte == 0).unwrap_or(from.len());
    let from = String::from_utf8_lossy(from.get(..end)?).into_owned();
    (at > 0).then(|| (u64::from(at), from))
}

/// Groups and who is in them.
pub(super) fn groups(root: &Root) -> Section {
    let mut section = Section::new("groups");
    match root.large_text("/etc/group", ACCOUNTS_BYTES_MAX) {
        Ok(text) => {
            for line in text.lines() {
                let fields: Vec<&str> = line.splitn(4, ':').collect();
                let [name, _, gid, members] = fields.as_slice() else { continue };
                let Ok(gid) = gid.parse::<u32>() else { continue };
                let count = members.split(',').filter(|member| !member.is_empty()).count();
                let item = Item::default()
                    .text("name", name)
                    .number("gid", gid.into())
                    .text("members", &members.replace(',', ", "));
                section.add(name, item.number("count", u64::try_from(count).unwrap_or(0)));
            }
        }
        Err(error) => {
            section.unknown("groups", error.failure().unwrap_or("/etc/group is not there"));
        }
    }
    section.finish()
}
