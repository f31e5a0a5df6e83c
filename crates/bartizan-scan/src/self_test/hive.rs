//! Writes a small registry hive: for the self-test, and for tests that need one with other keys.

use std::collections::BTreeMap;

const NONE: u32 = u32::MAX;

/// A key that is being laid out.
#[derive(Default)]
struct Tree<'a> {
    children: BTreeMap<String, Tree<'a>>,
    values: Vec<(&'a str, &'a str)>,
}

/// A hive with these keys (`\` between the parts) and text values.
pub fn hive(keys: &[(&str, &[(&str, &str)])]) -> Vec<u8> {
    let mut tree = Tree::default();
    for (path, values) in keys {
        let mut at = &mut tree;
        for part in path.split('\\') {
            at = at.children.entry(part.to_owned()).or_default();
        }
        at.values.extend_from_slice(values);
    }
    let mut cells = Vec::new();
    let root = write_key(&mut cells, "ROOT", &tree);
    let mut base = vec![0_u8; 4096];
    put(&mut base, 0, b"regf");
    put(&mut base, 36, &root.to_le_bytes());
    put(&mut base, 40, &length(&cells).to_le_bytes());
    base.extend_from_slice(&cells);
    base
}

/// Children first, so that their offsets are known. The depth is that of the paths a caller wrote down.
fn write_key(cells: &mut Vec<u8>, name: &str, tree: &Tree<'_>) -> u32 {
    let children: Vec<u32> =
        tree.children.iter().map(|(name, child)| write_key(cells, name, child)).collect();
    let values: Vec<u32> =
        tree.values.iter().map(|(name, text)| write_value(cells, name, text)).collect();
    let subkey_list = if children.is_empty() {
        NONE
    } else {
        let mut cell = b"li".to_vec();
        let count = u16::try_from(children.len()).unwrap_or(u16::MAX);
        cell.extend_from_slice(&count.to_le_bytes());
        cell.extend(children.iter().flat_map(|offset| offset.to_le_bytes()));
        write_cell(cells, &cell)
    };
    let value_list = if values.is_empty() {
        NONE
    } else {
        let cell: Vec<u8> = values.iter().flat_map(|offset| offset.to_le_bytes()).collect();
        write_cell(cells, &cell)
    };
    let mut cell = vec![0_u8; 76];
    put(&mut cell, 0, b"nk");
    put(&mut cell, 2, &0x20_u16.to_le_bytes());
    put(&mut cell, 4, &132_697_170_000_000_000_u64.to_le_bytes());
    put(&mut cell, 20, &count(children.len()).to_le_bytes());
    put(&mut cell, 28, &subkey_list.to_le_bytes());
    put(&mut cell, 36, &count(values.len()).to_le_bytes());
    put(&mut cell, 40, &value_list.to_le_bytes());
    put(&mut cell, 72, &u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
    cell.extend_from_slice(name.as_bytes());
    write_cell(cells, &cell)
}

fn write_value(cells: &mut Vec<u8>, name: &str, text: &str) -> u32 {
    let data: Vec<u8> = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    let offset = write_cell(cells, &data);
    let mut cell = vec![0_u8; 20];
    put(&mut cell, 0, b"vk");
    put(&mut cell, 2, &u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
    put(&mut cell, 4, &length(&data).to_le_bytes());
    put(&mut cell, 8, &offset.to_le_bytes());
    put(&mut cell, 12, &1_u32.to_le_bytes());
    put(&mut cell, 16, &1_u16.to_le_bytes());
    cell.extend_from_slice(name.as_bytes());
    write_cell(cells, &cell)
}

fn write_cell(cells: &mut Vec<u8>, content: &[u8]) -> u32 {
    let offset = length(cells);
    let size = (content.len() + 4).div_ceil(8) * 8;
    let used = i32::try_from(size).unwrap_or(i32::MAX).wrapping_neg();
    cells.extend_from_slice(&used.to_le_bytes());
    cells.extend_from_slice(content);
    cells.resize(cells.len() + size - 4 - content.len(), 0);
    offset
}

fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    for (to, from) in bytes.iter_mut().skip(at).zip(what) {
        *to = *from;
    }
}

fn length(bytes: &[u8]) -> u32 {
    count(bytes.len())
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
