//! TLS as it was asked for: what a connector and an acceptor are told, and what is said of a handshake.

use std::fs;
use std::path::Path;

use super::Netcat;
use super::complaint::{Complaint, reason};
use super::options::{Begins, Check, Identity};
use super::words::{Handshake, Note};
use crate::limits;
use crate::proto::{TlsInfo, Verdict};
use crate::reactor::relay::{HandshakeError, Link};
use crate::reactor::{
    self, Acceptor, Ciphers, ClientCertificates, ClientTls, Connector, ServerTls, TlsError, Trust,
    certificate_of, certs,
};

/// Where a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// On this machine: nobody can stand between.
    Here,
    /// Somewhere else.
    Elsewhere,
}

impl Netcat {
    /// What a client's TLS is told.
    pub(super) fn client_tls(&self, server: Whereabouts) -> Result<ClientTls, Complaint> {
        let tls = &self.options.tls;
        let trust = match (tls.check, &tls.trust_file) {
            (Check::Nothing, _) => Trust::Anybody,
            (_, Some(file)) => Trust::Only(file.clone()),
            (Check::UnlessLoopback, None) if server == Whereabouts::Here => {
                Trust::Tolerant { extra: None }
            }
            (Check::UnlessLoopback | Check::Always, None) => Trust::Authorities { extra: None },
        };
        Ok(ClientTls {
            trust,
            server_name: tls.server_name.clone(),
            alpn: tls.alpn.clone(),
            identity: tls.identity.as_ref().map(identity).transpose()?,
            ciphers: self.ciphers()?,
            key_log: self.witnesses.key_log(),
        })
    }

    /// A wrong name of a file, or of a cipher, costs no call.
    pub(super) fn look_at_tls(&self) -> Result<(), Complaint> {
        let tls = &self.options.tls;
        if tls.begins == Begins::Never {
            return Ok(());
        }
        self.ciphers()?;
        let Some(file) = &tls.trust_file else {
            return Ok(());
        };
        fs::File::open(file).map(drop).map_err(|error| {
            let why = reason(&error);
            let file = file.display();
            Complaint::Refused(format!(
                "Could not load trusted certificates from {file}: {why}"
            ))
        })
    }

    /// TLS for callers, if it was asked for.
    pub(super) fn acceptor(&self) -> Result<Option<Acceptor>, Complaint> {
        let tls = &self.options.tls;
        if tls.begins != Begins::AtOnce {
            return Ok(None);
        }
        let identity = match &tls.identity {
            Some(files) => identity(files)?,
            None => {
                let names = ["localhost".to_owned()];
                let (chain, key) = certs::generate(&names)
                    .map_err(|error| Complaint::Refused(error.to_string()))?;
                let made = certificate_of(chain.as_bytes()).map_err(unusable)?;
                self.tell(&Note::Made { sha1: &made.sha1 });
                reactor::Identity {
                    chain: chain.into(),
                    key: key.into(),
                }
            }
        };
        let clients = match (tls.check, &tls.trust_file) {
            (Check::Always, Some(file)) => ClientCertificates::Required(read(file)?),
            (Check::Always, None) => ClientCertificates::RequiredOfKnown,
            _ => ClientCertificates::NotAsked,
        };
        let settings = ServerTls {
            alpn: tls.alpn.clone(),
            clients,
            ciphers: self.ciphers()?,
            key_log: self.witnesses.key_log(),
            ..ServerTls::new(identity)
        };
        Acceptor::with(&settings).map(Some).map_err(unusable)
    }

    /// A connector for one server.
    pub(super) fn connector(&self, server: Whereabouts) -> Result<Connector, Complaint> {
        Connector::with(&self.client_tls(server)?).map_err(unusable)
    }

    /// Waits for TLS with `host`, and says what came of it.
    pub(super) fn shake_hands(&self, link: &mut Link, host: &str) -> Result<(), Complaint> {
        let patience = self.options.timing.connect;
        let patience = patience.unwrap_or(limits::TLS_HANDSHAKE);
        link.handshake(Some(patience))
            .map_err(|error| self.no_tls(host, error))?;
        if let Some(info) = link.tls() {
            self.tell_of_tls(host, link, info);
        }
        Ok(())
    }

    fn tell_of_tls(&self, host: &str, link: &Link, info: &TlsInfo) {
        if let Verdict::Tolerated(why) = &info.verdict {
            self.tell(&Note::Distrusted { host, why });
        }
        let address = link.socket().peer_addr().ok();
        let address = address.and_then(|address| address.as_socket());
        if let (Some(peer), Some(address)) = (&info.peer, address) {
            self.tell(&Note::Tls(Handshake {
                address,
                organisation: peer.names.subject.organization(),
                sha1: &peer.sha1,
            }));
        }
    }

    /// A handshake that failed.
    fn no_tls(&self, host: &str, error: HandshakeError) -> Complaint {
        match error {
            HandshakeError::Tls(error) => self.tls_trouble(host, &error),
            error => Complaint::Failed(format!("no TLS with {host}: {error}")),
        }
    }

    /// TLS that failed, in a handshake or later.
    pub(super) fn tls_trouble(&self, host: &str, error: &TlsError) -> Complaint {
        match error {
            TlsError::Certificate { fault, .. } => self.words.bad_certificate(host, fault),
            error => Complaint::Failed(format!("no TLS with {host}: {error}")),
        }
    }

    fn ciphers(&self) -> Result<Ciphers, Complaint> {
        match &self.options.tls.ciphers {
            None => Ok(Ciphers::default()),
            Some(list) => Ciphers::parse(list).map_err(unusable),
        }
    }
}

fn unusable(error: TlsError) -> Complaint {
    Complaint::Refused(error.to_string())
}

fn identity(files: &Identity) -> Result<reactor::Identity, Complaint> {
    Ok(reactor::Identity {
        chain: read(&files.certificate)?,
        key: read(&files.key)?,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Complaint> {
    fs::read(path).map_err(|error| {
        let why = reason(&error);
        Complaint::Refused(format!("{}: {why}", path.display()))
    })
}
