//! Reads registry hives as they lie on a disk. Read-only, no recursion over input, every offset checked.
//!
//! Layout: a base block of 4,096 bytes, then cells. A cell is a negative length when in use, and its content; offsets count from
//! the end of the base block.

use crate::limits;
use crate::time::UnixSeconds;

const BASE: usize = 4096;
const NONE: u32 = u32::MAX;

/// Why bytes are not a hive that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HiveError {
    /// Another kind of file.
    #[error("not a registry hive")]
    NotAHive,
    /// Its root cannot be found.
    #[error("a damaged registry hive")]
    Damaged,
    /// Larger than the limit.
    #[error("a registry hive above the size limit")]
    TooLarge,
}

/// A hive.
#[derive(Debug, Clone, Copy)]
pub struct Hive<'a> {
    bytes: &'a [u8],
    root: u32,
    /// It was not closed: newer changes may stand in its `.LOG1` and `.LOG2`.
    pub is_dirty: bool,
}

/// A key as it was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its path, `\` between the parts, without the root's name.
    pub path: String,
    /// When it was last written.
    pub written: Option<UnixSeconds>,
    /// Its values.
    pub values: Vec<Value>,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Its name; empty: the default value.
    pub name: String,
    /// Its type, as Windows numbers them.
    pub kind: u32,
    /// Its bytes, up to the limit.
    pub data: Vec<u8>,
}

impl Value {
    /// The data as text: strings as they are, numbers in decimal, anything else in hexadecimal.
    pub fn text(&self) -> String {
        match self.kind {
            1 | 2 | 6 | 7 => utf16(&self.data).trim_end_matches('\0').replace('\0', " "),
            4 => self
                .data
                .get(..4)
                .and_then(|b| b.try_into().ok())
                .map(u32::from_le_bytes)
                .unwrap_or_default()
                .to_string(),
            11 => self
                .data
                .get(..8)
                .and_then(|b| b.try_into().ok())
                .map(u64::from_le_bytes)
                .unwrap_or_default()
                .to_string(),
            _ => data_encoding::HEXLOWER.encode(self.data.get(..64).unwrap_or(&self.data)),
        }
    }
}

impl<'a> Hive<'a> {
    /// Looks at the base block.
    pub fn open(bytes: &'a [u8]) -> Result<Self, HiveError> {
        if bytes.get(..4) != Some(b"regf") {
            return Err(HiveError::NotAHive);
        }
        if bytes.len() > limits::HIVE_BYTES_MAX {
            return Err(HiveError::TooLarge);
        }
        let root = u32_at(bytes, 36).ok_or(HiveError::Damaged)?;
        let is_dirty = u32_at(bytes, 4) != u32_at(bytes, 8);
        let hive = Self { bytes, root, is_dirty };
        hive.node(root).ok_or(HiveError::Damaged)?;
        Ok(hive)
    }

    /// Visits every key with its values. Returns how many there were, and whether something could not be followed.
    pub fn visit(&self, mut visit: impl FnMut(&Key)) -> (u64, bool) {
        let mut pending = vec![(self.root, String::new(), 0_usize)];
        let (mut count, mut damaged) = (0_usize, false);
        while let Some((offset, parent, depth)) = pending.pop() {
            if count >= limits::HIVE_KEYS_MAX || depth > limits::HIVE_DEPTH_MAX {
                damaged = true;
                break;
            }
            count += 1;
            let Some(node) = self.node(offset) else {
                damaged = true;
                continue;
            };
            let path = match (depth, parent.is_empty()) {
                (0, _) => String::new(),
                (_, true) => node.name.clone(),
                (_, false) => format!("{parent}\\{}", node.name),
            };
            let (values, whole) = self.values(&node);
            damaged |= !whole;
            visit(&Key { path: path.clone(), written: node.written, values });
            match self.children(node.subkeys, node.subkey_list) {
                // Pushed backwards, so that they are visited in order.
                Some(children) => {
                    pending.extend(
                        children.into_iter().rev().map(|child| (child, path.clone(), depth + 1)),
                    );
                }
                None => damaged = true,
            }
        }
        (u64::try_from(count).unwrap_or(u64::MAX), damaged)
    }

    fn cell(&self, offset: u32) -> Option<&'a [u8]> {
        if offset == NONE {
            return None;
        }
        let at = BASE.checked_add(usize::try_from(offset).ok()?)?;
        let length = i32::from_le_bytes(self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?);
        let length = usize::try_from(length.unsigned_abs()).ok()?;
        self.bytes.get(at + 4..at.checked_add(length)?)
    }

    fn node(&self, offset: u32) -> Option<Node> {
        let cell = self.cell(offset)?;
        if cell.get(..2)? != b"nk" {
            return None;
        }
        let flags = u16_at(cell, 2)?;
        let length = usize::from(u16_at(cell, 72)?);
        let name = cell.get(76..76_usize.checked_add(length)?)?;
        Some(Node {
            name: text(name, flags & 0x20 != 0),
            written: UnixSeconds::from_filetime(u64_at(cell, 4)?),
            subkeys: u32_at(cell, 20)?,
            subkey_list: u32_at(cell, 28)?,
            values: u32_at(cell, 36)?,
            value_list: u32_at(cell, 40)?,
        })
    }

    /// Offsets of the subkeys. An index of indexes is one level deep, by the format.
    fn children(&self, count: u32, list: u32) -> Option<Vec<u32>> {
        if count == 0 {
            return Some(Vec::new());
        }
        let cell = self.cell(list)?;
        if cell.get(..2)? != b"ri" {
            return leaf(cell);
        }
        let mut children = Vec::new();
        for index in 0..usize::from(u16_at(cell, 2)?) {
            children.extend(leaf(self.cell(u32_at(cell, 4 + index * 4)?)?)?);
            if children.len() > limits::HIVE_KEYS_MAX {
                return None;
            }
        }
        Some(children)
    }

    /// The values, and whether all of them could be read.
    fn values(&self, node: &Node) -> (Vec<Value>, bool) {
        if node.values == 0 {
            return (Vec::new(), true);
        }
        let Some(list) = self.cell(node.value_list) else { return (Vec::new(), false) };
        let offsets =
            list.chunks_exact(4).filter_map(|four| four.try_into().ok().map(u32::from_le_bytes));
        let wanted = usize::try_from(node.values).unwrap_or(usize::MAX);
        let mut whole = list.len() / 4 >= wanted;
        let mut values = Vec::new();
        for offset in offsets.take(wanted) {
            match self.value(offset) {
                Some(value) => values.push(value),
                None => whole = false,
            }
        }
        (values, whole)
    }

    fn value(&self, offset: u32) -> Option<Value> {
        let cell = self.cell(offset)?;
        if cell.get(..2)? != b"vk" {
            return None;
        }
        let name_length = usize::from(u16_at(cell, 2)?);
        let size = u32_at(cell, 4)?;
        let is_ascii = u16_at(cell, 16)? & 1 != 0;
        let name = text(cell.get(20..20_usize.checked_add(name_length)?)?, is_ascii);
        let length = usize::try_from(size & 0x7fff_ffff).ok()?;
        let data = if size & 0x8000_0000 != 0 {
            cell.get(8..8 + length.min(4))?.to_vec()
        } else if length == 0 {
            Vec::new()
        } else {
            self.data(u32_at(cell, 8)?, length)?
        };
        Some(Value { name, kind: u32_at(cell, 12)?, data })
    }

    /// The bytes of a value; large ones stand in segments.
    fn data(&self, offset: u32, length: usize) -> Option<Vec<u8>> {
        let wanted = length.min(limits::HIVE_VALUE_BYTES_MAX);
        let cell = self.cell(offset)?;
        if length <= 16_344 || cell.get(..2)? != b"db" {
            return Some(cell.get(..wanted.min(cell.len()))?.to_vec());
        }
        let list = self.cell(u32_at(cell, 4)?)?;
        let mut data = Vec::new();
        for index in 0..usize::from(u16_at(cell, 2)?) {
            let segment = self.cell(u32_at(list, index * 4)?)?;
            data.extend_from_slice(segment.get(..segment.len().min(16_344))?);
            if data.len() >= wanted {
                break;
            }
        }
        data.truncate(wanted);
        Some(data)
    }
}

struct Node {
    name: String,
    written: Option<UnixSeconds>,
    subkeys: u32,
    subkey_list: u32,
    values: u32,
    value_list: u32,
}

/// `lf` and `lh` keep a hash beside each offset, `li` does not.
fn leaf(cell: &[u8]) -> Option<Vec<u32>> {
    let step = match cell.get(..2)? {
        b"lf" | b"lh" => 8,
        b"li" => 4,
        _ => return None,
    };
    (0..usize::from(u16_at(cell, 2)?)).map(|index| u32_at(cell, 4 + index * step)).collect()
}

fn text(bytes: &[u8], is_ascii: bool) -> String {
    if is_ascii { bytes.iter().map(|byte| char::from(*byte)).collect() } else { utf16(bytes) }
}

fn utf16(bytes: &[u8]) -> String {
    let units =
        bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok().map(u16::from_le_bytes));
    char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at.checked_add(8)?)?.try_into().ok().map(u64::from_le_bytes)
}
