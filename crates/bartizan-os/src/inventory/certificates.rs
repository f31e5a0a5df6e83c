//! Certificates in the places where servers keep theirs. Authorities that came with the distribution are not listed.

use bartizan_trust::id::Sha256;

use super::root::{Root, Unread};
use super::section::{Item, Section};

/// Folders that are looked through, so deep.
const PLACES: [(&str, u32); 15] = [
    ("/etc/ssl/private", 0),
    ("/etc/ssl/localcerts", 1),
    ("/etc/ssl/certs", 0),
    ("/etc/letsencrypt/live", 1),
    ("/etc/nginx", 2),
    ("/etc/apache2", 2),
    ("/etc/httpd", 2),
    ("/etc/pki/tls/certs", 0),
    ("/etc/haproxy", 1),
    ("/etc/postfix", 1),
    ("/etc/dovecot", 1),
    ("/etc/caddy", 1),
    ("/etc/openvpn", 2),
    ("/etc/exim4", 1),
    ("/usr/local/share/ca-certificates", 1),
];
/// Largest file of certificates; bundles of authorities are larger and not wanted.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// Most files, and most certificates of one.
const FILES_MAX: usize = 512;
const CHAIN_MAX: usize = 8;

/// A certificate as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where.
    pub path: String,
    /// Which one of the file, from 0.
    pub place: usize,
    /// Its text between the lines that mark it.
    pub base64: String,
}

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Whose it is.
    pub subject: String,
    /// Who says so.
    pub issuer: String,
    /// Other names.
    pub names: String,
    /// Unix seconds.
    pub not_before: u64,
    /// Unix seconds.
    pub not_after: u64,
}

/// One that reads certificates: the guard itself has nothing that could.
pub type ReadCertificates<'f> = &'f dyn Fn(&[Found]) -> Result<Vec<Option<Told>>, String>;

/// Certificates and when they end.
pub(super) fn certificates(root: &Root, read: ReadCertificates<'_>) -> Section {
    let mut section = Section::new("certificates");
    let found = find(root, &mut section);
    if found.is_empty() {
        return section.finish();
    }
    let told = match read(&found) {
        Ok(told) => told,
        Err(why) => {
            section.unknown("details", &why);
            Vec::new()
        }
    };
    for (number, one) in found.iter().enumerate() {
        let item = Item::default()
            .text("path", &one.path)
            .text("text_sha256", &Sha256::of(one.base64.as_bytes()).to_string());
        let item = match told.get(number) {
            Some(Some(told)) => item
                .text("subject", &told.subject)
                .text("issuer", &told.issuer)
                .text("names", &told.names)
                .number("not_before", told.not_before)
                .number("not_after", told.not_after),
            Some(None) => item.text("details_unknown", "it cannot be read as a certificate"),
            None => item,
        };
        let key = if one.place == 0 {
            one.path.clone()
        } else {
            format!("{} #{}", one.path, one.place + 1)
        };
        section.add(&key, item);
    }
    section.finish()
}

fn find(root: &Root, section: &mut Section) -> Vec<Found> {
    let (mut found, mut files) = (Vec::new(), 0);
    let mut folders: Vec<(String, u32)> =
        PLACES.iter().rev().map(|(place, depth)| ((*place).to_owned(), *depth)).collect();
    while let Some((folder, depth)) = folders.pop() {
        let names = match root.names(&folder) {
            Ok(names) => names,
            Err(Unread::Absent) => continue,
            Err(Unread::Failed(why)) => {
                section.unknown(&folder, &why);
                continue;
            }
        };
        for name in names {
            let path = format!("{folder}/{name}");
            let is_folder =
                std::fs::symlink_metadata(root.path(&path)).is_ok_and(|about| about.is_dir());
            if is_folder && depth > 0 {
                folders.push((path, depth - 1));
                continue;
            }
            if !wanted(root, &folder, &name, &path) {
                continue;
            }
            files += 1;
            if files > FILES_MAX {
                section
                    .unknown("more", &format!("more than {FILES_MAX} files; the rest is not read"));
                return found;
            }
            match root.large_text(&path, FILE_BYTES_MAX) {
                Ok(text) => found.extend(blocks(&text, &path)),
                Err(Unread::Absent) => {}
                Err(Unread::Failed(why)) => section.unknown(&path, &why),
            }
        }
    }
    found
}

fn wanted(root: &Root, folder: &str, name: &str, path: &str) -> bool {
    let is_certificate = ["pem", "crt", "cer", "cert"]
        .iter()
        .any(|end| name.rsplit_once('.').is_some_and(|(_, last)| last == *end));
    // Of Let's Encrypt's four files one has the certificate, the others have it too or a key.
    let repeats = folder.starts_with("/etc/letsencrypt/") && name != "cert.pem";
    let of_distribution = folder == "/etc/ssl/certs"
        && (name == "ca-certificates.crt"
            || root.link(path).is_some_and(|link| !link.contains("ssl/private")));
    is_certificate && !repeats && !of_distribution && !name.starts_with("privkey")
}

/// The certificates of a file; keys that stand beside them are passed over.
fn blocks(text: &str, path: &str) -> Vec<Found> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let mut all = Vec::new();
    for (place, piece) in text.split(BEGIN).skip(1).take(CHAIN_MAX).enumerate() {
        if let Some((body, _)) = piece.split_once(END) {
            let base64: String = body.chars().filter(|c| !c.is_whitespace()).collect();
            all.push(Found { path: path.to_owned(), place, base64 });
        }
    }
    all
}
