//! Questions to name servers. Packets are read and written by `simple-dns`; whose answer counts is decided here.

use std::io::{self, Read as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Instant;

use bartizan_proto::probe::{Answer, RECORDS_MAX};
use bartizan_trust::statement::{DnsRecord, parse_name_server};
use ring::rand::{SecureRandom as _, SystemRandom};
use simple_dns::rdata::RData;
use simple_dns::{CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, TYPE};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::limits::{
    DNS_BYTES_MAX, DNS_DATAGRAMS_MAX, DNS_PATIENCE, DNS_TRIES, NAME_SERVERS_MAX,
    SYSTEM_FILE_BYTES_MAX,
};
use crate::{Trouble, here, plain, since, there};

/// What a packet says about a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It answers something else, or nothing.
    Stray,
    /// It was too long for a datagram.
    Cut,
    /// There is no such name.
    NoName,
    /// The server does not want to, or cannot.
    Refused(String),
    /// The records of the type, as text, sorted, each once.
    Records(Vec<String>),
}

/// Which question a packet has to answer.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its number.
    pub id: u16,
    /// The name.
    pub name: &'a str,
    /// The type.
    pub record: DnsRecord,
}

pub(crate) async fn ask(
    name: &str,
    record: DnsRecord,
    server: Option<&str>,
    resolver: &Path,
) -> Result<Answer, Trouble> {
    let servers = match server {
        Some(text) => parse_name_server(text).into_iter().collect(),
        None => of_system(resolver)
            .map_err(|error| here(format!("read {}: {}", resolver.display(), error.kind())))?,
    };
    if servers.is_empty() {
        return Err(here(format!("{} names no name server", resolver.display())));
    }
    let begun = Instant::now();
    let mut last = there("no name server");
    for server in servers.iter().cycle().take(DNS_TRIES) {
        let asked = timeout(DNS_PATIENCE, question(*server, name, record));
        let reading = match asked.await {
            Ok(Ok(reading)) => reading,
            Ok(Err(error)) => {
                last = there(format!("name server {server}: {error}"));
                continue;
            }
            Err(_) => {
                last = there(format!("name server {server} does not answer"));
                continue;
            }
        };
        return match reading {
            Reading::Records(records) if records.len() > RECORDS_MAX => {
                Err(there(format!("more than {RECORDS_MAX} records")))
            }
            Reading::Records(records) => Ok(Answer::Resolved { ms: since(begun), records }),
            Reading::NoName => Err(there(format!("name server {server}: there is no such name"))),
            Reading::Refused(code) => Err(there(format!("name server {server} refuses: {code}"))),
            Reading::Cut | Reading::Stray => {
                Err(there(format!("name server {server} answers something else")))
            }
        };
    }
    Err(last)
}

/// One question by datagram, and once more by connection if the answer is too long.
async fn question(server: SocketAddr, name: &str, record: DnsRecord) -> io::Result<Reading> {
    let mut number = [0; 2];
    SystemRandom::new().fill(&mut number).map_err(|_| io::Error::other("no random bytes"))?;
    let asked = Asked { id: u16::from_be_bytes(number), name, record };
    let bytes = packet(asked)?;
    let any: IpAddr =
        if server.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    // From here on the kernel takes nothing from anybody else.
    socket.connect(server).await?;
    socket.send(&bytes).await?;
    let mut buffer = vec![0; DNS_BYTES_MAX];
    for _ in 0..DNS_DATAGRAMS_MAX {
        let count = socket.recv(&mut buffer).await?;
        match read(buffer.get(..count).unwrap_or_default(), asked) {
            Reading::Stray => {}
            Reading::Cut => return by_connection(server, &bytes, asked).await,
            reading => return Ok(reading),
        }
    }
    Err(io::Error::other("its answers are to other questions"))
}

async fn by_connection(server: SocketAddr, bytes: &[u8], asked: Asked<'_>) -> io::Result<Reading> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), bytes].concat()).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    Ok(read(&answer, asked))
}

fn packet(asked: Asked<'_>) -> io::Result<Vec<u8>> {
    let mut packet = Packet::new_query(asked.id);
    packet.set_flags(PacketFlag::RECURSION_DESIRED);
    let name = Name::new(asked.name).map_err(io::Error::other)?;
    let kind = QTYPE::TYPE(kind(asked.record));
    packet.questions.push(Question::new(name, kind, QCLASS::CLASS(CLASS::IN), false));
    packet.build_bytes_vec().map_err(io::Error::other)
}

const fn kind(record: DnsRecord) -> TYPE {
    match record {
        DnsRecord::A => TYPE::A,
        DnsRecord::Aaaa => TYPE::AAAA,
        DnsRecord::Cname => TYPE::CNAME,
        DnsRecord::Mx => TYPE::MX,
        DnsRecord::Txt => TYPE::TXT,
    }
}

/// Reads a packet. Only one that answers exactly the question counts.
pub fn read(bytes: &[u8], asked: Asked<'_>) -> Reading {
    let Ok(packet) = Packet::parse(bytes) else {
        // Servers cut wherever it pleases them; the head says so.
        return if cut(bytes, asked.id) { Reading::Cut } else { Reading::Stray };
    };
    let kind = kind(asked.record);
    let same = match packet.questions.as_slice() {
        [question] => {
            question.qname.to_string().eq_ignore_ascii_case(asked.name)
                && question.qtype == QTYPE::TYPE(kind)
                && question.qclass == QCLASS::CLASS(CLASS::IN)
        }
        _ => false,
    };
    if packet.id() != asked.id || !packet.has_flags(PacketFlag::RESPONSE) || !same {
        return Reading::Stray;
    }
    if packet.has_flags(PacketFlag::TRUNCATION) {
        return Reading::Cut;
    }
    match packet.rcode() {
        RCODE::NoError => {}
        RCODE::NameError => return Reading::NoName,
        other => return Reading::Refused(plain(&format!("{other:?}"))),
    }
    let answers = packet.answers.iter().filter(|answer| answer.class == CLASS::IN);
    let mut records: Vec<String> =
        answers.filter_map(|answer| text(&answer.rdata, asked.record)).collect();
    records.sort();
    records.dedup();
    Reading::Records(records)
}

fn cut(bytes: &[u8], id: u16) -> bool {
    let flags = bytes.get(2).copied().unwrap_or_default();
    bytes.get(..2) == Some(&id.to_be_bytes()) && flags & 0x82 == 0x82
}

fn text(data: &RData<'_>, record: DnsRecord) -> Option<String> {
    let text = match (data, record) {
        (RData::A(a), DnsRecord::A) => Ipv4Addr::from(a.address).to_string(),
        (RData::AAAA(a), DnsRecord::Aaaa) => Ipv6Addr::from(a.address).to_string(),
        (RData::CNAME(name), DnsRecord::Cname) => name.0.to_string().to_ascii_lowercase(),
        (RData::MX(mx), DnsRecord::Mx) => {
            format!("{} {}", mx.preference, mx.exchange.to_string().to_ascii_lowercase())
        }
        (RData::TXT(txt), DnsRecord::Txt) => String::try_from(txt.clone()).ok()?,
        _ => return None,
    };
    Some(plain(&text))
}

/// The first name servers of `/etc/resolv.conf`. They are the machine's own, so a link's address is fine here.
fn of_system(path: &Path) -> io::Result<Vec<SocketAddr>> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(SYSTEM_FILE_BYTES_MAX).read_to_string(&mut text)?;
    let address = |line: &str| {
        let mut words = line.split_whitespace();
        (words.next() == Some("nameserver")).then(|| words.next()?.parse::<IpAddr>().ok())?
    };
    let servers = text.lines().filter_map(address).take(NAME_SERVERS_MAX);
    Ok(servers.map(|ip| SocketAddr::new(ip, 53)).collect())
}
