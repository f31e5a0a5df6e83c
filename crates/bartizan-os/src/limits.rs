//! Limits of what touches the machine.

use std::time::Duration;

/// How long a script that is told to end may take before it is ended.
pub const GRACE: Duration = Duration::from_secs(2);
/// How long processes that were killed may take to be gone, before the guard gives up on them.
pub const KILL_PATIENCE: Duration = Duration::from_secs(5);
/// How long output is awaited after a script has ended, in case something it left behind still holds it.
pub const OUTPUT_LINGER: Duration = Duration::from_secs(1);
/// Largest piece of output handed on at once.
pub const OUTPUT_CHUNK_BYTES: usize = 16 * 1024;
/// Largest file whose content a standing order can watch; of a larger one size and time of change are watched.
pub const WATCHED_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Largest file read as a fact about the machine.
pub const FACT_BYTES_MAX: u64 = 256 * 1024;
/// Most disks, and most addresses, in an inventory.
pub const INVENTORY_ITEMS_MAX: usize = 64;
/// Longest text in an inventory, in characters.
pub const INVENTORY_TEXT_MAX: usize = 128;
/// Most of the machine's memory one job may use, in per cent: the rest keeps the machine and the guard going.
pub const JOB_MEMORY_PERCENT: u64 = 75;
/// Most processes and threads of one job: a build has hundreds, a fork bomb any number.
pub const JOB_PROCESSES_MAX: u32 = 4096;
/// Over what time a limit of processor time is kept, in microseconds: what kernels take by themselves.
pub const CPU_PERIOD_US: u32 = 100_000;
/// A job's share of the processor beside others, of which each usually has 100: what people work with comes first.
pub const JOB_CPU_WEIGHT: u32 = 50;
/// Longest text of a look in bytes.
pub const LOOK_TEXT_BYTES_MAX: usize = 256;
/// Most file systems that one check looks at by itself.
pub const LOOK_DISKS_MAX: usize = 64;
/// Most processes that are counted.
pub const LOOK_PROCESSES_MAX: usize = 100_000;
/// Most files under a folder that are looked at for the newest one.
pub const LOOK_FILES_MAX: usize = 10_000;
/// How deep below that folder.
pub const LOOK_DEPTH_MAX: usize = 4;
/// Most bytes of a file that are matched at one look.
pub const LOOK_CONTENT_BYTES_MAX: u64 = 1024 * 1024;
/// Bytes of a line that are matched: with the size of a pattern this bounds the time for a line to some hundredths of a second.
pub const LOOK_LINE_BYTES_MAX: usize = 4 * 1024;
/// Largest file of certificates that a check looks at; bundles of authorities are larger.
pub const LOOK_CERTIFICATES_BYTES_MAX: u64 = 64 * 1024;
/// How long matching may take at one look.
pub const LOOK_PATTERN_TIME: Duration = Duration::from_secs(2);
/// Most file systems of which metrics are kept, five each.
pub const METRIC_FILESYSTEMS_MAX: usize = 16;
/// Most interfaces, eight each.
pub const METRIC_INTERFACES_MAX: usize = 8;
/// Most disks, five each.
pub const METRIC_DISKS_MAX: usize = 8;
/// Programs that are named, by processor time and by memory. With the three above and what a machine has once: below the 256
/// series of a report, also when the names change with every sample of five.
pub const METRIC_TOP: usize = 5;
/// Processes looked at; above that they are only counted.
pub const METRIC_PROCESSES_MAX: usize = 8192;
/// Longest label, as in a report.
pub const METRIC_LABEL_BYTES_MAX: usize = 64;
/// Most items of a section of the inventory that are the machine's own; what is beyond is counted. The server takes a few more.
pub const SECTION_ITEMS_MAX: usize = 7_900;
/// Largest section, about: the server takes 1 MiB.
pub const SECTION_BYTES_MAX: usize = 768 * 1024;
/// Longest text of a field, in bytes, as the server takes it: names, versions and lists of some dozens of members fit.
pub const SECTION_TEXT_BYTES_MAX: usize = 1024;
/// Longest key of an item, in bytes, as the server takes it: a long path fits.
pub const SECTION_KEY_BYTES_MAX: usize = 256;
/// Most entries of a folder that are looked at.
pub const FOLDER_ENTRIES_MAX: usize = 32_768;
/// Most open files of all processes that are looked at to find who listens.
pub const DESCRIPTORS_MAX: u32 = 500_000;
