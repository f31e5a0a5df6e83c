//! Archives: zip, gzip and tar, read in memory and never further than the limits.
//!
//! Each is a few dozen lines, and all that is wanted is "which bytes stand in it": passwords, links and rights do not
//! matter here. What is not understood is said.

use std::borrow::Cow;

use super::inflate::{Inflater, Unpacking};
use crate::limits;

/// What is left of the limits while one archive and all in it are unpacked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    members: usize,
    bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { members: limits::ARCHIVE_MEMBERS_MAX, bytes: limits::ARCHIVE_BYTES_MAX }
    }
}

/// Something in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Member<'a> {
    /// Bytes under a name.
    File {
        /// Its name.
        name: String,
        /// Its bytes.
        bytes: Cow<'a, [u8]>,
    },
    /// Not read, and why.
    Unread {
        /// Its name, or the archive's own.
        name: String,
        /// Why.
        why: &'static str,
    },
}

const BOMB: &str = "unpacks to more than the limit";

/// Visits the members of an archive. `visit` gets the rest of the budget, for archives within.
pub(super) fn unpack(
    name: &str,
    bytes: &[u8],
    budget: &mut Budget,
    visit: &mut dyn FnMut(Member<'_>, &mut Budget),
) {
    match bytes {
        [b'P', b'K', ..] => unpack_zip(bytes, budget, visit),
        [0x1f, 0x8b, ..] => unpack_gzip(name, bytes, budget, visit),
        _ => unpack_tar(bytes, budget, visit),
    }
}

fn unpack_gzip(
    name: &str,
    bytes: &[u8],
    budget: &mut Budget,
    visit: &mut dyn FnMut(Member<'_>, &mut Budget),
) {
    let name = crate::path::file_name(name);
    let lower = name.to_lowercase();
    let inner = match lower.rsplit_once('.') {
        Some((stem, "tgz")) => format!("{stem}.tar"),
        Some((stem, "gz")) => stem.to_owned(),
        _ => format!("{name}.unpacked"),
    };
    let unpacked = budget.member(|room| Inflater::default().gzip(bytes, room).map(Cow::Owned));
    visit(member_of(inner, unpacked), budget);
}

fn member_of<'a>(name: String, unpacked: Result<Cow<'a, [u8]>, &'static str>) -> Member<'a> {
    match unpacked {
        Ok(bytes) => Member::File { name, bytes },
        Err(why) => Member::Unread { name, why },
    }
}

impl Budget {
    /// Charges what one member comes to.
    fn member<'a>(
        &mut self,
        unpack: impl FnOnce(usize) -> Result<Cow<'a, [u8]>, Unpacking>,
    ) -> Result<Cow<'a, [u8]>, &'static str> {
        self.members = self.members.checked_sub(1).ok_or("too many members")?;
        let room = self.bytes.min(limits::ARCHIVE_MEMBER_BYTES_MAX);
        match unpack(room) {
            Ok(bytes) if bytes.len() <= room => {
                self.bytes -= bytes.len();
                Ok(bytes)
            }
            Ok(_) | Err(Unpacking::TooLarge) => {
                // It was unpacked as far as there was room.
                self.bytes -= room;
                Err(BOMB)
            }
            Err(Unpacking::Damaged) => Err("damaged"),
        }
    }
}

struct ZipEntry<'a> {
    name: String,
    flags: u16,
    method: u16,
    /// How much it says it holds.
    size: usize,
    packed: &'a [u8],
}

fn unpack_zip(bytes: &[u8], budget: &mut Budget, visit: &mut dyn FnMut(Member<'_>, &mut Budget)) {
    let mut inflater = Inflater::default();
    let Some(mut at) = central_directory(bytes) else {
        let why = "a zip archive without a directory, or one beyond 4 GiB";
        visit(Member::Unread { name: String::new(), why }, budget);
        return;
    };
    while bytes.get(at..at.saturating_add(4)) == Some(b"PK\x01\x02") {
        if budget.members == 0 {
            visit(Member::Unread { name: String::new(), why: "too many members" }, budget);
            return;
        }
        let Some((entry, next)) = zip_entry(bytes, at) else {
            visit(Member::Unread { name: String::new(), why: "damaged" }, budget);
            return;
        };
        at = next;
        if entry.name.ends_with('/') {
            continue;
        }
        let unpacked = match (entry.flags & 1, entry.method) {
            (1, _) => Err("has a password"),
            (_, 0) => budget.member(|_| Ok(Cow::Borrowed(entry.packed))),
            (_, 8) => budget
                .member(|room| inflater.deflated(entry.packed, entry.size, room).map(Cow::Owned)),
            _ => Err("a compression that is not read"),
        };
        visit(member_of(entry.name, unpacked), budget);
    }
}

/// Finds the directory by the record at the end, which may be followed by a comment.
fn central_directory(bytes: &[u8]) -> Option<usize> {
    let from = bytes.len().saturating_sub(65_557);
    let tail = bytes.get(from..)?;
    let end = from + tail.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let offset = u32_at(bytes, end.checked_add(16)?)?;
    let size = usize::try_from(u32_at(bytes, end.checked_add(12)?)?).ok()?;
    if offset == u32::MAX {
        return None;
    }
    // Counted from the record, so that bytes before the archive (a self-extracting program) do no harm.
    end.checked_sub(size)
}

fn zip_entry(bytes: &[u8], at: usize) -> Option<(ZipEntry<'_>, usize)> {
    let flags = u16_at(bytes, at + 8)?;
    let method = u16_at(bytes, at + 10)?;
    let packed_size = usize::try_from(u32_at(bytes, at + 20)?).ok()?;
    let size = usize::try_from(u32_at(bytes, at + 24)?).ok()?;
    let name_length = usize::from(u16_at(bytes, at + 28)?);
    let more = usize::from(u16_at(bytes, at + 30)?) + usize::from(u16_at(bytes, at + 32)?);
    let offset = usize::try_from(u32_at(bytes, at + 42)?).ok()?;
    let name = bytes.get(at + 46..at + 46 + name_length)?;
    let local = local_header(bytes, offset)?;
    let packed = bytes.get(local..local.checked_add(packed_size)?)?;
    let name = String::from_utf8_lossy(name).into_owned();
    Some((ZipEntry { name, flags, method, size, packed }, at + 46 + name_length + more))
}

/// Where the bytes of a member begin. Offsets are from the archive's own beginning, which may lie behind a program.
fn local_header(bytes: &[u8], offset: usize) -> Option<usize> {
    if bytes.get(offset..offset.checked_add(4)?)? != b"PK\x03\x04" {
        return None;
    }
    let name = usize::from(u16_at(bytes, offset + 26)?);
    let extra = usize::from(u16_at(bytes, offset + 28)?);
    Some(offset + 30 + name + extra)
}

const TAR_BLOCK: usize = 512;

fn unpack_tar(bytes: &[u8], budget: &mut Budget, visit: &mut dyn FnMut(Member<'_>, &mut Budget)) {
    let mut at = 0_usize;
    let mut long_name: Option<String> = None;
    while let Some(header) = bytes.get(at..at.saturating_add(TAR_BLOCK)) {
        let Some((name, size, kind)) = tar_header(header) else { return };
        let Some(content) = bytes.get(at + TAR_BLOCK..).and_then(|rest| rest.get(..size)) else {
            visit(Member::Unread { name, why: "cut off" }, budget);
            return;
        };
        at += TAR_BLOCK + size.div_ceil(TAR_BLOCK) * TAR_BLOCK;
        match kind {
            b'L' => {
                long_name = Some(text(content));
                continue;
            }
            b'0' | 0 => {}
            _ => continue,
        }
        let name = long_name.take().unwrap_or(name);
        let member = member_of(name, budget.member(|_| Ok(Cow::Borrowed(content))));
        let over = budget.members == 0 || budget.bytes == 0;
        visit(member, budget);
        if over {
            return;
        }
    }
}

fn tar_header(header: &[u8]) -> Option<(String, usize, u8)> {
    let first = header.first()?;
    if *first == 0 || header.get(257..262)? != b"ustar" {
        return None;
    }
    let size = std::str::from_utf8(header.get(124..136)?).ok()?;
    let size = usize::from_str_radix(size.trim_matches(['\0', ' ']), 8).ok()?;
    let mut name = text(header.get(..100)?);
    let prefix = text(header.get(345..500)?);
    if !prefix.is_empty() && header.get(257..263)? == b"ustar\0" {
        name = format!("{prefix}/{name}");
    }
    Some((name, size, *header.get(156)?))
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?)?.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_le_bytes)
}
