//! Cipher suites by OpenSSL's names: `--ssl-ciphers` of ncat, ciphers(1).
//!
//! A list of words with `:`, `,` or blanks between them, each a name or a class, or several classes with `+` between them. Each adds
//! its suites at the end; `-` before it takes them out, `!` for good, `+` moves them to the end; `@STRENGTH` puts longer keys first.
//!
//! As with OpenSSL, a word that nobody knows is passed over (lists name many old suites that no longer exist), and classes are about
//! TLS 1.2: all suites of TLS 1.3 are offered, and first, until the list has a word for them. Unlike OpenSSL's, a list may name
//! those too: a name alone offers that one only, `!TLSv1.3` none.

use rustls::SupportedCipherSuite;
use rustls::crypto::ring::cipher_suite as ring;

use super::TlsError;

/// Cipher suites, those that are preferred first.
#[derive(Clone, Debug, PartialEq)]
pub struct Ciphers(Vec<SupportedCipherSuite>);

impl Ciphers {
    /// Reads a list of OpenSSL's. See the module.
    ///
    /// # Errors
    /// No suite is left, in [`TlsError::Ciphers`], which lists all that there are.
    pub fn parse(list: &str) -> Result<Self, TlsError> {
        let mut twelve = Choice::default();
        let mut thirteen = Choice::default();
        for word in list.split([':', ',', ' ']).filter(|word| !word.is_empty()) {
            if word.eq_ignore_ascii_case("@STRENGTH") {
                twelve.suites.sort_by_key(|suite| !is_of_256_bits(suite));
                continue;
            }
            let (step, words) = match word.as_bytes()[0] {
                b'!' => (Step::Forbid, &word[1..]),
                b'-' => (Step::Remove, &word[1..]),
                b'+' => (Step::MoveBack, &word[1..]),
                _ => (Step::Add, word),
            };
            twelve.take(step, &matching(words, &TWELVE));
            let named = matching(words, &THIRTEEN);
            if !named.is_empty() {
                if !thirteen.touched && step != Step::Add {
                    thirteen.take(Step::Add, &matching("TLSv1.3", &THIRTEEN));
                }
                thirteen.take(step, &named);
            }
        }
        if !thirteen.touched && !twelve.suites.is_empty() {
            thirteen.take(Step::Add, &matching("TLSv1.3", &THIRTEEN));
        }
        let suites = [thirteen.suites, twelve.suites].concat();
        if suites.is_empty() {
            let names: Vec<_> = THIRTEEN
                .iter()
                .chain(&TWELVE)
                .map(|suite| suite.name)
                .collect();
            return Err(TlsError::Ciphers(format!(
                "\"{list}\" leaves no cipher suite; there are {}, and the words ALL, DEFAULT, HIGH, TLSv1.2, TLSv1.3, \
                 ECDHE, aRSA, aECDSA, AESGCM, AES128, AES256, CHACHA20",
                names.join(", ")
            )));
        }
        Ok(Self(suites))
    }

    pub(super) fn suites(&self) -> Vec<SupportedCipherSuite> {
        self.0.clone()
    }
}

/// All of them, as rustls prefers them.
impl Default for Ciphers {
    fn default() -> Self {
        let all = THIRTEEN.iter().chain(&TWELVE);
        Self(all.map(|suite| suite.suite).collect())
    }
}

/// What a list has chosen of one version so far.
#[derive(Default)]
struct Choice {
    suites: Vec<SupportedCipherSuite>,
    forbidden: Vec<SupportedCipherSuite>,
    /// The list has said something about it.
    touched: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Add,
    Remove,
    Forbid,
    MoveBack,
}

impl Choice {
    fn take(&mut self, step: Step, named: &[SupportedCipherSuite]) {
        self.touched = true;
        let before = self.suites.clone();
        if step == Step::Forbid {
            self.forbidden.extend(named);
        }
        if step != Step::Add {
            self.suites.retain(|suite| !named.contains(suite));
        }
        for suite in named {
            let wanted = match step {
                Step::Add => !before.contains(suite) && !self.forbidden.contains(suite),
                Step::MoveBack => before.contains(suite),
                Step::Remove | Step::Forbid => false,
            };
            if wanted {
                self.suites.push(*suite);
            }
        }
    }
}

/// The suites that are of all classes in `words`, or have it as their name.
fn matching(words: &str, suites: &[Suite]) -> Vec<SupportedCipherSuite> {
    let matches = |suite: &&Suite| {
        words.split('+').all(|word| {
            let is_same = |name: &str| name.eq_ignore_ascii_case(word);
            is_same(suite.name)
                || suite.suite.suite().as_str().is_some_and(is_same)
                || suite.classes.split(' ').any(is_same)
        })
    };
    let found = suites.iter().filter(matches);
    found.map(|suite| suite.suite).collect()
}

fn is_of_256_bits(suite: &SupportedCipherSuite) -> bool {
    let known = TWELVE.iter().find(|known| known.suite == *suite);
    known.is_some_and(|known| !known.classes.ends_with("AES128"))
}

struct Suite {
    suite: SupportedCipherSuite,
    /// OpenSSL's.
    name: &'static str,
    classes: &'static str,
}

const fn suite(suite: SupportedCipherSuite, name: &'static str, classes: &'static str) -> Suite {
    Suite {
        suite,
        name,
        classes,
    }
}

static THIRTEEN: [Suite; 3] = [
    suite(
        ring::TLS13_AES_256_GCM_SHA384,
        "TLS_AES_256_GCM_SHA384",
        "TLSv1.3",
    ),
    suite(
        ring::TLS13_AES_128_GCM_SHA256,
        "TLS_AES_128_GCM_SHA256",
        "TLSv1.3",
    ),
    suite(
        ring::TLS13_CHACHA20_POLY1305_SHA256,
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLSv1.3",
    ),
];

/// In the order of rustls.
static TWELVE: [Suite; 6] = [
    suite(
        ring::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ALL DEFAULT HIGH TLSv1.2 ECDHE EECDH kECDHE kEECDH aECDSA ECDSA AESGCM AES AES256",
    ),
    suite(
        ring::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ALL DEFAULT HIGH TLSv1.2 ECDHE EECDH kECDHE kEECDH aECDSA ECDSA AESGCM AES AES128",
    ),
    suite(
        ring::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ALL DEFAULT HIGH TLSv1.2 ECDHE EECDH kECDHE kEECDH aECDSA ECDSA CHACHA20",
    ),
    suite(
        ring::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ALL DEFAULT HIGH TLSv1.2 ECDHE EECDH kECDHE kEECDH aRSA AESGCM AES AES256",
    ),
    suite(
        ring::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ALL DEFAULT HIGH TLSv1.2 ECDHE EECDH kECDHE kEECDH aRSA AESGCM AES AES128",
    ),
    suite(
        ring::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        "ECDHE-RSA-CHACHA20-POLY1305",
        "ALL DEFAULT HIGH TLSv1.2 ECDHE EECDH kECDHE kEECDH aRSA CHACHA20",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &str) -> String {
        let Ciphers(suites) = Ciphers::parse(list).unwrap_or_else(|error| panic!("{error}"));
        let all = || THIRTEEN.iter().chain(&TWELVE);
        let name = |suite: &SupportedCipherSuite| {
            let known = all().find(|known| known.suite == *suite);
            known.expect("it is of the tables").name
        };
        suites.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    const ALL_13: &str =
        "TLS_AES_256_GCM_SHA384 TLS_AES_128_GCM_SHA256 TLS_CHACHA20_POLY1305_SHA256";

    #[test]
    fn the_tables_are_what_the_provider_has() {
        let provider = rustls::crypto::ring::default_provider();
        assert_eq!(Ciphers::default().suites(), provider.cipher_suites);
        for word in ["ALL", "HIGH", "DEFAULT"] {
            assert_eq!(Ciphers::parse(word), Ok(Ciphers::default()), "{word}");
        }
    }

    #[test]
    fn lists_choose_as_in_openssl() {
        let rsa = "ECDHE-RSA-AES256-GCM-SHA384";
        assert_eq!(names(rsa), format!("{ALL_13} {rsa}"));
        assert_eq!(names("tls_ecdhe_rsa_with_aes_256_gcm_sha384"), names(rsa));
        assert_eq!(names(&format!("AES256-SHA:{rsa}:RC4-MD5")), names(rsa));
        assert_eq!(names(&format!("{rsa}:!TLSv1.3")), rsa);
        assert_eq!(names("TLS_AES_128_GCM_SHA256"), "TLS_AES_128_GCM_SHA256");
        assert_eq!(
            names("ECDHE+AESGCM:!aECDSA:!TLS_AES_256_GCM_SHA384:-TLS_CHACHA20_POLY1305_SHA256"),
            "TLS_AES_128_GCM_SHA256 ECDHE-RSA-AES256-GCM-SHA384 ECDHE-RSA-AES128-GCM-SHA256"
        );
        assert_eq!(
            names("ALL:!aNULL:!LOW:!EXP:!RC4:!MD5:-ECDSA:ECDHE-ECDSA-AES128-GCM-SHA256:@STRENGTH"),
            format!(
                "{ALL_13} ECDHE-RSA-AES256-GCM-SHA384 ECDHE-RSA-CHACHA20-POLY1305 ECDHE-RSA-AES128-GCM-SHA256 \
                 ECDHE-ECDSA-AES128-GCM-SHA256"
            )
        );
        assert_eq!(
            names("aRSA +AES256 !CHACHA20 CHACHA20 !TLSv1.3"),
            "ECDHE-RSA-AES128-GCM-SHA256 ECDHE-RSA-AES256-GCM-SHA384"
        );
    }

    #[test]
    fn a_list_of_nothing_is_told_what_there_is() {
        for list in [
            "",
            "NOPE",
            "ALL:!ALL:!TLSv1.3",
            "!HIGH",
            "RSA+AESGCM",
            "+",
            "!",
        ] {
            let error = Ciphers::parse(list).expect_err(list).to_string();
            assert!(
                error.contains("TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256, ECDHE-ECDSA"),
                "{error}"
            );
        }
    }
}
