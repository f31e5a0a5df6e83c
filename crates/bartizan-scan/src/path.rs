//! Paths of evidence, in the one form that rules are compared with.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Lower case, `/` between the parts, no drive and no leading `/`: `windows/msmpeng.exe`.
///
/// Windows paths are compared without regard to case because Windows does; Linux paths too, because an image of one is
/// often carried on the other.
pub fn normalise(path: &str) -> String {
    let lower = path.to_lowercase().replace('\\', "/");
    let rest = match lower.as_bytes() {
        [drive, b':', ..] if drive.is_ascii_lowercase() => lower.get(2..).unwrap_or_default(),
        _ => lower.as_str(),
    };
    rest.trim_start_matches('/').to_owned()
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

#[cfg(test)]
mod tests {
    use super::*;

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
