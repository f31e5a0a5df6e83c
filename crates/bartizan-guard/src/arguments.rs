//! The command line. Read by hand: six commands do not pay for a dependency in the privileged process.

use std::path::PathBuf;

pub(crate) const USAGE: &str = "\
Usage:
  bartizan-guard enroll --server HOST:PORT --anchor bz1-… --enrolment TEXT [--dir DIR]
  bartizan-guard run [--dir DIR] [--agent-binary PATH] [--agent-user NAME] [--versions DIR] [--vendor-root FILE]
                     [--trial-seconds N]
  bartizan-guard status [--dir DIR]
  bartizan-guard freeze --file FILE [--dir DIR]
  bartizan-guard reanchor --server HOST:PORT --anchor bz1-… --enrolment TEXT [--dir DIR]
  bartizan-guard --version

DIR is /var/lib/bartizan unless given. `bartizan enroll` prints the enroll command.
NAME is the local account of the network half when started as root: bartizan-agent unless given.
Updates lie in --versions, /var/lib/bartizan-versions unless given; FILE is the vendor's root metadata,
/usr/share/bartizan/vendor-root.json unless given; a new version has N seconds, 600 unless given, to check in.";

const DEFAULT_FOLDER: &str = "/var/lib/bartizan";
const DEFAULT_VERSIONS: &str = "/var/lib/bartizan-versions";
const DEFAULT_VENDOR_ROOT: &str = "/usr/share/bartizan/vendor-root.json";
/// How long a new version may take until the server has confirmed a receipt of it: ten minutes.
const DEFAULT_TRIAL_S: u64 = 600;
/// Said by the watching version to the one that it starts, and by nobody else.
pub(crate) const ON_TRIAL: &str = "--on-trial";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Enroll(Enroll),
    Run(Run),
    Status {
        folder: PathBuf,
    },
    /// Hands a signed freeze to the guard that runs in the folder.
    Freeze {
        folder: PathBuf,
        file: PathBuf,
    },
    /// The same as `enroll` on a machine that belongs to an organisation already.
    Reanchor(Enroll),
    Version,
    Help,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Enroll {
    pub(crate) folder: PathBuf,
    pub(crate) server: String,
    pub(crate) anchor: String,
    pub(crate) enrolment: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) folder: PathBuf,
    /// The program of the network half; beside this one unless given.
    pub(crate) agent: Option<PathBuf>,
    /// Its account, which must exist if it is named.
    pub(crate) user: Option<String>,
    pub(crate) updates: Updates,
}

/// Where updates lie, and who runs as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Updates {
    /// Versions beside each other. Not below the guard's folder: the network half must be able to run from it.
    pub(crate) versions: PathBuf,
    /// What the package pins of the vendor.
    pub(crate) vendor_root: PathBuf,
    /// How long a new version may take to check in.
    pub(crate) trial_s: u64,
    /// The older version that watches started this one, which has to check in.
    pub(crate) on_trial: bool,
}

impl Command {
    /// The command, or every problem of the command line, one a line.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let Some((name, options)) = arguments.split_first() else { return Ok(Self::Help) };
        match name.as_str() {
            "--version" | "version" => Ok(Self::Version),
            "--help" | "-h" | "help" => Ok(Self::Help),
            "enroll" => Enroll::read(options).map(Self::Enroll),
            "reanchor" => Enroll::read(options).map(Self::Reanchor),
            "run" => {
                let known = [
                    "--dir",
                    "--agent-binary",
                    "--agent-user",
                    "--versions",
                    "--vendor-root",
                    "--trial-seconds",
                    ON_TRIAL,
                ];
                let options = Options::read(options, &[], &known)?;
                Ok(Self::Run(Run {
                    folder: options.folder(),
                    agent: options.value("--agent-binary").map(PathBuf::from),
                    user: options.value("--agent-user").map(str::to_owned),
                    updates: options.updates()?,
                }))
            }
            "status" => {
                Ok(Self::Status { folder: Options::read(options, &[], &["--dir"])?.folder() })
            }
            "freeze" => {
                let options = Options::read(options, &["--file"], &["--dir"])?;
                let file = PathBuf::from(options.text("--file"));
                Ok(Self::Freeze { folder: options.folder(), file })
            }
            other => Err(format!("unknown command `{other}`")),
        }
    }
}

impl Enroll {
    fn read(options: &[String]) -> Result<Self, String> {
        let needed = ["--server", "--anchor", "--enrolment"];
        let options = Options::read(options, &needed, &["--dir"])?;
        Ok(Self {
            folder: options.folder(),
            server: options.text("--server"),
            anchor: options.text("--anchor"),
            enrolment: options.text("--enrolment"),
        })
    }
}

struct Options<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Options<'a> {
    fn read(arguments: &'a [String], needed: &[&str], known: &[&str]) -> Result<Self, String> {
        let mut options: Vec<(&str, &str)> = Vec::new();
        let mut problems = Vec::new();
        for pair in arguments.chunks(2) {
            let [name, value] = pair else {
                let name = pair.first().map_or("", String::as_str);
                problems.push(format!("`{name}` needs a value"));
                continue;
            };
            if !needed.contains(&name.as_str()) && !known.contains(&name.as_str()) {
                problems.push(format!("unknown option `{name}`"));
            } else if options.iter().any(|(seen, _)| seen == name) {
                problems.push(format!("`{name}` stands twice"));
            } else if value.is_empty() {
                problems.push(format!("`{name}` is empty"));
            }
            options.push((name, value));
        }
        let options = Self(options);
        problems.extend(
            needed
                .iter()
                .filter(|name| options.value(name).is_none())
                .map(|name| format!("`{name}` is missing")),
        );
        if problems.is_empty() { Ok(options) } else { Err(problems.join("\nbartizan-guard: ")) }
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn text(&self, name: &str) -> String {
        self.value(name).unwrap_or_default().to_owned()
    }

    fn updates(&self) -> Result<Updates, String> {
        let path = |name, usual: &str| PathBuf::from(self.value(name).unwrap_or(usual));
        let trial_s = self.value("--trial-seconds").map_or(Ok(DEFAULT_TRIAL_S), str::parse);
        Ok(Updates {
            versions: path("--versions", DEFAULT_VERSIONS),
            vendor_root: path("--vendor-root", DEFAULT_VENDOR_ROOT),
            trial_s: trial_s.map_err(|_| "`--trial-seconds` is no number".to_owned())?,
            on_trial: self.value(ON_TRIAL).is_some(),
        })
    }

    fn folder(&self) -> PathBuf {
        PathBuf::from(self.value("--dir").unwrap_or(DEFAULT_FOLDER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Command::parse(&arguments)
    }

    #[test]
    fn commands_are_read_and_mistakes_named() {
        let updates = Updates {
            versions: DEFAULT_VERSIONS.into(),
            vendor_root: DEFAULT_VENDOR_ROOT.into(),
            trial_s: 600,
            on_trial: false,
        };
        let user = Some("nobody".to_owned());
        let run = Run { folder: "x".into(), agent: None, user, updates };
        assert_eq!(parse("run --dir x --agent-user nobody"), Ok(Command::Run(run)));
        for (line, word) in [
            ("enroll --server a:1 --anchor bz1-x", "--enrolment"),
            ("run --dir", "needs a value"),
            ("run --dir a --dir b", "twice"),
            ("run --danger x", "unknown option"),
            ("reanchor --server a:1 --anchor bz1-x", "--enrolment"),
            ("run --trial-seconds soon", "no number"),
            ("fly", "unknown command"),
        ] {
            assert!(parse(line).is_err_and(|problem| problem.contains(word)), "{line}");
        }
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let problems = parse("enroll --speed 9 --dir a --dir b --server").unwrap_err();
        for word in
            ["--speed", "`--dir` stands twice", "`--server` needs", "--anchor", "--enrolment"]
        {
            assert!(problems.contains(word), "{word} in {problems}");
        }
    }
}
