//! Every limit of the engine, in one place: what it guards and why that number.

/// Largest part of a file held in memory and matched in full. Two workers hold two of them, which keeps a scan under 150 MB.
pub const FILE_BYTES_MAX: usize = 24 * 1024 * 1024;
/// Of a larger file: how much of its beginning is matched.
pub const FILE_HEAD_BYTES: usize = 16 * 1024 * 1024;
/// Of a larger file: how much of its end is matched; footers and overlays stand there.
pub const FILE_TAIL_BYTES: usize = 1024 * 1024;
/// Largest file whose digest is taken: above stand disk images and databases, which no hash list names.
pub const FILE_DIGEST_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;

/// Members of one archive that are looked at.
pub const ARCHIVE_MEMBERS_MAX: usize = 10_000;
/// Bytes one archive may unpack to, all members and all levels together.
pub const ARCHIVE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes one member may unpack to.
pub const ARCHIVE_MEMBER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Archives within archives.
pub const ARCHIVE_DEPTH_MAX: usize = 3;

/// Base64 text that is decoded to see whether a program stands in it, in bytes.
pub const BASE64_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Largest encoded pack, and what it may unpack to: the public Sigma and YARA sets together are under 30 MB.
pub const PACK_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What a pack may unpack to.
pub const PACK_TEXT_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Rules of one pack, hash list entries not counted.
pub const PACK_RULES_MAX: usize = 100_000;
/// Digests of one pack.
pub const PACK_DIGESTS_MAX: usize = 20_000_000;
/// Longest name, path pattern or other single text of a rule, in bytes.
pub const RULE_TEXT_BYTES_MAX: usize = 4 * 1024;
/// Longest YARA source of one pack entry, in bytes.
pub const RULE_SOURCE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Milliseconds one file may take in the YARA engine.
pub const YARA_MS_MAX: u64 = 10_000;

/// Findings of one rule kept in full; the rest is counted.
pub const FINDINGS_PER_RULE_MAX: usize = 200;
/// Findings kept in a report.
pub const FINDINGS_MAX: usize = 20_000;
/// Longest excerpt of evidence in a finding, in bytes.
pub const EXCERPT_BYTES_MAX: usize = 400;
/// Places that could not be read which a report names; the rest is counted.
pub const UNREADABLE_NAMED_MAX: usize = 200;

/// Largest registry hive that is read; one is held whole. SOFTWARE of a busy machine has 120 MB.
pub const HIVE_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Largest log of a hive that is read; Windows writes them into the hive long before.
pub const HIVE_LOG_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Keys of one hive that are visited.
pub const HIVE_KEYS_MAX: usize = 4_000_000;
/// Deepest key of a hive; Windows allows 512.
pub const HIVE_DEPTH_MAX: usize = 512;
/// Largest value that is read, in bytes.
pub const HIVE_VALUE_BYTES_MAX: usize = 64 * 1024;

/// Lines of one text file (crontab, unit, history, start-up file) that are looked at.
pub const TEXT_LINES_MAX: usize = 200_000;
/// Longest line that is looked at, in bytes.
pub const TEXT_LINE_BYTES_MAX: usize = 16 * 1024;

/// Steps of one sequence rule.
pub const SEQUENCE_STEPS_MAX: usize = 16;
/// Requests on paths of sequence rules that are kept until all logs are read: about 20 MB.
pub const SEQUENCE_HITS_MAX: usize = 50_000;
/// Longest excerpt of such a request, in bytes.
pub const SEQUENCE_EXCERPT_BYTES_MAX: usize = 160;
/// Longest line of a log that is read whole, in bytes; servers cut request lines at 8 or 16 KiB.
pub const LOG_LINE_BYTES_MAX: usize = 64 * 1024;
/// Bytes that a packed log may unpack to for each of its own: logs pack to a tenth, seldom to a fiftieth. What unpacks to more is
/// no log but a trap for whoever reads it.
pub const PACKED_LOG_RATIO_MAX: u64 = 200;
/// Bytes that any packed log may unpack to.
pub const PACKED_LOG_BYTES_MIN: u64 = 16 * 1024 * 1024;
/// Days of one log that are remembered: a century.
pub const LOG_DAYS_MAX: usize = 36_600;
/// Clients with a known address that are told by name.
pub const LOG_CLIENTS_MAX: usize = 10_000;

/// Groups that Sigma correlations keep at once.
pub const SIGMA_STATES_MAX: usize = 50_000;
/// Entries within the window of one such group.
pub const SIGMA_GROUP_ENTRIES_MAX: usize = 1_000;
/// Matches of one Sigma rule that become findings; the rest is counted.
pub const SIGMA_FINDINGS_PER_RULE_MAX: u64 = 50;
/// Holes in the numbers of one event log that are told.
pub const EVENT_HOLES_MAX: usize = 100;

/// Rejected indicators of an import that are told by name.
pub const IMPORT_REJECTS_NAMED_MAX: usize = 200;
/// Indicators within indicators of an OpenIOC document.
pub const IMPORT_DEPTH_MAX: usize = 64;
