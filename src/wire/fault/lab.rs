//! The eleven faults of the lab (`man/mailtool-lab.7`): each is asked for by its number, so that who is to find out what is wrong is not told
//! before by the rule.

use super::{Rule, RuleError};

/// What a fault of the lab is asked for with, before its number.
pub const PREFIX: &str = "lab:";

/// Their rules, from number 1 on.
pub const LAB: [&[&str]; 11] = [
    &["any connect delay=5s"],
    &["smtp connect reply=421 4.3.2 Down for maintenance, try again later"],
    &["smtp rcpt greylist=3s"],
    &["any any hide=STARTTLS,STLS"],
    &["any tls tls=expired"],
    &["smtp message full"],
    &["smtp text drop after=100"],
    &["smtp message drop after=0"],
    &["pop3 login reply=-ERR [IN-USE] Another program has this mailbox open"],
    &["pop3 stat count=+1", "pop3 list count=+1"],
    &["imap fetch short=20"],
];

/// The rules that `text` stands for: those of the lab for `lab:3`, else the one that it is.
///
/// # Errors
/// It is no rule, or the lab has no such number.
///
/// ```
/// let rules = mailtool::wire::fault::lab::rules("lab:10").unwrap();
/// assert_eq!(rules.len(), 2);
/// assert_eq!(rules[0].lab, Some(10));
/// ```
pub fn rules(text: &str) -> Result<Vec<Rule>, RuleError> {
    let Some(number) = text.trim().strip_prefix(PREFIX) else {
        return Ok(vec![text.parse()?]);
    };
    let number: usize = number.parse().unwrap_or(0);
    let Some(texts) = number.checked_sub(1).and_then(|at| LAB.get(at)) else {
        return Err(RuleError {
            word: text.trim().to_owned(),
            advice: format!("the lab has faults {PREFIX}1 to {PREFIX}{}", LAB.len()),
        });
    };
    let rule = |text: &&str| {
        let rule: Rule = text.parse()?;
        Ok(Rule {
            lab: Some(number),
            ..rule
        })
    };
    texts.iter().map(rule).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_them_is_a_rule() {
        for number in 1..=LAB.len() {
            let rules = rules(&format!(" {PREFIX}{number}")).expect("a rule");
            assert!(!rules.is_empty());
            assert!(rules.iter().all(|rule| rule.lab == Some(number)));
        }
        for wrong in ["lab:0", "lab:12", "lab:", "lab:x", "lab:-1"] {
            let error = rules(wrong).expect_err(wrong).to_string();
            assert!(error.contains("lab:1 to lab:11"), "{error}");
        }
        let one = rules("smtp rcpt drop").expect("a rule");
        assert_eq!((one.len(), one[0].lab), (1, None));
        assert!(rules("smtp rctp drop").is_err());
    }
}
