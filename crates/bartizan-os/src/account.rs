//! Local accounts, from `/etc/passwd`.

use std::fs;
use std::path::PathBuf;

/// A local account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// Home directory.
    pub home: PathBuf,
}

/// The account with this name, if the machine has one. Accounts of a directory service are not looked up:
/// asking for them would need the network.
pub fn by_name(name: &str) -> Option<Account> {
    find(|account| account.name == name)
}

/// The account with this user id.
pub fn by_uid(uid: u32) -> Option<Account> {
    find(|account| account.uid == uid)
}

/// The user id this process runs with.
pub fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether this process may become another account.
pub fn is_root() -> bool {
    own_uid() == 0
}

fn find(wanted: impl Fn(&Account) -> bool) -> Option<Account> {
    let text = fs::read_to_string("/etc/passwd").ok()?;
    text.lines().filter_map(parse_line).find(wanted)
}

fn parse_line(line: &str) -> Option<Account> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, _, home, _] = fields.as_slice() else { return None };
    Some(Account {
        name: (*name).to_owned(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        home: PathBuf::from(home),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_too_few_fields_or_no_numbers_are_no_accounts() {
        assert!(parse_line("root:x:0:0:root:/root:/bin/bash").is_some_and(|a| a.uid == 0));
        for bad in ["", "root:x:0", "root:x:zero:0:root:/root:/bin/sh", "+::::::"] {
            assert_eq!(parse_line(bad), None, "{bad}");
        }
    }
}
