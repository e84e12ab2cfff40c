//! Logging in.

use super::*;
use crate::wire::sasl_client::{Exchange, Mechanism};

/// As `plan` says, by `mechanism` or the best, with a nonce.
fn log_in(plan: &Plan, mechanism: Option<Mechanism>, steps: &[Said<'_>]) -> Vec<String> {
    let mut failures = None;
    all_cuts(steps, |drive| {
        let mut sink = Vec::new();
        let nonce = "abcdef".to_owned();
        let mut client = Client::new(plan.clone(), Errand::Folders, &mut sink)
            .with_login(Login { mechanism, nonce });
        drive(&mut client);
        let told = client.into_failures();
        let told: Vec<_> = told.iter().map(ToString::to_string).collect();
        assert_eq!(*failures.get_or_insert_with(|| told.clone()), told);
    });
    failures.expect("played at least once")
}

fn nobody() -> Plan {
    Plan {
        user: String::new(),
        password: String::new(),
        ..alice()
    }
}

const IN: Said<'_> = ("a1 OK in\r\n", "a2 LIST \"\" \"*\"\r\n");
const END: [Said<'_>; 2] = [("a2 OK\r\n", "a3 LOGOUT\r\n"), (EOF, "")];

#[test]
fn the_best_that_is_offered_is_scram_and_the_server_has_to_prove_itself() {
    let challenge = "+ cj1hYmNkZWZ4eXoscz1jMkZzZEE9PSxpPTQwOTY=\r\n";
    let mut exchange = Exchange::begin(Mechanism::ScramSha256, "alice", "sec ret", "abcdef").0;
    let proof = exchange.answer(challenge[2..].trim()).expect("a proof") + "\r\n";
    let at_once = [(
        "* OK [CAPABILITY IMAP4rev1 auth=PLAIN AUTH=scram-sha-256 SASL-IR LOGINDISABLED] hi\r\n",
        "a1 AUTHENTICATE SCRAM-SHA-256 biwsbj1hbGljZSxyPWFiY2RlZg==\r\n",
    )];
    let when_asked = [
        (
            "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=SCRAM-SHA-256] hi\r\n",
            "a1 AUTHENTICATE SCRAM-SHA-256\r\n",
        ),
        ("+ \r\n", "biwsbj1hbGljZSxyPWFiY2RlZg==\r\n"),
    ];
    for begin in [&at_once[..], &when_asked] {
        for last in [
            // `v=AAAA`, which is not the proof; yes without one; no.
            ("+ dj1BQUFB\r\n", "*\r\n"),
            ("a1 OK welcome\r\n", ""),
            ("a1 NO [AUTHENTICATIONFAILED] no\r\n", ""),
        ] {
            let steps = [begin, &[(challenge, proof.as_str()), last]].concat();
            let failures = log_in(&alice(), None, &steps);
            assert!(failures[0].starts_with("login refused: "), "{failures:?}");
        }
    }
}

#[test]
fn external_asks_for_nothing_and_says_nothing() {
    let external = Some(Mechanism::External);
    for begin in [
        &[(
            "* OK [CAPABILITY IMAP4rev1 AUTH=EXTERNAL SASL-IR] hi\r\n",
            "a1 AUTHENTICATE EXTERNAL =\r\n",
        )][..],
        &[
            (
                "* OK [CAPABILITY IMAP4rev1 AUTH=EXTERNAL] hi\r\n",
                "a1 AUTHENTICATE EXTERNAL\r\n",
            ),
            ("+ \r\n", "\r\n"),
        ],
    ] {
        let steps = [begin, &[IN], &END].concat();
        assert!(log_in(&nobody(), external, &steps).is_empty());
    }
    // It is never chosen by itself.
    let login = [(
        "* OK [CAPABILITY IMAP4rev1 AUTH=EXTERNAL SASL-IR] hi\r\n",
        "a1 LOGIN alice \"sec ret\"\r\n",
    )];
    let steps = [&login[..], &[IN], &END].concat();
    assert!(log_in(&alice(), None, &steps).is_empty());
}

#[test]
fn login_is_the_command_and_where_that_is_disabled_the_mechanism() {
    let named = Some(Mechanism::Login);
    let mechanism = [
        (
            "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN AUTH=LOGIN SASL-IR] hi\r\n",
            "a1 AUTHENTICATE LOGIN\r\n",
        ),
        ("+ VXNlcm5hbWU6\r\n", "YWxpY2U=\r\n"),
        ("+ UGFzc3dvcmQ6\r\n", "c2VjIHJldA==\r\n"),
    ];
    let command = [(
        "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN SASL-IR] hi\r\n",
        "a1 LOGIN alice \"sec ret\"\r\n",
    )];
    for begin in [&mechanism[..], &command] {
        let steps = [begin, &[IN], &END].concat();
        assert!(log_in(&alice(), named, &steps).is_empty());
    }
}

#[test]
fn a_token_that_is_refused_is_so_in_two_steps() {
    let steps = [
        (
            "* OK [CAPABILITY IMAP4rev1 AUTH=OAUTHBEARER SASL-IR] hi\r\n",
            "a1 AUTHENTICATE OAUTHBEARER bixhPWFsaWNlLAFhdXRoPUJlYXJlciBzZWMgcmV0AQE=\r\n",
        ),
        ("+ eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=\r\n", "AQ==\r\n"),
        ("a1 NO [AUTHENTICATIONFAILED] expired\r\n", ""),
    ];
    let failures = log_in(&alice(), Some(Mechanism::OAuthBearer), &steps);
    assert_eq!(
        failures,
        ["login refused: expired (check the name and the password)"]
    );
}

#[test]
fn what_is_not_offered_is_not_tried() {
    for (offered, mechanism, why) in [
        (
            "AUTH=PLAIN",
            Some(Mechanism::CramMd5),
            "does not offer this mechanism",
        ),
        (
            "LOGINDISABLED STARTTLS",
            Some(Mechanism::Plain),
            "over TLS only",
        ),
        ("LOGINDISABLED STARTTLS", None, "over TLS only"),
        ("LOGINDISABLED AUTH=GSSAPI STARTTLS", None, "over TLS only"),
    ] {
        let greeting = format!("* OK [CAPABILITY IMAP4rev1 {offered}] hi\r\n");
        let failures = log_in(&alice(), mechanism, &[(&greeting, "")]);
        assert!(failures[0].contains(why), "{offered}: {failures:?}");
    }
    // Behind TLS it is no matter of TLS; and what was offered before it counts for nothing.
    let plan = Plan {
        upgrade: Upgrade::Required,
        ..alice()
    };
    for (offered, why) in [
        (
            "LOGINDISABLED AUTH=GSSAPI AUTH=NTLM",
            "LOGIN: the server offers login with GSSAPI NTLM only",
        ),
        ("LOGINDISABLED", "LOGIN: the server takes no login here"),
    ] {
        let told = format!("* CAPABILITY IMAP4rev1 {offered}\r\na2 OK\r\n");
        let steps = [
            (
                "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] hello\r\n",
                "a1 STARTTLS\r\n",
            ),
            ("a1 OK begin\r\n", ""),
            (told.as_str(), "a2 CAPABILITY\r\n"),
        ];
        assert_eq!(log_in(&plan, None, &steps), [why]);
    }
}
