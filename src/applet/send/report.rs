//! What came of it, in words and exit codes, and in JSON.

use std::io::{self, Write};
use std::time::Instant;

use super::trial::Choice;
use crate::applet::conversation;
use crate::applet::credentials::Access;
use crate::applet::evidence;
use crate::applet::exit::{self, failure};
use crate::proto::client::Failure as DialogueFailure;
use crate::proto::smtp::client::{Failure, Outcome, Protocol, Stage};
use crate::proto::smtp::relay::{Heard, Server};
use crate::wire::address::Address;
use crate::wire::date::DateTime;
use crate::wire::json::{array, object, optional, string};
use crate::wire::smtp::{Enhanced, Reply};

/// What came of it: what the server said on stdout, what it refused as an error, with the exit code of the worst.
pub(super) struct Report<'a> {
    pub(super) protocol: &'a str,
    pub(super) access: &'a Access,
    pub(super) outcome: &'a Outcome,
    pub(super) on_refusal: Choice,
    /// Where the dialogue was to end before the message.
    pub(super) shows: Shows,
}

/// What is printed when all is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shows {
    /// What the server said last of all.
    LastWords,
    /// What it is.
    Server,
    /// Nothing: something else will be.
    Nothing,
}

impl Report<'_> {
    /// The exit code.
    pub(super) fn conclude(&self, conversation: anyhow::Result<()>) -> anyhow::Result<u8> {
        let (access, outcome) = (self.access, self.outcome);
        let doubt = match &outcome.failure {
            Some(Failure::Dialogue(_)) if outcome.in_doubt => IN_DOUBT,
            _ => "",
        };
        if let Err(error) = conversation
            && let Some(Failure::Dialogue(DialogueFailure::Lost { step })) = &outcome.failure
            && !outcome.halted
        {
            let code = exit::code_of(&error).unwrap_or(exit::TEMPORARY);
            let error = conversation::lost_at(step, error);
            return Err(match doubt {
                "" => error,
                doubt => self::failure(code, format!("{error:#}{doubt}")),
            });
        }
        let place = format!("{} at {}", self.protocol, access.address());
        if self.shows == Shows::Server {
            say(&[server(access, outcome)]);
        }
        if let Some(failure) = &outcome.failure {
            let hint = hint(self.protocol, access, failure);
            return Err(self::failure(
                code(failure),
                format!("{place}: {failure}{hint}{doubt}"),
            ));
        }
        if self.shows == Shows::LastWords {
            say(&last_words(outcome));
        }
        let refused = outcome.refused.iter();
        let Some(worst) = refused.clone().map(|(_, reply)| refused_code(reply)).max() else {
            return Ok(exit::OK);
        };
        let lines: Vec<_> = refused
            .map(|(address, reply)| format!("<{address}> refused: {reply}"))
            .collect();
        let sent = match (outcome.taken.len(), outcome.halted) {
            (_, true) => "not all recipients would be taken",
            (0, _) => "the message was not sent",
            _ => "the message went to the other recipients only",
        };
        let words = format!("{place}: {sent}\n  {}", lines.join("\n  "));
        if self.on_refusal == Choice::Ignore && outcome.taken.len() + outcome.spared.len() > 0 {
            evidence::note(&words);
            return Ok(exit::OK);
        }
        Err(failure(worst, words))
    }

    /// All of it for a program, when it has ended so.
    pub(super) fn json(&self, began: Instant, result: &anyhow::Result<u8>) -> String {
        let outcome = self.outcome;
        let (exit, error) = match result {
            Ok(code) => (*code, None),
            Err(error) => (
                exit::code_of(error).unwrap_or(crate::applet::FAILURE),
                Some(format!("{error:#}")),
            ),
        };
        let verdict = match (outcome.taken.len(), outcome.refused.len()) {
            _ if outcome.failure.is_some() => "failed",
            _ if outcome.halted && exit == exit::OK => "stopped",
            (0, _) if exit != exit::OK => "failed",
            (_, 0) => "sent",
            _ => "partly sent",
        };
        let id = outcome.taken.iter().find_map(|(_, reply)| queue_id(reply));
        let recipients = |all: &[(Address, Reply)]| {
            let each = all.iter().map(|(address, reply)| {
                let mut fields = vec![("address", string(&address.to_string()))];
                fields.extend(reply_fields(reply));
                object(&fields)
            });
            array(&each.collect::<Vec<_>>())
        };
        let spared = outcome.spared.iter().map(|one| string(&one.to_string()));
        let stages = outcome.heard.iter().map(|heard| {
            let mut fields = vec![("stage", string(stage_name(heard.stage)))];
            fields.extend(reply_fields(&heard.reply));
            let at = heard.at.map(|at| at.saturating_duration_since(began));
            fields.push((
                "seconds",
                format!("{:.6}", at.unwrap_or_default().as_secs_f64()),
            ));
            object(&fields)
        });
        object(&[
            ("result", string(verdict)),
            ("exit", exit.to_string()),
            ("error", optional(error.as_deref())),
            ("queue_id", optional(id.as_deref())),
            ("server", server_json(self.access, &outcome.server)),
            ("accepted", recipients(&outcome.taken)),
            ("refused", recipients(&outcome.refused)),
            ("not_sent", array(&spared.collect::<Vec<_>>())),
            ("stages", array(&stages.collect::<Vec<_>>())),
            ("seconds", format!("{:.6}", began.elapsed().as_secs_f64())),
        ])
    }
}

const IN_DOUBT: &str = "; all of it was sent, so it may have been taken all the same";

/// What it said when it took the message; or the last that it said before it was left.
fn last_words(outcome: &Outcome) -> Vec<String> {
    let mut said = Vec::new();
    let mut push = |line: String| {
        let line = exit::printable(&line);
        if !said.contains(&line) {
            said.push(line);
        }
    };
    for (_, reply) in &outcome.taken {
        push(reply.to_string());
    }
    if outcome.halted {
        let of_recipients = |heard: &&Heard| heard.place.is_some();
        let mut recipients = outcome.heard.iter().filter(of_recipients).peekable();
        if recipients.peek().is_some() {
            let taken = recipients.filter(|heard| heard.reply.class() == 2);
            for (address, heard) in outcome.spared.iter().zip(taken) {
                push(format!("<{address}> {}", heard.reply));
            }
        } else if let Some(Heard { reply, .. }) = outcome.heard.last() {
            push(match reply.lines.len() {
                0 | 1 => reply.to_string(),
                _ => format!("{} {}", reply.code, reply.lines.join("\n  ")),
            });
        }
    }
    said
}

/// What the server is.
fn server(access: &Access, outcome: &Outcome) -> String {
    let server = &outcome.server;
    let mut lines = vec![format!("Server: {}", access.address())];
    let said = |stage| {
        let mut all = outcome.heard.iter();
        all.rfind(|heard| heard.stage == stage)
            .map(|heard| &heard.reply)
    };
    if let Some(greeting) = said(Stage::Greeting) {
        lines.push(format!("Greeting: {greeting}"));
    }
    match &server.tls {
        None => lines.push("TLS: none".to_owned()),
        Some(tls) => {
            lines.push(format!(
                "TLS: {} {}, {}",
                tls.version, tls.cipher, tls.verdict
            ));
            if let Some(peer) = &tls.peer {
                lines.push("Certificate:".to_owned());
                lines.push(format!("  subject: {}", peer.names.subject));
                lines.push(format!("  issuer: {}", peer.names.issuer));
                if let Some((from, until)) = peer.names.validity {
                    let day = |unix| DateTime::utc(unix).to_internet();
                    lines.push(format!("  valid: {} to {}", day(from), day(until)));
                }
                lines.push(format!("  SHA-256: {}", colons(&peer.sha256)));
            }
        }
    }
    if !server.offers.is_empty() {
        lines.push("Offers:".to_owned());
        lines.extend(server.offers.iter().map(|offer| format!("  {offer}")));
    }
    if let Some(reply) = said(Stage::Auth) {
        lines.push(format!("Login: {reply}"));
    }
    exit::printable(&lines.join("\n"))
}

/// `AB:CD:...`, as OpenSSL writes a fingerprint.
fn colons(octets: &[u8]) -> String {
    let pairs: Vec<_> = octets.iter().map(|octet| format!("{octet:02X}")).collect();
    pairs.join(":")
}

fn server_json(access: &Access, server: &Server) -> String {
    let name = Some(server.name.as_str()).filter(|name| !name.is_empty());
    let tls = server.tls.as_ref().map_or_else(
        || "null".to_owned(),
        |tls| {
            let mut fields = vec![
                ("version", string(tls.version)),
                ("cipher", string(tls.cipher)),
                ("verdict", string(&tls.verdict.to_string())),
            ];
            if let Some(peer) = &tls.peer {
                fields.push(("subject", string(&peer.names.subject.to_string())));
                fields.push(("issuer", string(&peer.names.issuer.to_string())));
                if let Some((from, until)) = peer.names.validity {
                    let time = |unix| string(&DateTime::utc(unix).to_internet());
                    fields.push(("not_before", time(from)));
                    fields.push(("not_after", time(until)));
                }
                fields.push(("sha256", string(&colons(&peer.sha256))));
            }
            object(&fields)
        },
    );
    let offers = server.offers.iter().map(|offer| string(offer));
    object(&[
        ("address", string(&access.address())),
        ("name", optional(name)),
        ("tls", tls),
        ("offers", array(&offers.collect::<Vec<_>>())),
    ])
}

fn reply_fields(reply: &Reply) -> [(&'static str, String); 3] {
    let enhanced = reply.enhanced.map(|enhanced| enhanced.to_string());
    [
        ("code", reply.code.to_string()),
        ("enhanced", optional(enhanced.as_deref())),
        ("text", string(&reply.lines.join("\n"))),
    ]
}

const fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Greeting => "banner",
        Stage::Hello(_) => "helo",
        Stage::StartTls => "tls",
        Stage::Xclient => "xclient",
        Stage::Auth => "auth",
        Stage::Mail => "mail",
        Stage::Rcpt => "rcpt",
        Stage::Data => "data",
        Stage::Text => "dot",
    }
}

/// What the server calls the message, in the words of those that are known: Postfix (`queued as ID`), Exim (`id=ID`), Sendmail (`ID
/// Message accepted`), ours (`Ok: ID`).
fn queue_id(reply: &Reply) -> Option<String> {
    let text = reply.lines.join(" ");
    let behind = |mark: &str| text.split_once(mark).map(|(_, rest)| rest);
    let sendmail = text.contains("Message accepted for delivery");
    let rest = behind("queued as ")
        .or_else(|| behind("id="))
        .or_else(|| behind("Ok: "))
        .or_else(|| sendmail.then_some(&*text))?;
    let id = rest.split([' ', ',', ';', '>']).next().unwrap_or_default();
    let id = id.trim_matches(['<', '.', '(', ')']);
    (!id.is_empty()).then(|| id.to_owned())
}

/// What the server said of a message that it took. That it was sent stays true when this cannot be printed: an error would
/// make people, and scripts, send it again.
fn say(lines: &[String]) {
    let printed = lines
        .iter()
        .try_for_each(|line| crate::applet::print(&format!("{line}\n")));
    if let Err(error) = printed
        && !crate::applet::is_broken_pipe(&error)
    {
        // Nobody is left to tell when stderr is gone too.
        let _ = writeln!(
            io::stderr(),
            "mailtool: {error:#}; it was sent all the same"
        );
    }
}

/// What the user can do about it, where the server does not say.
fn hint(protocol: &str, access: &Access, failure: &Failure) -> String {
    let hint = match failure {
        Failure::Refused {
            stage: Stage::Hello(Protocol::Smtp),
            reply,
        } if reply.class() == 5 => "; where LMTP is spoken, add --lmtp",
        Failure::Refused {
            stage: Stage::Hello(Protocol::Lmtp),
            reply,
        } if reply.class() == 5 => "; where SMTP is spoken, leave --lmtp away",
        // RFC 3207 §4 has the same code for TLS that is missing as RFC 4954 §6 for a login.
        Failure::Refused { reply, .. }
            if reply.code == 530 && reply.to_string().to_ascii_uppercase().contains("STARTTLS") =>
        {
            "; add --starttls"
        }
        Failure::Refused { reply, .. } if reply.code == 530 && access.login.is_none() => {
            "; add --user NAME"
        }
        Failure::Dialogue(failure) => return conversation::hint(protocol, access, failure),
        _ => "",
    };
    hint.to_owned()
}

fn code(failure: &Failure) -> u8 {
    match failure {
        Failure::Refused { reply, .. } if reply.class() == 4 => exit::TEMPORARY,
        Failure::Refused {
            stage: Stage::Auth, ..
        } => exit::NO_PERMISSION,
        Failure::Refused { reply, .. } => match (reply.code, reply.enhanced) {
            (530 | 535 | 538, _) | (_, Some(Enhanced(5, 7, _))) => exit::NO_PERMISSION,
            (552, _) | (_, Some(Enhanced(5, 6, _))) => exit::DATA,
            _ => exit::UNAVAILABLE,
        },
        Failure::Dialogue(DialogueFailure::TlsFirst) | Failure::Sasl(_) => exit::NO_PERMISSION,
        Failure::Unfit(_) => exit::DATA,
        Failure::NoMechanism(_)
        | Failure::NotOffered(_)
        | Failure::Dialogue(DialogueFailure::NoTls) => exit::UNAVAILABLE,
        Failure::Dialogue(DialogueFailure::Protocol { .. }) => exit::PROTOCOL,
        Failure::Dialogue(_) | Failure::Text(_) => exit::TEMPORARY,
    }
}

/// Of a refused recipient.
fn refused_code(reply: &Reply) -> u8 {
    match (reply.class(), reply.code, reply.enhanced) {
        (4, ..) => exit::TEMPORARY,
        (_, _, Some(Enhanced(5, 1, _))) | (_, 550 | 551 | 553, None) => exit::NO_USER,
        (_, _, Some(Enhanced(5, 7, _))) => exit::NO_PERMISSION,
        _ => exit::UNAVAILABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_servers_call_a_message_is_found() {
        for (said, id) in [
            ("Ok: queued as 4F1C2A0B", Some("4F1C2A0B")),
            ("OK id=1tGxyz-000000001-AbCd", Some("1tGxyz-000000001-AbCd")),
            (
                "4AR0abcd012345 Message accepted for delivery",
                Some("4AR0abcd012345"),
            ),
            ("Ok: 6B08C9DE-B-1 delivered to alice", Some("6B08C9DE-B-1")),
            ("Thank you", None),
        ] {
            let reply = Reply::new(250, Enhanced(2, 0, 0), said);
            assert_eq!(queue_id(&reply).as_deref(), id, "{said}");
        }
    }
}
