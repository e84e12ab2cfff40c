//! The little of JSON (RFC 8259) that is written here.

use std::fmt::Write;

/// A string, with its quotes.
///
/// ```
/// use mailtool::wire::json::string;
///
/// assert_eq!(string("a \"b\"\n\u{1b}"), r#""a \"b\"\n\u001b""#);
/// ```
pub fn string(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for letter in text.chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            letter if letter.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(json, "\\u{:04x}", u32::from(letter));
            }
            letter => json.push(letter),
        }
    }
    json.push('"');
    json
}

/// A string, or `null`.
pub fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), string)
}

/// An array of values that are JSON already.
pub fn array(values: &[String]) -> String {
    format!("[{}]", values.join(","))
}

/// An object of fields whose values are JSON already.
pub fn object(fields: &[(&str, String)]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}:{value}", string(name)))
        .collect();
    format!("{{{}}}", fields.join(","))
}
