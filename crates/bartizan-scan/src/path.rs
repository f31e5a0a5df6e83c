//! Paths of evidence, in the one form that rules are compared with.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Lower case, `/` between the parts, no drive and no leading `/`: `windows/msmpeng.exe`.
///
/// Windows paths are compared without regard to case because Windows does; Linux paths too, because an image of one is
/// often carried on the other.
pub fn normalise(path: &str) -> String {
    let mut normal = if path.is_ascii() { path.to_ascii_lowercase() } else { path.to_lowercase() };
    if normal.contains('\\') {
        normal = normal.replace('\\', "/");
    }
    let rest = match normal.as_bytes() {
        [drive, b':', ..] if drive.is_ascii_lowercase() => normal.get(2..).unwrap_or_default(),
        _ => normal.as_str(),
    };
    let cut = normal.len() - rest.trim_start_matches('/').len();
    normal.drain(..cut);
    normal
}

/// The last part of a path, whichever separator it has.
pub fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// What stands behind the last dot of the file name, if anything does.
pub fn extension(path: &str) -> Option<&str> {
    let (stem, extension) = file_name(path).rsplit_once('.')?;
    (!stem.is_empty() && !extension.is_empty()).then_some(extension)
}

/// The folder a path lies in; empty for the top.
pub fn folder(path: &str) -> &str {
    path.rsplit_once(['/', '\\']).map_or("", |(folder, _)| folder)
}

/// Text that came from the evidence, fit to be shown on a terminal and in a report: no control, bidirectional or
/// invisible characters, whatever a hostile file name holds.
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        if is_plain(char) {
            shown.push(char);
        } else {
            shown.extend(char.escape_unicode());
        }
    }
    shown
}

fn is_plain(char: char) -> bool {
    !char.is_control()
        && !matches!(char,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Compiles path patterns; the place of each in the list is what a match returns.
pub(crate) fn compile<'a>(
    patterns: impl Iterator<Item = &'a String>,
) -> Result<GlobSet, globset::Error> {
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        let pattern = pattern.to_lowercase().replace('\\', "/");
        builder.add(GlobBuilder::new(&pattern).literal_separator(true).build()?);
    }
    builder.build()
}

/// Path patterns with a cheap question before the dear one: what a path and its last part must begin with, and how it must end.
/// Nearly all files fail at it for nearly all rules.
pub(crate) struct Globs {
    set: GlobSet,
    outlines: Vec<Outline>,
}

/// What every path that a pattern matches has; empty texts let all paths through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Outline {
    path_start: String,
    name_start: String,
    name_end: String,
}

impl Globs {
    /// Compiles patterns.
    pub(crate) fn new(patterns: &[String]) -> Result<Self, globset::Error> {
        let outlines = patterns.iter().map(|p| p.to_lowercase().replace('\\', "/"));
        let outlines = outlines.flat_map(|pattern| outlines_of(&pattern)).collect();
        Ok(Self { set: compile(patterns.iter())?, outlines })
    }

    /// Whether one of them matches a path in its normal form.
    pub(crate) fn is_match(&self, path: &str) -> bool {
        let name = file_name(path);
        let fits = |outline: &Outline| {
            name.ends_with(&outline.name_end)
                && name.starts_with(&outline.name_start)
                && path.starts_with(&outline.path_start)
        };
        self.outlines.iter().any(fits) && self.set.is_match(path)
    }
}

/// Alternatives of one pattern that are told apart; above that, every path is let through.
const OUTLINES_MAX: usize = 128;

fn outlines_of(pattern: &str) -> Vec<Outline> {
    let special = |char: char| matches!(char, '*' | '?' | '[' | ']' | '{' | '}' | ',');
    let last = pattern.rsplit('/').next().unwrap_or(pattern);
    // A `/` within braces: what stands behind it is no file name.
    if last.matches('{').count() != last.matches('}').count() {
        return vec![Outline::default()];
    }
    let path_start = pattern.split(special).next().unwrap_or_default().to_owned();
    let mut outlines = Vec::new();
    let mut pending = vec![last.to_owned()];
    while let Some(name) = pending.pop() {
        if outlines.len() + pending.len() > OUTLINES_MAX {
            return vec![Outline::default()];
        }
        let braces = name.split_once('{').and_then(|(before, rest)| {
            let (inside, after) = rest.split_once('}')?;
            let nested = inside.contains(['{', '[']) || before.contains('[');
            (!nested).then_some((before, inside, after))
        });
        if let Some((before, inside, after)) = braces {
            pending.extend(inside.split(',').map(|option| format!("{before}{option}{after}")));
            continue;
        }
        let start = name.find(special).map_or(name.as_str(), |at| name.get(..at).unwrap_or(""));
        let end = name.rfind(special).map_or("", |at| name.get(at + 1..).unwrap_or(""));
        outlines.push(Outline {
            path_start: path_start.clone(),
            name_start: start.to_owned(),
            name_end: end.to_owned(),
        });
    }
    outlines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cheap question may let through what does not match, and never the other way round.
    #[test]
    fn patterns_match_as_they_do_without_the_cheap_question() {
        let patterns = [
            "**/anydesk*.exe",
            "*.txt",
            "**/*.{crt,cer,pem}",
            "tmp/.*/**",
            "a/{b/c,d}",
            "a/{b,c}{d,e}*.x",
            "**",
            "etc/cron.?",
            "**/{x,y}",
            "**/[ab]{c,d}.exe",
            "{a,b/c}/x*",
            "windows/cert.exe",
            "**/*-readme.txt",
            "**/a{b,{c,d}}e",
            "dev/**",
        ];
        let paths = [
            "anydesk.exe",
            "x/anydesk-7.exe",
            "x/anydesk.txt",
            "a/b/c",
            "a/d",
            "a/bd1.x",
            "a/cez.x",
            "a/cd.y",
            "tmp/.x/y",
            "tmp/x",
            "etc/cron.d",
            "x",
            "q/y",
            "q/ac.exe",
            "q/bd.exe",
            "a/x1",
            "b/c/x2",
            "windows/cert.exe",
            "windows/certs.exe",
            "b1-readme.txt",
            "p/abe",
            "p/ace",
            "p/ade",
            "k/key.pem",
            "dev/shm/x",
            "",
        ];
        let mut matches = 0;
        for pattern in patterns {
            let pattern = [pattern.to_owned()];
            let (globs, plain) = (Globs::new(&pattern).unwrap(), compile(pattern.iter()).unwrap());
            for path in paths {
                assert_eq!(globs.is_match(path), plain.is_match(path), "{pattern:?} {path}");
                matches += usize::from(plain.is_match(path));
            }
        }
        assert!(matches > 40, "{matches}");
    }

    #[test]
    fn the_cheap_question_asks_for_what_a_name_must_have() {
        let outline = |path: &str, start: &str, end: &str| Outline {
            path_start: path.to_owned(),
            name_start: start.to_owned(),
            name_end: end.to_owned(),
        };
        assert_eq!(outlines_of("**/anydesk*.exe"), [outline("", "anydesk", ".exe")]);
        assert_eq!(outlines_of("tmp/**"), [outline("tmp/", "", "")]);
        let endings = outlines_of("**/*.{crt,pem}");
        assert_eq!(endings, [outline("", "", ".pem"), outline("", "", ".crt")]);
    }

    #[test]
    fn all_ways_to_write_a_path_become_one() {
        for path in ["C:\\Windows\\MsMpEng.exe", "/windows/MSMPENG.EXE", "Windows/msmpeng.exe"] {
            assert_eq!(normalise(path), "windows/msmpeng.exe");
        }
        assert_eq!(file_name("a\\b/c.txt"), "c.txt");
        assert_eq!(extension("a/.bashrc"), None);
        assert_eq!(extension("a.b/c.TXT"), Some("TXT"));
        assert_eq!(folder("a/b/c"), "a/b");
    }

    #[test]
    fn hostile_names_cannot_steer_a_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\u{a}c");
        assert_eq!(shown("gpj.\u{202e}exe"), "gpj.\\u{202e}exe");
        assert_eq!(shown("Übergrößen 文件.txt"), "Übergrößen 文件.txt");
    }
}
