//! The doors of a reactor: listening, accepting, and admitting who comes, at once or when a load balancer has said whose connection it is.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use mio::{Interest, Token};

use super::calls::Origin;
use super::conn::Conn;
use super::descriptors::is_exhaustion;
use super::socket::{Door, Socket};
use super::{LISTENERS, Reactor, Security, Slot, seed};
use crate::limits;
use crate::proto::{Epoch, Out, Peer, Service};
use crate::tap::Side;
use crate::wire::proxy_header::ProxyHeader;

/// Where connections come in.
pub(super) struct Listener {
    pub(super) door: Door,
    pub(super) service: Arc<dyn Service>,
    pub(super) security: Security,
    /// Only `WouldBlock` clears it.
    pub(super) ready: bool,
}

/// What becomes of a connection once it is known whose it is.
pub(super) struct Unheaded {
    peer: Peer,
    service: Arc<dyn Service>,
    security: Security,
}

impl Reactor {
    /// Listens on `address`, port 0 for any; returns where it listens really. An IPv6 address takes no IPv4.
    ///
    /// # Errors
    /// The system's: in use, not ours, not allowed.
    pub fn listen(
        &mut self,
        address: SocketAddr,
        service: Arc<dyn Service>,
        security: Security,
    ) -> io::Result<SocketAddr> {
        if security == Security::Implicit && self.options.tls.is_none() {
            let what = format!("{} needs a certificate, and there is none", service.name());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let (door, real) = Door::tcp(address)?;
        self.add_listener(door, service, security)?;
        Ok(real)
    }

    /// Listens on a UNIX socket, in the clear. The file is removed at the end; one that nobody listens on is replaced.
    ///
    /// # Errors
    /// The system's: in use, not allowed, the path is too long.
    pub fn listen_unix(&mut self, path: &Path, service: Arc<dyn Service>) -> io::Result<()> {
        self.add_listener(Door::unix(path)?, service, Security::Plain)
    }

    /// The same, and nobody but the owner of this program may connect.
    ///
    /// # Errors
    /// The system's, as there.
    pub fn listen_private(&mut self, path: &Path, service: Arc<dyn Service>) -> io::Result<()> {
        self.add_listener(Door::unix_private(path)?, service, Security::Plain)
    }

    fn add_listener(
        &mut self,
        mut door: Door,
        service: Arc<dyn Service>,
        security: Security,
    ) -> io::Result<()> {
        let token = Token(LISTENERS + self.listeners.len());
        self.poll
            .registry()
            .register(door.source(), token, Interest::READABLE)?;
        self.listeners.push(Listener {
            door,
            service,
            security,
            ready: false,
        });
        Ok(())
    }

    pub(super) fn accept(&mut self, now: Instant) {
        if self.paused.is_some_and(|until| until > now) {
            return;
        }
        self.paused = None;
        let listeners = self.listeners.len();
        for index in 0..listeners {
            for _ in 0..limits::ACCEPTS {
                let listener = &mut self.listeners[index];
                if !listener.ready {
                    break;
                }
                match listener.door.accept() {
                    Ok((socket, remote, local)) => {
                        self.admit(index, socket, remote, local, now);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        listener.ready = false;
                    }
                    Err(error) if is_exhaustion(&error) => return self.exhaust(&error, now),
                    // The connection was gone before it was accepted: none of our business.
                    Err(error) => log::debug!("accept: {error}"),
                }
            }
        }
    }

    /// There are no file descriptors left. Said once, however often it comes and goes.
    fn exhaust(&mut self, error: &io::Error, now: Instant) {
        self.paused = Some(now + limits::ACCEPT_PAUSE);
        if self
            .complained
            .is_none_or(|at| now - at > limits::COMPLAINT_PAUSE)
        {
            self.complained = Some(now);
            log::warn!(
                "no more connections are accepted for now ({} are open): {error}; raise the limit of open files \
                 (ulimit -n) if this happens often",
                self.slots.len()
            );
        }
    }

    fn admit(
        &mut self,
        listener: usize,
        socket: Socket,
        remote: Option<SocketAddr>,
        local: Option<SocketAddr>,
        now: Instant,
    ) {
        let Some(admission) = self.limiter.admit(remote.map(|remote| remote.ip())) else {
            return;
        };
        let Listener {
            service, security, ..
        } = &self.listeners[listener];
        let token = self.next_token;
        let peer = Peer {
            token,
            remote,
            local,
            accepted: Epoch {
                instant: now,
                wall: SystemTime::now(),
            },
            seed: seed(),
            refused: admission.refused(),
            proxy: None,
        };
        let (tap, wire) = self.observers(&peer, service.name());
        let mut conn = Conn::new(socket, Side::Server, Out::new(Side::Server, now, tap), now);
        if let Some(wire) = wire {
            conn.watch(wire);
        }
        let wanted = Interest::READABLE | Interest::WRITABLE;
        let name = Token(token as usize);
        if let Err(error) = self.poll.registry().register(conn.socket(), name, wanted) {
            log::warn!("cannot watch a connection: {error}");
            return self.limiter.leave(admission);
        }
        self.next_token += 1;
        let implicit = *security == Security::Implicit;
        let is_headed = (implicit || !service.reads_header())
            && remote.is_some_and(|remote| {
                let address = remote.ip().to_canonical();
                self.options
                    .headed
                    .iter()
                    .any(|network| network.contains(address))
            });
        let session = if is_headed {
            conn.expect_header(now);
            let unheaded = Unheaded {
                peer,
                service: Arc::clone(service),
                security: *security,
            };
            self.unheaded.insert(token, unheaded);
            None
        } else {
            Some(service.session(peer))
        };
        let mut slot = Slot {
            conn,
            session,
            service: service.name(),
            remote,
            origin: Origin::Came(admission),
            queued: false,
            armed: None,
        };
        if implicit && !is_headed {
            self.start_tls(&mut slot, now);
        }
        self.slots.insert(token, Box::new(slot));
        self.rouse(token, |_| {});
    }

    /// A load balancer has said whose connection it is: it begins.
    pub(super) fn headed(&mut self, token: u64, header: &ProxyHeader, now: Instant) {
        let (Some(unheaded), Some(mut slot)) =
            (self.unheaded.remove(&token), self.slots.remove(&token))
        else {
            return;
        };
        let Unheaded {
            mut peer,
            service,
            security,
        } = unheaded;
        peer.proxy = peer.remote;
        if let Some(ends) = header.ends {
            peer.remote = Some(ends.source);
            peer.local = Some(ends.destination);
            slot.remote = Some(ends.source);
            slot.conn.note_client(ends.source, peer.proxy);
        }
        slot.session = Some(service.session(peer));
        match security {
            Security::Plain => slot.conn.begin(),
            Security::Implicit => self.start_tls(&mut slot, now),
        }
        self.slots.insert(token, slot);
        self.rouse(token, |_| {});
    }
}
