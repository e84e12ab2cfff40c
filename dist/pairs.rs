//! `pairs N A [WORD...] -- B [WORD...]`: runs two commands N times each, in turn, and prints the median time of each in
//! microseconds. In turn, so that whatever the machine is doing besides falls on both.

use std::env;
use std::process::{Command, Stdio};
use std::time::Instant;

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let rounds: usize = words[0].parse().expect("a number of rounds");
    let commands: Vec<&[String]> = words[1..].split(|word| word == "--").collect();
    let mut times = vec![Vec::with_capacity(rounds); commands.len()];
    for _ in 0..rounds {
        for (command, times) in commands.iter().zip(&mut times) {
            let begun = Instant::now();
            let status = Command::new(&command[0])
                .args(&command[1..])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .status()
                .expect("a program that starts");
            times.push(begun.elapsed().as_micros());
            assert!(status.success(), "{command:?} failed");
        }
    }
    for times in &mut times {
        times.sort_unstable();
        println!("{}", times[times.len() / 2]);
    }
}
