//! `mailtool send` as alice, and a look at what it says.

#![allow(dead_code, reason = "each test uses the part that it needs")]

use std::process::{Command, Output};

use super::program::{MAILTOOL, Server, run, succeeded};

/// Sends to this server.
pub fn send_to(server: &str, words: &[&str]) -> Output {
    let mut command = Command::new(MAILTOOL);
    command
        .args(["send", "--server", server, "--timeout", "20"])
        .args(words)
        .env("MAILTOOL_PASSWORD", "alice")
        .env("LC_ALL", "C.UTF-8");
    run(&mut command, "")
}

/// Sends to a service of ours.
pub fn send(server: &Server, service: &str, words: &[&str]) -> Output {
    send_to(&format!("localhost:{}", server.port(service)), words)
}

pub fn text_of(message: &[u8]) -> String {
    String::from_utf8_lossy(message).into_owned()
}

/// What python3 reads from JSON, evaluated.
pub fn evaluated(json: &str, expression: &str) -> String {
    let script = format!("import json,sys\nit=json.load(sys.stdin)\nprint({expression})");
    let mut python = Command::new("python3");
    succeeded(&run(python.args(["-c", &script]), json))
}
