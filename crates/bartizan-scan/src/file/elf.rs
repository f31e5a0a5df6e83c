//! Facts about Linux programs: what they call themselves, who loads them, what is appended, whether they were stripped or packed.

use object::Endianness;
use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _, SectionHeader as _};

/// Longest name or path that is read from one.
const TEXT_BYTES_MAX: usize = 4096;
/// Entries of a dynamic table that are looked at.
const DYNAMIC_MAX: usize = 4096;
/// Set in a program that may be loaded anywhere.
const FLAGS_1_PIE: u64 = 0x0800_0000;

/// What an ELF file says of itself. None of it is verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ElfFacts {
    /// `DT_SONAME`, as libraries have it.
    pub soname: Option<String>,
    /// The program that loads it.
    pub interpreter: Option<String>,
    /// A program that needs no loader and no libraries.
    pub is_static: bool,
    /// Without a table of symbols; unknown where the table of sections lies in a part that was not read.
    pub is_stripped: Option<bool>,
    /// Bytes behind its last section, segment and table; unknown as above.
    pub overlay: Option<u64>,
    /// Where its code stands in the file.
    pub code: Option<core::ops::Range<usize>>,
}

/// Reads the facts from the beginning of a file of `size` bytes.
pub fn facts(bytes: &[u8], size: u64) -> Option<ElfFacts> {
    match bytes.get(4)? {
        1 => read::<FileHeader32<Endianness>>(bytes, size),
        2 => read::<FileHeader64<Endianness>>(bytes, size),
        _ => None,
    }
}

fn read<H: FileHeader<Endian = Endianness>>(bytes: &[u8], size: u64) -> Option<ElfFacts> {
    let header = H::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, bytes).unwrap_or_default();
    let mut end = table_end::<H>(header, endian);
    let mut facts = ElfFacts::default();
    let mut dynamic = None;
    for segment in segments {
        let (from, length): (u64, u64) =
            (segment.p_offset(endian).into(), segment.p_filesz(endian).into());
        end = end.max(from.saturating_add(length));
        if let Ok(Some(path)) = segment.interpreter(endian, bytes) {
            facts.interpreter = text(path);
        }
        if let Ok(Some(entries)) = segment.dynamic(endian, bytes) {
            dynamic = Some(entries);
        }
        let loaded = segment.p_type(endian) == elf::PT_LOAD;
        if loaded && segment.p_flags(endian).contains(elf::PF_X) {
            let longer = |code: &core::ops::Range<usize>| as_usize(length) > code.len();
            if facts.code.as_ref().is_none_or(longer) {
                let from = as_usize(from);
                facts.code = Some(from..from.saturating_add(as_usize(length)));
            }
        }
    }
    let linked = Linked::read::<H>(segments, dynamic.unwrap_or_default(), endian, bytes);
    let is_program = header.e_type(endian) == elf::ET_EXEC
        || (header.e_type(endian) == elf::ET_DYN && linked.pie);
    facts.is_static = is_program && facts.interpreter.is_none() && !linked.needs_libraries;
    facts.soname = linked.soname;
    // A program without any table of sections is stripped further than `strip` does it.
    if header.e_shoff(endian).into() == 0 {
        facts.is_stripped = Some(true);
        facts.overlay = Some(size.saturating_sub(end));
    } else if let Ok(sections) = header.section_headers(endian, bytes) {
        for section in sections.iter().filter(|s| s.sh_type(endian) != elf::SHT_NOBITS) {
            let (from, length): (u64, u64) =
                (section.sh_offset(endian).into(), section.sh_size(endian).into());
            end = end.max(from.saturating_add(length));
        }
        let symbols = sections.iter().any(|s| s.sh_type(endian) == elf::SHT_SYMTAB);
        facts.is_stripped = Some(!symbols);
        facts.overlay = Some(size.saturating_sub(end));
    }
    Some(facts)
}

/// Where the later of the two tables that the header names ends.
fn table_end<H: FileHeader<Endian = Endianness>>(header: &H, endian: Endianness) -> u64 {
    let table = |from: u64, entry: u16, count: u16| {
        from.saturating_add(u64::from(entry).saturating_mul(u64::from(count)))
    };
    let sections =
        table(header.e_shoff(endian).into(), header.e_shentsize(endian), header.e_shnum(endian));
    let segments =
        table(header.e_phoff(endian).into(), header.e_phentsize(endian), header.e_phnum(endian));
    sections.max(segments)
}

/// What the dynamic table says.
#[derive(Default)]
struct Linked {
    soname: Option<String>,
    needs_libraries: bool,
    pie: bool,
}

impl Linked {
    fn read<H: FileHeader<Endian = Endianness>>(
        segments: &[H::ProgramHeader],
        dynamic: &[H::Dyn],
        endian: Endianness,
        bytes: &[u8],
    ) -> Self {
        let mut linked = Self::default();
        let (mut strings, mut soname) = (None, None);
        for entry in dynamic.iter().take(DYNAMIC_MAX) {
            let value: u64 = entry.d_val(endian).into();
            match entry.d_tag(endian) {
                elf::DT_NULL => break,
                elf::DT_NEEDED => linked.needs_libraries = true,
                elf::DT_FLAGS_1 => linked.pie = value & FLAGS_1_PIE != 0,
                elf::DT_STRTAB => strings = Some(value),
                elf::DT_SONAME => soname = Some(value),
                _ => {}
            }
        }
        if let (Some(strings), Some(soname)) = (strings, soname) {
            let address = strings.saturating_add(soname);
            linked.soname = segments.iter().find_map(|segment| {
                let from: u64 = segment.p_vaddr(endian).into();
                let within = address.checked_sub(from)?;
                let loaded = segment.p_type(endian) == elf::PT_LOAD
                    && within < segment.p_filesz(endian).into();
                let place: u64 = segment.p_offset(endian).into();
                loaded.then(|| text(bytes.get(as_usize(place.saturating_add(within))..)?))?
            });
        }
        linked
    }
}

/// Text up to its zero.
fn text(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.get(..TEXT_BYTES_MAX).unwrap_or(bytes);
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let text = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
    (!text.is_empty()).then_some(text)
}

/// What is beyond memory is beyond every slice, too.
fn as_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::self_test::{Elf, elf};

    fn of(parts: &Elf<'_>) -> ElfFacts {
        let file = elf(parts);
        facts(&file, u64::try_from(file.len()).unwrap()).unwrap()
    }

    #[test]
    fn a_program_says_who_loads_it_and_what_it_is_called() {
        let library = of(&Elf { soname: Some("libexample.so.1"), ..Elf::default() });
        assert_eq!(library.soname.as_deref(), Some("libexample.so.1"));
        assert!(!library.is_static);
        let program = of(&Elf { interpreter: Some("/lib64/ld.so"), ..Elf::default() });
        assert_eq!(program.interpreter.as_deref(), Some("/lib64/ld.so"));
        assert!(!program.is_static);
        let alone = of(&Elf { code: b"code", ..Elf::default() });
        assert!(alone.is_static);
        assert_eq!((alone.soname, alone.interpreter), (None, None));
    }

    #[test]
    fn symbols_and_what_is_appended_are_told() {
        let plain = of(&Elf::default());
        assert_eq!((plain.is_stripped, plain.overlay), (Some(true), Some(0)));
        let more = of(&Elf { has_symbols: true, overlay: b"appended", ..Elf::default() });
        assert_eq!((more.is_stripped, more.overlay), (Some(false), Some(8)));
    }

    #[test]
    fn of_a_file_that_was_read_in_part_only_what_is_there_is_said() {
        let file = elf(&Elf { interpreter: Some("/lib64/ld.so"), ..Elf::default() });
        let size = u64::try_from(file.len()).unwrap();
        let part = facts(&file[..file.len() - 100], size).unwrap();
        assert_eq!((part.is_stripped, part.overlay), (None, None));
        assert_eq!(part.interpreter.as_deref(), Some("/lib64/ld.so"));
        for end in 0..file.len() {
            let _ = facts(&file[..end], size);
        }
    }
}
