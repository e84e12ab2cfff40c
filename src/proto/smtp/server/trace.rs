//! The line that every server puts before a message it takes: Received (RFC 5321 §4.4). Return-Path, which only the last server adds,
//! is the store's.

use std::net::IpAddr;

use super::{Hello, HelloKind};
use crate::proto::TlsInfo;
use crate::wire::address::Address;
use crate::wire::date::DateTime;

/// What is known when DATA comes.
pub(super) struct Trace<'a> {
    pub(super) hello: &'a Hello,
    /// `None` for a UNIX socket.
    pub(super) address: Option<IpAddr>,
    pub(super) hostname: &'a str,
    pub(super) tls: Option<&'a TlsInfo>,
    pub(super) user: Option<&'a str>,
    /// SMTPUTF8 was asked for.
    pub(super) utf8: bool,
    pub(super) id: &'a str,
    /// The recipient, when there is one only: with several, none may learn of the others (RFC 5321 §7.2).
    pub(super) only_recipient: Option<&'a Address>,
    pub(super) date: DateTime,
}

impl Trace<'_> {
    /// The lines, with CRLF.
    pub(super) fn lines(&self) -> String {
        let mut lines = format!("Received: from {}", self.hello.name);
        match self.address {
            Some(IpAddr::V4(address)) => lines.push_str(&format!(" ([{address}])")),
            Some(IpAddr::V6(address)) => lines.push_str(&format!(" ([IPv6:{address}])")),
            None => {}
        }
        let protocol = self.protocol();
        lines.push_str(&format!("\r\n\tby {} with {protocol}", self.hostname));
        if let Some(tls) = self.tls {
            lines.push_str(&format!(" ({} {})", tls.version, tls.cipher));
        }
        lines.push_str(&format!("\r\n\tid {}", self.id));
        if let Some(recipient) = self.only_recipient {
            lines.push_str(&format!(" for <{recipient}>"));
        }
        lines.push_str(&format!(";\r\n\t{}\r\n", self.date.to_header()));
        lines
    }

    /// RFC 3848; RFC 6531 §4.3
    fn protocol(&self) -> String {
        let base = match (self.hello.kind, self.utf8) {
            (HelloKind::Helo, _) => return "SMTP".to_owned(),
            (HelloKind::Ehlo, false) => "ESMTP",
            (HelloKind::Ehlo, true) => "UTF8SMTP",
            (HelloKind::Lhlo, false) => "LMTP",
            (HelloKind::Lhlo, true) => "UTF8LMTP",
        };
        let secure = if self.tls.is_some() { "S" } else { "" };
        let authenticated = if self.user.is_some() { "A" } else { "" };
        format!("{base}{secure}{authenticated}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_who_sent_what_how_and_when() {
        let alice = Address::parse(b"alice@example.org").unwrap();
        let tls = TlsInfo {
            version: "TLSv1.3",
            cipher: "TLS13_AES_256_GCM_SHA384",
            ..TlsInfo::default()
        };
        let mut trace = Trace {
            hello: &Hello {
                kind: HelloKind::Ehlo,
                name: "pc1.example".to_owned(),
            },
            address: Some("2001:db8::1".parse().unwrap()),
            hostname: "mail.example.org",
            tls: Some(&tls),
            user: Some("bob"),
            utf8: false,
            id: "ID-1",
            only_recipient: Some(&alice),
            date: DateTime::utc(784_111_777),
        };
        assert_eq!(
            trace.lines(),
            "Received: from pc1.example ([IPv6:2001:db8::1])\r\n\
             \tby mail.example.org with ESMTPSA (TLSv1.3 TLS13_AES_256_GCM_SHA384)\r\n\
             \tid ID-1 for <alice@example.org>;\r\n\
             \tSun, 06 Nov 1994 08:49:37 +0000\r\n"
        );
        trace.utf8 = true;
        assert!(trace.lines().contains(" with UTF8SMTPSA (TLSv1.3"));
        let helo = Hello {
            kind: HelloKind::Helo,
            name: "pc1".to_owned(),
        };
        trace.hello = &helo;
        trace.only_recipient = None;
        assert!(
            trace.lines().contains(" with SMTP (TLSv1.3"),
            "{}",
            trace.lines()
        );
        assert!(!trace.lines().contains(" for "), "{}", trace.lines());
    }
}
