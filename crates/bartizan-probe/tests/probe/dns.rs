use std::fs;
use std::net::UdpSocket;
use std::thread;

use bartizan_trust::statement::DnsRecord;

use super::*;
use bartizan_testkit::peers::dnsmasq;

fn name(name: &str, record: DnsRecord, port: u16) -> Request {
    let server = Some(format!("127.0.0.1:{port}"));
    Request::Dns { name: name.to_owned(), record, server }
}

#[track_caller]
fn records(answer: &Answer) -> Vec<String> {
    let Answer::Resolved { records, .. } = answer else { panic!("{answer:?}") };
    records.clone()
}

#[test]
fn dnsmasq_answers_every_type() {
    let peer = dnsmasq().unwrap();
    let asked = |of: &str, record| ask(&name(of, record, peer.port));
    let acme = |record| records(&asked("acme.example", record));
    assert_eq!(acme(DnsRecord::A), ["192.0.2.1"]);
    assert_eq!(acme(DnsRecord::Aaaa), ["2001:db8::1"]);
    assert_eq!(acme(DnsRecord::Mx), ["10 mail.acme.example", "20 backup.acme.example"]);
    assert_eq!(acme(DnsRecord::Txt), ["v=spf1 -all"]);
    assert_eq!(records(&asked("www.acme.example", DnsRecord::Cname)), ["acme.example"]);
    assert_eq!(records(&asked("www.acme.example", DnsRecord::A)), ["192.0.2.1"]);
    let long = records(&asked("long.acme.example", DnsRecord::Txt));
    assert_eq!(long.len(), 24, "too long for a datagram: by connection");
    failed(&asked("none.acme.example", DnsRecord::A), "no such name");
    failed(&asked("many.acme.example", DnsRecord::Txt), "more than 32 records");
    failed(&asked("acme.test", DnsRecord::A), "refuses");
}

#[test]
fn without_a_server_of_its_own_the_system_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let resolver = folder.path().join("resolv.conf");
    let system = System { resolver: resolver.clone(), ..System::here() };
    let request =
        Request::Dns { name: "acme.example".to_owned(), record: DnsRecord::A, server: None };
    unknown(&ask_within(&request, &system), "read ");
    fs::write(&resolver, "# nobody\nsearch example\nnameserver x\n").unwrap();
    unknown(&ask_within(&request, &system), "names no name server");
    // Nobody listens there: the kernel says so at once.
    fs::write(&resolver, "nameserver 127.9.9.9\n").unwrap();
    failed(&ask_within(&request, &system), "127.9.9.9:53");
}

/// A name server that answers each question with what is made of it.
fn server(answers: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static) -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((count, from)) = socket.recv_from(&mut buffer) {
            for answer in answers(&buffer[..count]) {
                let _ = socket.send_to(&answer, from);
            }
        }
    });
    port
}

/// An answer without records.
fn answer(question: &[u8]) -> Vec<u8> {
    let mut answer = question.to_vec();
    answer[2] |= 0x80;
    answer
}

#[test]
fn an_answer_with_another_number_or_to_another_question_does_not_count() {
    let other_number = |question: &[u8]| {
        let mut wrong = answer(question);
        wrong[1] ^= 1;
        wrong
    };
    let other_name = |question: &[u8]| {
        let mut wrong = answer(question);
        wrong[13] ^= 1;
        wrong
    };
    let no_answer = |question: &[u8]| question.to_vec();
    let asked = |port| ask(&name("acme.example", DnsRecord::A, port));
    for wrong in [other_number, other_name, no_answer] {
        failed(&asked(server(move |q| vec![wrong(q); 20])), "other questions");
        // Before the right one it is passed over.
        assert_eq!(records(&asked(server(move |q| vec![wrong(q), answer(q)]))), [""; 0]);
    }
    let garbage = |question: &[u8]| [&question[..2], &[0xff; 300]].concat();
    failed(&asked(server(move |q| vec![garbage(q); 20])), "name server 127.0.0.1");
}

#[test]
fn a_name_server_that_is_silent_is_given_up() {
    let port = server(|_| Vec::new());
    failed(&ask(&name("acme.example", DnsRecord::A, port)), "does not answer");
}
