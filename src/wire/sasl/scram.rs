//! The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), with and without channel binding (`-PLUS`, RFC 5929 §4:
//! `tls-server-end-point`).
//!
//! ```text
//! C: n,,n=alice,r=CNONCE                     client-first
//! S: r=CNONCE SNONCE,s=SALT,i=4096           server-first: needs what the store knows of alice
//! C: c=biws,r=CNONCE SNONCE,p=PROOF          client-final
//! S: v=SIGNATURE                             server-final: only who knows alice's keys can make it
//! ```
//!
//! The password is on the wire in no form that would let a listener log in. Names are taken as they come (no SASLprep: it changes
//! nothing in ASCII).

use ring::{digest, hmac, pbkdf2};
use subtle::ConstantTimeEq;

use super::{BASE64, Question, SaslError, encode, name};
use crate::wire::saslprep;
use base64::Engine;
use std::fmt;
use std::num::NonZeroU32;

/// What a server keeps of a password (RFC 5802 §3). Not shown when printed for debugging.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramKeys {
    /// Random octets, not secret.
    pub salt: Vec<u8>,
    /// How often the password was hashed.
    pub iterations: NonZeroU32,
    /// Proofs are checked against it.
    pub stored_key: [u8; 32],
    /// The server proves with it that it knows the user.
    pub server_key: [u8; 32],
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "ScramKeys({} iterations, ********)",
            self.iterations
        )
    }
}

impl ScramKeys {
    /// Of a password. Takes as long as `iterations` ask for.
    pub fn derive(password: &[u8], salt: Vec<u8>, iterations: NonZeroU32) -> Self {
        let mut salted = [0; 32];
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            iterations,
            &salt,
            &saslprep::password(password),
            &mut salted,
        );
        let client_key = mac(&salted, b"Client Key");
        Self {
            salt,
            iterations,
            stored_key: sha256(&client_key),
            server_key: mac(&salted, b"Server Key"),
        }
    }
}

/// Where the exchange is.
pub(super) enum Scram {
    /// The client's first message is to come.
    First(Setting),
    /// The store is asked.
    Keys(Begun),
    /// The client's last message is to come.
    Final(Begun, String, ScramKeys),
}

/// What is known beforehand.
pub(super) struct Setting {
    /// Whether this is `-PLUS`.
    pub(super) binding: Binding,
    /// The server's half of the nonce.
    pub(super) nonce: String,
}

/// Whether the exchange is bound to the TLS below it.
pub(super) enum Binding {
    /// The mechanism is SCRAM-SHA-256, and `-PLUS` is not to be had.
    None,
    /// The mechanism is SCRAM-SHA-256, and `-PLUS` was offered.
    Declined,
    /// `-PLUS`: the hash of the server's certificate.
    EndPoint(Vec<u8>),
}

/// After the client's first message.
pub(super) struct Begun {
    /// Its first part, with the data of the channel behind it.
    bound: Vec<u8>,
    /// Its other part.
    first_bare: String,
    /// Both halves.
    nonce: String,
}

impl Setting {
    pub(super) fn first(self, message: &[u8]) -> Result<(Begun, Question), SaslError> {
        let text = std::str::from_utf8(message).map_err(|_| SaslError::Name)?;
        let malformed = SaslError::Scram;
        let mut parts = text.splitn(3, ',');
        let (Some(flag), Some(authorize_as), Some(bare)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed);
        };
        let end_point = match (flag, self.binding) {
            ("n", Binding::None | Binding::Declined) | ("y", Binding::None) => Vec::new(),
            // RFC 5802 §6: somebody between us took `-PLUS` out of our list.
            ("y", Binding::Declined) => return Err(SaslError::Downgrade),
            ("p=tls-server-end-point", Binding::EndPoint(hash)) => hash,
            (flag, _) if flag.starts_with("p=") => return Err(SaslError::Binding),
            ("n" | "y", Binding::EndPoint(_)) => return Err(SaslError::Binding),
            _ => return Err(malformed),
        };
        let authorize_as = match authorize_as {
            "" => String::new(),
            word => sasl_name(word.strip_prefix("a=").ok_or(malformed)?)?,
        };
        let mut attributes = bare.split(',');
        // RFC 5802 §5.1: `m=` asks for an extension that nobody knows yet.
        let user = attributes.next().and_then(|word| word.strip_prefix("n="));
        let nonce = attributes.next().and_then(|word| word.strip_prefix("r="));
        let (user, nonce) = user.zip(nonce).ok_or(malformed)?;
        if nonce.is_empty() || !nonce.bytes().all(|octet| octet.is_ascii_graphic()) {
            return Err(malformed);
        }
        let header = &text[..text.len() - bare.len()];
        let begun = Begun {
            bound: [header.as_bytes(), &end_point].concat(),
            first_bare: bare.to_owned(),
            nonce: format!("{nonce}{}", self.nonce),
        };
        let question = Question::Keys {
            name: sasl_name(user)?,
            authorize_as,
        };
        Ok((begun, question))
    }
}

impl Begun {
    /// The server's first message.
    pub(super) fn server_first(&self, keys: &ScramKeys) -> String {
        let (nonce, salt) = (&self.nonce, encode(&keys.salt));
        format!("r={nonce},s={salt},i={}", keys.iterations)
    }

    /// Checks the proof in the client's last message; what the server then says.
    pub(super) fn check(
        &self,
        server_first: &str,
        keys: &ScramKeys,
        message: &[u8],
    ) -> Result<String, SaslError> {
        let malformed = SaslError::Scram;
        let text = std::str::from_utf8(message).map_err(|_| malformed)?;
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or(malformed)?;
        let mut attributes = without_proof.split(',');
        let bound = attributes.next().and_then(|word| word.strip_prefix("c="));
        let nonce = attributes.next().and_then(|word| word.strip_prefix("r="));
        let (bound, nonce) = bound.zip(nonce).ok_or(malformed)?;
        let bound = BASE64.decode(bound).map_err(|_| SaslError::Base64)?;
        let proof = BASE64.decode(proof).map_err(|_| SaslError::Base64)?;
        if bound != self.bound {
            return Err(SaslError::Binding);
        }
        let proof: [u8; 32] = proof.try_into().map_err(|_| malformed)?;
        if nonce != self.nonce {
            return Err(SaslError::Proof);
        }
        let said = format!("{},{server_first},{without_proof}", self.first_bare);
        let signature = mac(&keys.stored_key, said.as_bytes());
        let mut client_key = proof;
        for (octet, with) in client_key.iter_mut().zip(signature) {
            *octet ^= with;
        }
        if !bool::from(sha256(&client_key).ct_eq(&keys.stored_key)) {
            return Err(SaslError::Proof);
        }
        Ok(format!(
            "v={}",
            encode(&mac(&keys.server_key, said.as_bytes()))
        ))
    }
}

/// RFC 5802 §5.1: `=2C` is a comma, `=3D` is `=`.
fn sasl_name(text: &str) -> Result<String, SaslError> {
    let mut meant = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('=') {
        meant.push_str(before);
        meant.push(match after.get(..2) {
            Some("2C") => ',',
            Some("3D") => '=',
            _ => return Err(SaslError::Scram),
        });
        rest = &after[2..];
    }
    meant.push_str(rest);
    name(meant.as_bytes())
}

fn mac(key: &[u8; 32], text: &[u8]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut tag = [0; 32];
    tag.copy_from_slice(hmac::sign(&key, text).as_ref());
    tag
}

fn sha256(text: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, text).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::super::{Exchange, Mechanism, Scene, Step, decode};
    use super::*;

    /// RFC 7677 §3
    const FIRST: &[u8] = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    const SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const SERVER_FIRST: &str =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    const FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                         p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    const SERVER_FINAL: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    fn keys() -> ScramKeys {
        let salt = decode(b"W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        ScramKeys::derive(b"pencil", salt, NonZeroU32::new(4096).unwrap())
    }

    fn begin(end_point: Option<&[u8]>, first: &[u8]) -> Result<(Exchange, Step), SaslError> {
        let scene = Scene {
            nonce: SERVER_NONCE,
            host: "mail.example",
            end_point,
        };
        let mechanism = match first.first() {
            Some(b'p') => Mechanism::ScramSha256Plus,
            _ => Mechanism::ScramSha256,
        };
        Exchange::start(mechanism, Some(encode(first).as_bytes()), &scene)
    }

    fn said(step: &Step) -> String {
        let Step::Challenge(challenge) = step else {
            panic!("{step:?}");
        };
        String::from_utf8(decode(challenge.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn the_example_of_the_standard() {
        let (mut exchange, step) = begin(None, FIRST).unwrap();
        let Step::Ask(Question::Keys { name, authorize_as }) = step else {
            panic!("{step:?}");
        };
        assert_eq!((&*name, &*authorize_as), ("user", ""));
        assert_eq!(said(&exchange.keys(keys()).unwrap()), SERVER_FIRST);
        let step = exchange
            .answer(encode(FINAL.as_bytes()).as_bytes())
            .unwrap();
        assert_eq!(said(&step), SERVER_FINAL);
        assert_eq!(exchange.answer(b""), Ok(Step::Proven));
        assert!(exchange.answer(b"").is_err(), "and no more");
    }

    #[test]
    fn a_wrong_proof_proves_nothing() {
        for (wrong, error) in [
            (FINAL.replace("dHzb", "dHzc"), SaslError::Proof),
            (FINAL.replace("biws", "eSws"), SaslError::Binding),
            (FINAL.replace("r=rOpr", "r=rOps"), SaslError::Proof),
            (FINAL.replace(",p=", ",q="), SaslError::Scram),
            (FINAL.replace("p=dHzb", "p="), SaslError::Scram),
        ] {
            let (mut exchange, _) = begin(None, FIRST).unwrap();
            exchange.keys(keys()).unwrap();
            let answer = encode(wrong.as_bytes());
            assert_eq!(exchange.answer(answer.as_bytes()), Err(error), "{wrong}");
        }
    }

    #[test]
    fn a_channel_is_bound() {
        let end_point = [7; 32];
        let header = b"p=tls-server-end-point,,";
        let first = [&header[..], b"n=user,r=x"].concat();
        let (mut exchange, _) = begin(Some(&end_point), &first).unwrap();
        let server_first = said(&exchange.keys(keys()).unwrap());
        let final_with = |hash: &[u8]| {
            let bound = encode(&[&header[..], hash].concat());
            let without_proof = format!("c={bound},r=x{SERVER_NONCE}");
            let said = format!("n=user,r=x,{server_first},{without_proof}");
            let mut salted = [0; 32];
            let iterations = NonZeroU32::new(4096).unwrap();
            pbkdf2::derive(
                pbkdf2::PBKDF2_HMAC_SHA256,
                iterations,
                &keys().salt,
                b"pencil",
                &mut salted,
            );
            let mut proof = mac(&salted, b"Client Key");
            for (octet, with) in proof
                .iter_mut()
                .zip(mac(&keys().stored_key, said.as_bytes()))
            {
                *octet ^= with;
            }
            encode(format!("{without_proof},p={}", encode(&proof)).as_bytes())
        };
        let wrong = final_with(&[8; 32]);
        assert_eq!(exchange.answer(wrong.as_bytes()), Err(SaslError::Binding));
        let (mut exchange, _) = begin(Some(&end_point), &first).unwrap();
        exchange.keys(keys()).unwrap();
        let right = final_with(&end_point);
        assert!(said(&exchange.answer(right.as_bytes()).unwrap()).starts_with("v="));
    }

    #[test]
    fn first_messages_that_are_refused() {
        let error = |end_point, first: &[u8]| begin(end_point, first).err();
        let hash: &[u8] = &[7; 32];
        assert_eq!(
            error(Some(hash), b"y,,n=user,r=x"),
            Some(SaslError::Downgrade)
        );
        assert_eq!(
            error(Some(hash), b"p=tls-unique,,n=user,r=x"),
            Some(SaslError::Binding)
        );
        assert_eq!(error(Some(hash), b"n,,n=user,r=x"), None);
        assert_eq!(error(None, b"y,,n=user,r=x"), None);
        for wrong in [
            "n,,n=user",
            "n,b,n=user,r=x",
            "n,,m=1,n=user,r=x",
            "x,,n=user,r=x",
            "n,,n=a=b,r=x",
            "n,,n=user,r=",
        ] {
            assert_eq!(
                error(None, wrong.as_bytes()),
                Some(SaslError::Scram),
                "{wrong}"
            );
        }
        assert_eq!(error(None, b"n,,n=,r=x"), Some(SaslError::Name));
        let (_, step) = begin(None, b"n,a=bob,n=a=2Cb=3Dc,r=x").unwrap();
        let asked = Question::Keys {
            name: "a,b=c".to_owned(),
            authorize_as: "bob".to_owned(),
        };
        assert_eq!(step, Step::Ask(asked));
    }
}
