//! Accounts: how addresses find theirs, and who gets in.

use super::*;
use crate::wire::sasl::Question;

fn users(text: &str) -> Users {
    let mut users = Users::new(
        Table::parse(text.as_bytes()).expect("a good table"),
        Source::Given,
    );
    let domains = ["Mail.Example".to_owned(), "other.example".to_owned()];
    users
        .settle(Path::new("/srv/mail"), &domains)
        .expect("good names");
    users
}
fn name(account: Option<Account>) -> Option<String> {
    account.map(|account| account.name.to_string())
}
fn verify(
    users: &Users,
    authorize_as: &str,
    name: &str,
    password: &str,
) -> Result<String, AuthError> {
    let credentials = Credentials {
        authorize_as: authorize_as.to_owned(),
        name: name.to_owned(),
        password: password.into(),
    };
    let account = users.verify(&credentials)?;
    Ok(account.name.to_string())
}
fn refused(line: &str) -> String {
    let text = format!("# comment\n\n{line}\n");
    let (number, why) = Table::parse(text.as_bytes()).expect_err("must be refused");
    assert_eq!(number, 3, "{why}");
    why
}

#[test]
fn a_domain_is_the_same_in_letters_and_as_the_dns_has_it() {
    let table = Table::parse("eve@b\u{fc}cher.example:{PLAIN}caf\u{e9}\n".as_bytes());
    let mut users = Users::new(table.expect("a good table"), Source::Given);
    let domains = [
        "mail.example".to_owned(),
        "xn--bcher-kva.example".to_owned(),
    ];
    users
        .settle(Path::new("/srv/mail"), &domains)
        .expect("good names");
    for domain in [
        "b\u{fc}cher.example",
        "B\u{dc}CHER.Example",
        "xn--bcher-kva.example",
    ] {
        assert!(users.is_local(domain));
        let found = name(users.find("eve", Some(domain)));
        assert_eq!(
            found.as_deref(),
            Some("eve@xn--bcher-kva.example"),
            "{domain}"
        );
        let login = verify(&users, "", &format!("Eve@{domain}"), "cafe\u{301}");
        assert_eq!(login.as_deref(), Ok("eve@xn--bcher-kva.example"));
    }
    assert!(!users.is_local("bucher.example"));
    assert_eq!(
        verify(&users, "", "eve@b\u{fc}cher.example", "cafe"),
        Err(AuthError::Credentials)
    );
}

#[test]
fn addresses_find_their_account() {
    let users = users("alice:{PLAIN}a\nbob@other.example:{PLAIN}b\ncarol@mail.example:{PLAIN}c\n");
    let find = |local, domain| name(users.find(local, domain));
    assert_eq!(find("ALICE", None).as_deref(), Some("alice"));
    assert_eq!(
        find("alice", Some("MAIL.example.")).as_deref(),
        Some("alice")
    );
    assert_eq!(find("alice+lists", None).as_deref(), Some("alice"));
    assert_eq!(find("carol", None).as_deref(), Some("carol"));
    assert_eq!(find("alice", Some("other.example")), None);
    assert_eq!(find("bob", None), None);
    assert_eq!(
        find("Bob", Some("Other.Example")).as_deref(),
        Some("bob@other.example")
    );
    assert_eq!(find("alice", Some("elsewhere.example")), None);
    assert_eq!(find("+tag", None), None);
    assert_eq!(find("bob@other.example", None), None);
    assert_eq!(find("bob@other.example", Some("mail.example")), None);
    assert_eq!(
        users.find("bob", Some("other.example")).expect("bob").home,
        Path::new("/srv/mail/bob@other.example").into()
    );
    assert!(users.is_local("OTHER.example") && !users.is_local("elsewhere.example"));
}

#[test]
fn postmaster_is_always_found() {
    let two = users("alice:{PLAIN}a\nbob@other.example:{PLAIN}b\n");
    assert_eq!(name(two.find("Postmaster", None)).as_deref(), Some("alice"));
    assert_eq!(
        name(two.find("postmaster", Some("other.example"))).as_deref(),
        Some("bob@other.example")
    );
    let own = users("alice:{PLAIN}a\npostmaster:{PLAIN}p\n");
    assert_eq!(
        name(own.find("postmaster", None)).as_deref(),
        Some("postmaster")
    );
}

#[test]
fn passwords_are_checked_against_what_other_programs_hashed() {
    // By `openssl passwd -6 -salt saltstring 'Hello world!'` and -5 (a vector of the SHA-crypt specification), and by
    // `doveadm pw -s SHA512-CRYPT -p secret`, `-s ARGON2ID`, `-s ARGON2I`.
    let users = users(concat!(
        "plain:{plain}secret:1000:1000::/home/x::userdb_quota=1\n",
        "six:$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1\n",
        "five:{CRYPT}$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5\n",
        "dovecot:{SHA512-CRYPT}$6$ylQPccCxRWSWpSF7$73lQ7w9N73B34qZ8p2TOJCHQsFMDpnQUq0CVGLpdK64KR.MEwbIgyRK3E.7KumL3bl0yU/sUb0U8O/OzsrPnx.\n",
        "argon:{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$QUMlQRG9ZBbWDrx3eLuNew$65FsVyLnT8xZRgs4pYWkuEGgTRbiPGSIVEuE1sdYDVQ\n",
        "argon-i:$argon2i$v=19$m=32768,t=4,p=1$TUn0n2SQqNLHkeNzAQS2jw$5F2Kn/EOuQ4eACmRBIFbZQjCYwTvvHsFXUsKc4KFeRQ\n",
        "locked:!\nempty::\n",
    ));
    let verify = |name: &str, password: &str| verify(&users, "", name, password);
    assert_eq!(verify("plain", "secret").as_deref(), Ok("plain"));
    assert_eq!(
        verify("PLAIN@mail.example", "secret").as_deref(),
        Ok("plain")
    );
    for wrong in ["", "secre", "secret\0", "Secret"] {
        assert_eq!(verify("plain", wrong), Err(AuthError::Credentials));
    }
    for (user, password) in [
        ("six", "Hello world!"),
        ("five", "Hello world!"),
        ("dovecot", "secret"),
        ("argon", "secret"),
        ("argon-i", "secret"),
    ] {
        assert_eq!(verify(user, password).as_deref(), Ok(user));
        assert_eq!(verify(user, &password[1..]), Err(AuthError::Credentials));
    }
    for nobody in ["locked", "empty", "nobody", "plain@other.example", "@", ""] {
        assert_eq!(verify(nobody, ""), Err(AuthError::Credentials));
        assert_eq!(verify(nobody, "!"), Err(AuthError::Credentials));
    }
    let long = "x".repeat(limits::PASSWORD + 1);
    assert_eq!(verify("six", &long), Err(AuthError::Credentials));
}

#[test]
fn that_an_account_has_ended_is_told_to_who_knows_its_password() {
    let mut table = Table::parse(b"old:{plain}secret\nnew:{plain}secret\n").expect("good");
    table.is_system = true;
    table.last_days.insert("old".into(), 19_000);
    table.last_days.insert("new".into(), i64::MAX);
    let mut users = Users::new(table, Source::Given);
    let settled = users.settle(Path::new("/srv/mail"), &["mail.example".to_owned()]);
    settled.expect("good names");
    let users = users.with_tokens(&[("old".to_owned(), "t0ken".to_owned())]);
    assert_eq!(verify(&users, "", "old", "secret"), Err(AuthError::Expired));
    assert_eq!(
        verify(&users, "", "old", "wrong"),
        Err(AuthError::Credentials)
    );
    assert_eq!(verify(&users, "", "new", "secret").as_deref(), Ok("new"));
    let question = Question::Token {
        name: Some("old".to_owned()),
        token: b"t0ken".to_vec(),
    };
    let told = users.tell(&question);
    assert!(
        matches!(told, Told::Verdict(Err(AuthError::Expired))),
        "{told:?}"
    );
}

#[test]
fn nobody_acts_as_somebody_else_and_everybody_as_themselves() {
    let users = users("alice:{PLAIN}a\nbob@other.example:{PLAIN}b\n");
    for itself in [
        "",
        "alice",
        "ALICE",
        "alice@mail.example",
        "Alice@Mail.Example.",
    ] {
        assert_eq!(verify(&users, itself, "alice", "a").as_deref(), Ok("alice"));
    }
    for other in ["bob", "alice@other.example", "alice@elsewhere.example", "@"] {
        assert_eq!(
            verify(&users, other, "alice", "a"),
            Err(AuthError::Identity)
        );
        // A wrong password learns nothing more.
        assert_eq!(
            verify(&users, other, "alice", "b"),
            Err(AuthError::Credentials)
        );
    }
    let login = "bob@other.example@mail.example";
    assert_eq!(verify(&users, "", login, "b"), Err(AuthError::Credentials));
}

#[test]
fn what_cannot_be_read_is_named() {
    assert!(refused("alice").contains("no colon"));
    assert!(refused("alice:{NTLM}x").contains("unknown scheme {NTLM}"));
    assert!(refused("alice:{PLAIN").contains("no `}`"));
    assert!(refused("alice:secret").contains("{PLAIN}"));
    assert!(refused("../bob:{PLAIN}x").contains("begin with a dot"));
    assert!(refused("a/b:{PLAIN}x").contains('/'));
    assert!(refused("alice:$6$salt$short").contains("86 characters"));
    assert!(
        refused(&format!(
            "alice:$6$rounds=999999999$salt${}",
            "x".repeat(86)
        ))
        .contains("2000000")
    );
    assert!(refused("alice:$argon2id$v=19$m=65536").contains("broken"));
    let costly = "alice:$argon2id$v=19$m=4194304,t=3,p=1$c2FsdHNhbHQ$c29tZWhhc2hzb21laGFzaA";
    assert!(refused(costly).contains("m=4194304"));
    assert!(refused("a@b@mail.example:{PLAIN}x").contains("alice@other.example"));
    let twice = Table::parse(b"alice:{PLAIN}x\nAlice:{PLAIN}y\n").expect_err("twice");
    assert!(twice.1.contains("twice") && twice.0 == 2);
    let settle = |names: &[&str]| {
        let accounts: Vec<_> = names
            .iter()
            .map(|&name| (name.into(), "p".into()))
            .collect();
        let domains = ["mail.example".to_owned(), "other.example".to_owned()];
        let settled = Users::plain(&accounts).settle(Path::new("/m"), &domains);
        settled.map_err(|error| error.to_string())
    };
    assert_eq!(
        settle(&["alice@MAIL.example", "alice@other.example"]),
        Ok(())
    );
    assert!(settle(&["../x"]).is_err());
    let nowhere = settle(&["alice", "bob@elsewhere.example"]).expect_err("no such domain");
    assert!(
        nowhere.contains("bob@elsewhere.example") && nowhere.contains("other.example"),
        "{nowhere}"
    );
    assert!(settle(&["alice", "alice@mail.example"]).is_err_and(|why| why.contains("twice")));
}

#[test]
fn unknown_names_stand_for_accounts_of_every_cost() {
    let table =
        Table::parse(b"a:{PLAIN}x\nb:$1$saltsalt$9xy1btjgzLYfb7hivXtC//\nc:!\nd:{PLAIN}y\n")
            .expect("a good table");
    let drawn = |name: &str| {
        let fits = |secret: &Secret| !matches!(secret, Secret::Locked);
        let secret = table
            .stand_in(name, &[7; 16], fits)
            .expect("there are some");
        format!("{secret:?}")
    };
    let names: Vec<String> = (0..40).map(|number| format!("nobody{number}")).collect();
    let of_kind = |kind: &str| names.iter().filter(|name| drawn(name) == kind).count();
    let (plain, crypt) = (of_kind("{PLAIN}********"), of_kind("{CRYPT}********"));
    assert!(
        plain > 10 && crypt > 5 && plain + crypt == 40,
        "{plain} {crypt}"
    );
    for name in &names {
        assert_eq!(drawn(name), drawn(&name.to_uppercase()), "always the same");
    }
    assert!(Table::default().stand_in("a", &[7; 16], |_| true).is_none());
}

#[test]
fn secrets_do_not_show() {
    let users = Users::plain(&[("alice".into(), "wonderland".into())]);
    assert!(!format!("{users:?}").contains("wonderland"));
    assert!(!refused("alice:wonderland").contains("wonderland"));
}
