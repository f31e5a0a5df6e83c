//! Landlock: no file is written, no directory listed, no program run, no port opened, no other process signalled. Read is what
//! name resolution reads.

use std::io;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, LandlockStatus, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use super::Landlock;

/// The newest version that was tested; newer kernels are asked for no more.
const TESTED: ABI = ABI::V7;
/// Read by name resolution. Whole folders, since their files are replaced by new ones, which a rule about a file would not
/// cover; `/etc` for hosts, resolv.conf, nsswitch.conf, gai.conf, host.conf, the others for modules that these name.
const READ: [&str; 6] = ["/etc", "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"];
/// Usually a link to somewhere else, whose folder is read too.
const RESOLVER: &str = "/etc/resolv.conf";

/// Shuts off what is not read.
pub(super) fn restrict() -> Landlock {
    match apply() {
        Ok(landlock) => landlock,
        Err(error) => Landlock::Missing(error.to_string()),
    }
}

fn apply() -> Result<Landlock, RulesetError> {
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(TESTED))?
        .handle_access(AccessNet::BindTcp)?
        .scope(Scope::from_all(TESTED))?
        .create()?;
    for folder in READ.iter().map(PathBuf::from).chain(resolver_folder(Path::new(RESOLVER))) {
        // What is not there needs no rule.
        if let Ok(folder) = PathFd::new(&folder) {
            rules = rules.add_rule(PathBeneath::new(folder, AccessFs::ReadFile))?;
        }
    }
    let status = rules.restrict_self()?;
    Ok(match (status.ruleset, status.landlock) {
        (RulesetStatus::FullyEnforced, _) => Landlock::Whole,
        (RulesetStatus::PartiallyEnforced, _) => Landlock::Partial,
        (RulesetStatus::NotEnforced, LandlockStatus::NotEnabled) => {
            Landlock::Missing("landlock was not enabled when this kernel started".to_owned())
        }
        (RulesetStatus::NotEnforced, _) => Landlock::Missing("this kernel has none".to_owned()),
    })
}

/// Where the resolver's configuration really lies; where that is not there yet, the nearest folder above it that is, since
/// the network may come up later. Never all files.
fn resolver_folder(link: &Path) -> Option<PathBuf> {
    let target = follow(link).ok()?;
    let folder = target.ancestors().skip(1).find(|folder| folder.is_dir())?;
    let folder = folder.canonicalize().ok()?;
    (folder != Path::new("/")).then_some(folder)
}

fn follow(link: &Path) -> io::Result<PathBuf> {
    let target = link.canonicalize();
    if target.is_ok() {
        return target;
    }
    Ok(link.parent().unwrap_or(Path::new("/")).join(link.read_link()?))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_folder_behind_the_resolvers_link_is_found_before_it_is_there_and_after() {
        let place = tempfile::tempdir().unwrap();
        let place = place.path().canonicalize().unwrap();
        let link = place.join("resolv.conf");
        assert_eq!(resolver_folder(&link), None);
        let folder = place.join("run/resolve");
        symlink(folder.join("stub.conf"), &link).unwrap();
        assert_eq!(resolver_folder(&link).as_ref(), Some(&place), "nothing of it is there");
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(resolver_folder(&link).as_ref(), Some(&folder));
        fs::write(folder.join("stub.conf"), "").unwrap();
        assert_eq!(resolver_folder(&link).as_ref(), Some(&folder));
    }

    #[test]
    fn a_link_to_the_root_of_all_files_opens_nothing() {
        let place = tempfile::tempdir().unwrap();
        let link = place.path().join("resolv.conf");
        symlink("/no-such-folder-here/stub.conf", &link).unwrap();
        assert_eq!(resolver_folder(&link), None);
    }
}
