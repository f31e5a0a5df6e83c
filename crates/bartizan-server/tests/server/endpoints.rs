//! Endpoints that decide for real, on a server whose database somebody changes by hand.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bartizan_proto::frame::{FrameReader, encode_frame};
use bartizan_proto::message::Message;
use bartizan_proto::operator::{
    CosignatureBody, EndpointDetail, JobDetail, JobSubmission, Standing, Stored, TargetState,
};
use bartizan_testkit::load::endpoint::{Endpoint, Event, Fleet, device_key};
use bartizan_testkit::load::organisation::Organisation;
use bartizan_testkit::load::plane::Console;
use bartizan_trust::checkpoint::Checkpoint;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::EndpointId;
use bartizan_trust::note::Note;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::statement::{Decision, Job, SignatureRole};
use bartizan_trust::targets::TargetTree;
use data_encoding::{BASE64, HEXLOWER};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::client::TlsStream;

use crate::program::{Program, body, founded};
use crate::{now, wait_for};

const CONTENT: &[u8] = b"echo hello\n";

/// A server, its organisation, and some endpoints that are connected.
pub(crate) struct World {
    pub(crate) organisation: Organisation,
    pub(crate) console: Console,
    pub(crate) fleet: Arc<Fleet>,
    events: mpsc::Receiver<Event>,
    pub(crate) tell: mpsc::Sender<Event>,
    database: PathBuf,
    pub(crate) program: Program,
}

impl World {
    pub(crate) async fn new(dir: &Path) -> Self {
        let (program, organisation, console) = founded(dir).await;
        let enrolment = organisation.enrolment(2, now()).expect("enrolment");
        let _: Stored = console.send("/v1/enrolments", &body(&enrolment)).await.expect("enrol");
        let identity: bartizan_proto::operator::ServerIdentity =
            console.fetch("/v1/server").await.expect("server");
        let fleet = Arc::new(Fleet {
            address: program.agent,
            pin: identity.spki,
            org: organisation.id(),
            enrolment: enrolment.encode(),
            enrolment_id: enrolment.id(),
            verify: true,
        });
        let (tell, events) = mpsc::channel(16);
        let database = dir.join("server.db");
        let world = Self { organisation, console, fleet, events, tell, database, program };
        world.cosign("control").await;
        world
    }

    /// Both consoles co-sign the newest checkpoint.
    async fn cosign(&self, log: &str) {
        for person in [&self.organisation.author, &self.organisation.approver] {
            let note = self
                .console
                .fetch_bytes(&format!("/v1/log/{log}/checkpoint"))
                .await
                .expect("checkpoint");
            let line = person.cosign(&note, now()).expect("cosign");
            let checkpoint =
                Checkpoint::parse(&Note::decode(&note).expect("note").text).expect("checkpoint");
            let body = CosignatureBody { size: checkpoint.size, root: checkpoint.root, line };
            let _: Value = self
                .console
                .send(&format!("/v1/log/{log}/cosignature"), &body)
                .await
                .expect("cosignature");
        }
    }

    async fn event(&mut self) -> Event {
        tokio::time::timeout(Duration::from_mins(1), self.events.recv())
            .await
            .expect("an event in time")
            .expect("an event")
    }

    /// Connects an endpoint and waits until it has verified bundle and enrolment.
    pub(crate) async fn connect(&mut self, number: u32) -> EndpointId {
        let endpoint =
            Endpoint::new(Arc::clone(&self.fleet), number, self.tell.clone()).expect("endpoint");
        let stream = endpoint.connect().await.expect("connect");
        tokio::spawn(endpoint.serve(stream));
        let event = self.event().await;
        assert!(matches!(event, Event::Ready), "{event:?}");
        id(number)
    }

    /// Submits a job that its author alone has signed.
    async fn submit(&self, number: u32) -> Envelope {
        let tree = TargetTree::new(&[(id(number), 0)]).expect("tree");
        let job = self.organisation.job(tree.targets(), CONTENT, 1, now()).expect("job");
        let submission = JobSubmission {
            envelope: BASE64.encode(&job.encode()),
            targets: vec![id(number)],
            content: BASE64.encode(CONTENT),
        };
        let _: Stored = self.console.send("/v1/jobs", &submission).await.expect("submit");
        job
    }

    async fn approve(&self, job: &mut Envelope) {
        self.organisation.approver.key.sign(job, SignatureRole::Approve).expect("sign");
        let _: Stored = self
            .console
            .send(&format!("/v1/jobs/{}/signatures", job.id()), &body(job))
            .await
            .expect("approve");
    }

    /// What somebody with the server's database can do.
    fn tamper(&self, sql: &str) {
        let other = rusqlite::Connection::open(&self.database).expect("open");
        other.busy_timeout(Duration::from_secs(10)).expect("timeout");
        other.execute_batch(sql).expect("change");
    }

    async fn refused(&mut self, expected: Refusal) {
        let event = self.event().await;
        assert!(matches!(&event, Event::Refused(refusal) if *refusal == expected), "{event:?}");
        let event = self.event().await;
        assert!(matches!(event, Event::Stored), "{event:?}");
    }

    async fn target(&self, job: &Envelope) -> (TargetState, Option<String>) {
        let detail: JobDetail =
            self.console.fetch(&format!("/v1/jobs/{}", job.id())).await.expect("job");
        let target = detail.targets.first().expect("target");
        (target.state, target.code.clone())
    }
}

pub(crate) fn id(number: u32) -> EndpointId {
    device_key(number).expect("key").public.endpoint_id()
}

#[test]
fn a_job_made_active_by_hand_is_refused_and_runs_once_it_is_approved() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let mut world = World::new(dir.path()).await;
        world.connect(0).await;
        let mut job = world.submit(0).await;
        world.cosign("jobs").await;
        world.tamper("UPDATE job SET state = 'active'");
        world.refused(Refusal::ApprovalsMissing).await;
        let code = Refusal::ApprovalsMissing.code().to_owned();
        assert_eq!(world.target(&job).await, (TargetState::Refused, Some(code)));

        world.approve(&mut job).await;
        world.cosign("jobs").await;
        let event = world.event().await;
        assert!(matches!(event, Event::Stored), "{event:?}");
        assert_eq!(world.target(&job).await, (TargetState::Done, Some("ok".to_owned())));
    });
}

#[test]
fn content_swapped_by_hand_is_refused() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let mut world = World::new(dir.path()).await;
        world.connect(0).await;
        let mut job = world.submit(0).await;
        world.approve(&mut job).await;
        world.tamper("UPDATE job SET content = CAST('rm -rf /usr' AS BLOB)");
        world.cosign("jobs").await;
        world.refused(Refusal::ContentMismatch).await;
    });
}

#[test]
fn a_target_added_by_hand_is_refused_by_it() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let mut world = World::new(dir.path()).await;
        world.connect(0).await;
        let mut job = world.submit(0).await;
        world.approve(&mut job).await;
        world.cosign("jobs").await;
        let event = world.event().await;
        assert!(matches!(event, Event::Stored), "{event:?}");
        let other = world.connect(1).await;
        let id = job.id();
        world.tamper(&format!(
            "INSERT INTO job_target (job, endpoint) VALUES ('{id}', '{other}'); UPDATE job SET state = 'active'"
        ));
        world.refused(Refusal::NotTargeted).await;
    });
}

#[test]
fn an_absent_endpoint_gets_its_job_when_it_comes() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let mut world = World::new(dir.path()).await;
        let mut job = world.submit(0).await;
        world.approve(&mut job).await;
        world.cosign("jobs").await;
        assert_eq!(world.target(&job).await, (TargetState::Queued, None));
        world.connect(0).await;
        let event = world.event().await;
        assert!(matches!(event, Event::Stored), "{event:?}");
        assert_eq!(world.target(&job).await.0, TargetState::Done);
    });
}

#[test]
fn an_endpoint_beyond_the_enrolments_uses_waits_in_quarantine() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let mut world = World::new(dir.path()).await;
        world.connect(0).await;
        world.connect(1).await;
        let endpoint =
            Endpoint::new(Arc::clone(&world.fleet), 2, world.tell.clone()).expect("endpoint");
        let stream = endpoint.connect().await.expect("connect");
        tokio::spawn(endpoint.serve(stream));
        let event = world.event().await;
        assert!(matches!(&event, Event::Broken(why) if why.contains("quarantine")), "{event:?}");
        let path = format!("/v1/endpoints/{}", id(2));
        let standing = async |world: &World| {
            let detail: EndpointDetail = world.console.fetch(&path).await.expect("endpoint");
            (detail.row.standing, detail.row.tenant)
        };
        assert_eq!(standing(&world).await, (Standing::Quarantined, None));

        let _: Value = world.console.send(&format!("{path}/admit"), &()).await.expect("admit");
        world.connect(2).await;
        assert_eq!(standing(&world).await.0, Standing::Admitted);
    });
}

/// One connection of an endpoint that the test speaks for.
pub(crate) struct Line {
    pub(crate) stream: TlsStream<TcpStream>,
    reader: FrameReader,
}

impl Line {
    pub(crate) async fn open(endpoint: &Endpoint) -> Self {
        Self { stream: endpoint.connect().await.expect("connect"), reader: FrameReader::new() }
    }

    pub(crate) async fn say(&mut self, message: &Message) {
        self.stream.write_all(&encode_frame(message)).await.expect("write");
        self.stream.flush().await.expect("write");
    }

    /// The next message but for the control log; `None` at the end of the connection.
    pub(crate) async fn hear(&mut self) -> Option<Message> {
        loop {
            match self.reader.next_message().expect("a frame") {
                Some(Message::Control { .. }) => {}
                Some(message) => return Some(message),
                None => {
                    let mut buffer = [0; 4096];
                    match self.stream.read(&mut buffer).await.unwrap_or(0) {
                        0 => return None,
                        count => self.reader.extend(&buffer[..count]),
                    }
                }
            }
        }
    }
}

#[test]
fn a_receipt_from_quarantine_ends_no_connection_and_is_stored_after_admission() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let mut world = World::new(dir.path()).await;
        world.connect(0).await;
        world.connect(1).await;
        let mut endpoint =
            Endpoint::new(Arc::clone(&world.fleet), 2, world.tell.clone()).expect("endpoint");
        // An endpoint obeys a freeze from the local network wherever it stands, and says so.
        let freeze = world.fleet.enrolment_id;
        let envelope = endpoint.receipt(freeze, Decision::Done, "freeze.by_lan").expect("receipt");
        let receipt = Message::Receipt { envelope };
        let mut line = Line::open(&endpoint).await;
        assert!(matches!(line.hear().await, Some(Message::Welcome { admitted: false, .. })));
        line.say(&receipt).await;
        line.say(&Message::Heartbeat { seq: 7 }).await;
        let answer = line.hear().await;
        assert!(matches!(answer, Some(Message::HeartbeatAck { seq: 7 })), "{answer:?}");

        let path = format!("/v1/endpoints/{}/admit", id(2));
        let _: Value = world.console.send(&path, &()).await.expect("admit");
        assert!(line.hear().await.is_none(), "it is to come again as admitted");
        let mut line = Line::open(&endpoint).await;
        assert!(matches!(line.hear().await, Some(Message::Welcome { admitted: true, .. })));
        line.say(&receipt).await;
        let answer = line.hear().await;
        assert!(matches!(answer, Some(Message::ReceiptStored { seq: 1 })), "{answer:?}");
    });
}

#[test]
fn an_envelope_swapped_by_hand_is_refused() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let mut world = World::new(dir.path()).await;
        world.connect(0).await;
        let mut job = world.submit(0).await;
        world.approve(&mut job).await;
        // Another job of the same author for the same endpoint: well signed by one person, and never logged.
        let targets = job.statement::<Job>().expect("job").targets;
        let other = world.organisation.job(targets, CONTENT, 99, now()).expect("job");
        let hex = HEXLOWER.encode(&other.encode());
        world.tamper(&format!("UPDATE job SET envelope = X'{hex}'"));
        world.cosign("jobs").await;
        let event = world.event().await;
        let refused = [Refusal::ApprovalsMissing, Refusal::NotLogged];
        assert!(
            matches!(&event, Event::Refused(refusal) if refused.contains(refusal)),
            "{event:?}"
        );
    });
}
