//! OpenIOC 1.0 and 1.1: the leaves of `OR`. What stands under `AND` means less alone and is counted.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{Context, Imported, NotTheFormat};
use crate::limits;

/// Reads one document.
pub fn openioc(name: &str, text: &[u8]) -> Result<Imported, NotTheFormat> {
    let wrong = |why: String| NotTheFormat { name: name.to_owned(), format: "OpenIOC", why };
    let text = std::str::from_utf8(text).map_err(|error| wrong(error.to_string()))?;
    let mut reader = Reader::from_str(text);
    let mut imported = Imported::default();
    let mut walk = Walk::default();
    loop {
        let event = reader.read_event().map_err(|error| wrong(error.to_string()))?;
        match event {
            Event::Start(element) => walk.open(&element),
            Event::Empty(element) => walk.note(&element),
            Event::End(element) => {
                let local = String::from_utf8_lossy(element.local_name().as_ref()).into_owned();
                walk.close(&mut imported, name, &local);
            }
            Event::Text(piece) => walk.text(&String::from_utf8_lossy(&piece)),
            Event::CData(piece) => walk.text(&String::from_utf8_lossy(&piece)),
            Event::GeneralRef(entity) => {
                let named = String::from_utf8_lossy(&entity).into_owned();
                let entity = quick_xml::escape::unescape(&format!("&{named};"))
                    .map(std::borrow::Cow::into_owned);
                walk.text(&entity.unwrap_or_default());
            }
            Event::Eof => break,
            _ => {}
        }
        if walk.operators.len() > limits::IMPORT_DEPTH_MAX {
            return Err(wrong("nested too deeply".to_owned()));
        }
    }
    if !walk.is_openioc {
        return Err(wrong("no element `ioc` or `OpenIOC`".to_owned()));
    }
    Ok(imported)
}

#[derive(Default)]
struct Walk {
    is_openioc: bool,
    /// `AND` or `OR` of each open indicator.
    operators: Vec<String>,
    condition: String,
    search: String,
    content: Option<String>,
    description: String,
    in_description: bool,
}

impl Walk {
    fn open(&mut self, element: &BytesStart<'_>) {
        match element.local_name().as_ref() {
            b"ioc" | b"OpenIOC" => self.is_openioc = true,
            b"Indicator" => {
                let operator = attribute(element, "operator").unwrap_or_else(|| "OR".to_owned());
                self.operators.push(operator.to_ascii_uppercase());
            }
            b"IndicatorItem" => {
                self.condition = attribute(element, "condition").unwrap_or_default();
                self.search.clear();
            }
            b"Context" => self.note(element),
            b"Content" => self.content = Some(String::new()),
            b"short_description" => self.in_description = true,
            _ => {}
        }
    }

    fn note(&mut self, element: &BytesStart<'_>) {
        if element.local_name().as_ref() == b"Context" {
            self.search = attribute(element, "search").unwrap_or_default();
        }
    }

    fn text(&mut self, piece: &str) {
        if self.in_description {
            self.description.push_str(piece);
        }
        if let Some(content) = &mut self.content {
            content.push_str(piece);
        }
    }

    fn close(&mut self, imported: &mut Imported, name: &str, local: &str) {
        match local {
            "Indicator" => {
                self.operators.pop();
            }
            "short_description" => self.in_description = false,
            "IndicatorItem" => {
                let content = self.content.take().unwrap_or_default();
                self.take(imported, name, content.trim());
            }
            _ => {}
        }
    }

    fn take(&self, imported: &mut Imported, name: &str, content: &str) {
        if self.operators.iter().any(|operator| operator != "OR") {
            return imported.skip("OpenIOC items under AND");
        }
        let context = Context {
            place: name,
            what: self.description.trim(),
            source: name,
            ..Context::default()
        };
        let exact = matches!(self.condition.as_str(), "is" | "matches");
        let contains = self.condition == "contains";
        match self.search.as_str() {
            "FileItem/Md5sum" | "FileItem/Sha1sum" | "FileItem/Sha256sum" if exact => {
                imported.digest(content, &context);
            }
            "FileItem/FullPath" | "FileItem/FilePath" | "FileItem/FileName" if exact => {
                imported.path(content, &context);
            }
            "FileItem/FullPath" | "FileItem/FilePath" | "FileItem/FileName" if contains => {
                imported.path(&format!("*{content}*"), &context);
            }
            "RegistryItem/KeyPath" | "RegistryItem/Path" if exact || contains => {
                imported.registry(content, None, &context);
            }
            "PortItem/remoteIP"
            | "Network/DNS"
            | "DnsEntryItem/Host"
            | "DnsEntryItem/RecordName"
                if exact || contains =>
            {
                imported.network(content, &context);
            }
            "" => imported.reject(name, "an item without a `search`"),
            other => imported.skip(format!("OpenIOC items {other} with `{}`", self.condition)),
        }
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok()??;
    Some(String::from_utf8_lossy(&attribute.value).into_owned())
}
