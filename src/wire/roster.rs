//! The list of a class, as a spreadsheet writes it: who the students are, and how they log in.
//!
//! Fields are parted by `;`, `,` or tabs (whichever the first line has most), may stand in `"`, and are UTF-8, with or without a byte
//! order mark, or else Latin-1. A first row that names its columns, in English or French, is used; without one they are name, login,
//! password, group, mail, in this order. Where no login is given it is made from the mail address, else from the name.
//!
//! Invariant: a [`Student`]'s login can be an account's, no two have the same, and no field holds a control character.

use std::collections::HashSet;
use std::fmt;

use crate::limits;

/// Somebody in the class.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Student {
    /// What logs in, in lower case.
    pub login: String,
    /// `None`: one is to be made.
    pub password: Option<String>,
    /// As people say it; may be empty.
    pub name: String,
    /// May be empty.
    pub group: String,
    /// Where else mail reaches the student; may be empty.
    pub mail: String,
}

/// Without the password.
impl fmt::Debug for Student {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:******** ({})", self.login, self.name)
    }
}

/// What is wrong with a list, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterError {
    /// Counts from 1.
    pub line: usize,
    /// What would be right.
    pub why: String,
}

impl fmt::Display for RosterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for RosterError {}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    FirstName,
    Login,
    Password,
    Group,
    Mail,
    Other,
}

/// Reads a list.
///
/// # Errors
/// The first line that cannot be a student's; a list of nobody.
///
/// ```
/// use mailtool::wire::roster::parse;
///
/// let class = parse("nom;identifiant;groupe\nZoé Martin;;TP1\n".as_bytes()).unwrap();
/// assert_eq!((class[0].login.as_str(), class[0].group.as_str()), ("zoe.martin", "TP1"));
/// ```
pub fn parse(octets: &[u8]) -> Result<Vec<Student>, RosterError> {
    let text = decoded(octets);
    let rows = rows(&text)?;
    let Some((_, first)) = rows.first() else {
        return Err(error(1, "nobody is in the list"));
    };
    let named: Vec<Column> = first.iter().map(|title| column(title)).collect();
    let has_titles = named.iter().any(|column| *column != Column::Other);
    let columns = if has_titles {
        named
    } else {
        vec![
            Column::Name,
            Column::Login,
            Column::Password,
            Column::Group,
            Column::Mail,
        ]
    };
    let mut class: Vec<Student> = Vec::new();
    let mut made: Vec<usize> = Vec::new();
    let mut taken: HashSet<String> = HashSet::new();
    for (line, row) in rows.iter().skip(usize::from(has_titles)) {
        let student = student(*line, row, &columns)?;
        let is_made = !columns
            .iter()
            .zip(row)
            .any(|(column, field)| *column == Column::Login && !field.is_empty());
        if is_made {
            made.push(class.len());
        } else if !taken.insert(student.login.clone()) {
            return Err(error(
                *line,
                &format!("{} is somebody else's login already", student.login),
            ));
        }
        class.push(student);
        if class.len() > limits::CLASS {
            return Err(error(
                *line,
                &format!("a class has {} students at most", limits::CLASS),
            ));
        }
    }
    for at in made {
        // Logins that are given win over those that are made.
        let wished = class[at].login.clone();
        let mut number = 2;
        while !taken.insert(class[at].login.clone()) {
            class[at].login = format!("{wished}{number}");
            number += 1;
        }
    }
    if class.is_empty() {
        return Err(error(1, "nobody is in the list"));
    }
    Ok(class)
}

fn student(line: usize, row: &[String], columns: &[Column]) -> Result<Student, RosterError> {
    let mut student = Student::default();
    let mut first_name = "";
    for (column, field) in columns.iter().zip(row) {
        if field.chars().any(char::is_control) {
            return Err(error(line, "a field has a control character"));
        }
        match column {
            Column::Name => student.name.clone_from(field),
            Column::FirstName => first_name = field,
            Column::Login => student.login = field.to_lowercase(),
            Column::Password => {
                student.password = Some(field.clone()).filter(|one| !one.is_empty())
            }
            Column::Group => student.group.clone_from(field),
            Column::Mail => student.mail.clone_from(field),
            Column::Other => {}
        }
    }
    if !first_name.is_empty() {
        student.name = format!("{first_name} {}", student.name).trim().to_owned();
    }
    if student.login.is_empty() {
        let of_mail = student.mail.split('@').next().unwrap_or_default();
        let source = if of_mail.is_empty() {
            &student.name
        } else {
            of_mail
        };
        student.login = folded(source);
    }
    let is_login = |login: &str| {
        login.len() <= limits::CLASS_LOGIN
            && login.starts_with(|letter: char| letter.is_ascii_alphanumeric())
            && !login.ends_with('.')
            && !login.contains("..")
            && login
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || b"._-".contains(&octet))
    };
    if !is_login(&student.login) {
        let why = format!(
            "{:?} cannot be a login: give one of letters a to z, digits, dots, - and _, of {} at most",
            student.login,
            limits::CLASS_LOGIN
        );
        return Err(error(line, &why));
    }
    Ok(student)
}

/// `Zoé Martin` as `zoe.martin`.
fn folded(name: &str) -> String {
    let mut login = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        let plain = match letter {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => "a",
            'æ' => "ae",
            'ç' | 'č' | 'ć' => "c",
            'è' | 'é' | 'ê' | 'ë' | 'ě' | 'ę' => "e",
            'ì' | 'í' | 'î' | 'ï' => "i",
            'ł' => "l",
            'ñ' | 'ń' => "n",
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => "o",
            'œ' => "oe",
            'ß' => "ss",
            'š' | 'ş' | 'ś' => "s",
            'ù' | 'ú' | 'û' | 'ü' => "u",
            'ý' | 'ÿ' => "y",
            'ž' | 'ź' | 'ż' => "z",
            _ => "",
        };
        if letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_') {
            login.push(letter);
        } else if !plain.is_empty() {
            login.push_str(plain);
        } else if (letter.is_whitespace() || letter == '.') && !login.ends_with('.') {
            login.push('.');
        }
    }
    login.trim_matches(['.', '-']).to_owned()
}

/// What the title of a column means.
fn column(title: &str) -> Column {
    let title = title.to_lowercase();
    match title.as_str() {
        "name" | "nom" | "full name" | "nom complet" | "student" | "élève" | "étudiant"
        | "last name" | "surname" | "nom de famille" => Column::Name,
        "first name" | "firstname" | "prénom" | "prenom" => Column::FirstName,
        "login" | "identifiant" | "user" | "username" | "user name" | "utilisateur" | "compte"
        | "account" | "id" => Column::Login,
        "password" | "mot de passe" | "motdepasse" | "mdp" => Column::Password,
        "group" | "groupe" | "class" | "classe" => Column::Group,
        "mail" | "email" | "e-mail" | "courriel" | "adresse" | "address" | "mél" => Column::Mail,
        _ => Column::Other,
    }
}

fn decoded(octets: &[u8]) -> String {
    let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    match std::str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        Err(_) => octets.iter().copied().map(char::from).collect(),
    }
}

/// The rows that are not empty, each with the number of its line; fields trimmed.
fn rows(text: &str) -> Result<Vec<(usize, Vec<String>)>, RosterError> {
    let first = text.lines().find(|line| !line.trim().is_empty());
    let count = |mark: char| first.unwrap_or_default().matches(mark).count();
    // The last of equals wins: a semicolon, as Excel has it in French.
    let mark = [',', '\t', ';']
        .into_iter()
        .max_by_key(|mark| count(*mark))
        .unwrap_or(';');
    let mut rows = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let number = at + 1;
        let mut fields = vec![String::new()];
        let (mut quoted, mut letters) = (false, line.chars().peekable());
        while let Some(letter) = letters.next() {
            let field = fields.len() - 1;
            match letter {
                '"' if quoted && letters.peek() == Some(&'"') => {
                    letters.next();
                    fields[field].push('"');
                }
                '"' if quoted => quoted = false,
                '"' if fields[field].trim().is_empty() => {
                    quoted = true;
                    fields[field].clear();
                }
                letter if letter == mark && !quoted => fields.push(String::new()),
                letter => fields[field].push(letter),
            }
        }
        if quoted {
            return Err(error(number, "a quoted field does not end in its line"));
        }
        for field in &mut fields {
            *field = field.trim().to_owned();
        }
        if fields.iter().any(|field| !field.is_empty()) {
            rows.push((number, fields));
        }
    }
    Ok(rows)
}

fn error(line: usize, why: &str) -> RosterError {
    RosterError {
        line,
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(octets: &[u8]) -> Vec<String> {
        let class = parse(octets).expect("a class");
        let line = |student: &Student| {
            format!(
                "{}|{}|{}|{}|{}",
                student.login,
                student.password.as_deref().unwrap_or("-"),
                student.name,
                student.group,
                student.mail
            )
        };
        class.iter().map(line).collect()
    }

    #[test]
    fn a_spreadsheet_is_read_as_french_or_english_excel_writes_it() {
        assert_eq!(
            shown("\u{feff}Nom;Prénom;Identifiant;Mot de passe;Groupe\r\nMartin;Zoé;;;TP1\r\nDupont;Luc;LDupont;p:w;TP2\r\n".as_bytes()),
            ["zoe.martin|-|Zoé Martin|TP1|", "ldupont|p:w|Luc Dupont|TP2|"]
        );
        assert_eq!(
            shown(b"name,login,password\n\"O'Neil, Ann\",ann,\"se\"\"cret,1\"\n"),
            ["ann|se\"cret,1|O'Neil, Ann||"]
        );
        assert_eq!(
            shown(b"mail\tgroup\nann@school.example\tA\n"),
            ["ann|-||A|ann@school.example"]
        );
        assert_eq!(
            shown(b"Zo\xe9 M\nZoe M\n"),
            ["zoe.m|-|Zo\u{e9} M||", "zoe.m2|-|Zoe M||"]
        );
    }

    #[test]
    fn a_made_login_never_takes_what_was_given() {
        assert_eq!(
            shown(b"name;login\nAnn B;\nOther;ann.b\n"),
            ["ann.b2|-|Ann B||", "ann.b|-|Other||"]
        );
    }

    #[test]
    fn what_cannot_be_is_told_with_its_line() {
        for (text, line, why) in [
            ("login\nann\nann\n", 3, "somebody else's"),
            ("login\n../x\n", 2, "cannot be a login"),
            ("name;login\n;\n\"x;y\n", 3, "does not end"),
            ("name;login\n", 1, "nobody"),
            ("", 1, "nobody"),
            ("name\n???\n", 2, "cannot be a login"),
        ] {
            let error = parse(text.as_bytes()).expect_err(text);
            assert!(
                error.line == line && error.why.contains(why),
                "{text:?}: {error}"
            );
        }
    }
}
