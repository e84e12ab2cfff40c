//! Fetching what is chosen when it is known what is there: LIST and UIDL first, then RETR or TOP of what was picked, and DELE of what
//! the sink has said to be safe.
//!
//! DELE is asked for only behind [`Sink::ended`](crate::proto::client::Sink::ended), and becomes true only with QUIT (RFC 1939 §6): when
//! anything breaks before, the message is at the server, and perhaps here as well; never nowhere.

use std::collections::BTreeMap;

use super::{Client, Request};
use crate::limits;
use crate::proto::Out;
use crate::proto::client::{About, Failure};
use crate::wire::{json, words};

/// How it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Lines.
    #[default]
    Lines,
    /// JSON
    Json,
}

/// A message that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// In this session.
    pub message: u64,
    /// Its octets.
    pub octets: u64,
    /// What stays; empty where the server does not tell it.
    pub id: String,
}

/// What is fetched of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Picked {
    /// All of it.
    Whole(u64, Then),
    /// The header, and so many lines.
    Top(u64, u64),
    /// Nothing: it is deleted.
    Gone(u64),
}

/// What becomes of it at the server once it is safe here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It stays.
    Stays,
    /// It is deleted.
    Goes,
}

/// Chooses.
pub type Pick<'a> = dyn FnMut(&[Listed]) -> Result<Vec<Picked>, Failure> + 'a;

/// What is chosen, and from what.
#[derive(Default)]
pub(super) struct Collection<'a> {
    pick: Option<Box<Pick<'a>>>,
    gathering: bool,
    there: BTreeMap<u64, Listed>,
    then: BTreeMap<u64, Then>,
}

impl<'a> Client<'a> {
    /// The same, which fetches what `pick` chooses of all that is there.
    #[must_use]
    pub fn picking(mut self, pick: Box<Pick<'a>>) -> Self {
        self.collection.pick = Some(pick);
        self
    }
}

impl Client<'_> {
    /// Nothing more is to be sent: gathers what is there, or chooses of it. False when there is nothing to choose.
    pub(super) fn collect(&mut self, out: &mut Out) -> bool {
        let collection = &mut self.collection;
        if collection.pick.is_none() {
            return false;
        }
        if !collection.gathering {
            collection.gathering = true;
            self.to_send
                .extend([Request::List(None), Request::Uidl(None)]);
            self.send_requests(out);
            return true;
        }
        collection.gathering = false;
        self.found = 0;
        let there: Vec<Listed> = collection.there.values().cloned().collect();
        let Some(mut pick) = collection.pick.take() else {
            return false;
        };
        match pick(&there) {
            Err(failure) => {
                self.failures.push(failure);
                return false;
            }
            Ok(picked) if picked.is_empty() => return false,
            Ok(picked) => {
                for picked in picked {
                    self.to_send.push_back(match picked {
                        Picked::Whole(message, then) => {
                            self.collection.then.insert(message, then);
                            Request::Retr(message)
                        }
                        Picked::Top(message, lines) => Request::Top { message, lines },
                        Picked::Gone(message) => Request::Dele(message),
                    });
                }
            }
        }
        self.send_requests(out);
        true
    }

    /// Keeps a line of a listing, if that is what it is for.
    pub(super) fn collects(&mut self, request: Request, message: u64, value: &str) -> bool {
        let collection = &mut self.collection;
        if !collection.gathering {
            return false;
        }
        if collection.there.len() < limits::POP3_MESSAGES {
            let listed = collection.there.entry(message).or_default();
            listed.message = message;
            match request {
                Request::Uidl(_) => value.clone_into(&mut listed.id),
                _ => listed.octets = value.parse().unwrap_or(0),
            }
        }
        true
    }

    /// Whether a refusal of this is none of who fetches: UIDL is optional (RFC 1939 §7), and `pick` sees that there are no ids.
    pub(super) const fn does_without(&self, request: Request) -> bool {
        self.collection.gathering && matches!(request, Request::Uidl(None))
    }

    /// A message's text has ended.
    pub(super) fn message_ends(&mut self, out: &mut Out) {
        let message = match self.sent.front() {
            Some(Request::Retr(message) | Request::Top { message, .. }) => *message,
            _ => return self.answered(out),
        };
        let listed = self.collection.there.get(&message);
        let about = About {
            id: listed.map_or("", |listed| listed.id.as_str()),
            octets: listed.map_or(0, |listed| listed.octets),
            ..About::default()
        };
        if let Err(error) = self.sink.ended(&about) {
            return self.give_up(Failure::Sink(error), out);
        }
        self.found += 1;
        if self.collection.then.get(&message) == Some(&Then::Goes) {
            self.to_send.push_front(Request::Dele(message));
        }
        self.answered(out);
    }

    /// A listing has ended.
    pub(super) fn list_ends(&mut self, request: Request, out: &mut Out) {
        let text = match (request, self.form) {
            (Request::Capa, _) => self.server(),
            (_, Form::Json) if !self.collection.gathering => {
                let end = if self.items == 0 { "[]\n" } else { "]\n" };
                self.items = 0;
                end.to_owned()
            }
            _ => String::new(),
        };
        if text.is_empty() || self.write(text.as_bytes(), out) {
            self.answered(out);
        }
    }

    /// What the server told about itself.
    fn server(&self) -> String {
        if self.form == Form::Json {
            let list: Vec<String> = self.list.iter().map(|line| json::string(line)).collect();
            let tls = Some(self.tls).filter(|tls| !tls.is_empty());
            let object = json::object(&[
                ("greeting", json::string(&self.greeting)),
                ("tls", json::optional(tls)),
                ("capabilities", format!("[{}]", list.join(","))),
            ]);
            return object + "\n";
        }
        let clean = |text: &str| words::decode(text.as_bytes());
        let mut text = format!("greeting: {}\n", clean(&self.greeting));
        if !self.tls.is_empty() {
            text.push_str(&format!("tls: {}\n", self.tls));
        }
        for line in &self.list {
            text.push_str(&format!("capability: {}\n", clean(line)));
        }
        text
    }

    /// Keeps a line of CAPA's list.
    pub(super) fn keep_line(&mut self, line: &[u8]) {
        if self.list.len() < limits::POP3_CAPABILITIES {
            self.list.push(String::from_utf8_lossy(line).into_owned());
        }
    }
}
