//! In a network of its own, where the test may say who may send echo requests.

use super::*;

const ALLOW: &str = "echo '0 0' > /proc/sys/net/ipv4/ping_group_range &&";

/// As the kernel makes it, nobody may.
fn in_own_network(allow: &str, request: &Request) -> Answer {
    let probe = env!("CARGO_BIN_EXE_bartizan-probe");
    let script = format!("ip link set lo up && {allow} exec {probe}");
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "/bin/sh", "-c", &script]);
    ask_by(&mut command, request)
}

fn host(host: &str) -> Request {
    Request::Ping { host: host.to_owned() }
}

#[test]
fn whoever_is_there_answers() {
    for address in ["127.0.0.1", "::1"] {
        let asked = in_own_network(ALLOW, &host(address));
        assert!(matches!(asked, Answer::Echoed { received: 4, ms: Some(_) }), "{asked:?}");
    }
    let gone = in_own_network(ALLOW, &host("192.0.2.1"));
    assert_eq!(gone, Answer::Echoed { received: 0, ms: None });
}

#[test]
fn where_nobody_may_ask_it_is_said_what_to_set() {
    unknown(&in_own_network("", &host("127.0.0.1")), "net.ipv4.ping_group_range");
}
