//! The base subject: what a subject is about, without `Re:`, `Fwd:` and names of lists (RFC 5256 §2.1).

/// A subject as messages are put together by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseSubject {
    /// What is left of it.
    pub base: String,
    /// Whether something was taken off that says it is a reply, or passed on.
    pub is_reply: bool,
}

/// Of a subject whose encoded words are decoded.
///
/// ```
/// use mailtool::wire::mime::subject::base_subject;
///
/// let subject = base_subject("Re: [list] Fwd: lunch (fwd)");
/// assert_eq!((subject.base.as_str(), subject.is_reply), ("lunch", true));
/// ```
pub fn base_subject(subject: &str) -> BaseSubject {
    let words: Vec<&str> = subject
        .split([' ', '\t', '\r', '\n'])
        .filter(|word| !word.is_empty())
        .collect();
    let whole = words.join(" ");
    let mut rest = whole.as_str();
    let mut is_reply = false;
    loop {
        while let Some(shorter) = without_trailer(rest) {
            rest = shorter;
            is_reply = true;
        }
        loop {
            if let Some(after) = after_leader(rest) {
                rest = after;
                is_reply = true;
            } else if let Some(after) = after_blob(rest).filter(|after| !after.is_empty()) {
                rest = after;
            } else {
                break;
            }
        }
        let forwarded = strip_prefix(rest, "[fwd:").and_then(|rest| rest.strip_suffix(']'));
        let Some(inner) = forwarded else { break };
        rest = inner.trim_matches(' ');
        is_reply = true;
    }
    BaseSubject {
        base: rest.to_owned(),
        is_reply,
    }
}

/// Before `(fwd)`.
fn without_trailer(text: &str) -> Option<&str> {
    let cut = text.len().checked_sub("(fwd)".len())?;
    let is_trailer = text
        .get(cut..)
        .is_some_and(|end| end.eq_ignore_ascii_case("(fwd)"));
    is_trailer.then(|| text[..cut].trim_end_matches(' '))
}

/// After `[list] Re [2]:`.
fn after_leader(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        if let Some(after) = after_refwd(rest) {
            return Some(after.trim_start_matches(' '));
        }
        rest = after_blob(rest)?;
    }
}

fn after_refwd(text: &str) -> Option<&str> {
    let words = ["re", "fwd", "fw"];
    let rest = words.iter().find_map(|word| {
        let rest = strip_prefix(text, word)?.trim_start_matches(' ');
        let rest = after_blob(rest).unwrap_or(rest);
        rest.strip_prefix(':')
    })?;
    Some(rest)
}

/// After `[list]` and spaces.
fn after_blob(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('[')?;
    let end = inner.find(['[', ']'])?;
    let rest = inner[end..].strip_prefix(']')?;
    Some(rest.trim_start_matches(' '))
}

fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let start = text.get(..prefix.len())?;
    start
        .eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_and_what_they_are_about() {
        for (subject, base, is_reply) in [
            ("lunch", "lunch", false),
            ("  Re:  lunch\t today ", "lunch today", true),
            ("RE: re[2]: FW: lunch", "lunch", true),
            ("[list] lunch", "lunch", false),
            ("[list] [other] Re: lunch", "lunch", true),
            ("[list]", "[list]", false),
            ("Re: [list]", "[list]", true),
            ("lunch (fwd) (FWD)", "lunch", true),
            ("[Fwd: Re: lunch]", "lunch", true),
            ("[fwd: [list] lunch (fwd)]", "lunch", true),
            ("Re:", "", true),
            ("", "", false),
            ("Report: all", "Report: all", false),
            ("ré: x", "ré: x", false),
            ("Re: été (fwd)", "été", true),
        ] {
            let found = base_subject(subject);
            let expected = (base.to_owned(), is_reply);
            assert_eq!((found.base, found.is_reply), expected, "{subject}");
        }
    }
}
