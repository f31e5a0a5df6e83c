//! How much of everything.

use std::time::Duration;

/// Connections at once: a few pages, each with some requests and an event stream.
pub(super) const CONNECTIONS_MAX: usize = 64;
/// Largest header section.
pub(super) const HEADER_BYTES_MAX: usize = 16 * 1024;
/// From the beginning of a request to the end of its headers; also how long a connection may idle.
pub(super) const HEADER_TIMEOUT: Duration = Duration::from_mins(1);
/// Largest request: a script of 1 MiB as JSON, in which every character may need an escape, and its targets.
pub(super) const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Requests that ask the server or verify something, at once; the others wait.
pub(super) const WORK_MAX: usize = 8;
/// Pages that are logged in; the oldest leaves first.
pub(super) const PAGES_MAX: usize = 8;
/// A day at work.
pub(super) const PAGE_LIFE: Duration = Duration::from_hours(12);
/// From the link to the page.
pub(super) const LAUNCH_LIFE: Duration = Duration::from_mins(10);
/// Links that were printed and not used; the oldest leaves first.
pub(super) const LAUNCHES_MAX: usize = 8;
/// Sheets that are shown and not signed; the oldest leaves first.
pub(super) const SHEETS_MAX: usize = 64;
/// From a sheet to its signature.
pub(super) const SHEET_LIFE: Duration = Duration::from_mins(15);
/// Alerts or endpoints that one deed is done with: each is a request to the server.
pub(super) const ALERTS_AT_ONCE: usize = 200;
/// Bytes of scripts in sheets that are shown and not signed.
pub(super) const SHEETS_BYTES_MAX: usize = 64 * 1024 * 1024;
/// A view of the control log this fresh is used again without asking.
pub(super) const VIEW_FRESH: Duration = Duration::from_secs(2);
/// A view this old is made anew, also where the control log did not grow: delays run out.
pub(super) const VIEW_OLD: Duration = Duration::from_secs(30);
/// Longest foreign text that is passed to a page.
pub(super) const TEXT_CHARS_MAX: usize = 512;
/// From composing a first bundle to its signature: two sheets are printed and two passphrases written down in between.
pub(super) const DRAFT_LIFE: Duration = Duration::from_hours(1);
/// Views that an operator keeps: more are no help to anybody.
pub(super) const VIEWS_MAX: usize = 50;
/// Longest name of a view: it stands in the sidebar.
pub(super) const VIEW_NAME_CHARS_MAX: usize = 60;
/// Most rows of a file: twice the fleet that is held for possible, so that a server cannot fill the disk.
pub(super) const EXPORT_ROWS_MAX: u64 = 2_000_000;
/// Pieces of a file that wait for a slow page.
pub(super) const PIECES_MAX: usize = 4;
/// Jobs that wait for a signature and are looked into: no group of people reads more, and a server could list them without end.
pub(super) const WAITING_MAX: usize = 2_000;
/// Jobs that are asked for at once, the most that a server gives.
pub(super) const JOBS_AT_ONCE: usize = 200;
