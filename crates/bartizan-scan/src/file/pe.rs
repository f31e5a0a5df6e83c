//! Facts about Windows programs: what they call themselves, what is appended, whether a signature is attached.

use object::LittleEndian as LE;
use object::pe::{
    IMAGE_DIRECTORY_ENTRY_SECURITY, IMAGE_NT_OPTIONAL_HDR64_MAGIC, IMAGE_SCN_MEM_EXECUTE,
    ImageNtHeaders32, ImageNtHeaders64, RT_VERSION,
};
use object::read::pe::{ImageNtHeaders, PeFile, ResourceDirectoryEntryData};

/// Largest version resource that is read, in bytes.
const VERSION_BYTES_MAX: usize = 64 * 1024;

/// What a PE file says of itself. None of it is verified.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeFacts {
    /// `OriginalFilename` of the version resource.
    pub original_name: Option<String>,
    /// `ProductName`.
    pub product: Option<String>,
    /// A signature block is attached.
    pub has_signature: bool,
    /// Bytes behind the last section and the signature.
    pub overlay: u64,
    /// Where its code stands in the file: the longest section that may run.
    pub code: Option<core::ops::Range<usize>>,
}

/// Reads the facts from the beginning of a file of `size` bytes.
pub fn facts(bytes: &[u8], size: u64) -> Option<PeFacts> {
    match object::read::pe::optional_header_magic(bytes).ok()? {
        IMAGE_NT_OPTIONAL_HDR64_MAGIC => read::<ImageNtHeaders64>(bytes, size),
        _ => read::<ImageNtHeaders32>(bytes, size),
    }
}

fn read<H: ImageNtHeaders>(bytes: &[u8], size: u64) -> Option<PeFacts> {
    let file = PeFile::<H>::parse(bytes).ok()?;
    let sections = file.section_table();
    let mut end: u64 = 0;
    let mut code = None;
    for section in sections.iter() {
        // All that lies in the file, also what is only padding.
        let offset = section.pointer_to_raw_data.get(LE);
        let length = section.size_of_raw_data.get(LE);
        end = end.max(u64::from(offset).saturating_add(u64::from(length)));
        let runs = section.characteristics.get(LE).contains(IMAGE_SCN_MEM_EXECUTE);
        if let (true, Ok(from), Ok(length)) =
            (runs, usize::try_from(offset), usize::try_from(length))
            && code.as_ref().is_none_or(|code: &core::ops::Range<usize>| code.len() < length)
        {
            code = Some(from..from.saturating_add(length));
        }
    }
    let directories = file.data_directories();
    let mut has_signature = false;
    if let Some(security) = directories.get(IMAGE_DIRECTORY_ENTRY_SECURITY) {
        // The one directory whose address is a place in the file.
        let (offset, length) = (security.virtual_address.get(LE), security.size.get(LE));
        has_signature = offset != 0 && length != 0;
        if has_signature {
            end = end.max(u64::from(offset).saturating_add(u64::from(length)));
        }
    }
    let version = version_resource::<H>(&file, bytes);
    Some(PeFacts {
        original_name: version.and_then(|block| version_text(block, "OriginalFilename")),
        product: version.and_then(|block| version_text(block, "ProductName")),
        has_signature,
        overlay: size.saturating_sub(end),
        code,
    })
}

fn version_resource<'a, H: ImageNtHeaders>(
    file: &PeFile<'a, H>,
    bytes: &'a [u8],
) -> Option<&'a [u8]> {
    let sections = file.section_table();
    let directory = file.data_directories().resource_directory(bytes, &sections).ok()??;
    let root = directory.root().ok()?;
    let types = root.entries.iter().find(|entry| entry.name_or_id().id() == Some(RT_VERSION))?;
    let names = types.data(directory).ok()?.table()?;
    let languages = names.entries.first()?.data(directory).ok()?.table()?;
    let ResourceDirectoryEntryData::Data(entry) =
        languages.entries.first()?.data(directory).ok()?
    else {
        return None;
    };
    let address = entry.offset_to_data.get(LE);
    let length = usize::try_from(entry.size.get(LE)).ok()?.min(VERSION_BYTES_MAX);
    let data = sections.pe_data_at(bytes, address)?;
    data.get(..length.min(data.len()))
}

/// The value of a string in a version resource: the key and the value are UTF-16, ended by zero, and aligned.
fn version_text(block: &[u8], key: &str) -> Option<String> {
    let wanted: Vec<u8> = key.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    let start = block.windows(wanted.len()).step_by(2).position(|window| window == wanted)? * 2;
    let mut units = block
        .get(start + wanted.len()..)?
        .chunks_exact(2)
        .filter_map(|pair| pair.try_into().ok().map(u16::from_le_bytes))
        .peekable();
    // At most one zero of padding.
    units.next_if_eq(&0);
    let text: Vec<u16> = units.take_while(|unit| *unit != 0).take(256).collect();
    (!text.is_empty()).then(|| String::from_utf16_lossy(&text))
}
