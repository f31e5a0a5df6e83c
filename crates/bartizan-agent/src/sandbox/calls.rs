//! Seccomp: the system calls that TLS over TCP, name resolution and threads need. Three filters, of which the strictest
//! answer counts:
//!
//! - what no program of ours ever asks for ends the process: another program, another's memory, the kernel's own works
//! - `clone3` is unknown: its flags lie in memory, where a filter cannot see whether a thread or a process is asked for
//! - everything but the list below fails with `EPERM`.

/// Applies the filters to this thread and all it starts.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) fn restrict() -> Result<(), String> {
    let programs = listed::programs(std::env::consts::ARCH, std::process::id())
        .map_err(|error| error.to_string())?;
    for program in &programs {
        seccompiler::apply_filter(program).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The lists are those of other processors.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) fn restrict() -> Result<(), String> {
    Err("no list for this processor".to_owned())
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) mod listed {
    use std::collections::BTreeMap;

    use libc::c_long;
    use seccompiler::{
        BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
        SeccompFilter, SeccompRule, TargetArch,
    };

    /// Allowed whatever the arguments.
    const ALWAYS: &[c_long] = &[
        // The pipe and the connection.
        libc::SYS_read,
        libc::SYS_readv,
        libc::SYS_write,
        libc::SYS_writev,
        libc::SYS_close,
        libc::SYS_connect,
        libc::SYS_shutdown,
        libc::SYS_getsockname,
        libc::SYS_getpeername,
        libc::SYS_getsockopt,
        libc::SYS_setsockopt,
        libc::SYS_sendto,
        libc::SYS_recvfrom,
        libc::SYS_sendmsg,
        libc::SYS_recvmsg,
        libc::SYS_sendmmsg,
        libc::SYS_epoll_ctl,
        libc::SYS_epoll_pwait,
        libc::SYS_ppoll,
        // Files of name resolution.
        libc::SYS_fstat,
        libc::SYS_newfstatat,
        libc::SYS_statx,
        libc::SYS_lseek,
        libc::SYS_pread64,
        libc::SYS_uname,
        libc::SYS_sysinfo,
        // Memory.
        libc::SYS_brk,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        // Threads. `clone3` is answered by a filter of its own.
        libc::SYS_clone3,
        libc::SYS_futex,
        libc::SYS_set_robust_list,
        libc::SYS_rseq,
        libc::SYS_sched_yield,
        libc::SYS_sched_getaffinity,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
        libc::SYS_exit,
        libc::SYS_exit_group,
        // Time, chance, and who one is.
        libc::SYS_clock_gettime,
        libc::SYS_clock_getres,
        libc::SYS_clock_nanosleep,
        libc::SYS_nanosleep,
        libc::SYS_gettimeofday,
        libc::SYS_getrandom,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_getuid,
        libc::SYS_geteuid,
        libc::SYS_getgid,
        libc::SYS_getegid,
    ];

    /// Older forms, which newer processors do not have.
    #[cfg(target_arch = "x86_64")]
    const ALWAYS_OLD: &[c_long] =
        &[libc::SYS_epoll_wait, libc::SYS_poll, libc::SYS_stat, libc::SYS_lstat, libc::SYS_time];
    #[cfg(target_arch = "aarch64")]
    const ALWAYS_OLD: &[c_long] = &[];

    /// The resolver of musl binds its sockets, that of glibc does not.
    #[cfg(target_env = "musl")]
    const ALWAYS_LIBC: &[c_long] = &[libc::SYS_bind, libc::SYS_tkill];
    #[cfg(not(target_env = "musl"))]
    const ALWAYS_LIBC: &[c_long] = &[];

    /// Asked for only by somebody who took this process over: it ends at once.
    const DEADLY: &[c_long] = &[
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_io_uring_setup,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_setns,
        libc::SYS_unshare,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_kexec_load,
        libc::SYS_kexec_file_load,
        libc::SYS_open_by_handle_at,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
    ];

    /// The filters, in the order in which they are applied: the last one no longer lets others be applied.
    pub(in super::super) fn programs(
        arch: &str,
        own_pid: u32,
    ) -> Result<Vec<BpfProgram>, BackendError> {
        let arch = TargetArch::try_from(arch)?;
        let filter = |rules, mismatch, matched| {
            SeccompFilter::new(rules, mismatch, matched, arch).and_then(BpfProgram::try_from)
        };
        let eperm = SeccompAction::Errno(libc::EPERM.unsigned_abs());
        let enosys = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
        Ok(vec![
            filter(whole(DEADLY), SeccompAction::Allow, SeccompAction::KillProcess)?,
            filter(whole(&[libc::SYS_clone3]), SeccompAction::Allow, enosys)?,
            filter(allowed(own_pid)?, eperm, SeccompAction::Allow)?,
        ])
    }

    type Rules = BTreeMap<c_long, Vec<SeccompRule>>;

    fn whole(calls: &[c_long]) -> Rules {
        calls.iter().map(|call| (*call, Vec::new())).collect()
    }

    fn allowed(own_pid: u32) -> Result<Rules, BackendError> {
        let mut rules = whole(ALWAYS);
        rules.extend(whole(ALWAYS_OLD));
        rules.extend(whole(ALWAYS_LIBC));
        // Reading only: neither written nor made nor emptied.
        let written = flags(libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC);
        rules.insert(libc::SYS_openat, vec![rule(vec![none_of(2, written)?])?]);
        #[cfg(target_arch = "x86_64")]
        rules.insert(libc::SYS_open, vec![rule(vec![none_of(1, written)?])?]);
        rules.insert(libc::SYS_socket, internet_sockets()?);
        // Threads of this process and nothing else.
        let thread = flags(libc::CLONE_THREAD);
        let thread = condition(0, SeccompCmpOp::MaskedEq(thread), thread)?;
        rules.insert(libc::SYS_clone, vec![rule(vec![thread])?]);
        // Nothing is first written and then run.
        let (write, run) = (flags(libc::PROT_WRITE), flags(libc::PROT_EXEC));
        let either = vec![rule(vec![none_of(2, write)?])?, rule(vec![none_of(2, run)?])?];
        rules.insert(libc::SYS_mmap, either);
        rules.insert(libc::SYS_mprotect, vec![rule(vec![none_of(2, run)?])?]);
        let commands =
            [libc::F_GETFD, libc::F_SETFD, libc::F_GETFL, libc::F_SETFL, libc::F_DUPFD_CLOEXEC];
        rules.insert(libc::SYS_fcntl, one_of(1, &commands.map(flags))?);
        rules.insert(libc::SYS_ioctl, one_of(1, &[libc::FIONREAD, libc::FIONBIO])?);
        // Names of threads, and of memory.
        rules.insert(libc::SYS_prctl, one_of(0, &[libc::PR_SET_NAME, PR_SET_VMA].map(flags))?);
        // A limit is looked at, not set: the new one is a null pointer, in all its bits.
        let no_new = SeccompCondition::new(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)?;
        rules.insert(libc::SYS_prlimit64, vec![rule(vec![equal(0, 0)?, no_new])?]);
        // A panic may end this process, not another.
        rules.insert(libc::SYS_tgkill, one_of(0, &[u64::from(own_pid)])?);
        Ok(rules)
    }

    const PR_SET_VMA: i32 = 0x5356_4d41;

    /// TCP and UDP over both kinds of addresses: no raw packets, no local sockets, no others.
    fn internet_sockets() -> Result<Vec<SeccompRule>, BackendError> {
        // The lower bits are the type; the others say how it behaves.
        let kind = SeccompCmpOp::MaskedEq(0xf);
        let mut rules = Vec::new();
        for family in [libc::AF_INET, libc::AF_INET6] {
            for wanted in [libc::SOCK_STREAM, libc::SOCK_DGRAM] {
                let kind = condition(1, kind.clone(), flags(wanted))?;
                rules.push(rule(vec![equal(0, flags(family))?, kind])?);
            }
        }
        Ok(rules)
    }

    fn one_of(argument: u8, values: &[u64]) -> Result<Vec<SeccompRule>, BackendError> {
        values.iter().map(|value| rule(vec![equal(argument, *value)?])).collect()
    }

    fn none_of(argument: u8, bits: u64) -> Result<SeccompCondition, BackendError> {
        condition(argument, SeccompCmpOp::MaskedEq(bits), 0)
    }

    fn equal(argument: u8, value: u64) -> Result<SeccompCondition, BackendError> {
        condition(argument, SeccompCmpOp::Eq, value)
    }

    /// The kernel takes these arguments as 32 bits.
    fn condition(
        argument: u8,
        compare: SeccompCmpOp,
        value: u64,
    ) -> Result<SeccompCondition, BackendError> {
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, compare, value)
    }

    fn rule(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, BackendError> {
        SeccompRule::new(conditions)
    }

    fn flags(bits: i32) -> u64 {
        u64::from(bits.cast_unsigned())
    }
}
