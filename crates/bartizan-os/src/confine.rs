//! What the guard's own threads give up: sockets, other programs, every capability.
//!
//! Linux keeps filters, capabilities and `no_new_privs` for each thread and hands them to whatever the thread starts. So the
//! threads that read hostile bytes and decide are confined, and the one that starts processes is not: scripts administer the
//! machine and the network half needs the network. Threads share memory, so this binds code that does what it was
//! written to do; it is no wall against code that took the process over.

use std::io;

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

use crate::account;

/// Confines the calling thread and every thread it starts from here on. Fails as a whole: a guard that cannot give its
/// privileges up does not start.
pub fn this_thread() -> io::Result<Confined> {
    confine(CapabilitySet::empty())
}

/// Confines a thread that looks at the machine and decides nothing: as [`this_thread`], but it may read every file and see
/// what every process has open. Without that nobody could say who listens on a port. It still starts nothing, opens no
/// socket and attaches to no process: the calls that would are refused.
pub fn reading_thread() -> io::Result<Confined> {
    confine(CapabilitySet::DAC_READ_SEARCH | CapabilitySet::SYS_PTRACE)
}

fn confine(kept: CapabilitySet) -> io::Result<Confined> {
    if account::is_root() {
        keep_capabilities(kept)?;
    }
    set_no_new_privs(true)?;
    Ok(Confined { sockets: calls::refuse() })
}

/// What holds for a confined thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confined {
    /// Whether the kernel refuses it sockets and programs; the reason if not.
    sockets: Result<(), String>,
}

impl Confined {
    /// In one line.
    pub fn describe(&self) -> String {
        match &self.sockets {
            Ok(()) => {
                "it opens no sockets and starts no programs (seccomp), and holds no capabilities"
                    .to_owned()
            }
            Err(reason) => format!(
                "[guard.no_seccomp] sockets are not refused by the kernel: {reason}; a kernel with CONFIG_SECCOMP_FILTER can"
            ),
        }
    }
}

fn keep_capabilities(kept: CapabilitySet) -> io::Result<()> {
    for number in 0..u64::BITS {
        match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << number)) {
            Ok(()) => {}
            // The kernel knows no more of them.
            Err(Errno::INVAL) => break,
            Err(error) => return Err(error.into()),
        }
    }
    match clear_ambient_capability_set() {
        Ok(()) | Err(Errno::INVAL) => {}
        Err(error) => return Err(error.into()),
    }
    // Some may have been taken from the guard already; those cannot be kept.
    let kept = kept & rustix::thread::capabilities(None)?.permitted;
    let inheritable = CapabilitySet::empty();
    Ok(set_capabilities(None, CapabilitySets { effective: kept, permitted: kept, inheritable })?)
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod calls {
    /// The list is that of other processors.
    pub(super) fn refuse() -> Result<(), String> {
        Err("no list for this processor".to_owned())
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod calls {
    use std::collections::BTreeMap;

    use libc::c_long;
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

    /// What a thread that reads, decides and writes files has no use for.
    const REFUSED: &[c_long] = &[
        // Sockets, and the rings that could open them out of sight of a filter.
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_sendmmsg,
        libc::SYS_recvfrom,
        libc::SYS_recvmsg,
        libc::SYS_recvmmsg,
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
        libc::SYS_pidfd_getfd,
        // Other programs, and other processes' memory.
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        // The kernel's own works.
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_kexec_load,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_setns,
        libc::SYS_unshare,
        libc::SYS_reboot,
    ];

    /// From here on each of them fails with `EPERM`.
    pub(super) fn refuse() -> Result<(), String> {
        let program = program().map_err(|error| error.to_string())?;
        seccompiler::apply_filter(&program).map_err(|error| error.to_string())
    }

    fn program() -> Result<BpfProgram, seccompiler::BackendError> {
        let eperm = SeccompAction::Errno(libc::EPERM.cast_unsigned());
        let rules: BTreeMap<c_long, Vec<_>> =
            numbers().into_iter().map(|call| (call, Vec::new())).collect();
        let arch = TargetArch::try_from(std::env::consts::ARCH)?;
        SeccompFilter::new(rules, SeccompAction::Allow, eperm, arch)?.try_into()
    }

    fn numbers() -> Vec<c_long> {
        let mut numbers = REFUSED.to_vec();
        // The same calls by the other numbers of this processor.
        #[cfg(target_arch = "x86_64")]
        {
            const X32: c_long = 0x4000_0000;
            /// Those that x32 numbers in a range of its own.
            const X32_ONLY: [c_long; 7] = [517, 518, 519, 520, 521, 538, 540];
            numbers.extend(REFUSED.iter().map(|call| call | X32));
            numbers.extend(X32_ONLY.map(|call| call | X32));
        }
        numbers
    }
}
