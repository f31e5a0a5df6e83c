//! Lists with columns: digests, addresses, names, one indicator a line.

use super::{Context, Imported, NotTheFormat};

/// Names of columns that hold an indicator, whatever case.
const VALUES: [&str; 16] = [
    "indicator",
    "value",
    "ioc",
    "sha256",
    "sha-256",
    "sha1",
    "sha-1",
    "md5",
    "hash",
    "digest",
    "ip",
    "ipv4",
    "domain",
    "hostname",
    "url",
    "data",
];
const WORDS: [&str; 7] =
    ["description", "comment", "note", "name", "malware", "signature", "file_name"];

/// Reads a list. The separator is the first line's: comma, semicolon or tab. With a head the columns are found by name;
/// without one the first cell of each line that is an indicator counts.
pub fn csv(name: &str, text: &[u8]) -> Result<Imported, NotTheFormat> {
    let mut imported = Imported::default();
    let first = text.split(|byte| *byte == b'\n').find(|line| !line.starts_with(b"#"));
    let count = |separator: u8| first.map_or(0, |line| line.split(|b| *b == separator).count());
    let separator = [b',', b';', b'\t'].into_iter().max_by_key(|s| count(*s)).unwrap_or(b',');
    let mut reader = ::csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(::csv::Trim::All)
        .from_reader(text);
    let mut columns: Option<(Vec<usize>, Option<usize>)> = None;
    for record in reader.byte_records() {
        let record = record.map_err(|error| NotTheFormat {
            name: name.to_owned(),
            format: "a list with columns",
            why: error.to_string(),
        })?;
        let line = record.position().map_or(0, ::csv::Position::line);
        let cells: Vec<String> =
            record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
        if columns.is_none() {
            let (found, is_head) = head_of(&cells);
            columns = Some(found);
            if is_head {
                continue;
            }
        }
        let Some((values, words)) = &columns else { continue };
        take(&mut imported, &format!("{name}:{line}"), &cells, values, *words);
    }
    Ok(imported)
}

fn head_of(cells: &[String]) -> ((Vec<usize>, Option<usize>), bool) {
    let place = |names: &[&str]| -> Vec<usize> {
        let named = |cell: &String| names.contains(&cell.to_ascii_lowercase().as_str());
        cells.iter().enumerate().filter(|(_, cell)| named(cell)).map(|(at, _)| at).collect()
    };
    let values = place(&VALUES);
    let is_head = !values.is_empty();
    ((values, place(&WORDS).first().copied()), is_head)
}

fn take(
    imported: &mut Imported,
    place: &str,
    cells: &[String],
    values: &[usize],
    words: Option<usize>,
) {
    let what = words.and_then(|at| cells.get(at)).map_or("", String::as_str);
    let context = Context { place, what, source: place, ..Context::default() };
    let mut any = false;
    let in_column = |at: usize| values.is_empty() || values.contains(&at);
    for (_, cell) in cells.iter().enumerate().filter(|(at, _)| in_column(*at)) {
        any |= one(imported, cell, &context, !values.is_empty());
    }
    if !any {
        imported.skip("lines without an indicator");
    }
}

/// Takes a cell in, if it is an indicator. In a column that is named as one, something broken is rejected by name.
fn one(imported: &mut Imported, cell: &str, context: &Context<'_>, named: bool) -> bool {
    let hex = cell.len() >= 24 && cell.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex {
        imported.digest(cell, context);
    } else if cell.contains("://") {
        imported.url(cell, context);
    } else if crate::network::Named::parse(cell).is_some() && !cell.contains(' ') {
        imported.network(cell, context);
    } else if cell.contains('\\') || (named && cell.starts_with('/')) {
        imported.path(cell, context);
    } else if named && !cell.is_empty() {
        imported.reject(context.place, "neither a digest, an address, a name nor a path");
        return true;
    } else {
        return false;
    }
    true
}
