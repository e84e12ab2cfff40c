//! The not authenticated state: STARTTLS, LOGIN, AUTHENTICATE (RFC 3501 §6.2, RFC 4959), and the way back to it (RFC 8437).

use super::pending::{After, Next, Pending, Verdict};
use super::reply::Reply;
use super::{Asked, Doing, Phase, Refused, Server, Switched};
use crate::proto::imap::work::{Login, Work};
use crate::proto::login::{self, Outcome};
use crate::proto::{Out, StartTls};
use crate::store::{Account, AuthError, Told};
use crate::tap::note;
use crate::wire::imap::command::Command;
use crate::wire::sasl::{Credentials, Exchange, Mechanism, SaslError, Scene, Step};

impl Server {
    /// Commands of the not authenticated state.
    pub(super) fn not_authenticated(
        &mut self,
        tag: &str,
        command: Command<'_>,
        out: &mut Out,
    ) -> Next {
        if !matches!(self.phase, Phase::NotAuthenticated) {
            return Err(Reply::bad(
                "you are logged in already; to be somebody else: a1 UNAUTHENTICATE",
            ));
        }
        if let Command::StartTls = command {
            return self.start_tls(tag, out);
        }
        if !self.may_take_password() {
            return Err(Reply::no(
                "PRIVACYREQUIRED",
                match self.config.start_tls {
                    StartTls::Offered => {
                        "your password would cross the network in the clear: STARTTLS first"
                    }
                    StartTls::Unavailable => {
                        "your password would cross the network in the clear, and there is no TLS here: connect from the \
                         server's own machine"
                    }
                },
            ));
        }
        match command {
            Command::Login { user, password } => {
                let Ok(name) = String::from_utf8(user.into_owned()) else {
                    return Err(Reply::bad(
                        "the user name is not UTF-8: letters outside of US-ASCII are sent in UTF-8",
                    ));
                };
                let credentials = Credentials::new(name, password.into_owned());
                let login = Login::Verify(credentials);
                self.begin(tag, Work::Login(login), After::Login(None), out)
            }
            Command::Authenticate { mechanism, initial } => {
                self.authenticate(tag, mechanism, initial, out)
            }
            _ => Ok(None),
        }
    }

    fn start_tls(&self, tag: &str, out: &mut Out) -> Next {
        if self.tls.is_some() {
            return Err(Reply::bad(
                "TLS is there already: all that is said is encrypted; go on with LOGIN or AUTHENTICATE",
            ));
        }
        if self.config.start_tls == StartTls::Unavailable {
            return Err(Reply::no(
                "CANNOT",
                "there is no certificate here, so no TLS; go on without: CAPABILITY tells what there is",
            ));
        }
        Reply::ok("begin TLS now").say(out, tag);
        out.start_tls();
        Ok(None)
    }

    fn authenticate(
        &mut self,
        tag: &str,
        name: &[u8],
        initial: Option<&[u8]>,
        out: &mut Out,
    ) -> Next {
        let known = Mechanism::named(name);
        let Some(mechanism) = known.filter(|known| self.mechanisms().any(|it| it == *known)) else {
            let names: Vec<_> = self.mechanisms().map(Mechanism::name).collect();
            let text = format!(
                "that mechanism is not spoken here; there are {}",
                names.join(" ")
            );
            return Err(Reply::no("CANNOT", text));
        };
        self.exchanges += 1;
        let nonce = login::nonce(&self.peer.seed, self.exchanges);
        let scene = Scene {
            nonce: &nonce,
            host: &self.config.hostname,
            end_point: self.end_point(),
        };
        let step = Exchange::start(mechanism, initial, &scene);
        self.sasl(tag.to_owned(), step, None, out);
        Ok(None)
    }

    /// A step of AUTHENTICATE. `verdict` is what the store said of whom the keys are, before they are proved.
    pub(super) fn sasl(
        &mut self,
        tag: String,
        step: Result<(Exchange, Step), SaslError>,
        verdict: Verdict,
        out: &mut Out,
    ) {
        let (exchange, step) = match step {
            Ok(step) => step,
            Err(error) => {
                self.sasl_ends(tag, error, out);
                return;
            }
        };
        let login = match step {
            Step::Challenge(challenge) => {
                out.line(format!("+ {challenge}").as_bytes());
                self.doing = Doing::Sasl(Box::new(Asked {
                    tag,
                    exchange,
                    verdict,
                }));
                return;
            }
            Step::Proven => {
                let result = verdict.unwrap_or(Err(AuthError::Credentials));
                self.settled(tag, result, out);
                return;
            }
            Step::Verify(credentials) => Login::Verify(credentials),
            Step::Ask(question) => Login::Ask(question),
        };
        let after = After::Login(Some(Box::new(exchange)));
        self.job(Work::Login(login), Pending { tag, after }, out);
    }

    /// The exchange has come to no end.
    pub(super) fn sasl_ends(&mut self, tag: String, error: SaslError, out: &mut Out) {
        let reply = match error {
            // Whatever the store said of the name: without the proof it is nobody's business.
            error if error.is_refusal() => {
                self.settled(tag, Err(AuthError::Credentials), out);
                return;
            }
            SaslError::Binding | SaslError::Downgrade => {
                Reply::no("AUTHENTICATIONFAILED", error.to_string())
            }
            // RFC 3501 §6.2.2: BAD when the client cancels, or says what is no base64.
            SaslError::Cancelled => Reply::cancelled(error.to_string()),
            _ => Reply::bad(error.to_string()),
        };
        self.refuse(Refused { tag, reply }, out);
    }

    /// The store has answered.
    pub(super) fn told(
        &mut self,
        tag: String,
        exchange: Option<Box<Exchange>>,
        told: Told,
        out: &mut Out,
    ) {
        match (told, exchange) {
            (Told::Keys(keys, verdict), Some(mut exchange)) => {
                let step = exchange.keys(keys).map(|step| (*exchange, step));
                self.sasl(tag, step, Some(verdict), out);
            }
            (Told::Keys(..), None) => self.settled(tag, Err(AuthError::Credentials), out),
            (Told::Verdict(Err(error)), Some(mut exchange)) => match exchange.refused() {
                // RFC 7628 §3.2.3: why, in a challenge, and then the refusal.
                Some(step) => self.sasl(tag, Ok((*exchange, step)), Some(Err(error)), out),
                None => self.settled(tag, Err(error), out),
            },
            (Told::Verdict(result), _) => self.settled(tag, result, out),
        }
    }

    /// Who it is, or that it is nobody. The answer is held back when passwords are being guessed.
    fn settled(&mut self, tag: String, result: Result<Account, AuthError>, out: &mut Out) {
        let (outcome, reply) = match result {
            Ok(account) => {
                out.note(note::USER, &account.name);
                self.phase = Phase::Authenticated(account);
                let reply = Reply::capabilities(self.capabilities(), "logged in");
                (Outcome::Right, reply)
            }
            Err(error) => {
                self.failures += 1;
                let reply = match error {
                    AuthError::Identity => Reply::no(
                        "AUTHORIZATIONFAILED",
                        "nobody may act for somebody else here; leave the first name empty",
                    ),
                    AuthError::Expired => Reply::no(
                        "EXPIRED",
                        "the time of this account, or of its password, is over; ask who runs the server",
                    ),
                    AuthError::Credentials => {
                        Reply::no("AUTHENTICATIONFAILED", "the name or the password is wrong")
                    }
                };
                (Outcome::Wrong, reply)
            }
        };
        let pause = (self.config.door).judge(self.heard, self.peer.origin, outcome);
        if pause.is_zero() {
            self.refuse(Refused { tag, reply }, out);
        } else {
            let refused = Box::new(Refused { tag, reply });
            self.doing = Doing::Pause(self.heard + pause, refused);
        }
    }

    /// What is said to who asks for something before a login.
    pub(super) fn log_in_first(&self) -> Reply {
        Reply::bad(match (self.may_take_password(), self.config.start_tls) {
            (true, _) => "log in first: a1 LOGIN alice password",
            (false, StartTls::Offered) => {
                "log in first, and before that encrypt what is said, your password too: a1 STARTTLS"
            }
            (false, StartTls::Unavailable) => {
                "log in first, which can only be done from the server's own machine, for there is no TLS here"
            }
        })
    }

    /// UNAUTHENTICATE: as before the login, but for TLS (RFC 8437).
    pub(super) fn unauthenticate(&mut self, out: &mut Out) -> Next {
        if matches!(self.phase, Phase::NotAuthenticated) {
            return Err(self.log_in_first());
        }
        self.phase = Phase::NotAuthenticated;
        self.switched = Switched::default();
        self.announces = false;
        self.notify = None;
        if std::mem::take(&mut self.compressed) {
            // RFC 8437 §4: this side compresses up to the end of OK, the client up to the end of its command.
            out.compress_no_more();
        }
        let text = "nobody is logged in now; all that was switched on is off";
        Ok(Some(Reply::capabilities(self.capabilities(), text)))
    }

    /// What can be logged in with, the better first.
    pub(super) fn mechanisms(&self) -> impl Iterator<Item = Mechanism> {
        let means = self.store.users().means();
        self.config.door.mechanisms(means, self.end_point())
    }

    /// What a login can be bound to.
    fn end_point(&self) -> Option<&[u8]> {
        self.tls.as_ref()?.end_point.as_deref()
    }

    /// Whether a password may come over this connection.
    pub(super) fn may_take_password(&self) -> bool {
        let is_secure = self.tls.is_some();
        self.config.door.is_open(is_secure, self.peer.origin)
    }
}
