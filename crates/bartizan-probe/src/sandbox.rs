//! What is left to this process before anybody answers it: reading what name resolution and TLS read, and connections to the
//! one port that was asked for. Each layer holds without the other.

use std::path::{Path, PathBuf};

use bartizan_proto::probe::Request;
use bartizan_trust::statement::{parse_name_server, parse_url};
use landlock::{
    ABI, Access, AccessFs, AccessNet, NetPort, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, Scope,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The newest version that was tested; newer kernels are asked for no more.
const TESTED: ABI = ABI::V7;
/// Whole folders, since their files are replaced by new ones: `/etc` for names and certificates, the others for modules that
/// `nsswitch.conf` names, and where `/etc` links to for certificates.
const READ: [&str; 7] = [
    "/etc",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/share/ca-certificates",
    "/var/lib/ca-certificates",
];
/// Usually a link to somewhere else, whose folder is read too.
const RESOLVER: &str = "/etc/resolv.conf";
/// Where long answers of name servers come from.
const DNS_PORT: u16 = 53;
/// More than any question needs, and not the whole machine.
const LIMITS: [(Resource, u64); 4] = [
    (Resource::As, 1024 * 1024 * 1024),
    (Resource::Cpu, 10),
    (Resource::Fsize, 0),
    (Resource::Nofile, 64),
];

/// Shuts this process in. What the kernel does not know, it goes on without: the account has no privileges as it is. What the
/// kernel knows and refuses is an error, and then nothing may be asked.
pub(crate) fn enter(request: &Request) -> Result<(), String> {
    for (resource, most) in LIMITS {
        // Whoever started it may allow even less.
        let most = getrlimit(resource).maximum.map_or(most, |allowed| allowed.min(most));
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        setrlimit(resource, limit).map_err(|error| format!("limit itself: {error}"))?;
    }
    restrict(request).map_err(|error| format!("shut off files: {error}"))
}

fn restrict(request: &Request) -> Result<(), RulesetError> {
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(TESTED))?
        .handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)?
        .scope(Scope::from_all(TESTED))?
        .create()?;
    let resolver = Path::new(RESOLVER).canonicalize().ok();
    let behind = resolver.as_deref().and_then(Path::parent).map(Path::to_owned);
    let behind = behind.filter(|folder| folder != Path::new("/"));
    for folder in READ.iter().map(PathBuf::from).chain(behind) {
        // What is not there needs no rule.
        if let Ok(folder) = PathFd::new(&folder) {
            rules = rules.add_rule(PathBeneath::new(folder, AccessFs::ReadFile))?;
        }
    }
    for port in [Some(DNS_PORT), asked(request)].into_iter().flatten() {
        rules = rules.add_rule(NetPort::new(port, AccessNet::ConnectTcp))?;
    }
    rules.restrict_self().map(drop)
}

/// The port that the request is about.
fn asked(request: &Request) -> Option<u16> {
    match request {
        Request::Tcp { port, .. } => Some(*port),
        Request::Http { url, .. } => Some(parse_url(url)?.port),
        Request::Dns { server, .. } => Some(parse_name_server(server.as_deref()?)?.port()),
        Request::Certificates { .. } | Request::Ping { .. } => None,
    }
}
