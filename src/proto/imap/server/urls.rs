//! GENURLAUTH, URLFETCH and RESETKEY (RFC 4467, RFC 5524): URLs that let others fetch a message, or a part of one.

use super::Server;
use super::pending::{After, Next, Pending, Rest};
use super::reply::Reply;
use crate::proto::Out;
use crate::proto::imap::urls::{Asking, INTERNAL, UrlWork, UrlsDone};
use crate::proto::imap::work::Work;
use crate::store::Account;
use crate::wire::imap::command::UrlCommand;
use crate::wire::imap::response::Code;

impl Server {
    pub(super) fn urls(
        &mut self,
        tag: &str,
        account: Account,
        command: UrlCommand<'_>,
        out: &mut Out,
    ) -> Next {
        let asking = self.asking(&account);
        let (work, mailbox, text) = match command {
            UrlCommand::Sign(urls) => {
                let mut named = Vec::with_capacity(urls.len());
                for (url, mechanism) in urls {
                    if !mechanism.eq_ignore_ascii_case(INTERNAL.as_bytes()) {
                        return Err(Reply::bad(
                            "INTERNAL is the one mechanism that there is (RFC 4467 section 4)",
                        ));
                    }
                    // RFC 4467 §7: what is wrong with it is a mistake of the client.
                    let signable = asking.to_sign(&url);
                    named.push(signable.map_err(|bad| Reply::bad(bad.0))?);
                }
                let text = "whom they are for can fetch what they name, until RESETKEY";
                (UrlWork::Sign(account, named), None, text)
            }
            UrlCommand::Fetch(urls) => {
                let urls = urls.iter().map(|(url, items)| asking.to_fetch(url, *items));
                let urls = urls.collect();
                let text = "NIL is what may not be had, or is not there";
                (UrlWork::Fetch(urls), None, text)
            }
            UrlCommand::Reset(mailbox) => {
                let text = "URLs that were signed before are void";
                (UrlWork::Reset(account, mailbox.clone()), mailbox, text)
            }
        };
        let resets = matches!(work, UrlWork::Reset(..));
        let mailbox = mailbox.unwrap_or_default();
        let reply = match resets {
            true => Reply::ok_coded(Code::Plain("URLMECH INTERNAL"), text),
            false => Reply::ok(text),
        };
        self.begin(tag, Work::Urls(work), After::Urls { mailbox, reply }, out)
    }

    /// Who asks, where and when.
    pub(super) fn asking<'a>(&'a self, account: &'a Account) -> Asking<'a> {
        Asking {
            account,
            host: &self.config.hostname,
            now: self.peer.accepted.unix(self.heard),
            store: &self.store,
        }
    }

    /// Says what was found; the rest now, or when the peer has read.
    pub(super) fn say_urls(
        &mut self,
        tag: String,
        mailbox: String,
        reply: Reply,
        done: UrlsDone,
        out: &mut Out,
    ) -> Option<(String, Reply)> {
        Self::say_pieces(done.pieces, out);
        if done.rest.is_empty() {
            return Some((tag, reply));
        }
        let after = After::Urls { mailbox, reply };
        let rest = Rest::Urls(done.rest);
        self.fetch_on(Box::new(Pending { tag, after }), rest, out);
        None
    }
}
