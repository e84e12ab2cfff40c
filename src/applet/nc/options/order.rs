//! What is wrong with an option by itself.
//!
//! getopt(3) hands options out one after the other, and each of the netcats looks at a value as soon as it gets it: of two that are
//! wrong the first is told, whatever kinds they are; and one that is wrong is told also where another comes later that would count, or
//! where what stands behind it is no option at all, or asks for help. What does not go together is looked at behind them all, in
//! [`Options::of`](super::Options::of).

use crate::applet::nc::complaint::Complaint;
use crate::applet::nc::dialect::Dialect;
use crate::applet::nc::flags::{Id, Takes};
use crate::applet::nc::getopt::CommandLine;
use crate::reactor::resolver::Family;

use super::flow::{Flow, Timing};
use super::sockets::{self, Carrier};
use super::{Surroundings, task};
use super::{exec_count, proxy, refuse_what_is_not_here};

/// Looks at each option.
///
/// # Errors
/// The first whose value makes no sense, in the dialect's words.
pub fn look_in_order(
    dialect: Dialect,
    line: &CommandLine,
    surroundings: &Surroundings<'_>,
) -> Result<(), Complaint> {
    let carrier = Carrier::of(line);
    let mut programs = 0;
    for given in line.given() {
        if given.flag.takes == Takes::Nothing {
            continue;
        }
        let one = CommandLine::of(given);
        if given.flag.id != Id::LuaExec {
            refuse_what_is_not_here(&one)?;
        }
        Timing::of(dialect, &one)?;
        Flow::of(dialect, &one)?;
        // ncat has hops with -4 only, which may come later.
        sockets::settings(dialect, &one, Family::V4, surroundings)?;
        proxy::protocols_of_letter(&one)?;
        proxy::lookup(&one)?;
        programs += exec_count(&one);
        match dialect {
            Dialect::OpenBsd => {}
            Dialect::Ncat if programs > 1 => return Err(Complaint::refused(task::ONE_PROGRAM)),
            Dialect::Ncat | Dialect::Traditional => {
                let port = one.text(Id::SourcePort);
                let ports = task::port_reader(dialect, carrier, surroundings);
                port.map(|port| ports.local(&port)).transpose()?;
            }
        }
    }
    Ok(())
}
