//! `mailtool` itself in French: the overview, and what is about all applets.

use super::{ABOUT, AFTER, Table, USAGE};

pub(super) const TABLE: Table = &[
    (
        ABOUT,
        "Le courrier sur un PC : un serveur local, un netcat qui connaît le courrier, des clients, et des explications",
    ),
    (
        USAGE,
        "mailtool APPLET [ARGUMENT]...\n              mailtool help APPLET\n              mailtool --install [-s] DIR",
    ),
    (
        AFTER,
        "Un lien vers ce programme qui porte le nom d'un applet agit comme cet applet.\n\nExemples :\n  \
         mailtool serve                     un serveur de courrier sur ce PC\n  \
         mailtool nc 127.0.0.1 1025         lui parler à la main\n  \
         mailtool codes 550 5.1.1           qu'a-t-il dit ?\n  \
         mailtool --install -s ~/bin        des liens : ~/bin/nc, ~/bin/sendmail ...",
    ),
    ("list", "Nommer les applets, un par ligne"),
    (
        "install",
        "Faire dans DIR un lien pour chaque nom de chaque applet",
    ),
    ("s", "Avec --install : des liens symboliques et non durs"),
    ("force", "Avec --install : remplacer ce qui est là"),
    ("version", "Afficher la version"),
    ("@help", "Les options d'un applet"),
    (
        "@man",
        "La page de manuel d'un applet, ou du `lab` : à lire sur un terminal, sinon en roff",
    ),
    (
        "@completions",
        "Un script qui complète les commandes, pour un shell",
    ),
    ("help.APPLET", "L'un des applets"),
    ("man.APPLET", "L'un des applets, ou lab"),
    (
        "man.lang",
        "Langue de la page [par défaut : celle de LC_ALL, LC_MESSAGES, LANG]",
    ),
    ("man.text", "En texte simple, pour une machine sans man"),
    ("completions.SHELL", "bash, zsh, fish, elvish ou powershell"),
    // The applets in a line each.
    (
        "+serve",
        "un serveur de courrier local : SMTP, dépôt, LMTP, POP3, IMAP",
    ),
    (
        "+nc",
        "lire et écrire sur le réseau, sonder des ports, parler aux serveurs",
    ),
    ("+send", "envoyer un message par SMTP"),
    ("+pop", "lire une boîte par POP3"),
    ("+imap", "lire et tenir des boîtes par IMAP"),
    ("+mailq", "ce qui est dans la file d'un serveur en marche"),
    (
        "+codes",
        "expliquer codes de réponse, états, commandes et ports",
    ),
];
