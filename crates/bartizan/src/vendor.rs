//! A vendor's repository on the web, copied into a folder of its own and judged there like any other.
//!
//! Nothing that comes over the network is believed here: names and versions in the metadata only say what to fetch next, and
//! `bartizan-tuf` judges what was fetched. So plain HTTP is as good as HTTPS; either way whoever stands in between can withhold.

use std::fs;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bartizan_notify::stream;
use bartizan_trust::id::Sha256;
use bartizan_trust::statement::{Mirror, MirrorPlace};
use indicatif::ProgressBar;
use serde_json::Value;

use crate::exit::{Code, fail, refused};
use crate::home::{read_bounded, write_private};

/// Largest metadata file, and most root files, that are fetched or passed on.
pub(crate) const METADATA_BYTES_MAX: u64 = 256 * 1024;
pub(crate) const ROOTS_MAX: usize = 64;
/// Most of an answer before its body.
const HEAD_BYTES_MAX: usize = 16 * 1024;
const HEADERS_MAX: usize = 64;
/// How long one metadata file, and a target, may take.
const METADATA_PATIENCE: Duration = Duration::from_mins(1);
const TARGET_PATIENCE: Duration = Duration::from_mins(15);

/// Where a vendor's repository is.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// A folder with `metadata` and `targets`.
    Folder(PathBuf),
    /// The same on the web.
    Web(Site),
}

/// A place on the web with `metadata/` and `targets/` below it.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    url: String,
    place: MirrorPlace,
}

impl FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.starts_with("http://") && !text.starts_with("https://") {
            return Ok(Self::Folder(text.into()));
        }
        let url = text.trim_end_matches('/').to_owned();
        // The addresses of mirrors have the same grammar.
        let place = Mirror { url: url.clone(), every_s: 1 }.place();
        let mut place = place.ok_or("http:// or https://, a host, perhaps a port and a path")?;
        let path = place.path.strip_suffix("/freeze").unwrap_or_default().to_owned();
        place.path = path;
        Ok(Self::Web(Site { url, place }))
    }
}

/// A repository as files.
pub(crate) struct Repository {
    root: PathBuf,
    web: Option<(Site, tempfile::TempDir)>,
    ca: Option<PathBuf>,
}

impl Repository {
    /// The folder, or a copy of the metadata on the web. `known` is the root metadata that is believed already.
    pub(crate) fn open(source: &Source, known: &Path, ca: Option<&Path>) -> Result<Self> {
        let ca = ca.map(Path::to_owned);
        match source {
            Source::Folder(root) => Ok(Self { root: root.clone(), web: None, ca }),
            Source::Web(site) => {
                let folder = tempfile::tempdir().context("create a folder")?;
                let root = folder.path().to_owned();
                let repository = Self { root, web: Some((site.clone(), folder)), ca };
                repository.fetch_metadata(site, version_of(&read_bounded(known)?).unwrap_or(1))?;
                Ok(repository)
            }
        }
    }

    pub(crate) fn metadata(&self) -> PathBuf {
        self.root.join("metadata")
    }

    pub(crate) fn targets(&self) -> PathBuf {
        self.root.join("targets")
    }

    /// Every root there is, timestamp, snapshot and targets.
    fn fetch_metadata(&self, site: &Site, known: u64) -> Result<()> {
        let most = u64::try_from(ROOTS_MAX).unwrap_or(u64::MAX);
        for number in 1..=known.saturating_add(most) {
            let name = format!("{number}.root.json");
            // Old ones may be gone; after the one that is known, the first that is missing is the end.
            if self.keep(site, &name)?.is_none() && number > known {
                break;
            }
        }
        let timestamp = self.need(site, "timestamp.json")?;
        let snapshot = self.listed(site, &timestamp, "snapshot.json")?;
        self.listed(site, &snapshot, "targets.json").map(drop)
    }

    /// A file that another one names: under its version where the repository keeps several.
    fn listed(&self, site: &Site, by: &[u8], file: &str) -> Result<Vec<u8>> {
        let version = listed_version(by, file)
            .ok_or_else(|| not_a_repository(site, &format!("its metadata names no {file}")))?;
        match self.keep(site, &format!("{version}.{file}"))? {
            Some(bytes) => Ok(bytes),
            None => self.need(site, file),
        }
    }

    fn need(&self, site: &Site, name: &str) -> Result<Vec<u8>> {
        self.keep(site, name)?
            .ok_or_else(|| not_a_repository(site, &format!("it has no metadata/{name}")))
    }

    fn keep(&self, site: &Site, name: &str) -> Result<Option<Vec<u8>>> {
        let path = format!("metadata/{name}");
        let ask = Ask {
            path: &path,
            max: METADATA_BYTES_MAX,
            patience: METADATA_PATIENCE,
            bar: &ProgressBar::hidden(),
        };
        let found = site.get(&ask, self.ca.as_deref())?;
        if let Some(bytes) = &found {
            write_private(&self.metadata().join(name), bytes)?;
        }
        Ok(found)
    }

    /// The target of a repository on the web, under its hash or its plain name. What arrives is judged by whoever reads it.
    pub(crate) fn fetch_target(
        &self,
        name: &str,
        sha256: Sha256,
        size: u32,
        bar: &ProgressBar,
    ) -> Result<()> {
        let Some((site, _)) = &self.web else { return Ok(()) };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~+,=".contains(c);
        if name.is_empty() || !name.chars().all(plain) || name.starts_with('.') {
            return Err(not_a_repository(site, "the target's name cannot stand in an address"));
        }
        bar.set_length(u64::from(size));
        for file in [format!("{sha256}.{name}"), name.to_owned()] {
            let path = format!("targets/{file}");
            let ask = Ask { path: &path, max: u64::from(size), patience: TARGET_PATIENCE, bar };
            if let Some(bytes) = site.get(&ask, self.ca.as_deref())? {
                bar.finish_and_clear();
                fs::create_dir_all(self.targets()).context("create a folder")?;
                return fs::write(self.targets().join(file), bytes).context("keep the target");
            }
        }
        Err(not_a_repository(site, &format!("it has no targets/{name}")))
    }
}

/// The version of a metadata file, by its own word.
fn version_of(metadata: &[u8]) -> Option<u64> {
    serde_json::from_slice::<Value>(metadata).ok()?.get("signed")?.get("version")?.as_u64()
}

/// The version of a file that a metadata file lists.
pub(crate) fn listed_version(metadata: &[u8], file: &str) -> Option<u64> {
    let value: Value = serde_json::from_slice(metadata).ok()?;
    value.get("signed")?.get("meta")?.get(file)?.get("version")?.as_u64()
}

fn not_a_repository(site: &Site, what: &str) -> anyhow::Error {
    let next = "check the address with the vendor: `metadata` and `targets` lie below it";
    refused(format!("{} is no repository: {what}", site.url), next)
}

/// One file to fetch.
struct Ask<'a> {
    path: &'a str,
    max: u64,
    patience: Duration,
    bar: &'a ProgressBar,
}

impl Site {
    /// A file below this place; `None` where there is none.
    fn get(&self, ask: &Ask<'_>, ca: Option<&Path>) -> Result<Option<Vec<u8>>> {
        self.exchange(ask, ca).map_err(|error| {
            let next = "try again, or copy the repository with another tool and give its folder";
            fail(Code::Unreachable, format!("{}/{}: {error:#}", self.url, ask.path), next)
        })
    }

    fn exchange(&self, ask: &Ask<'_>, ca: Option<&Path>) -> Result<Option<Vec<u8>>> {
        let plain = stream::connect(&self.place.address)?;
        let host = self.place.address.rsplit_once(':').map_or("", |(host, _)| host);
        let mut stream: Box<dyn stream::Stream> = if self.place.tls {
            Box::new(stream::secure(plain, host, ca)?)
        } else {
            Box::new(plain)
        };
        // HTTP/1.0, so that the answer comes in one piece and ends.
        let request = format!(
            "GET {}/{} HTTP/1.0\r\nHost: {}\r\nUser-Agent: bartizan\r\nConnection: close\r\n\r\n",
            self.place.path, ask.path, self.place.authority
        );
        stream.write_all(request.as_bytes()).context("ask")?;
        stream.flush().context("ask")?;
        answer(&mut stream, ask)
    }
}

fn answer(stream: &mut impl Read, ask: &Ask<'_>) -> Result<Option<Vec<u8>>> {
    let begun = Instant::now();
    let limit = usize::try_from(ask.max).unwrap_or(usize::MAX).saturating_add(HEAD_BYTES_MAX);
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match stream.read(&mut buffer) {
            // Many servers end TLS without a word; what is missing is seen below.
            Ok(0) => break,
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error).context("read the answer"),
            Ok(count) => bytes.extend_from_slice(buffer.get(..count).unwrap_or_default()),
        }
        ask.bar.set_position(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if bytes.len() > limit {
            bail!("the answer is larger than {} bytes", ask.max);
        }
        if begun.elapsed() > ask.patience {
            bail!("the answer has not ended after {} s", ask.patience.as_secs());
        }
    }
    body(&bytes, ask.max)
}

fn body(answer: &[u8], max: u64) -> Result<Option<Vec<u8>>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(answer).context("not HTTP")? else {
        bail!("the answer is cut");
    };
    let header = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| str::from_utf8(header.value).ok())
    };
    match response.code {
        Some(200) => {}
        // Stores that list nothing to strangers say 403 of what they do not have.
        Some(403 | 404) => return Ok(None),
        Some(300..=399) => {
            let to = header("location").unwrap_or("another address");
            bail!("it moved to {}; give the address where the files are", crate::terminal::cell(to))
        }
        code => bail!("status {}", code.unwrap_or(0)),
    }
    let body = answer.get(head..).unwrap_or_default();
    if header("transfer-encoding").is_some() || header("content-encoding").is_some() {
        bail!("the answer comes packed or in pieces; serve plain files");
    }
    if header("content-length").is_some_and(|length| length.trim().parse() != Ok(body.len())) {
        bail!("the answer is cut");
    }
    if u64::try_from(body.len()).is_ok_and(|length| length > max) {
        bail!("the answer is larger than {max} bytes");
    }
    Ok(Some(body.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_places_on_the_web_and_anything_else_a_folder() {
        let read = |text: &str| match text.parse::<Source>() {
            Ok(Source::Folder(path)) => Ok(format!("folder {}", path.display())),
            Ok(Source::Web(site)) => {
                Ok(format!("{} {} {:?}", site.place.tls, site.place.address, site.place.path))
            }
            Err(problem) => Err(problem),
        };
        for (text, expected) in [
            ("./vendor", "folder ./vendor"),
            ("https://updates.example", "true updates.example:443 \"\""),
            ("https://updates.example/", "true updates.example:443 \"\""),
            ("http://h:8080/a/b/", "false h:8080 \"/a/b\""),
            ("https://[::1]:1/freeze", "true [::1]:1 \"/freeze\""),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
        for bad in ["http://", "https://user@h/", "https://h/?q", "https://h/a b", "http://h:0/"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn answers_are_whole_plain_files_or_errors() {
        let read = |text: &str| body(text.as_bytes(), 5);
        let ok = "HTTP/1.1 200 OK\r\n";
        let some = |text: &str| read(text).ok().flatten();
        assert_eq!(some(&format!("{ok}Content-Length: 5\r\n\r\nhello")), Some(b"hello".to_vec()));
        assert_eq!(some(&format!("{ok}\r\n")), Some(Vec::new()), "without a length");
        for missing in ["404 Not Found", "403 Forbidden"] {
            assert!(matches!(read(&format!("HTTP/1.0 {missing}\r\n\r\nno")), Ok(None)));
        }
        for bad in [
            "",
            "garbage\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
            "HTTP/1.1 200 OK\r\n\r\nhello!",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
            "HTTP/1.1 301 Moved\r\nLocation: https://x/\r\n\r\n",
            "HTTP/1.1 500 No\r\n\r\n",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_answer_that_does_not_end_is_given_up() {
        let ask = Ask {
            path: "x",
            max: 100,
            patience: Duration::from_mins(1),
            bar: &ProgressBar::hidden(),
        };
        let mut endless =
            std::io::Read::chain(&b"HTTP/1.1 200 OK\r\n\r\n"[..], std::io::repeat(b'x'));
        let error = answer(&mut endless, &ask).expect_err("too large");
        assert!(error.to_string().contains("larger than 100 bytes"), "{error}");
        let slow = Ask { patience: Duration::ZERO, max: u64::MAX, ..ask };
        let error = answer(&mut std::io::repeat(b'x'), &slow).expect_err("too slow");
        assert!(error.to_string().contains("has not ended"), "{error}");
    }
}
