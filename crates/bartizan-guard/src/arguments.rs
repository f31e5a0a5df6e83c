//! The command line. Read by hand: four commands do not pay for a dependency in the privileged process.

use std::path::PathBuf;

pub(crate) const USAGE: &str = "\
Usage:
  bartizan-guard enroll --server HOST:PORT --anchor bz1-… --enrolment TEXT [--dir DIR]
  bartizan-guard run [--dir DIR] [--agent-binary PATH]
  bartizan-guard status [--dir DIR]
  bartizan-guard --version

DIR is /var/lib/bartizan unless given. `bartizan enroll` prints the enroll command.";

const DEFAULT_FOLDER: &str = "/var/lib/bartizan";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Enroll(Enroll),
    Run { folder: PathBuf, agent: Option<PathBuf> },
    Status { folder: PathBuf },
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

impl Command {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let Some((name, options)) = arguments.split_first() else { return Ok(Self::Help) };
        match name.as_str() {
            "--version" | "version" => Ok(Self::Version),
            "--help" | "-h" | "help" => Ok(Self::Help),
            "enroll" => {
                let options =
                    Options::read(options, &["--dir", "--server", "--anchor", "--enrolment"])?;
                Ok(Self::Enroll(Enroll {
                    folder: options.folder(),
                    server: options.needed("--server")?,
                    anchor: options.needed("--anchor")?,
                    enrolment: options.needed("--enrolment")?,
                }))
            }
            "run" => {
                let options = Options::read(options, &["--dir", "--agent-binary"])?;
                Ok(Self::Run {
                    folder: options.folder(),
                    agent: options.value("--agent-binary").map(PathBuf::from),
                })
            }
            "status" => Ok(Self::Status { folder: Options::read(options, &["--dir"])?.folder() }),
            other => Err(format!("unknown command `{other}`")),
        }
    }
}

struct Options<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Options<'a> {
    fn read(arguments: &'a [String], known: &[&str]) -> Result<Self, String> {
        let mut options: Vec<(&str, &str)> = Vec::new();
        for pair in arguments.chunks(2) {
            let [name, value] = pair else {
                return Err(format!("`{}` needs a value", pair.first().map_or("", String::as_str)));
            };
            if !known.contains(&name.as_str()) {
                return Err(format!("unknown option `{name}`"));
            }
            if options.iter().any(|(seen, _)| seen == name) {
                return Err(format!("`{name}` stands twice"));
            }
            options.push((name, value));
        }
        Ok(Self(options))
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn needed(&self, name: &str) -> Result<String, String> {
        self.value(name).map(str::to_owned).ok_or_else(|| format!("`{name}` is missing"))
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
        assert_eq!(parse("run --dir x"), Ok(Command::Run { folder: "x".into(), agent: None }));
        for (line, word) in [
            ("enroll --server a:1 --anchor bz1-x", "--enrolment"),
            ("run --dir", "needs a value"),
            ("run --dir a --dir b", "twice"),
            ("run --danger x", "unknown option"),
            ("fly", "unknown command"),
        ] {
            assert!(parse(line).is_err_and(|problem| problem.contains(word)), "{line}");
        }
    }
}
