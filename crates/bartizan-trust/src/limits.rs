//! Every limit of the trust core, in one place: what it guards and why that number.
//!
//! Limits are checked before anything is parsed. Each has a test one below and one above.

/// Largest statement payload in bytes. Keeps a whole envelope within one pipe frame.
pub const PAYLOAD_BYTES_MAX: usize = 32 * 1024;
/// Largest envelope in bytes, signatures and base64 included.
pub const ENVELOPE_BYTES_MAX: usize = 60 * 1024;
/// Most signatures in one envelope: bounds the verifications one delivery can cost.
pub const ENVELOPE_SIGNATURES_MAX: usize = 16;
/// Largest SSHSIG blob in bytes; a WebAuthn signature with long client data is about 1 KiB.
pub const SSHSIG_BYTES_MAX: usize = 4 * 1024;
/// Longest WebAuthn `clientDataJSON` in bytes.
pub const CLIENT_DATA_BYTES_MAX: usize = 2 * 1024;
/// Deepest nesting of a payload; our own types need seven.
pub const JSON_DEPTH_MAX: usize = 16;
/// Largest integer in signed data: what every JSON reader holds exactly.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;
/// Longest name, title or label in bytes.
pub const TEXT_BYTES_MAX: usize = 256;
/// Longest slug of an operator, tenant or site id in bytes.
pub const SLUG_BYTES_MAX: usize = 32;

/// Most operators in a bundle: an MSP's senior staff, with room.
pub const OPERATORS_MAX: usize = 64;
/// Most keys of one operator.
pub const OPERATOR_KEYS_MAX: usize = 8;
/// Most origins of one key.
pub const KEY_ORIGINS_MAX: usize = 4;
/// Most tenants an operator's scope can list; `all` needs no list.
pub const OPERATOR_TENANTS_MAX: usize = 256;
/// Most server entries in a bundle.
pub const SERVERS_MAX: usize = 8;
/// Most addresses of one server.
pub const SERVER_ADDRESSES_MAX: usize = 8;
/// Most mirrors in a bundle: each is asked by every endpoint.
pub const MIRRORS_MAX: usize = 4;
/// Longest pause between two questions to a mirror, in seconds: what is never asked helps nobody.
pub const MIRROR_EVERY_S_MAX: u32 = 3600;
/// Most customer rules in a bundle.
pub const CUSTOMERS_MAX: usize = 256;
/// Most bytes of a `tlog-policy` text.
pub const POLICY_BYTES_MAX: usize = 8 * 1024;
/// Most witnesses in a policy.
pub const POLICY_WITNESSES_MAX: usize = 64;
/// Most groups in a policy.
pub const POLICY_GROUPS_MAX: usize = 32;

/// Most endpoints one job can name. The tree has at most 20 levels.
pub const TARGETS_MAX: u32 = 1 << 20;
/// Longest path in a target tree.
pub const TARGET_PATH_MAX: usize = 20;
/// Largest script in bytes.
pub const CONTENT_BYTES_MAX: usize = 1024 * 1024;
/// Largest delivery of an update in bytes: the endpoint's programs are some 20 MiB.
pub const UPDATE_BYTES_MAX: u32 = 64 * 1024 * 1024;
/// Longest name of a target in the vendor's repository in bytes.
pub const UPDATE_NAME_BYTES_MAX: usize = 128;
/// Most arguments of a script.
pub const SCRIPT_ARGS_MAX: usize = 64;
/// Longest argument or environment value in bytes.
pub const SCRIPT_ARG_BYTES_MAX: usize = 4 * 1024;
/// Most environment variables of a script.
pub const SCRIPT_ENV_MAX: usize = 64;
/// Longest run in seconds: one day.
pub const SCRIPT_TIMEOUT_S_MAX: u32 = 24 * 3600;
/// Most output kept and relayed, in bytes.
pub const SCRIPT_OUTPUT_BYTES_MAX: u32 = 8 * 1024 * 1024;
/// Most rule packs of a scan.
pub const SCAN_PACKS_MAX: usize = 16;
/// Most bytes of the rule packs that a scan delivers: the public Sigma and YARA sets, encoded, are some 3 MiB.
pub const SCAN_CONTENT_BYTES_MAX: u32 = 8 * 1024 * 1024;
/// Most patterns that a scan leaves out, and most tools that it expects.
pub const SCAN_NAMES_MAX: usize = 32;
/// Highest reading rate that a scan can name, in megabytes a second: above it is no limit.
pub const SCAN_IO_MB_PER_S_MAX: u32 = 10_000;
/// Longest scan in seconds: 23 hours, so that one with the time to end is still within a day.
pub const SCAN_TIME_S_MAX: u32 = 23 * 3600;
/// Seconds that a scan may take to report once its time is over.
pub const SCAN_REPORT_S: u32 = 600;
/// Smallest result that a scan can ask for, in bytes: verdict and coverage always fit.
pub const SCAN_RESULT_BYTES_MIN: u32 = 64 * 1024;
/// Largest result of a scan in bytes. With the evidence it is no more than any job's output.
pub const SCAN_RESULT_BYTES_MAX: u32 = 4 * 1024 * 1024;
/// Smallest encrypted archive of evidence that a scan can ask for, in bytes.
pub const SCAN_EVIDENCE_BYTES_MIN: u32 = 64 * 1024;
/// Largest encrypted archive of evidence in bytes.
pub const SCAN_EVIDENCE_BYTES_MAX: u32 = 4 * 1024 * 1024;
/// Most people for whom evidence is encrypted.
pub const SCAN_RECIPIENTS_MAX: usize = 16;
/// Most jobs a job can wait for.
pub const JOB_AFTER_MAX: usize = 8;
/// Most stages of a job: every promotion travels with each delivery to a later one.
pub const JOB_STAGES_MAX: usize = 8;
/// Largest envelope of a promotion in bytes: eight signatures by passkeys, with room.
pub const PROMOTION_BYTES_MAX: usize = 12 * 1024;
/// Most operators a stage can want before it begins: as many signatures fit into a promotion by any key.
pub const PROMOTERS_MAX: u32 = 8;

/// Largest signed note (checkpoint with co-signatures) in bytes.
pub const NOTE_BYTES_MAX: usize = 16 * 1024;
/// Most signature lines of a note.
pub const NOTE_SIGNATURES_MAX: usize = 64;
/// Longest key name in a note in bytes.
pub const NOTE_NAME_BYTES_MAX: usize = 128;
/// Largest log size accepted: 2^40 entries.
pub const LOG_SIZE_MAX: u64 = 1 << 40;
/// Longest inclusion or consistency proof in hashes.
pub const LOG_PROOF_MAX: usize = 64;
/// Largest `tlog-proof` in bytes.
pub const LOG_PROOF_BYTES_MAX: usize = NOTE_BYTES_MAX + 8 * 1024;
/// Most hashes of a witness's consistency proof, by C2SP tlog-witness.
pub const ADD_CHECKPOINT_PROOF_MAX: usize = 63;
/// Largest body of an `add-checkpoint`: a note, 63 hashes in base64, the line before them.
pub const ADD_CHECKPOINT_BYTES_MAX: usize = NOTE_BYTES_MAX + 4 * 1024;
/// Most control entries replayed at once; a control log is tiny.
pub const CONTROL_REPLAY_ENTRIES_MAX: usize = 4096;
/// Most bytes of control entries replayed at once.
pub const CONTROL_REPLAY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most control entries in one frame; the receiver collects frames until the checkpoint's size.
pub const CONTROL_ENTRIES_MAX: usize = 64;

/// Most jobs remembered so that they run at most once. Entries leave when their window has passed.
pub const SEEN_MAX: usize = 4096;
/// Most jobs whose delay runs at the same time.
pub const WAITING_MAX: usize = 256;
/// Highest rate of a class: one start a second. Bounds the starts that an endpoint remembers.
pub const RATE_PER_HOUR_MAX: u32 = 3600;
/// Most script hashes remembered as countersigned before.
pub const REVIEWED_MAX: usize = 1024;
/// Longest window of any job in seconds: 30 days.
pub const WINDOW_S_MAX: u64 = 30 * 24 * 3600;
/// Most standing orders an endpoint keeps: bounds the room for their content and the work of looking at them.
pub const ORDERS_MAX: usize = 32;
/// Longest life of a standing order, and longest age of the control view it may ask for, in seconds: 366 days.
pub const ORDER_S_MAX: u64 = 366 * 24 * 3600;
/// Most runs that a standing order's rate can name: one a minute for a day.
pub const ORDER_RUNS_MAX: u32 = 1440;
/// Longest time that a rate, an interval or a distance can name, in seconds: 31 days.
pub const ORDER_RATE_S_MAX: u64 = 31 * 24 * 3600;
/// Least seconds between two runs of a standing order.
pub const ORDER_DISTANCE_S_MIN: u64 = 1;
/// Longest jitter, and longest lateness, in seconds: 7 days. Bounds how far back an endpoint looks for a time of a calendar.
pub const ORDER_LATE_S_MAX: u64 = 7 * 24 * 3600;
/// Most monitoring policies that stand on an endpoint: four places with a dozen each, with room.
pub const POLICIES_MAX: usize = 64;
/// Most names of policies whose newest version an endpoint remembers, so that none goes back.
pub const POLICY_NAMES_MAX: usize = 256;
/// Most checks of one policy; its payload has room for about as many.
pub const POLICY_CHECKS_MAX: usize = 128;
/// Most checks that one policy leaves out.
pub const POLICY_EXCLUDES_MAX: usize = 64;
/// Most checks that an endpoint does, from all its policies.
pub const EFFECTIVE_CHECKS_MAX: usize = 256;
/// Least seconds between two looks of a check: 256 of them still cost little.
pub const CHECK_EVERY_S_MIN: u64 = 10;
/// Most seconds between two looks of a check: 7 days.
pub const CHECK_EVERY_S_MAX: u64 = 7 * 24 * 3600;
/// Most looks in a row that a check can wait for, and most changes within an hour that it can name.
pub const CHECK_LOOKS_MAX: u32 = 60;
/// Most checks that use the network, of one policy and of one endpoint: at their fastest two questions a second.
pub const NETWORK_CHECKS_MAX: usize = 64;
/// Least seconds between two looks of a check that uses the network: others have to answer it.
pub const NETWORK_EVERY_S_MIN: u64 = 30;
/// What a question over the network may take in milliseconds; no level of a check lies beyond.
pub const PROBE_MS_MAX: u64 = 10_000;
/// Longest name in DNS in bytes.
pub const HOST_BYTES_MAX: usize = 253;
/// Longest address of the web that a check asks, in bytes.
pub const URL_BYTES_MAX: usize = 512;
/// Most paths, services or exit statuses of one check.
pub const CHECK_NAMES_MAX: usize = 16;
/// Longest pattern of a check in bytes.
pub const PATTERN_BYTES_MAX: usize = 256;
/// Largest compiled pattern in bytes: with the length of a line it bounds the time for one.
pub const PATTERN_COMPILED_BYTES_MAX: usize = 64 * 1024;
/// Deepest nesting of a pattern.
pub const PATTERN_NEST_MAX: u32 = 32;
/// Longest name of a process, as Linux keeps it.
pub const PROCESS_NAME_BYTES_MAX: usize = 15;
/// Most withdrawals of one operator that an endpoint remembers at once, so that none crowds out the others'.
pub const WITHDRAWALS_PER_OPERATOR_MAX: usize = 64;
/// One day in seconds.
pub const DAY_S: u64 = 24 * 3600;
/// Longest freeze that one operator can make alone, in seconds: 4 hours.
pub const FREEZE_ALONE_S_MAX: u64 = 4 * 3600;
/// Longest freeze of a quorum in seconds: 30 days.
pub const FREEZE_QUORUM_S_MAX: u64 = 30 * DAY_S;
/// Freezes an operator can make alone within a day: enough for an incident, too few to stop a fleet for good.
pub const FREEZES_PER_DAY: usize = 3;
/// Most freezes remembered: three a day from each of 64 operators, with room.
pub const FREEZES_MAX: usize = 256;
/// Most bundles that wait for their delay. On an endpoint that comes late, everything that ever weakened waits at once: years of
/// it, within the bytes of one replay.
pub const PENDING_BUNDLES_MAX: usize = 256;
/// A new organisation may still weaken its bundle without delay for this long, in seconds: 7 days.
pub const FIRST_WEEK_S: u64 = 7 * DAY_S;
/// Longest life of a login in seconds: 12 hours.
pub const LOGIN_S_MAX: u64 = 12 * 3600;
/// How far an endpoint's clock may lag behind a job's `nbf` before it waits, in seconds.
pub const CLOCK_SKEW_S: u64 = 120;
