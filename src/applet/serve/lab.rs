//! `--lab-chain N`: servers for `mta1.lab` to `mtaN.lab` in one program, each with ports, accounts and a store of its own, and mail
//! between them goes from one to the next, as it would over the Internet.
//!
//! Nothing leaves the lab: mail for any other domain goes back.

use std::fmt::Write;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;

use anyhow::{Context, anyhow, bail};

use super::faults;
use super::options::{Endpoint, Options};
use super::protocols::Protocol;
use super::ready::Waiting;
use super::site::Site;
use crate::applet::evidence::is_folder;
use crate::applet::print;
use crate::proto::control::Journal;
use crate::proto::smtp::dispatch::policy::{Dialect, Goal, Pattern, Place, Route, Way};
use crate::wire::codes::Lang;

/// Serves until SIGINT or SIGTERM.
pub(super) fn run(
    options: &Options,
    count: u16,
    place: &Path,
    waiting: Waiting,
) -> anyhow::Result<u8> {
    if !options.domain.is_empty() || options.hostname.is_some() {
        bail!(
            "--lab-chain names its servers itself, mta1.lab and so on: leave --domain and --hostname out"
        );
    }
    let journal = Journal::default();
    let mut servers = Vec::new();
    // One after the other, so that the first mistake is the one that is told.
    for number in 1..=count {
        let options = options_of(options, number)?;
        let place = place.join(format!("mta{number}"));
        servers.push(Server::open(options, place, journal.clone(), number)?);
    }
    let addresses: Vec<SocketAddr> = servers
        .iter()
        .filter_map(|server| server.face.smtp)
        .collect();
    if addresses.len() != servers.len() {
        bail!(
            "in a lab chain each server takes mail by SMTP over TCP: leave --smtp out, or give 0 for free ports"
        );
    }
    let faces: Vec<&Face> = servers.iter().map(|server| &server.face).collect();
    // The screen is for people; a reader who left does not stop the server.
    let lang = crate::applet::lang();
    let _ = print(&screen(&faces, place, lang));
    let _ = print(&faults::shown(&options.faults.faults()?, &[], lang));
    let listening: Vec<_> = faces
        .iter()
        .map(|face| (face.hostname.as_str(), face.listening.as_slice()))
        .collect();
    waiting.tell_each(&listening)?;
    for (index, server) in servers.iter().enumerate() {
        // One that has ended says why below.
        let _ = server.begin.send(routes(index, &addresses));
    }
    for server in servers {
        match server.thread.join() {
            Ok(result) => result?,
            Err(_) => bail!("a server of the lab ended early: a bug"),
        }
    }
    Ok(0)
}

/// A server in a thread of its own, where its loop stays: nothing in it is for two threads.
struct Server {
    face: Face,
    begin: Sender<Vec<Route>>,
    thread: JoinHandle<anyhow::Result<()>>,
}

/// What the others see of it.
struct Face {
    hostname: String,
    smtp: Option<SocketAddr>,
    listening: Vec<(Protocol, Endpoint)>,
}

impl Server {
    fn open(
        options: Options,
        place: PathBuf,
        journal: Journal,
        number: u16,
    ) -> anyhow::Result<Self> {
        let (begin, begun) = mpsc::channel();
        let (show, shown) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name(format!("mta{number}.lab"))
            .spawn(move || {
                // No two messages of the lab have the same name: it has the connection's number in it.
                let first = u64::from(number) * 100_000 + 1;
                let site = Site::open(&options, &place, journal, first)?;
                let face = Face {
                    hostname: site.hostname.clone(),
                    smtp: site.smtp(),
                    listening: site.listening.clone(),
                };
                // Without a reader the program is about to end.
                let _ = show.send(face);
                match begun.recv() {
                    Ok(routes) => site.run(routes),
                    Err(_) => Ok(()),
                }
            })
            .context("the system gives no thread")?;
        if let Ok(face) = shown.recv() {
            return Ok(Self {
                face,
                begin,
                thread,
            });
        }
        let why = match thread.join() {
            Ok(Err(error)) => error,
            Ok(Ok(())) | Err(_) => anyhow!("it ended early: a bug"),
        };
        Err(why.context(format!("mta{number}.lab")))
    }
}

/// The options of one of them.
fn options_of(options: &Options, number: u16) -> anyhow::Result<Options> {
    let mut own = options.clone();
    let name = format!("mta{number}.lab");
    own.domain = vec![name.parse().map_err(anyhow::Error::msg)?];
    own.relay = options.relay.in_lab(Vec::new());
    own.evidence = options.evidence.in_lab(number);
    own.pcap = options.pcap.as_ref().map(|path| {
        if is_folder(path) {
            return path.join(format!("mta{number}"));
        }
        // One file has one writer.
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let kind = path.extension().unwrap_or_default().to_string_lossy();
        path.with_file_name(format!("{stem}-mta{number}.{kind}"))
    });
    if let Some(folder) = own
        .pcap
        .as_ref()
        .filter(|_| options.pcap.as_deref().is_some_and(is_folder))
    {
        let mut making = std::fs::DirBuilder::new();
        making.recursive(true).mode(0o700).create(folder)?;
    }
    let fields = [
        (Protocol::Smtp, &mut own.smtp),
        (Protocol::Submission, &mut own.submission),
        (Protocol::Smtps, &mut own.smtps),
        (Protocol::Pop3, &mut own.pop3),
        (Protocol::Pop3s, &mut own.pop3s),
        (Protocol::Imap, &mut own.imap),
        (Protocol::Imaps, &mut own.imaps),
    ];
    for (protocol, field) in fields {
        if field.is_empty()
            && let Some(port) = protocol.port(true)
        {
            // mta2.lab has 2025, 2587, 2143 ...: easy to remember, and none needs root.
            field.push(Endpoint::Port(number * 1000 + port));
        }
    }
    Ok(own)
}

/// Where mail goes from the server of this index: towards its domain, one step at a time.
fn routes(index: usize, addresses: &[SocketAddr]) -> Vec<Route> {
    let to = |address: &SocketAddr| {
        Goal::Host(Arc::new(Way {
            place: Place::Address(*address),
            dialect: Dialect::Smtp,
            login: None,
        }))
    };
    let mut routes = vec![Route {
        pattern: Pattern::All,
        goal: Goal::Nowhere,
    }];
    for other in 0..addresses.len() {
        let step = match other.cmp(&index) {
            std::cmp::Ordering::Equal => continue,
            std::cmp::Ordering::Less => index - 1,
            std::cmp::Ordering::Greater => index + 1,
        };
        routes.push(Route {
            pattern: Pattern::Exactly(format!("mta{}.lab", other + 1)),
            goal: to(&addresses[step]),
        });
    }
    routes
}

/// What is said when all are ready: a table of ports, and what to try.
fn screen(sites: &[&Face], place: &Path, lang: Lang) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let last = sites.len();
    let mut page = match lang {
        Lang::En => format!("mailtool {version} - a chain of {last} mail servers\n\n"),
        Lang::Fr => format!("mailtool {version} - une chaîne de {last} serveurs de courrier\n\n"),
    };
    page += &table(sites);
    let smtp = sites.first().and_then(|face| face.smtp);
    let smtp = smtp.map_or_else(String::new, |address| address.to_string());
    let store = place.display();
    let [accounts, mail, task, id, stop] = match lang {
        Lang::En => [
            "Each has alice and bob, whose passwords are their names (or --user, --users).",
            "Mail is in",
            "Send a message through all of them, and see which way it went",
            "ID: what the first one called it in its reply",
            "Ctrl-C stops them.",
        ],
        Lang::Fr => [
            "Chacun a alice et bob, leur nom pour mot de passe (ou --user, --users).",
            "Courrier",
            "Envoyer un message à travers tous, et voir son chemin",
            "ID : le nom que le premier lui donne dans sa réponse",
            "Ctrl-C les arrête.",
        ],
    };
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "\n{accounts}\n{mail:<13}{store}/mta1 ... mta{last}\n\n\
         {task}\n  \
         mailtool send --server {smtp} --from alice@mta1.lab \\\n      --to bob@mta{last}.lab --subject hello --body hello\n  \
         mailtool serve trace ID --store {store}\n  ({id})\n\n\
         {stop}\n",
    );
    page
}

/// What listens where: a line for each server, a column for each protocol; ports alone where all is on one address.
fn table(sites: &[&Face]) -> String {
    let mut addresses = sites
        .iter()
        .flat_map(|site| &site.listening)
        .map(|(_, endpoint)| match endpoint {
            Endpoint::Tcp(address) => Some(address.ip()),
            _ => None,
        });
    let first = addresses.next().flatten();
    let common = first.filter(|first| addresses.all(|other| other == Some(*first)));
    let mut rows = vec![vec![
        common.map_or_else(String::new, |address| address.to_string()),
    ]];
    rows[0].extend(Protocol::ALL.map(|protocol| protocol.name().to_owned()));
    for site in sites {
        let mut row = vec![site.hostname.clone()];
        row.extend(Protocol::ALL.map(|protocol| {
            let own = site.listening.iter().filter(|(one, _)| *one == protocol);
            let own = own.map(|(_, endpoint)| match (endpoint, common) {
                (Endpoint::Tcp(address), Some(_)) => address.port().to_string(),
                (endpoint, _) => endpoint.to_string(),
            });
            own.collect::<Vec<_>>().join(",")
        }));
        rows.push(row);
    }
    let used: Vec<usize> = (0..rows[0].len())
        .filter(|&column| column == 0 || rows[1..].iter().any(|row| !row[column].is_empty()))
        .collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].len())
            .max()
            .unwrap_or_default()
    };
    let mut table = String::new();
    for row in &rows {
        let cells: Vec<String> = used
            .iter()
            .map(|&column| format!("{:<1$}", row[column], width(column)))
            .collect();
        // Writing to a string cannot fail.
        let _ = writeln!(table, "  {}", cells.join("  ").trim_end());
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_goes_one_step_towards_its_domain_and_never_out() {
        let addresses: Vec<SocketAddr> = (1..=4)
            .map(|number| format!("127.0.0.1:{number}025").parse().unwrap())
            .collect();
        let shown: Vec<String> = routes(1, &addresses)
            .iter()
            .map(|route| match (&route.pattern, &route.goal) {
                (Pattern::All, Goal::Nowhere) => "* nowhere".to_owned(),
                (Pattern::Exactly(name), Goal::Host(way)) => format!("{name} {way}"),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            shown,
            [
                "* nowhere",
                "mta1.lab 127.0.0.1:1025",
                "mta3.lab 127.0.0.1:3025",
                "mta4.lab 127.0.0.1:3025",
            ]
        );
    }

    #[test]
    fn the_table_has_what_listens_and_fits_a_terminal() {
        let face = |number: u16| Face {
            hostname: format!("mta{number}.lab"),
            smtp: None,
            listening: [
                Protocol::Smtp,
                Protocol::Submission,
                Protocol::Smtps,
                Protocol::Pop3,
                Protocol::Pop3s,
                Protocol::Imap,
                Protocol::Imaps,
            ]
            .map(|protocol| {
                let port = number * 1000 + protocol.port(true).unwrap();
                (protocol, Endpoint::Tcp(([127, 0, 0, 1], port).into()))
            })
            .into(),
        };
        let (first, tenth) = (face(1), face(10));
        assert_eq!(
            table(&[&first, &tenth]),
            "  127.0.0.1  smtp   submission  smtps  pop3   pop3s  imap   imaps\n  \
               mta1.lab   1025   1587        1465   1110   1995   1143   1993\n  \
               mta10.lab  10025  10587       10465  10110  10995  10143  10993\n"
        );
        let elsewhere = Face {
            listening: vec![(Protocol::Smtp, Endpoint::Tcp(([127, 0, 0, 2], 25).into()))],
            ..face(2)
        };
        assert!(table(&[&first, &elsewhere]).contains("  mta2.lab  127.0.0.2:25\n"));
        let french = screen(&[&first, &tenth], Path::new("/tmp/x"), Lang::Fr);
        assert!(
            french.contains("une chaîne de 2 serveurs") && french.contains("--to bob@mta2.lab"),
            "{french}"
        );
    }

    #[test]
    fn each_has_ports_of_its_own() {
        let own = options_of(&Options::default(), 3).unwrap();
        assert_eq!(
            own.endpoints(Protocol::Smtp)[0].to_string(),
            "127.0.0.1:3025"
        );
        assert_eq!(
            own.endpoints(Protocol::Imaps)[0].to_string(),
            "127.0.0.1:3993"
        );
        assert!(own.relay.is_on());
    }
}
