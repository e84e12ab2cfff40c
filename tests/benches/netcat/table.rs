//! How it is told.

use super::*;

/// What is asked of ours, which is the first.
#[derive(Clone, Copy)]
pub(super) enum Asked {
    /// At least so many times the highest of the others.
    Least(f64),
    /// At most so many times the lowest of the others.
    Most(f64),
    /// At most so many times this one's.
    MostOf(&'static str, f64),
}

pub(super) fn table(netcats: &[Netcat], unit: impl Display, values: &[f64], asked: Asked) {
    let ours = values[0];
    println!("  {:<16} {unit:>18}  {:>14}", "", "ours is");
    for (netcat, value) in netcats.iter().zip(values) {
        println!(
            "  {:<16} {value:>18.3}  {:>8.2} times it",
            netcat.name,
            ours / value
        );
    }
    let others = || values[1..].iter().copied();
    let (bound, words) = match asked {
        Asked::Least(times) => (
            others().reduce(f64::max),
            format!("at least {times} times the best"),
        ),
        Asked::Most(times) => (
            others().reduce(f64::min),
            format!("at most {times} times the best"),
        ),
        Asked::MostOf(name, times) => {
            let at = netcats.iter().position(|netcat| netcat.name == name);
            (
                at.map(|at| values[at]),
                format!("at most {times} times that of {name}"),
            )
        }
    };
    let Some(bound) = bound else {
        println!("  asked: {words}: nobody is here to compare with");
        return;
    };
    let ratio = ours / bound;
    let passes = match asked {
        Asked::Least(times) => ratio >= times,
        Asked::Most(times) | Asked::MostOf(_, times) => ratio <= times,
    };
    let verdict = if passes { "pass" } else { "below" };
    println!("  asked: {words}; it is {ratio:.2} times: {verdict}");
}

pub(super) fn medians(values: Vec<Vec<f64>>) -> Vec<f64> {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    values.into_iter().map(median).collect()
}

pub(super) fn gib(octets: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "to be shown")]
    let octets = octets as f64;
    #[expect(clippy::cast_precision_loss, reason = "a power of two")]
    let gib = GIB as f64;
    octets / gib
}

pub(super) fn shown(octets: u64) -> String {
    format!("{} GiB", gib(octets))
}
