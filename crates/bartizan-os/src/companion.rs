//! Starting the network half of the endpoint beside the privileged one, and programs that answer one question.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::account::Account;
use crate::tree::end_with;

/// Starts `program` with pipes as standard input and output, an empty environment but for its few settings,
/// as `account` if one is given. It ends when this process ends.
pub fn start(program: &Path, account: Option<&Account>) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    for name in ["BARTIZAN_PROXY", "BARTIZAN_LOG", "BARTIZAN_LAN"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    if let Some(account) = account {
        // Supplementary groups are dropped by `uid` when the caller is root.
        command.gid(account.gid).uid(account.uid).current_dir("/");
    }
    restrict(&mut command);
    command.spawn()
}

/// Starts `program` for one question: an empty environment, pipes as standard input and output, nothing else, as `account` if one
/// is given. It ends when this process ends.
pub fn start_for_one_question(program: &Path, account: Option<&Account>) -> io::Result<Child> {
    let mut command = Command::new(program);
    // What it says beside its answer would come from whoever it asks.
    command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    if let Some(account) = account {
        command.gid(account.gid).uid(account.uid);
    }
    command.current_dir("/");
    restrict(&mut command);
    command.spawn()
}

#[expect(unsafe_code, reason = "code between fork and exec has no safe interface in std")]
fn restrict(command: &mut Command) {
    let guard = std::process::id();
    // SAFETY: the closure makes system calls only and allocates nothing, as code after fork must.
    unsafe {
        command.pre_exec(move || {
            // No set-user-id program gives it back what it does not have.
            rustix::thread::set_no_new_privs(true)?;
            end_with(guard)
        });
    }
}
