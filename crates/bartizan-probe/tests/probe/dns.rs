use std::fs;
use std::net::UdpSocket;
use std::thread;

use bartizan_probe::dns::{Asked, Reading, read};
use bartizan_testkit::numbers::Numbers;
use bartizan_trust::statement::{DnsRecord, is_plain_char};

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

/// An answer with two records of each type that is read.
fn full(record: DnsRecord) -> Vec<u8> {
    use simple_dns::rdata::{A, AAAA, CNAME, MX, RData, TXT};
    use simple_dns::{CLASS, Name, Packet, Question, ResourceRecord, TYPE};
    let name = || Name::new("acme.example").unwrap();
    let (kind, data) = match record {
        DnsRecord::A => (TYPE::A, RData::A(A { address: 0xc000_0201 })),
        DnsRecord::Aaaa => (TYPE::AAAA, RData::AAAA(AAAA { address: 1 })),
        DnsRecord::Cname => (TYPE::CNAME, RData::CNAME(CNAME(name()))),
        DnsRecord::Mx => (TYPE::MX, RData::MX(MX { preference: 10, exchange: name() })),
        DnsRecord::Txt => {
            (TYPE::TXT, RData::TXT(TXT::new().with_string("v=spf1 -all").unwrap().into_owned()))
        }
    };
    let mut packet = Packet::new_reply(7);
    packet.questions.push(Question::new(name(), kind.into(), CLASS::IN.into(), false));
    for _ in 0..2 {
        packet.answers.push(ResourceRecord::new(name(), CLASS::IN, 60, data.clone()));
    }
    packet.build_bytes_vec_compressed().unwrap()
}

#[test]
fn damaged_packets_are_read_or_passed_over_and_nothing_breaks() {
    use DnsRecord::{A, Aaaa, Cname, Mx, Txt};
    for record in [A, Aaaa, Cname, Mx, Txt] {
        let whole = full(record);
        let asked = Asked { id: 7, name: "acme.example", record };
        assert!(matches!(read(&whole, asked), Reading::Records(records) if records.len() == 1));
        for end in 0..whole.len() {
            read(&whole[..end], asked);
        }
        for seed in 0..5_000 {
            let damaged = Numbers::new(seed).damage(&whole);
            if let Reading::Records(records) = read(&damaged, asked) {
                assert!(records.iter().all(|text| text.chars().all(is_plain_char)), "{seed}");
            }
        }
    }
}
