//! Writes a small Linux program: for the self-test, and for tests that need one with certain facts. It runs nowhere.

const HEADER_BYTES: usize = 64;
const SEGMENT_BYTES: usize = 56;
const SECTION_BYTES: usize = 64;

/// What a program is to say of itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Elf<'a> {
    /// `DT_SONAME`; makes it a library.
    pub soname: Option<&'a str>,
    /// The program that loads it.
    pub interpreter: Option<&'a str>,
    /// With a table of symbols.
    pub has_symbols: bool,
    /// What stands where its code would.
    pub code: &'a [u8],
    /// What stands behind its end.
    pub overlay: &'a [u8],
}

/// The file: 64 bits, little-endian, every address its place in the file.
pub fn elf(parts: &Elf<'_>) -> Vec<u8> {
    let mut file = vec![0; HEADER_BYTES + 3 * SEGMENT_BYTES];
    let interpreter = append(&mut file, parts.interpreter, |path| [path.as_bytes(), &[0]].concat());
    let strings = append(&mut file, parts.soname, |name| [&[0], name.as_bytes(), &[0]].concat());
    let dynamic = append(&mut file, strings, |(at, _)| {
        // DT_STRTAB, DT_SONAME, DT_NULL.
        let entries = [(5, number(at)), (14, 1), (0, 0)];
        entries.iter().flat_map(|(tag, value)| [*tag, *value]).flat_map(u64::to_le_bytes).collect()
    });
    file.extend_from_slice(parts.code);
    let end = file.len();
    // PT_LOAD, PT_INTERP, PT_DYNAMIC; what is not there has the type of nothing.
    segment(&mut file, 0, 1, Some((0, end)));
    segment(&mut file, 1, 3, interpreter);
    segment(&mut file, 2, 2, dynamic);
    let sections = file.len();
    file.resize(sections + 2 * SECTION_BYTES, 0);
    let kind: u32 = if parts.has_symbols { 2 } else { 1 };
    put(&mut file, sections + SECTION_BYTES + 4, &kind.to_le_bytes());
    header(&mut file, sections, parts.soname.is_some());
    file.extend_from_slice(parts.overlay);
    file
}

fn header(file: &mut [u8], sections: usize, is_library: bool) {
    let kind: u16 = if is_library { 3 } else { 2 };
    put(file, 0, b"\x7fELF\x02\x01\x01");
    put(file, 16, &kind.to_le_bytes());
    put(file, 18, &62_u16.to_le_bytes());
    put(file, 20, &1_u32.to_le_bytes());
    put(file, 32, &number(HEADER_BYTES).to_le_bytes());
    put(file, 40, &number(sections).to_le_bytes());
    for (at, value) in [(52, 64), (54, 56), (56, 3), (58, 64), (60, 2)] {
        put(file, at, &u16::to_le_bytes(value));
    }
}

fn segment(file: &mut [u8], index: usize, kind: u32, place: Option<(usize, usize)>) {
    let Some((from, length)) = place else { return };
    let at = HEADER_BYTES + index * SEGMENT_BYTES;
    put(file, at, &kind.to_le_bytes());
    put(file, at + 4, &5_u32.to_le_bytes());
    for (field, value) in [(8, from), (16, from), (24, from), (32, length), (40, length)] {
        put(file, at + field, &number(value).to_le_bytes());
    }
}

/// Appends what is there, and says where it stands and how long it is.
fn append<T>(
    file: &mut Vec<u8>,
    what: Option<T>,
    bytes: impl FnOnce(T) -> Vec<u8>,
) -> Option<(usize, usize)> {
    let bytes = bytes(what?);
    file.resize(file.len().next_multiple_of(8), 0);
    let at = file.len();
    file.extend_from_slice(&bytes);
    Some((at, bytes.len()))
}

fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    for (to, from) in bytes.iter_mut().skip(at).zip(what) {
        *to = *from;
    }
}

fn number(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
