//! `mailtool serve user`: the file of users, beside a server that runs and without one.

#[path = "support/imap.rs"]
mod imap;
#[path = "support/program.rs"]
mod program;

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Instant;

use imap::Imap;
use program::{PATIENCE, Server, mailtool};

fn user(file: &Path, words: &[&str], stdin: &str) -> Output {
    let file = file.to_str().expect("UTF-8");
    mailtool(
        &[&["serve", "user"], words, &["--users", file]].concat(),
        stdin,
    )
}

fn done(file: &Path, words: &[&str], stdin: &str) -> String {
    let output = user(file, words, stdin);
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn refused(output: &Output, code: i32, why: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(why) && said.lines().count() == 1, "{said}");
}

#[test]
fn a_server_that_runs_takes_changes_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("users");
    fs::write(&file, "# the first\neve:{PLAIN}eve\n").expect("written");
    let server = Server::start_with(&["--users", file.to_str().expect("UTF-8")]);
    let lets_in = |name: &str, password: &str| {
        let mut imap = Imap::to(server.address("imap"));
        imap.says(&format!("LOGIN {name} {password}"))
            .1
            .starts_with("OK")
    };
    let soon = |expected: bool, name: &str, password: &str| {
        let begun = Instant::now();
        while lets_in(name, password) != expected {
            assert!(
                begun.elapsed() < PATIENCE,
                "{name} {password}: not {expected}"
            );
        }
    };
    assert!(lets_in("eve", "eve") && !lets_in("alice", "wonder"));
    assert_eq!(
        done(&file, &["add", "alice", "--password-file", "-"], "wonder\n"),
        "alice has an account.\n"
    );
    soon(true, "alice", "wonder");
    for scheme in [
        "scram-sha-256",
        "sha512-crypt",
        "blf-crypt",
        "cram-md5",
        "plain",
    ] {
        let words = [
            "passwd",
            "alice",
            "--scheme",
            scheme,
            "--password-file",
            "-",
        ];
        done(&file, &words, &format!("{scheme}\n"));
        soon(true, "alice", scheme);
        assert!(!lets_in("alice", "wonder"), "{scheme}");
    }
    done(&file, &["del", "alice"], "");
    soon(false, "alice", "plain");
    assert!(lets_in("eve", "eve"));
    assert_eq!(
        fs::read_to_string(&file).expect("a file"),
        "# the first\neve:{PLAIN}eve\n"
    );
}

#[test]
fn what_is_asked_for_is_done_or_refused_with_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("users");
    refused(&user(&file, &["list"], ""), 66, "users");
    refused(
        &user(&file, &["passwd", "alice", "--password-file", "-"], "x"),
        66,
        "users",
    );
    let said = done(
        &file,
        &["add", "Alice@localhost", "--password-file", "-"],
        "secret\r\n",
    );
    assert!(said.contains("has been made"), "{said}");
    let content = fs::read_to_string(&file).expect("a file");
    assert!(
        content.starts_with("alice:{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$"),
        "{content}"
    );
    assert!(!content.contains("secret") && content.ends_with('\n'));
    refused(
        &user(&file, &["add", "alice", "--password-file", "-"], "x"),
        1,
        "passwd",
    );
    refused(&user(&file, &["del", "bob"], ""), 67, "bob has no account");
    refused(
        &user(&file, &["add", "../x", "--password-file", "-"], "x"),
        64,
        "dot",
    );
    refused(
        &user(&file, &["add", "bob", "--password-file", "-"], ""),
        65,
        "empty",
    );
    refused(
        &user(&file, &["add", "bob", "--password-file", "/nowhere"], ""),
        66,
        "/nowhere",
    );
    let unknown = user(&file, &["add", "bob", "--scheme", "rot13"], "");
    assert_eq!(unknown.status.code(), Some(64));
    // Never on the command line, where everybody could read it.
    let typed = user(&file, &["add", "bob", "secret"], "");
    assert_eq!(typed.status.code(), Some(64));
    done(
        &file,
        &[
            "add",
            "bob@other.example",
            "--scheme",
            "plain",
            "--password-file",
            "-",
        ],
        "a:b",
    );
    assert_eq!(
        done(&file, &["list"], ""),
        "alice              ARGON2ID\nbob@other.example  PLAIN.B64\n"
    );
    assert_eq!(
        done(&file, &["list", "--json"], ""),
        "[{\"name\":\"alice\",\"scheme\":\"ARGON2ID\",\"fault\":null},\n \
         {\"name\":\"bob@other.example\",\"scheme\":\"PLAIN.B64\",\"fault\":null}]\n"
    );
    assert_eq!(
        fs::read_dir(folder.path()).expect("a folder").count(),
        1,
        "no lock, no draft"
    );
}

#[test]
fn the_file_of_the_store_is_the_one_that_its_server_reads() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    let words = [
        "serve",
        "user",
        "add",
        "zoe",
        "--password-file",
        "-",
        "--store",
    ];
    let output = mailtool(
        &[&words[..], &[store.to_str().expect("UTF-8")]].concat(),
        "zoe's\n",
    );
    assert!(output.status.success(), "{output:?}");
    let server = Server::start_in(folder, &[]);
    let mut imap = Imap::to(server.address("imap"));
    assert!(
        imap.says("LOGIN alice alice").1.starts_with("NO"),
        "the demo accounts are gone"
    );
    assert!(imap.says("LOGIN zoe zoe's").1.starts_with("OK"));
}
