//! What a server offers in its answer to EHLO (RFC 5321 §4.1.1.1).

use crate::wire::smtp::Reply;

/// What a server offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offers {
    /// RFC 3207
    pub start_tls: bool,
    /// RFC 2920
    pub pipelining: bool,
    /// RFC 1870; 0 when it does not say how much it takes.
    pub size: Option<u64>,
    /// RFC 6152
    pub eight_bit: bool,
    /// RFC 3030
    pub binary: bool,
    /// RFC 3030
    pub chunking: bool,
    /// RFC 6531
    pub utf8: bool,
    /// RFC 3461
    pub dsn: bool,
    /// RFC 2852: the least time in seconds that it can be asked for, 0 when it does not say.
    pub deliver_by: Option<i64>,
    /// RFC 6710
    pub priority: bool,
    /// RFC 8689
    pub require_tls: bool,
    /// RFC 4954: the names of the mechanisms, spaces between them; empty: none.
    pub auth: String,
    /// Postfix's XCLIENT_README
    pub xclient: bool,
    /// RFC 9422: messages on one connection.
    pub mail_max: Option<usize>,
    /// RFC 9422: recipients of one message.
    pub rcpt_max: Option<usize>,
}

impl Offers {
    /// Reads the answer to EHLO. What is not understood is passed over.
    ///
    /// ```
    /// use mailtool::proto::smtp::relay::offers::Offers;
    /// use mailtool::wire::smtp::ReplyReader;
    ///
    /// let mut reader = ReplyReader::default();
    /// reader.line(b"250-mail.example.org").unwrap();
    /// let reply = reader.line(b"250 size 1000").unwrap().unwrap();
    /// assert_eq!(Offers::read(&reply).size, Some(1000));
    /// ```
    pub fn read(reply: &Reply) -> Self {
        let mut offers = Self::default();
        // The first line is the server's name.
        for line in reply.lines.iter().skip(1) {
            let (keyword, parameters) = line.split_once(' ').unwrap_or((line, ""));
            let number = || parameters.trim().parse::<u64>().unwrap_or(0);
            match keyword.to_ascii_uppercase().as_str() {
                "STARTTLS" => offers.start_tls = true,
                "PIPELINING" => offers.pipelining = true,
                "SIZE" => offers.size = Some(number()),
                "8BITMIME" => offers.eight_bit = true,
                "BINARYMIME" => offers.binary = true,
                "CHUNKING" => offers.chunking = true,
                "SMTPUTF8" => offers.utf8 = true,
                "DSN" => offers.dsn = true,
                "DELIVERBY" => offers.deliver_by = Some(i64::try_from(number()).unwrap_or(0)),
                "MT-PRIORITY" => offers.priority = true,
                "REQUIRETLS" => offers.require_tls = true,
                "XCLIENT" => offers.xclient = true,
                "AUTH" => offers.auth = parameters.trim().to_owned(),
                "LIMITS" => offers.limits(parameters),
                // QUIRK: servers of the nineties wrote `AUTH=LOGIN` for clients that could not parse the other.
                other if offers.auth.is_empty() && other.starts_with("AUTH=") => {
                    offers.auth = line[5..].to_owned();
                }
                _ => {}
            }
        }
        offers
    }

    /// `MAILMAX=100 RCPTMAX=10`
    fn limits(&mut self, parameters: &str) {
        for word in parameters.split_ascii_whitespace() {
            let Some((name, value)) = word.split_once('=') else {
                continue;
            };
            let value = value.parse().ok().filter(|value| *value > 0);
            match name.to_ascii_uppercase().as_str() {
                "MAILMAX" => self.mail_max = value,
                "RCPTMAX" => self.rcpt_max = value,
                _ => {}
            }
        }
    }
}
