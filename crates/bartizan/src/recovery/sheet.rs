//! The sheet of paper: text, and one page of HTML that prints by itself and fetches nothing.

use anyhow::{Context, Result};
use bartizan_trust::id::Anchor;
use bartizan_trust::words::eight_words;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};

/// What a sheet is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Names new people.
    Recovery,
    /// Co-signs the control log when every console is gone.
    SpareWitness,
}

impl Kind {
    /// Beginning of file names.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Recovery => "recovery",
            Self::SpareWitness => "spare-witness",
        }
    }

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Recovery => "Bartizan recovery key",
            Self::SpareWitness => "Bartizan spare witness key",
        }
    }

    pub(crate) const fn purpose(self) -> &'static str {
        match self {
            Self::Recovery => {
                "Whoever has this sheet and its passphrase can name new people for the organisation below. It takes 72 hours unless your bundle says otherwise, every console sees it, and one operator who is still there can stop it. It can change nothing else."
            }
            Self::SpareWitness => {
                "Whoever has this sheet and its passphrase can co-sign the control log, so that endpoints follow it when every operator's console is gone. It signs no statement. Keep it away from the recovery key: both together with the server could hide a recovery from you."
            }
        }
    }
}

/// What to do, case by case: the same table as in the guide.
pub(crate) const CASES: &[(&str, &str)] = &[
    (
        "One security key lost, its owner has another",
        "two operators: `bartizan operator key remove NAME SHA256:…`. At once. Then `bartizan operator key add`.",
    ),
    (
        "One of two people gone",
        "the other: `bartizan recover propose --keep NAME --with NEW.card`, both sign, `bartizan recover send`. After the delay.",
    ),
    (
        "Everybody gone",
        "new people: `bartizan recover propose --with A.card B.card`, both sign, `bartizan recover send` and, after the delay, `bartizan recover finish`, both with the spare witness sheet.",
    ),
    (
        "This sheet lost or seen by others",
        "two operators: `bartizan recovery new`, then `bartizan recovery replace`. If somebody uses the old one: `bartizan bundle veto`.",
    ),
    (
        "Everything lost, this sheet too",
        "found a new organisation; on each endpoint, as its administrator: `bartizan-guard reanchor`.",
    ),
    ("Server and database lost", "`bartizan log rescue` from a mirror. Needs no recovery key."),
];

/// Everything that stands on a sheet.
pub(crate) struct Sheet<'a> {
    pub(crate) kind: Kind,
    /// Absent before the organisation is founded.
    pub(crate) anchor: Option<Anchor>,
    /// The public half, as text.
    pub(crate) public: &'a str,
    /// Eight words of the public half.
    pub(crate) words: &'a str,
    /// The encrypted key.
    pub(crate) armor: &'a str,
}

impl Sheet<'_> {
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let (anchor, words) = match self.anchor {
            Some(anchor) => (anchor.to_string(), eight_words(anchor.org().hash())),
            None => ("_".repeat(40), "_".repeat(40)),
        };
        vec![
            ("organisation", anchor),
            ("its words", words),
            ("public key", self.public.to_owned()),
            ("its words", self.words.to_owned()),
            ("printed, by", "_".repeat(40)),
            ("kept at", "_".repeat(40)),
        ]
    }

    pub(crate) fn use_it(&self) -> String {
        let name = self.kind.name();
        format!(
            "Photograph or type the block between and including the two lines of dashes into the file {name}.age. `bartizan recover` takes that file. Without Bartizan: `age -d {name}.age` asks for the passphrase and prints an OpenSSH private key."
        )
    }

    /// For a printer that knows letters only.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}\n\n{}\n\n", self.kind.title(), self.kind.purpose());
        for (name, value) in self.facts() {
            text += &format!("{name:<13} {value}\n");
        }
        text += &format!("\n{}\n{}\n\n", self.armor, self.use_it());
        for (case, what) in CASES {
            text += &format!("{case}:\n    {what}\n");
        }
        text
    }

    /// For a browser.
    pub(crate) fn html(&self) -> Result<String> {
        let mut facts = String::new();
        for (name, value) in self.facts() {
            facts += &format!("<tr><th>{name}</th><td>{}</td></tr>\n", escaped(&value));
        }
        let mut cases = String::new();
        for (case, what) in CASES {
            cases += &format!("<tr><td>{}</td><td>{}</td></tr>\n", escaped(case), escaped(what));
        }
        Ok(format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n<style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n<p>{purpose}</p>\n<table>\n{facts}</table>\n<div class=\"key\"><pre>{armor}</pre>{code}</div>\n<p>{use_it}</p>\n<h2>What to do when</h2>\n<table>\n<tr><th>what happened</th><th>who types what</th></tr>\n{cases}</table>\n</body></html>\n",
            title = self.kind.title(),
            purpose = escaped(self.kind.purpose()),
            armor = escaped(self.armor),
            code = code(self.armor)?,
            use_it = escaped(&self.use_it()),
        ))
    }
}

/// No colour, no script, nothing from elsewhere. 64 letters of 7 pt and 75 mm of code stand beside each other in the 180 mm of the page.
const STYLE: &str = "@page{size:A4;margin:15mm}body{font:10pt/1.35 sans-serif;max-width:180mm;margin:auto;color:#000;background:#fff}h1{font-size:16pt}h2{font-size:12pt}table{border-collapse:collapse;width:100%}th,td{border:1px solid #999;padding:1mm 2mm;text-align:left;vertical-align:top;overflow-wrap:anywhere}th{white-space:nowrap;font-weight:600}.key{display:flex;gap:5mm;align-items:center;margin:4mm 0}pre{font:7pt/1.25 monospace;margin:0}svg{width:75mm;height:75mm;flex:none}";

/// The encrypted key as a QR code: an SVG picture without an XML declaration.
pub(crate) fn code(armor: &str) -> Result<String> {
    let code = QrCode::with_error_correction_level(armor.as_bytes(), EcLevel::M)
        .context("the key does not fit into a QR code")?;
    let drawn = code.render::<svg::Color<'_>>().min_dimensions(600, 600).build();
    Ok(drawn.find("<svg").and_then(|start| drawn.get(start..)).unwrap_or_default().to_owned())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(armor: &str) -> Sheet<'_> {
        Sheet { kind: Kind::Recovery, anchor: None, public: "<k&y>", words: "a b", armor }
    }

    #[test]
    fn a_page_fetches_nothing_and_obeys_no_text() {
        let page = sheet("-----BEGIN <x>").html().expect("page");
        assert!(page.contains("&lt;k&amp;y&gt;") && page.contains("BEGIN &lt;x&gt;"));
        for foreign in ["http", "src=", "<script", "url("] {
            let found = page.replace("http://www.w3.org/2000/svg", "");
            assert!(!found.contains(foreign), "{foreign}");
        }
        assert!(page.contains("<svg") && !page.contains("<?xml"));
    }

    #[test]
    fn every_case_of_the_table_is_on_the_sheet() {
        let text = sheet("armor").text();
        for word in ["key remove", "--keep", "finish", "replace", "reanchor", "log rescue"] {
            assert!(text.contains(word), "{word}");
        }
    }
}
