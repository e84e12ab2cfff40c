use std::time::Duration;

use super::*;
use crate::proto::{Epoch, pump};
use crate::store::Users;
use crate::tap::Side;
use crate::wire::address::Address;
use crate::wire::envelope::{Envelope, Recipient};
use crate::wire::lines::LineReader;

struct Talk {
    _folder: tempfile::TempDir,
    store: Arc<Store>,
    board: Board,
    session: Box<dyn Session>,
    now: Instant,
}

impl Talk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let users = Users::plain(&[("alice".to_owned(), "secret".to_owned())]);
        let store = Store::open(folder.path(), &["a.example".to_owned()], users).unwrap();
        let (store, board, now) = (Arc::new(store), Board::default(), Instant::now());
        let service = ControlService::new(Arc::clone(&store), board.clone());
        let session = service.session(Peer {
            token: 1,
            remote: None,
            local: None,
            accepted: Epoch {
                instant: now,
                wall: std::time::SystemTime::UNIX_EPOCH,
            },
            seed: [0; 16],
            refused: None,
            proxy: None,
        });
        Self {
            _folder: folder,
            store,
            board,
            session,
            now,
        }
    }

    fn queue(&self, id: &str, to: &str) {
        let envelope = Envelope {
            reverse_path: Some(Address::parse(b"alice@a.example").unwrap()),
            recipients: vec![Recipient::new(Address::parse(to.as_bytes()).unwrap())],
            ..Envelope::default()
        };
        self.store
            .queue()
            .submit(envelope, b"Subject: x\r\n\r\ntext\r\n", id)
            .unwrap();
    }

    /// What is answered to a request.
    fn say(&mut self, request: &str) -> String {
        let mut out = Out::new(Side::Server, self.now, None);
        let mut reader = LineReader::new();
        reader.push(format!("{request}\r\n").as_bytes());
        pump(&mut reader, &mut *self.session, self.now, &mut out);
        if let Some(job) = out.take_job() {
            let answer = job.run(&self.store);
            self.session.handle(self.now, Input::Done(answer), &mut out);
        }
        said(&out)
    }
}

#[test]
fn the_queue_is_listed_for_people_and_for_programs() {
    let mut talk = Talk::new();
    assert_eq!(talk.say("list"), "ok\r\n");
    talk.queue("Q1", "carol@b.example");
    let list = talk.say("list");
    assert!(list.starts_with(" Q1  "), "{list}");
    assert!(
        list.contains("  <alice@a.example>\r\n     <carol@b.example>  not yet tried\r\nok\r\n"),
        "{list}"
    );
    let json = talk.say("json list");
    for field in [
        "\"id\":\"Q1\"",
        "\"from\":\"alice@a.example\"",
        "\"address\":\"carol@b.example\"",
        "\"state\":\"waiting\"",
        "\"held\":false",
    ] {
        assert!(json.contains(field), "{field} {json}");
    }
    let show = talk.say("show Q1");
    assert!(show.contains("to         <carol@b.example>\r\n"), "{show}");
    assert!(
        talk.say("show Q2")
            .starts_with("no: there is no message Q2")
    );
    assert!(talk.say("show ../x").starts_with("no: "));
}

#[test]
fn messages_are_held_released_dropped_and_tried() {
    let mut talk = Talk::new();
    talk.queue("Q1", "carol@b.example");
    talk.queue("Q2", "dave@c.example");
    let id: QueueId = "Q1".parse().unwrap();
    assert_eq!(talk.say("hold Q1"), "ok: 1 message held\r\n");
    assert!(talk.store.queue().load(&id).unwrap().held);
    assert_eq!(talk.board.take(), [Order::Look(id.clone())]);
    assert!(talk.say("list").contains("  HELD\r\n"));
    assert!(talk.say("flush Q1").starts_with("no: Q1 is held"));
    assert!(
        talk.say("flush b.example")
            .starts_with("no: no message that waits")
    );
    assert_eq!(talk.say("release Q1"), "ok: 1 message released\r\n");
    assert!(!talk.store.queue().load(&id).unwrap().held);
    talk.board.take();
    assert!(talk.say("flush Q1").starts_with("ok: "));
    assert_eq!(
        talk.board.take(),
        [Order::Flush(Which::Message(id.clone()))]
    );
    assert_eq!(
        talk.say("flush C.example"),
        "ok: 1 message for C.example is tried now\r\n"
    );
    assert_eq!(
        talk.board.take(),
        [Order::Flush(Which::Message("Q2".parse().unwrap()))]
    );
    assert!(talk.say("flush").starts_with("ok: everything"));
    assert_eq!(talk.board.take(), [Order::Flush(Which::All)]);
    assert!(talk.say("flush nowhere.example").starts_with("no: "));
    assert_eq!(talk.say("drop ALL"), "ok: 2 messages dropped\r\n");
    assert!(talk.store.queue().entries().is_empty());
    assert_eq!(talk.say("drop ALL"), "ok: no message dropped\r\n");
}

#[test]
fn a_journey_is_told() {
    let mut talk = Talk::new();
    assert!(
        talk.say("trace Q1")
            .starts_with("no: nothing is known here of a message Q1")
    );
    talk.board.journal.note(Step {
        moment: 0,
        host: "mail.a.example".into(),
        id: "Q1".into(),
        text: "b.example took it: 250 Ok\r\n\u{1b}[2J".to_owned(),
    });
    assert_eq!(
        talk.say("trace Q1"),
        " 1970-01-01T00:00:00Z  mail.a.example  Q1  b.example took it: 250 Ok   [2J\r\nok\r\n"
    );
    assert!(
        talk.say("json trace Q1")
            .contains("\"host\":\"mail.a.example\"")
    );
}

#[test]
fn what_is_no_request_is_told_what_would_be_one() {
    let mut talk = Talk::new();
    for request in ["", "lsit", "show", "hold", "list all", "show a b"] {
        assert!(
            talk.say(request)
                .starts_with("no: requests are list, show ID"),
            "{request}"
        );
    }
    assert!(
        talk.session
            .deadline()
            .is_some_and(|at| at > talk.now + Duration::from_secs(1))
    );
}

impl Talk {
    fn deliver(&self, id: &str, text: &[u8]) {
        let envelope = Envelope {
            reverse_path: Some(Address::parse(b"bob@b.example").unwrap()),
            recipients: vec![Recipient::new(Address::parse(b"alice@a.example").unwrap())],
            ..Envelope::default()
        };
        let mut spool = self
            .store
            .draft(&envelope, crate::store::Replies::One)
            .unwrap();
        spool.append(text).unwrap();
        let results = self.store.accept(spool, envelope, id);
        assert!(results[0].is_ok());
    }

    fn tell(&mut self, input: Input<'_>) -> String {
        let mut out = Out::new(Side::Server, self.now, None);
        self.session.handle(self.now, input, &mut out);
        said(&out)
    }
}

#[test]
fn messages_are_told_as_they_come_and_those_before_on_demand() {
    let mut talk = Talk::new();
    let text = "Subject: one\r\n\r\nA\r\n";
    talk.deliver("AAA", text.as_bytes());
    assert_eq!(talk.say("mark"), "ok: 1\r\n");
    assert_eq!(talk.say("arrivals"), " listening 1\r\n");
    assert_eq!(talk.session.deadline(), None);
    assert_eq!(talk.tell(Input::Changed), "");
    talk.deliver("BBB", text.as_bytes());
    let said = talk.tell(Input::Changed);
    let (head, rest) = said.split_once("\r\n").unwrap();
    let (octets, fields) = head
        .strip_prefix(" message ")
        .and_then(|head| head.split_once(' '))
        .unwrap();
    assert_eq!(rest.len(), octets.parse::<usize>().unwrap() + 2);
    assert!(rest.ends_with(&format!("{text}\r\n")), "{rest}");
    assert!(fields.starts_with("{\"number\":2,\"moment\":"), "{fields}");
    assert!(
        fields.ends_with("\"id\":\"BBB\",\"from\":\"bob@b.example\",\"to\":[\"alice@a.example\"]}"),
        "{fields}"
    );
    assert_eq!(talk.tell(Input::Changed), "", "each once");
    assert_eq!(talk.say("anything ends it"), "ok\r\n");
    assert!(talk.session.deadline().is_some());
    let known = talk.say("arrivals 0");
    assert!(known.starts_with(" listening 2\r\n message "), "{known}");
    assert!(known.contains("\"AAA\"") && known.contains("\"BBB\""));
}

/// All that waits to be sent.
fn said(out: &Out) -> String {
    let mut said = Vec::new();
    for front in out.waiting() {
        match front {
            proto::Front::Bytes(bytes) => said.extend_from_slice(bytes),
            proto::Front::Extent(extent, _) => said.extend(extent.read().unwrap()),
        }
    }
    String::from_utf8(said).unwrap()
}
