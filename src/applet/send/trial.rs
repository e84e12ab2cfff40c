//! Options with which a server is tried out: where the dialogue stops, what is said besides, what is insisted on.

use super::no_control;
use crate::applet::credentials::mechanism;
use crate::applet::exit::{self, failure};
use crate::proto::smtp::relay::manner::{Ending, Manner, OnRefusal, Pipelining, Point, Stop};
use crate::wire::sasl_client::Mechanism;
use crate::wire::xtext;

/// See the module.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Trying a server out")]
pub(super) struct TrialArguments {
    /// Send nothing: tell what the server is, what it offers, its TLS and certificate; with --user also whether the login goes well
    #[arg(long, alias = "server-info", conflicts_with_all = ["quit_after", "drop_after", "drop_after_send"])]
    pub(super) serverinfo: bool,
    /// Say QUIT after STAGE: connect, banner, first-helo, tls, xclient, helo, auth, mail, rcpt
    #[arg(long, value_name = "STAGE", value_parser = quit_point, conflicts_with_all = ["drop_after", "drop_after_send"])]
    pub(super) quit_after: Option<Point>,
    /// Close the connection after STAGE, without QUIT; the same, and data, dot
    #[arg(long, value_name = "STAGE", value_parser = point, conflicts_with = "drop_after_send")]
    pub(super) drop_after: Option<Point>,
    /// Close it as soon as the command of STAGE is sent, without waiting for the answer
    #[arg(long, value_name = "STAGE", value_parser = point)]
    pub(super) drop_after_send: Option<Point>,
    /// When a recipient is refused: send to the others, and end with the code for that; abort, and nobody gets it; or ignore it where
    /// anybody gets it
    #[arg(long, value_name = "send|abort|ignore", default_value = "send", value_parser = choice)]
    pub(super) on_refusal: Choice,
    /// How to log in: SCRAM-SHA-256-PLUS, SCRAM-SHA-256, SCRAM-SHA-1, PLAIN, LOGIN, CRAM-MD5; OAUTHBEARER and XOAUTH2 with a token in
    /// place of the password; EXTERNAL with a client certificate [default: the best that the server offers]
    #[arg(long, value_name = "NAME", value_parser = mechanism)]
    pub(super) auth: Option<Mechanism>,
    /// A parameter more for MAIL, as BY=120;N, HOLDFOR=60 or MT-PRIORITY=3; may be repeated
    #[arg(long, value_name = "PARAMETER", value_parser = parameter)]
    pub(super) mail_param: Vec<String>,
    /// A parameter more for each RCPT; may be repeated
    #[arg(long, value_name = "PARAMETER", value_parser = parameter)]
    pub(super) rcpt_param: Vec<String>,
    /// Send the message by BDAT, in chunks of so many octets, or in one
    #[arg(long, value_name = "OCTETS", num_args = 0..=1, require_equals = true, default_missing_value = "18446744073709551615",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) chunking: Option<u64>,
    /// Send commands before the ones before are answered: yes, no, or auto, where the server offers it
    #[arg(long, value_name = "yes|no|auto", default_value = "auto", value_parser = pipelining)]
    pub(super) pipelining: Pipelining,
    /// Say whose connection it is, as Postfix's XCLIENT: 'ADDR=192.0.2.7 NAME=pc.example'; may be repeated
    #[arg(long, value_name = "ATTRIBUTES", value_parser = xclient)]
    pub(super) xclient: Vec<String>,
    /// Print what came of it as JSON: the server, each answer with its time, recipients, the queue id
    #[arg(long)]
    pub(super) json: bool,
}

/// What is done when a recipient is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// The others get it, and the exit code says that not all did.
    Send,
    /// Nobody gets it.
    Abort,
    /// The others get it, and all is well.
    Ignore,
}

impl TrialArguments {
    /// Where it ends before its time.
    pub(super) fn stop(&self) -> Option<Stop> {
        let serverinfo = self.serverinfo.then_some(Point::Auth);
        [
            (self.quit_after.or(serverinfo), Ending::Quit),
            (self.drop_after, Ending::Drop),
            (self.drop_after_send, Ending::DropUnheard),
        ]
        .into_iter()
        .find_map(|(point, ending)| point.map(|point| Stop { point, ending }))
    }

    /// Whether it is to end at this point.
    pub(super) fn is_about(&self, point: Point) -> bool {
        self.stop().is_some_and(|stop| stop.point == point)
    }

    /// How the session is to go.
    pub(super) fn manner(&self) -> Manner {
        let joined = |parameters: &[String]| {
            let each = parameters.iter().map(|parameter| format!(" {parameter}"));
            each.collect::<String>()
        };
        Manner {
            stop: self.stop(),
            on_refusal: match self.on_refusal {
                Choice::Abort => OnRefusal::Abort,
                Choice::Send | Choice::Ignore => OnRefusal::Send,
            },
            mail_parameters: joined(&self.mail_param),
            rcpt_parameters: joined(&self.rcpt_param),
            pipelining: self.pipelining,
            chunk_octets: self.chunking,
            xclient: self.xclient.clone(),
        }
    }

    /// What must be there for the point to be reached.
    pub(super) fn check(&self, has_user: bool) -> anyhow::Result<()> {
        let wants_login = !self.serverinfo && self.is_about(Point::Auth) || self.auth.is_some();
        // Whose it is, the certificate says.
        if wants_login && !has_user && self.auth != Some(Mechanism::External) {
            return Err(failure(
                exit::USAGE,
                "whose login is it to be? Add --user NAME",
            ));
        }
        for text in self.mail_param.iter().chain(&self.rcpt_param) {
            no_control(text, "a parameter")?;
        }
        Ok(())
    }
}

/// Names of the points, those of swaks among them.
const POINTS: [(&str, Point); 20] = [
    ("connect", Point::Connect),
    ("banner", Point::Banner),
    ("first-helo", Point::FirstHello),
    ("tls", Point::Tls),
    ("xclient", Point::Xclient),
    ("helo", Point::Hello),
    ("auth", Point::Auth),
    ("mail", Point::Mail),
    ("rcpt", Point::Rcpt),
    ("data", Point::Data),
    ("dot", Point::Dot),
    ("greeting", Point::Banner),
    ("first-ehlo", Point::FirstHello),
    ("first-lhlo", Point::FirstHello),
    ("starttls", Point::Tls),
    ("ehlo", Point::Hello),
    ("lhlo", Point::Hello),
    ("from", Point::Mail),
    ("to", Point::Rcpt),
    ("login", Point::Auth),
];

fn point(text: &str) -> Result<Point, String> {
    let named = |(name, _): &&(&str, Point)| name.eq_ignore_ascii_case(text);
    let found = POINTS.iter().find(named);
    found
        .map(|(_, point)| *point)
        .ok_or_else(|| format!("the stages are {}", names(Point::Dot)))
}

fn quit_point(text: &str) -> Result<Point, String> {
    match point(text) {
        Ok(point) if point <= Point::Rcpt => Ok(point),
        Ok(_) => Err("QUIT cannot be said there; --drop-after can end it".to_owned()),
        Err(_) => Err(format!("the stages are {}", names(Point::Rcpt))),
    }
}

fn names(last: Point) -> String {
    let all = POINTS[..11].iter().filter(|(_, point)| *point <= last);
    all.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

fn choice(text: &str) -> Result<Choice, String> {
    match text {
        "send" => Ok(Choice::Send),
        "abort" => Ok(Choice::Abort),
        "ignore" => Ok(Choice::Ignore),
        _ => Err("send, abort or ignore".to_owned()),
    }
}

fn pipelining(text: &str) -> Result<Pipelining, String> {
    match text {
        "auto" => Ok(Pipelining::IfOffered),
        "yes" => Ok(Pipelining::Always),
        "no" => Ok(Pipelining::Never),
        _ => Err("yes, no or auto".to_owned()),
    }
}

/// `KEYWORD` or `KEYWORD=value`: what could begin another parameter, or another command, is none.
fn parameter(text: &str) -> Result<String, String> {
    let is_word = |octet: u8| octet.is_ascii_graphic() || octet >= 0x80;
    match !text.is_empty() && text.bytes().all(is_word) {
        true => Ok(text.to_owned()),
        false => Err("KEYWORD or KEYWORD=value, without spaces".to_owned()),
    }
}

/// `NAME=value NAME=value`; values are said in xtext.
fn xclient(text: &str) -> Result<String, String> {
    let words = text.split_ascii_whitespace().map(|word| {
        let (name, value) = word.split_once('=')?;
        let is_name = !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_alphanumeric());
        let value = match value.starts_with('[') {
            true => value.to_owned(),
            false => xtext::encode(value),
        };
        is_name.then(|| format!("{}={value}", name.to_ascii_uppercase()))
    });
    let words: Option<Vec<_>> = words.collect();
    words
        .filter(|words| !words.is_empty())
        .map(|words| words.join(" "))
        .ok_or_else(|| "NAME=value, several with spaces between".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_have_the_names_of_swaks() {
        assert_eq!(point("RCPT"), Ok(Point::Rcpt));
        assert_eq!(point("to"), Ok(Point::Rcpt));
        assert_eq!(point("EHLO"), Ok(Point::Hello));
        assert_eq!(point("STARTTLS"), Ok(Point::Tls));
        assert_eq!(point("dot"), Ok(Point::Dot));
        assert!(quit_point("dot").is_err() && quit_point("DATA").is_err());
        let all =
            "the stages are connect, banner, first-helo, tls, xclient, helo, auth, mail, rcpt";
        assert_eq!(quit_point("ender"), Err(all.to_owned()));
    }

    #[test]
    fn what_is_said_besides_stays_in_its_place() {
        assert!(parameter("BY=120;N").is_ok() && parameter("SMTPUTF8").is_ok());
        for bad in ["", "A B", "A\r\nRCPT", "A\t"] {
            assert!(parameter(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            xclient("addr=192.0.2.7 NAME=[UNAVAILABLE] HELO=a+b").as_deref(),
            Ok("ADDR=192.0.2.7 NAME=[UNAVAILABLE] HELO=a+2Bb")
        );
        for bad in ["", "x", "=y", "A-B=c"] {
            assert!(xclient(bad).is_err(), "{bad:?}");
        }
    }
}
