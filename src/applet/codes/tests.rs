//! The pages word for word, in both languages, and what counts as a word.

use super::*;

const SERVICES: &str = "# comment\nsmtp\t\t25/tcp\t\tmail\nimaps\t\t993/tcp\t\t\t# IMAP over SSL\n";

/// The pages of these words, on a machine with `services` as its `/etc/services`.
fn pages(words: &[&str], lang: Lang, services: Option<&str>) -> String {
    let services = Services::of(services);
    let mut page = Page::new(lang, Style::Plain, &services);
    let (found, unknown) = look_up(words.iter().copied());
    assert_eq!(unknown, Vec::<&str>::new());
    for one in &found {
        page.found(one);
    }
    page.finish()
}

/// The headings that these words lead to.
fn known(words: &[&str]) -> Vec<String> {
    let (found, _) = look_up(words.iter().copied());
    found.into_iter().map(|one| one.word).collect()
}

fn matches(arguments: &[&str]) -> ArgMatches {
    let arguments = ["codes"].iter().chain(arguments);
    command()
        .try_get_matches_from(arguments)
        .expect("a command line that is right")
}
#[test]
fn a_reply_code_in_english() {
    let expected = "\
550  Requested action not taken: mailbox unavailable
     SMTP reply code, RFC 5321 §4.2.3

     5..      refused for good: the same command will fail again
     .5.      the mail system itself: mailboxes, messages, rules
     ..0      which case of that category

  Meaning     The mailbox cannot be used: it does not exist, you may not write
              to it, or a rule of the server refuses the message.
  Who, when   The server, after RCPT (unknown user: 5.1.1; no relaying: 5.7.1),
              or at the end of DATA when a filter refuses.
  What next   Do not send the same again: correct the address, log in with AUTH,
              or ask the recipient's administrator.
";
    assert_eq!(pages(&["550"], Lang::En, Some(SERVICES)), expected);
}

#[test]
fn a_reply_code_in_french() {
    let expected = "\
550  Requested action not taken: mailbox unavailable
     code de réponse SMTP, RFC 5321 §4.2.3

     5..      refus définitif : la même commande échouera encore
     .5.      le système de courrier lui-même : boîtes, messages, règles
     ..0      lequel des cas de cette catégorie

  Sens        La boîte n'est pas utilisable : elle n'existe pas, vous n'avez pas
              le droit d'y écrire, ou une règle du serveur refuse le message.
  Qui, quand  Le serveur, après RCPT (utilisateur inconnu : 5.1.1 ; relais
              refusé : 5.7.1), ou à la fin de DATA quand un filtre refuse.
  Que faire   Ne pas renvoyer la même chose : corriger l'adresse, s'identifier
              avec AUTH, ou s'adresser à l'administrateur du destinataire.
";
    assert_eq!(pages(&["550"], Lang::Fr, Some(SERVICES)), expected);
}

#[test]
fn an_enhanced_status_code_in_english() {
    let expected = "\
5.1.1  Bad destination mailbox address
       enhanced status code (SMTP, delivery reports), RFC 3463 §3.2

     5.x.x    failed for good: the same message will fail again
     x.1.x    an address: the sender's or the recipient's
     x.x.1    which case of that category

  Meaning     There is no such mailbox: what stands before the @ is unknown in
              that domain.
  Who, when   The recipient's server, after RCPT; the most frequent reason of a
              returned message.
  What next   Check the spelling before the @, or ask the person for the
              address.
";
    assert_eq!(pages(&["5.1.1"], Lang::En, Some(SERVICES)), expected);
}

#[test]
fn an_enhanced_status_code_in_french() {
    let expected = "\
4.2.2  Mailbox full
       code d'état étendu (SMTP, rapports de remise), RFC 3463 §3.3

     4.x.x    échec provisoire : le même message peut passer plus tard
     x.2.x    la boîte du destinataire
     x.x.2    lequel des cas de cette catégorie

  Sens        Le destinataire a épuisé la place qui lui est accordée (son
              quota).
  Qui, quand  Le serveur du destinataire, après RCPT ou à la fin de DATA, avec
              452 ou 552.
  Que faire   Le destinataire doit supprimer du courrier ; d'ici là, rien ne
              passera.
";
    assert_eq!(pages(&["4.2.2"], Lang::Fr, Some(SERVICES)), expected);
}

#[test]
fn a_pattern_in_english() {
    let expected = "\
55x  SMTP reply code

     5..      refused for good: the same command will fail again
     .5.      the mail system itself: mailboxes, messages, rules

  550  Requested action not taken: mailbox unavailable
  551  User not local; please try another address
  552  Requested mail action aborted: exceeded storage allocation
  553  Requested action not taken: mailbox name not allowed
  554  Transaction failed
  555  MAIL FROM/RCPT TO parameters not recognized or not implemented
  556  Domain does not accept mail

  `mailtool codes 550` explains one of them.
";
    assert_eq!(pages(&["55x"], Lang::En, Some(SERVICES)), expected);
}

#[test]
fn a_category_in_french() {
    let expected = "\
x1x  code de réponse SMTP

     .1.      un renseignement demandé (état, aide)

  211  System status, or system help reply
  214  Help message

  `mailtool codes 211` en explique un.
";
    assert_eq!(pages(&["x1x"], Lang::Fr, Some(SERVICES)), expected);
}

#[test]
fn statuses_in_english() {
    let expected = "\
NO  NO response
    IMAP status, RFC 9051 §7.1.2

  Meaning     With a tag: the command was understood, but could not be carried
              out. With `*`: a warning.
  Who, when   The server: wrong password, no such mailbox, no right, no room.
  What next   Read the code in brackets and the text; correct what they name,
              then give the command again with a new tag.

-ERR  negative status indicator
      POP3 status indicator, RFC 1939 §3

  Meaning     The command was refused. POP3 has no numbers: the reason is in the
              text, or in a code in brackets after it.
  Who, when   The server: wrong password, no such message, a command at the
              wrong moment or unknown.
  What next   Read the text. After a wrong password, give USER again, then PASS.
              The session goes on.
";
    assert_eq!(pages(&["NO", "-ERR"], Lang::En, Some(SERVICES)), expected);
}

#[test]
fn statuses_in_french() {
    let expected = "\
+OK  positive status indicator
     indicateur d'état POP3, RFC 1939 §3

  Sens        La commande a été exécutée. Le texte qui suit est pour les
              humains, sauf là où la norme lui donne une forme : `+OK 2 320`
              après STAT.
  Qui, quand  Le serveur : à l'accueil, puis après chaque commande réussie.
  Que faire   Après LIST, UIDL, RETR, TOP et CAPA, d'autres lignes suivent,
              jusqu'à une ligne avec un point seul.

BAD  BAD response
     état IMAP, RFC 9051 §7.1.3

  Sens        Le serveur n'a pas compris la ligne, ou la commande n'est pas
              permise dans cet état.
  Qui, quand  Le serveur ; avec `*` quand même l'étiquette est illisible, par
              exemple parce qu'on l'a oubliée.
  Que faire   Vérifier la forme `a1 COMMANDE arguments`, les guillemets et
              parenthèses, et si un SELECT ne manque pas avant.
";
    assert_eq!(pages(&["+OK", "BAD"], Lang::Fr, Some(SERVICES)), expected);
}

#[test]
fn a_response_code_in_french() {
    let expected = "\
[TRYCREATE]  try CREATE
             code de réponse IMAP, RFC 9051 §7.1

  Sens        La boîte cible n'existe pas, mais vous pourriez la créer.
  Qui, quand  Le serveur, avec NO après APPEND, COPY ou MOVE.
  Que faire   Créer la boîte avec CREATE, puis redonner la commande.
";
    assert_eq!(pages(&["[TRYCREATE]"], Lang::Fr, Some(SERVICES)), expected);
}

#[test]
fn a_command_in_english() {
    let expected = "\
RETR  RETR message
      POP3 command, RFC 1939 §5

  Meaning     Sends the whole message. It stays in the mailbox: only DELE marks
              it for deletion.
  Allowed     After the login.
  Example     C: RETR 1
              S: +OK
              S: Subject: hello
              S:
              S: Hello!
              S: .
";
    assert_eq!(pages(&["RETR"], Lang::En, Some(SERVICES)), expected);
}

#[test]
fn a_service_in_english() {
    let expected = "\
smtp  25/tcp
      mail service, RFC 5321 §4.5.4.2

  Meaning     Servers among themselves: an MTA passes mail on to the next one.
  Port        25
  Transport   TCP: mail must arrive whole and in order, which UDP does not
              promise.
  TLS         on request, with STARTTLS
  Here        /etc/services, line 2: smtp 25/tcp mail
";
    assert_eq!(pages(&["smtp"], Lang::En, Some(SERVICES)), expected);
}

#[test]
fn a_service_in_french() {
    let expected = "\
imaps  993/tcp
       service de courrier, RFC 8314 §3.2, RFC 9051 §2.1

  Sens        IMAP, chiffré dès le début.
  Port        993
  Transport   TCP : le courrier doit arriver entier et dans l'ordre, ce que UDP
              ne garantit pas.
  TLS         dès le premier octet (TLS implicite)
  Ici         /etc/services, ligne 3 : imaps 993/tcp
";
    assert_eq!(pages(&["imaps"], Lang::Fr, Some(SERVICES)), expected);
}

#[test]
fn where_services_is_missing_or_silent() {
    let missing = pages(&["pop3s"], Lang::En, None);
    assert!(missing.contains("Here        /etc/services is missing on this machine\n"));
    let silent = pages(&["pop3s"], Lang::Fr, Some(SERVICES));
    assert!(silent.contains("Ici         /etc/services ne le nomme pas\n"));
    assert!(pages(&["lmtp"], Lang::En, None).contains("Port        none of its own"));
}

#[test]
fn a_line_out_of_a_dialogue() {
    assert_eq!(known(&["550 5.7.1 Relaying denied"]), ["550", "5.7.1"]);
    assert_eq!(known(&["250-SIZE 67108864"]), ["250"]);
    // The text of a reply is not looked up: this OK is no status of IMAP.
    assert_eq!(known(&["250 OK"]), ["250"]);
    assert_eq!(known(&["S: 421 4.4.2 timeout"]), ["421", "4.4.2"]);
    assert_eq!(
        known(&["a1 NO [TRYCREATE] No such mailbox"]),
        ["NO", "[TRYCREATE]"]
    );
    assert_eq!(
        known(&["* OK [UIDVALIDITY 7] UIDs valid"]),
        ["*", "OK", "[UIDVALIDITY]"]
    );
    assert_eq!(known(&["* 3 EXISTS"]), ["*", "EXISTS"]);
    let (fetched, _) = look_up(["* 1 FETCH (FLAGS ())"].into_iter());
    assert_eq!(fetched[1].hits.len(), 1, "the data, not the command");
    assert_eq!(known(&["-ERR [IN-USE] locked"]), ["-ERR", "[IN-USE]"]);
    assert_eq!(known(&["MAIL FROM:<alice@example.org>"]), ["MAIL"]);
    assert_eq!(known(&["RCPT", "TO:"]), ["RCPT"]);
    assert_eq!(known(&["5.1.1:"]), ["5.1.1"]);
}

#[test]
fn an_unknown_word_names_the_nearest() {
    let (found, unknown) = look_up(["550", "559", "FROM"].into_iter());
    assert_eq!(found.len(), 1);
    assert_eq!(unknown, ["559", "FROM"]);
    assert_eq!(
        complaint("559", Lang::En),
        "\"559\" is in no table; its digits still say: 5.. refused for good: the same command will fail again; \
         .5. the mail system itself: mailboxes, messages, rules. Nearest: 556, 555, 554"
    );
    assert_eq!(
        complaint("RTER", Lang::Fr),
        "« RTER » ne figure dans aucune table. Les plus proches : RETR, USER, RET"
    );
    assert_eq!(
        complaint("0000", Lang::Fr),
        "« 0000 » ne figure dans aucune table. `mailtool codes` seul montre ce qu'on peut demander"
    );
}

#[test]
fn words_and_options_in_any_order() {
    let matches = matches(&["+OK", "-ERR", "--lang", "fr", "[AUTH]"]);
    assert_eq!(operands(&matches), ["+OK", "-ERR", "[AUTH]"]);
    assert!(matches!(matches.get_one("lang"), Some(Language::Fr)));
    command().debug_assert();
}

#[test]
fn json_holds_the_same() {
    let (found, _) = look_up(["5.1.10", "imaps", "NOOP"].into_iter());
    let text = json::array(&found, Lang::Fr);
    assert!(
        text.starts_with("[\n  {\"query\": \"5.1.10\", \"kind\": \"status\", \"code\": \"X.1.10\"")
    );
    assert!(
        text.contains("\"x.1.x\": \"une adresse : celle de l'expéditeur ou du destinataire\"}")
    );
    assert!(text.contains("\"port\": 993, \"transport\": \"tcp\", \"tls\": \"implicit\""));
    assert!(text.contains("\"example\": \"C: NOOP\\nS: 250 2.0.0 OK\""));
    // NOOP stands in three protocols.
    assert_eq!(text.matches("{\"query\"").count(), 5);
    assert_eq!(json::array(&[], Lang::En), "[]\n");
}

/// No page of any word is wider than a terminal, and colour goes on terminals only.
#[test]
fn every_page_fits() {
    let services = Services::of(Some(SERVICES));
    let words = (2..=5).flat_map(|first| (0..100).map(move |rest| format!("{first}{rest:02}")));
    let statuses =
        (0..8).flat_map(|subject| (0..32).map(move |detail| format!("5.{subject}.{detail}")));
    let others = [
        "5", "x5x", "5.7", "x.x", "AUTH", "LIST", "UID", "lmtp", "smtp", "BAD", "+", "*",
    ];
    let others = others.into_iter().map(str::to_owned);
    for word in words.chain(statuses).chain(others) {
        let Some(found) = find(&word) else { continue };
        for lang in [Lang::En, Lang::Fr] {
            let mut page = Page::new(lang, Style::Plain, &services);
            page.found(&found);
            let text = page.finish();
            assert!(!text.contains('\x1b'));
            for line in text.lines() {
                assert!(line.chars().count() <= 80, "{line}");
                assert_eq!(line, line.trim_end(), "{line}");
            }
        }
    }
    for lang in [Lang::En, Lang::Fr] {
        assert!(
            page::overview(lang)
                .lines()
                .all(|line| line.chars().count() <= 80)
        );
    }
    let mut page = Page::new(Lang::En, Style::Terminal, &services);
    page.found(&find("421").expect("421 is a reply code"));
    assert!(
        page.finish()
            .starts_with("\x1b[1;33m421  Service not available")
    );
}
