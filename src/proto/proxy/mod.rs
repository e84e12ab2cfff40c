//! Proxies: asking one for a connection ([`client`]), and being one ([`server`]). No octet of what is then said goes through here.
//!
//! Three kinds: SOCKS 4 and 4a, SOCKS 5 (RFC 1928, RFC 1929), and HTTP's CONNECT (RFC 9110 §9.3.6). The messages themselves are
//! in [`crate::wire::socks`] and [`crate::wire::http_proxy`]. A client's machine is a [`Prelude`](super::prelude::Prelude);
//! several, one after the other on one connection, are a chain of proxies.
//!
//! Names are looked up by the proxy: what is asked for is never resolved here.

pub mod client;
pub mod server;

use std::fmt;

use crate::wire::socks::{LONGEST, Malformed, Partial};

pub use crate::wire::destination::{Destination, Host};

/// Who somebody is to a proxy. Not shown when printed for debugging.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub user: String,
    /// In the clear.
    pub password: String,
}

impl Login {
    /// Reads `USER:PASSWORD`; all behind the first colon is the password, and without a colon it is empty.
    ///
    /// ```
    /// use mailtool::proto::proxy::Login;
    ///
    /// let login = Login::parse("alice:a:b");
    /// assert_eq!((&*login.user, &*login.password), ("alice", "a:b"));
    /// ```
    pub fn parse(text: &str) -> Self {
        let (user, password) = text.split_once(':').unwrap_or((text, ""));
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Login({:?}, ********)", self.user)
    }
}

/// Octets of a message that is not whole yet.
#[derive(Debug, Default)]
struct Held(Vec<u8>);

impl Held {
    const fn new() -> Self {
        Self(Vec::new())
    }

    /// Takes as many octets from `rest` as the message has, as they come; the message, once it is whole.
    fn read<T>(
        &mut self,
        rest: &mut &[u8],
        parse: impl Fn(&[u8]) -> Result<Partial<T>, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        loop {
            let needed = match parse(&self.0)? {
                Partial::Whole(message, _) => {
                    self.0.clear();
                    return Ok(Some(message));
                }
                Partial::Needs(needed) => needed.min(LONGEST),
            };
            let take = needed.saturating_sub(self.0.len()).min(rest.len());
            if take == 0 {
                return Ok(None);
            }
            let (taken, left) = rest.split_at(take);
            self.0.extend_from_slice(taken);
            *rest = left;
        }
    }
}

#[cfg(test)]
mod tests;
