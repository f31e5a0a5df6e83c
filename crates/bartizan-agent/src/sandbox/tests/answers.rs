//! The filters as programs: run here on calls that no test could make for real, for both processors.

use seccompiler::sock_filter;

use super::super::calls::listed;

/// A call as a filter sees it.
#[derive(Debug, Clone, Copy)]
struct Call {
    number: i64,
    arguments: [u64; 6],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Allowed,
    Fails(i32),
    Ends,
}

const X86_64: u32 = 0xc000_003e;
const I386: u32 = 0x4000_0003;
const OWN: u64 = 4711;

fn call(number: i64, arguments: &[u64]) -> Call {
    let mut all = [0; 6];
    all[..arguments.len()].copy_from_slice(arguments);
    Call { number, arguments: all }
}

/// What the kernel would answer: the strictest of all filters.
fn answer(call: Call) -> Answer {
    let own = if cfg!(target_arch = "x86_64") { X86_64 } else { 0xc000_00b7 };
    answer_from(own, call)
}

fn answer_from(processor: u32, call: Call) -> Answer {
    let own = u32::try_from(OWN).unwrap();
    let answers: Vec<u32> = listed::programs(std::env::consts::ARCH, own)
        .unwrap()
        .iter()
        .map(|program| run(program, processor, call))
        .collect();
    // 0x8000_0000 ends the process, 0x0005_xxxx fails, 0x7fff_0000 allows.
    if answers.contains(&0x8000_0000) {
        return Answer::Ends;
    }
    answers
        .iter()
        .find(|answer| *answer >> 16 == 5)
        .map_or(Answer::Allowed, |answer| Answer::Fails(i32::try_from(answer & 0xffff).unwrap()))
}

/// As much of the filters' machine as they use.
fn run(program: &[sock_filter], processor: u32, call: Call) -> u32 {
    let word = |offset: u32| match offset {
        0 => u32::try_from(call.number).unwrap(),
        4 => processor,
        _ => {
            let at = usize::try_from((offset - 16) / 8).unwrap();
            let half = if offset.is_multiple_of(8) { 0 } else { 32 };
            u32::try_from((call.arguments[at] >> half) & 0xffff_ffff).unwrap()
        }
    };
    let (mut register, mut at) = (0, 0);
    loop {
        let step = &program[at];
        at += 1;
        let holds = match step.code {
            0x20 => {
                register = word(step.k);
                continue;
            }
            0x54 => {
                register &= step.k;
                continue;
            }
            0x06 => return step.k,
            0x05 => {
                at += usize::try_from(step.k).unwrap();
                continue;
            }
            0x15 => register == step.k,
            0x25 => register > step.k,
            0x35 => register >= step.k,
            other => panic!("instruction {other:#x}"),
        };
        at += usize::from(if holds { step.jt } else { step.jf });
    }
}

fn flag(bits: i32) -> u64 {
    u64::from(bits.cast_unsigned())
}

const EPERM: Answer = Answer::Fails(libc::EPERM);

#[track_caller]
fn check(cases: &[(i64, &[u64], Answer)]) {
    for (number, arguments, expected) in cases {
        assert_eq!(answer(call(*number, arguments)), *expected, "{number} {arguments:x?}");
    }
}

#[test]
fn another_program_or_anothers_memory_ends_the_process() {
    for number in [
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_writev,
        libc::SYS_bpf,
        libc::SYS_mount,
        libc::SYS_unshare,
        libc::SYS_io_uring_setup,
        libc::SYS_finit_module,
    ] {
        assert_eq!(answer(call(number, &[])), Answer::Ends, "{number}");
    }
    assert_eq!(answer(call(libc::SYS_read, &[])), Answer::Allowed);
}

#[test]
fn threads_may_be_started_and_processes_may_not() {
    // As glibc starts a thread, and as it forks.
    check(&[
        (libc::SYS_clone, &[0x003d_0f00], Answer::Allowed),
        (libc::SYS_clone, &[0x0120_0011], EPERM),
        (libc::SYS_clone, &[0x4111], EPERM),
        (libc::SYS_clone3, &[0x7fff_0000, 88], Answer::Fails(libc::ENOSYS)),
        (libc::SYS_tgkill, &[OWN, 1, 6], Answer::Allowed),
        (libc::SYS_tgkill, &[1, 1, 9], EPERM),
        (libc::SYS_kill, &[1, 9], EPERM),
        (libc::SYS_setuid, &[0], EPERM),
        (libc::SYS_prlimit64, &[0, 3, 0, 0x7fff_0000], Answer::Allowed),
        (libc::SYS_prlimit64, &[0, 3, 0x7fff_0000_0000, 0], EPERM),
        (libc::SYS_prlimit64, &[77, 3, 0, 0x7fff_0000], EPERM),
        (libc::SYS_prctl, &[flag(libc::PR_SET_NAME)], Answer::Allowed),
        (libc::SYS_prctl, &[flag(libc::PR_SET_DUMPABLE), 1], EPERM),
    ]);
}

#[test]
fn files_are_read_and_never_written() {
    let open = |flags: i32| answer(call(libc::SYS_openat, &[0, 0, flag(flags)]));
    assert_eq!(open(libc::O_RDONLY | libc::O_CLOEXEC), Answer::Allowed);
    for written in [
        libc::O_WRONLY,
        libc::O_RDWR,
        libc::O_CREAT,
        libc::O_RDONLY | libc::O_TRUNC,
        libc::O_TMPFILE | libc::O_RDWR,
    ] {
        assert_eq!(open(written), EPERM, "{written:#o}");
    }
    for number in [
        libc::SYS_openat2,
        libc::SYS_unlinkat,
        libc::SYS_renameat2,
        libc::SYS_mkdirat,
        libc::SYS_linkat,
        libc::SYS_symlinkat,
        libc::SYS_fchmodat,
        libc::SYS_fchownat,
        libc::SYS_ftruncate,
        libc::SYS_getdents64,
        libc::SYS_memfd_create,
    ] {
        assert_eq!(answer(call(number, &[])), EPERM, "{number}");
    }
}

#[test]
fn memory_is_written_or_run_and_not_both() {
    let (read, write, run) = (flag(libc::PROT_READ), flag(libc::PROT_WRITE), flag(libc::PROT_EXEC));
    check(&[
        (libc::SYS_mmap, &[0, 4096, read | write], Answer::Allowed),
        (libc::SYS_mmap, &[0, 4096, read | run], Answer::Allowed),
        (libc::SYS_mmap, &[0, 4096, read | write | run], EPERM),
        (libc::SYS_mprotect, &[0, 4096, read | write], Answer::Allowed),
        (libc::SYS_mprotect, &[0, 4096, read | run], EPERM),
    ]);
}

#[test]
fn sockets_are_tcp_and_udp_and_nobody_is_listened_to() {
    let (inet, inet6) = (flag(libc::AF_INET), flag(libc::AF_INET6));
    let (stream, datagram) = (flag(libc::SOCK_STREAM), flag(libc::SOCK_DGRAM));
    let how = flag(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK);
    check(&[
        (libc::SYS_socket, &[inet, stream | how, 6], Answer::Allowed),
        (libc::SYS_socket, &[inet6, datagram | how], Answer::Allowed),
        (libc::SYS_socket, &[inet, flag(libc::SOCK_RAW), 1], EPERM),
        (libc::SYS_listen, &[3, 1], EPERM),
        (libc::SYS_accept4, &[3], EPERM),
    ]);
    for family in [
        libc::AF_UNIX,
        libc::AF_NETLINK,
        libc::AF_PACKET,
        libc::AF_VSOCK,
        libc::AF_ALG,
        libc::AF_BLUETOOTH,
    ] {
        assert_eq!(answer(call(libc::SYS_socket, &[flag(family), stream])), EPERM, "{family}");
    }
}

#[test]
fn a_call_by_another_processors_numbers_ends_the_process() {
    // 32-bit numbers mean other calls: 11 is execve there.
    assert_eq!(answer_from(I386, call(libc::SYS_read, &[])), Answer::Ends);
    // The x32 numbers of the same processor.
    assert_eq!(answer(call(libc::SYS_write | 0x4000_0000, &[])), EPERM);
}

#[test]
fn the_list_is_short() {
    let allowed = (0..1024).filter(|number| {
        // With arguments no call is allowed by mistake for its zeros.
        answer(call(*number, &[u64::MAX; 6])) == Answer::Allowed
    });
    let count = allowed.count();
    assert!((40..=70).contains(&count), "{count} calls are allowed whatever their arguments");
}
