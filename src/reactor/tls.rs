//! TLS, behind types of our own: no rustls type leaves this file and its folder.
//!
//! | file | has |
//! |---|---|
//! | `tls.rs` | one connection: ciphertext in and out, whatever was agreed on |
//! | `settings` | what a client and a server can be told, and what is made of it once |
//! | `verify` | whom to trust, and what is wrong with a certificate |
//! | `ciphers` | cipher suites by OpenSSL's names |
//! | `pem` | certificates and keys in text |
//! | `roots` | the authorities of the web, packed |
//! | `info` | what was agreed on, and with whom |
//!
//! rustls is used through its unbuffered interface: ciphertext is a slice that we own and of which it says how much may be
//! thrown away, plaintext is lent a record at a time, and ciphertext is appended to a `Vec` of ours. So an idle connection
//! holds no buffer at all, and records are decrypted in a scratch buffer that all connections of a thread share.
//!
//! What it keeps:
//! - rustls is always shown the whole of what it has not discarded, never an empty slice in its place: it may remember a part of a
//!   handshake message in there, and would panic;
//! - after an error it is asked once more, so that the peer gets the alert that says why;
//! - nothing is encrypted while earlier ciphertext is still unsent, so a slow peer costs one scratch buffer's worth.
//!
//! RFC 8446 (TLS 1.3), RFC 5246 (TLS 1.2); RFC 8314 for mail. One ticket is given to a client of TLS 1.3, and tickets are
//! encrypted to the server itself (RFC 5077), so sessions that could be resumed cost no memory.

mod binding;
mod ciphers;
mod error;
mod info;
mod pem;
mod roots;
mod settings;
#[cfg(test)]
mod tests;
mod verify;

use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use rustls::{CommonState, Error};

use crate::proto::TlsInfo;
use crate::wire::lines::LineReader;

pub use self::ciphers::Ciphers;
pub use self::error::{CertificateFault, TlsError};
pub use self::info::certificate_of;
use self::settings::Judge;
pub use self::settings::{
    Acceptor, ClientCertificates, ClientTls, Connector, Identity, ServerTls, Trust,
};
pub(super) use self::verify::missing_names;

/// The TLS of one connection, with the octets that are between it and the socket, and between it and the reader.
pub(super) struct Tls {
    connection: Connection,
    /// The host that was meant, for a client.
    host: Option<String>,
    judge: Judge,
    /// Ciphertext that is not decrypted yet: part of a record, or what the reader had no room for.
    incoming: Vec<u8>,
    /// Plaintext that the reader had no room for.
    plain: Vec<u8>,
    /// Ciphertext to be sent, from `sent` on.
    unsent: Vec<u8>,
    sent: usize,
    /// More has to come from the socket before anything can be decrypted.
    hungry: bool,
    up: bool,
    end: End,
    said_goodbye: bool,
    /// After an error rustls must not be asked anything.
    broken: bool,
}

enum Connection {
    Client(UnbufferedClientConnection),
    Server(UnbufferedServerConnection),
}

impl Connection {
    /// Takes rustls one state further; after an error once more, for the alert that says why. Not to be called after that.
    fn step(
        &mut self,
        ciphertext: &mut [u8],
        outgoing: Outgoing<'_>,
        unsent: &mut Vec<u8>,
        text: &mut dyn FnMut(&[u8]),
    ) -> Settled {
        let first = self.settle(ciphertext, outgoing, unsent, text);
        if first.result.is_err() {
            let rest = &mut ciphertext[first.discard..];
            // Whatever else comes of it, the first error is the one to tell.
            let _ = self.settle(rest, Outgoing::Nothing, unsent, text);
        }
        first
    }

    fn settle(
        &mut self,
        ciphertext: &mut [u8],
        outgoing: Outgoing<'_>,
        unsent: &mut Vec<u8>,
        text: &mut dyn FnMut(&[u8]),
    ) -> Settled {
        match self {
            Self::Client(connection) => {
                let status = connection.process_tls_records(ciphertext);
                settle(status, outgoing, unsent, text)
            }
            Self::Server(connection) => {
                let status = connection.process_tls_records(ciphertext);
                settle(status, outgoing, unsent, text)
            }
        }
    }
}

/// How far the peer's stream is at its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    /// The socket is: without a close_notify.
    Socket,
    /// The peer said close_notify.
    Said,
}

/// What [`Tls::receive`] did.
#[derive(Default)]
pub(super) struct Received {
    /// About how many octets moved; 0 if nothing did.
    pub(super) moved: usize,
    /// The peer's stream is at its end, and all of it is in the reader.
    pub(super) end: bool,
    /// TLS stands since now.
    pub(super) up: Option<TlsInfo>,
}

impl Tls {
    fn new(connection: Connection, host: Option<String>, judge: Judge) -> Self {
        Self {
            connection,
            host,
            judge,
            incoming: Vec::new(),
            plain: Vec::new(),
            unsent: Vec::new(),
            sent: 0,
            hungry: false,
            up: false,
            end: End::Open,
            said_goodbye: false,
            broken: false,
        }
    }

    /// Whether data can be encrypted.
    pub(super) const fn is_up(&self) -> bool {
        self.up
    }

    /// Whether [`Self::receive`] could do anything without the socket.
    pub(super) const fn is_hungry(&self) -> bool {
        self.hungry && self.plain.is_empty()
    }

    /// Ciphertext to be sent; then [`Self::advance`].
    pub(super) fn unsent(&self) -> &[u8] {
        &self.unsent[self.sent..]
    }

    /// The first `octets` of [`Self::unsent`] are sent.
    pub(super) fn advance(&mut self, octets: usize) {
        self.sent += octets;
        if self.sent == self.unsent.len() {
            self.unsent.clear();
            self.sent = 0;
        }
    }

    /// Gives memory back that is not in use.
    pub(super) fn release(&mut self) {
        for buffer in [&mut self.incoming, &mut self.plain, &mut self.unsent] {
            if buffer.is_empty() {
                *buffer = Vec::new();
            }
        }
    }

    /// Decrypts what there is, or else what `read` brings (`None`: nothing now; 0: the end), into the reader.
    pub(super) fn receive<E: From<TlsError>>(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> Result<Option<usize>, E>,
        reader: &mut LineReader,
        scratch: &mut [u8],
    ) -> Result<Received, E> {
        let mut received = Received {
            moved: self.deliver(reader),
            ..Received::default()
        };
        if !self.plain.is_empty() {
            return Ok(received);
        }
        let kept = self.incoming.len();
        let mut end = kept;
        if self.hungry && self.end == End::Open {
            if kept == scratch.len() {
                let what = "the peer's TLS handshake message is longer than 64 KiB";
                return Err(TlsError::Broken(what.to_owned()).into());
            }
            match read(&mut scratch[kept..])? {
                None => return Ok(received),
                Some(0) => self.end = End::Socket,
                Some(octets) => {
                    end += octets;
                    received.moved += octets;
                }
            }
        }
        scratch[..kept].copy_from_slice(&self.incoming);
        self.incoming.clear();
        let used = self.decrypt(&mut scratch[..end], reader)?;
        self.incoming.extend_from_slice(&scratch[used..end]);
        received.moved += used;
        if !self.up && !self.state().is_handshaking() {
            self.up = true;
            received.up = Some(info::of(self.state(), &self.judge));
        }
        received.end = self.end != End::Open && self.is_hungry();
        received.moved += usize::from(received.end);
        Ok(received)
    }

    /// Encrypts one piece of data behind [`Self::unsent`].
    pub(super) fn encrypt(&mut self, data: &[u8]) -> Result<(), TlsError> {
        self.write(Outgoing::Data(data))
    }

    /// Puts close_notify (RFC 8446 §6.1) behind [`Self::unsent`]; false if it was there already.
    pub(super) fn say_goodbye(&mut self) -> bool {
        if std::mem::replace(&mut self.said_goodbye, true) || !self.up || self.broken {
            return false;
        }
        // If that fails, the end of the stream must do.
        self.write(Outgoing::CloseNotify).is_ok()
    }

    /// Moves left-over plaintext into the reader.
    fn deliver(&mut self, reader: &mut LineReader) -> usize {
        if self.plain.is_empty() {
            return 0;
        }
        let octets = copy(&self.plain, reader);
        self.plain.drain(..octets);
        octets
    }

    /// Decrypts records until the reader is full or there is no whole record; says how much ciphertext is used up.
    fn decrypt(
        &mut self,
        ciphertext: &mut [u8],
        reader: &mut LineReader,
    ) -> Result<usize, TlsError> {
        let mut used = 0;
        self.hungry = false;
        loop {
            let plain = &mut self.plain;
            let step = self.connection.step(
                &mut ciphertext[used..],
                Outgoing::Nothing,
                &mut self.unsent,
                &mut |text| {
                    let octets = copy(text, reader);
                    plain.extend_from_slice(&text[octets..]);
                },
            );
            used += step.discard;
            match step.result {
                Ok(Event::Hungry) => {
                    self.hungry = true;
                    return Ok(used);
                }
                Ok(Event::Closed) => self.end = End::Said,
                Ok(Event::Text) if !self.plain.is_empty() => return Ok(used),
                Ok(Event::Text | Event::Working) => {}
                Err(error) => return Err(self.fault(error)),
            }
        }
    }

    fn write(&mut self, outgoing: Outgoing<'_>) -> Result<(), TlsError> {
        loop {
            let plain = &mut self.plain;
            let step = self.connection.step(
                &mut self.incoming,
                outgoing,
                &mut self.unsent,
                &mut |text| plain.extend_from_slice(text),
            );
            self.incoming.drain(..step.discard);
            match step.result {
                Ok(Event::Hungry) => return Ok(()),
                Ok(Event::Closed) => self.end = End::Said,
                Ok(Event::Text | Event::Working) => {}
                Err(error) => return Err(self.fault(error)),
            }
        }
    }

    fn state(&self) -> &CommonState {
        match &self.connection {
            Connection::Client(connection) => connection,
            Connection::Server(connection) => connection,
        }
    }

    fn fault(&mut self, error: Error) -> TlsError {
        self.broken = true;
        let host = self.host.as_deref().unwrap_or("the client").to_owned();
        match error {
            Error::InvalidCertificate(error) => TlsError::Certificate {
                host,
                fault: verify::certificate_fault(error),
            },
            Error::InvalidMessage(_) if !self.up && self.host.is_none() => TlsError::Broken(
                "the client goes on in the clear where TLS begins".to_owned(),
            ),
            Error::InvalidMessage(_) if !self.up => TlsError::Broken(
                "what came is not TLS: is this the right port, or does the connection begin in the clear (leave --tls \
                 away, with nc --ssl, or try --starttls)?"
                    .to_owned(),
            ),
            error => TlsError::Broken(error.to_string()),
        }
    }
}

/// What is to be encrypted once rustls can.
#[derive(Clone, Copy)]
enum Outgoing<'a> {
    Nothing,
    Data(&'a [u8]),
    CloseNotify,
}

/// One state of rustls, dealt with.
struct Settled {
    discard: usize,
    result: Result<Event, Error>,
}

enum Event {
    /// A record was decrypted.
    Text,
    /// The peer said close_notify.
    Closed,
    /// There may be more to do.
    Working,
    /// Nothing to do without more ciphertext; what was outgoing is encrypted.
    Hungry,
}

fn settle<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    outgoing: Outgoing<'_>,
    unsent: &mut Vec<u8>,
    text: &mut dyn FnMut(&[u8]),
) -> Settled {
    let mut discard = status.discard;
    let result = status.state.and_then(|state| match state {
        ConnectionState::ReadTraffic(mut traffic) => {
            while let Some(record) = traffic.next_record() {
                let record = record?;
                discard += record.discard;
                text(record.payload);
            }
            Ok(Event::Text)
        }
        ConnectionState::PeerClosed => Ok(Event::Closed),
        ConnectionState::EncodeTlsData(mut handshake) => {
            append(unsent, 0, |room| match handshake.encode(room) {
                Ok(octets) => Ok(octets),
                Err(EncodeError::InsufficientSize(need)) => Err(Some(need.required_size)),
                Err(EncodeError::AlreadyEncoded) => Err(None),
            })?;
            Ok(Event::Working)
        }
        ConnectionState::TransmitTlsData(transmit) => {
            transmit.done();
            Ok(Event::Working)
        }
        ConnectionState::WriteTraffic(mut traffic) => {
            let need = |error| match error {
                EncryptError::InsufficientSize(need) => Some(need.required_size),
                EncryptError::EncryptExhausted => None,
            };
            match outgoing {
                Outgoing::Nothing => {}
                Outgoing::Data(data) => {
                    let guess = data.len() + (data.len() / RECORD + 1) * RECORD_OVERHEAD;
                    append(unsent, guess, |room| {
                        traffic.encrypt(data, room).map_err(need)
                    })?;
                }
                Outgoing::CloseNotify => append(unsent, RECORD_OVERHEAD, |room| {
                    traffic.queue_close_notify(room).map_err(need)
                })?,
            }
            Ok(Event::Hungry)
        }
        // `BlockedHandshake` and `Closed`. Early data is never offered, and what a later rustls adds is not asked for.
        _ => Ok(Event::Hungry),
    });
    Settled { discard, result }
}

/// Octets of plaintext in a record at most (RFC 8446 §5.1).
const RECORD: usize = 16 * 1024;
/// Octets that a record adds: its header, content type and tag, and an explicit nonce in TLS 1.2.
const RECORD_OVERHEAD: usize = 32;

/// Has `write` append to `buffer`, first with `room` octets, then with as many as it asks for.
fn append(
    buffer: &mut Vec<u8>,
    mut room: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Option<usize>>,
) -> Result<(), Error> {
    let start = buffer.len();
    loop {
        buffer.resize(start + room, 0);
        match write(&mut buffer[start..]) {
            Ok(octets) => {
                buffer.truncate(start + octets);
                return Ok(());
            }
            Err(Some(need)) if need > room => room = need,
            Err(_) => {
                buffer.truncate(start);
                return Err(Error::EncryptError);
            }
        }
    }
}

/// Copies as much as the reader has room for; says how much.
fn copy(mut text: &[u8], reader: &mut LineReader) -> usize {
    let length = text.len();
    while !text.is_empty() {
        let space = reader.space();
        let octets = space.len().min(text.len());
        if octets == 0 {
            break;
        }
        space[..octets].copy_from_slice(&text[..octets]);
        reader.filled(octets);
        text = &text[octets..];
    }
    length - text.len()
}
