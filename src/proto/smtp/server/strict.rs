//! What a strict session does not overlook: each refusal says the section that it is after.
//!
//! A lenient session takes what people type and old programs send; here the letter of the standard counts, for those who want to
//! know whether their program keeps to it. Nothing here makes a session safer.

use crate::wire::address::{self, Address};
use crate::wire::smtp::{Enhanced, Reply, Verb};

use super::replies;

/// What is wrong with a command line, before it is looked at any closer.
pub(super) fn command(line: &[u8], command: Option<(Verb, &[u8])>) -> Option<Reply> {
    if line.contains(&b'\n') || line.contains(&b'\r') {
        return Some(replies::bare_line_end());
    }
    if line.first().is_some_and(u8::is_ascii_whitespace) {
        let text = "A command begins at the beginning of its line (RFC 5321 section 4.1.1)";
        return Some(Reply::new(500, Enhanced(5, 5, 2), text));
    }
    let (verb, arguments) = command?;
    let fault = match verb {
        Verb::Quit if !arguments.is_empty() => {
            "QUIT stands alone on its line (RFC 5321 section 4.1.1.10)"
        }
        Verb::Ehlo | Verb::Lhlo if !is_domain_or_literal(arguments) && !arguments.is_empty() => {
            "Behind it stands a domain, or an address such as [192.0.2.1] (RFC 5321 section 4.1.1.1)"
        }
        Verb::Helo
            if address::domain(arguments.trim_ascii_end()).is_err() && !arguments.is_empty() =>
        {
            "Behind HELO stands a domain (RFC 5321 section 4.1.1.1)"
        }
        _ => return None,
    };
    Some(Reply::new(501, Enhanced(5, 5, 4), fault))
}

fn is_domain_or_literal(name: &[u8]) -> bool {
    let name = name.trim_ascii_end();
    Address::parse(&[b"a@", name].concat()).is_ok() && !name.ends_with(b".")
}

/// What is wrong with the path of MAIL or RCPT, that was read as `address`.
pub(super) fn path(verb: Verb, arguments: &[u8], address: Option<&Address>) -> Result<(), Reply> {
    let (keyword, enhanced): (&[u8], _) = match verb {
        Verb::Rcpt => (b"TO:", Enhanced(5, 1, 3)),
        _ => (b"FROM:", Enhanced(5, 1, 7)),
    };
    let wrong = |text: &'static str| Err(Reply::new(501, enhanced, text));
    let path = arguments
        .split_at_checked(keyword.len())
        .filter(|(word, _)| word.eq_ignore_ascii_case(keyword))
        .and_then(|(_, path)| path.strip_prefix(b"<"));
    let Some(path) = path else {
        return wrong(
            "No space stands before < or around the colon, and no < is left out (RFC 5321 section 3.3)",
        );
    };
    let Some(address) = address else {
        return match path.starts_with(b">") {
            true => Ok(()),
            false => wrong("The empty path is <> (RFC 5321 section 4.1.2)"),
        };
    };
    // A source route is in the standard, and is dropped.
    let mailbox = match path.first() {
        Some(b'@') => path
            .splitn(2, |octet| *octet == b':')
            .nth(1)
            .unwrap_or(path),
        _ => path,
    };
    let postmaster = verb == Verb::Rcpt && address.local_part().eq_ignore_ascii_case("postmaster");
    if address.domain().is_none() && !postmaster {
        return wrong("The address has no domain (RFC 5321 section 4.1.2)");
    }
    let written = address.to_string();
    let same = mailbox.starts_with(b"\"")
        || mailbox
            .get(..=written.len())
            .is_some_and(|said| said.strip_suffix(b">") == Some(written.as_bytes()));
    match same {
        true => Ok(()),
        false => wrong(
            "No dot stands at the beginning or the end of a name, nor two in a row (RFC 5321 section 4.1.2)",
        ),
    }
}

/// Reads the verb of a line, for those that only have the line.
#[cfg(test)]
fn of(line: &[u8]) -> Option<Reply> {
    command(line, crate::wire::smtp::command(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::smtp::{mail, rcpt};

    #[test]
    fn command_lines() {
        for right in [
            "EHLO pc1.example",
            "EHLO [192.0.2.1]",
            "HELO pc1",
            "QUIT",
            "EHLO",
            "NOOP x",
            "XYZ",
            "",
        ] {
            assert_eq!(of(right.as_bytes()), None, "{right}");
        }
        for (wrong, section) in [
            (" NOOP", "4.1.1)"),
            ("QUIT now", "4.1.1.10)"),
            ("EHLO pc_1 x", "4.1.1.1)"),
            ("HELO [192.0.2.1]", "4.1.1.1)"),
            ("EHLO a..b", "4.1.1.1)"),
        ] {
            let reply = of(wrong.as_bytes()).expect(wrong);
            assert!(reply.to_string().ends_with(section), "{reply}");
        }
        assert_eq!(command(b"NOOP\n", None).map(|reply| reply.code), Some(500));
    }

    #[test]
    fn paths() {
        let of_mail = |text: &str| {
            let (address, _) = mail(text.as_bytes()).expect(text);
            path(Verb::Mail, text.as_bytes(), address.as_ref())
        };
        for right in [
            "FROM:<>",
            "from:<a.b@example.org> SIZE=1",
            "FROM:<\"a b\"@example.org>",
            "FROM:<\"a\"@example.org>",
            "FROM:<@relay.example:a@example.org>",
            "FROM:<a@[192.0.2.1]>",
        ] {
            assert_eq!(of_mail(right), Ok(()), "{right}");
        }
        for wrong in [
            "FROM: <a@b.example>",
            "FROM:a@b.example",
            "FROM:< a@b.example >",
            "FROM:<a>",
            "FROM:<a.@b.example>",
            "FROM:<a@b.example.>",
            "FROM:< >",
            "FROM : <a@b.example>",
        ] {
            let reply = of_mail(wrong).expect_err(wrong);
            assert!(reply.to_string().contains("(RFC 5321 section"), "{reply}");
        }
        let (address, _) = rcpt(b"TO:<Postmaster>").expect("an address");
        assert_eq!(path(Verb::Rcpt, b"TO:<Postmaster>", Some(&address)), Ok(()));
    }
}
