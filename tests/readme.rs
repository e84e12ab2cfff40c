//! README.md is true: each block of commands in it is run, in order, on the built program, and says what is printed there.
//!
//! A block is marked ` ```console ` or ` ```sh `; one marked ` ```make ` is shown and not run; any other is an error.
//!
//! | in a `console` block | |
//! |---|---|
//! | `$ mailtool serve ...` | starts the server that all later commands talk to, in place of the one before; spaces that line up columns do not count |
//! | `$ mailtool serve trace ...`, `queue ...` | is asked again until it says what is written here, for a while |
//! | `$ make ...` | is not run: the Makefile must have these targets |
//! | `$ export NAME=VALUE ...` | holds for all commands after it |
//! | `$ COMMAND` | is run by `sh`, and must succeed unless `$ echo $?` is the next one |
//! | `> TEXT` | is typed into the command; `>` is an empty line |
//! | `...` | any lines, up to the one that follows |
//! | any other | is a line that the command prints, on stdout or stderr; `[..]` in it is any text, and a message's name such as 6B081562-1-1 is that of a real one from where it is printed first |
//!
//! A `sh` block is a script, which `sh -eu` must take to its end. The home folder is `/home/you`, and the default ports are
//! free ones in truth: `mailtool` is found in the path as a script that knows them.

#[path = "support/pattern.rs"]
#[expect(dead_code, reason = "dialogues use more of it")]
mod pattern;
#[path = "support/program.rs"]
mod program;
#[path = "support/tour.rs"]
mod tour;

use std::path::Path;

use tour::{Tour, blocks};

#[test]
fn every_command_block_is_true() {
    let readme = include_str!("../README.md");
    let mut tour = Tour::begin("C.UTF-8");
    tour.follow(readme)
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(tour.commands > 15, "only {} commands", tour.commands);
}

#[test]
fn the_two_commands_come_first() {
    let readme = include_str!("../README.md");
    let blocks = blocks(readme).expect("blocks");
    let lines: Vec<&str> = blocks[0].lines.iter().map(|line| line.1).collect();
    assert_eq!(lines, ["$ make serve", "$ make test"]);
    let before = readme.split("```").next().unwrap_or_default().lines();
    let words: Vec<&str> = before.take_while(|line| !line.contains("```")).collect();
    assert!(words.len() < 10, "what it is takes too long: {words:?}");
}

#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = include_str!("../README.md");
    let links = readme.split("](").skip(1);
    let links: Vec<&str> = links.filter_map(|link| link.split(')').next()).collect();
    assert!(links.len() > 5, "{links:?}");
    for link in links {
        assert!(root.join(link).exists(), "{link}");
    }
}

#[test]
fn what_is_not_true_is_found() {
    for (readme, complaint) in [
        ("```console\n$ echo a b\na c\n```", "README.md:3"),
        ("```console\n$ echo a\n```", "prints more"),
        ("```console\n$ echo a\na\nb\n```", "README.md:4"),
        ("```console\n$ echo a\n...\nb\n```", "README.md:4"),
        ("```console\n$ exit 3\n```", "exit code 3"),
        ("```console\n$ exit 3\n$ echo $?\n4\n```", "README.md:4"),
        ("```console\n$ cat\n> a\nb\n```", "README.md:4"),
        ("```console\n$ make dits\n```", "no target dits"),
        ("```console\n$ make dist\nwell\n```", "is not run"),
        ("```console\necho a\n```", "README.md:2"),
        ("```console\n$ cat\n...\n> a\n```", "README.md:3"),
        ("```sh\nfalse\necho\n```", "README.md:1"),
        ("```\n$ echo a\n```", "README.md:1"),
        ("```console\n$ echo a\na\n", "README.md:1"),
        ("```console\n$ mailtool codes 250\n999\n```", "README.md:3"),
    ] {
        let complained = Tour::begin("C.UTF-8").follow(readme).expect_err(readme);
        assert!(complained.contains(complaint), "{readme}: {complained}");
    }
    let good = "```console\n$ export A=b\n$ read x; echo \"$x\"; echo; echo $A; exit 2\n> x[\nx[\n...\nb\n$ echo $?\n2\n$ make serve\n```\n\
                ```sh\ntrue |\n  cat\n```";
    Tour::begin("C.UTF-8").follow(good).expect("good");
}
