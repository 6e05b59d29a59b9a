//! Takes secrets out of text: by known value, by the name of a key, by their place in a URL or header.

use serde_json::Value;

const HIDDEN: &str = "[redacted]";
/// Parts of names whose values nobody should see.
const NAMES: [&str; 8] =
    ["password", "passwd", "secret", "token", "apikey", "api_key", "api-key", "authorization"];

/// Knows what must not be seen.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    words: Vec<String>,
}

impl Redactor {
    /// A redactor that hides these words too.
    pub(super) fn without<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut redactor = self.clone();
        let words = words.into_iter().filter(|word| !word.is_empty());
        redactor.words.extend(words.map(str::to_owned));
        redactor
    }

    /// The text without secrets.
    pub(crate) fn clean(&self, text: &str) -> String {
        let lines: Vec<_> = self.clean_known(text).split('\n').map(clean_pairs).collect();
        lines.join("\n")
    }

    /// The text without the secrets that are known, and those in URLs: for people, who must be able
    /// to read what a value is called.
    pub(crate) fn clean_known(&self, text: &str) -> String {
        let known =
            self.words.iter().fold(text.to_owned(), |text, word| text.replace(word, HIDDEN));
        let lines: Vec<_> = known.split('\n').map(clean_urls).collect();
        lines.join("\n")
    }

    /// Cleans every text of a document, and hides values by their keys.
    pub(super) fn clean_document(&self, document: &mut Value) {
        match document {
            Value::String(text) => *text = self.clean(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean_document(item)),
            Value::Object(fields) => {
                // `{name: POSTGRES_PASSWORD, value: x}` is how pods write their environment.
                let named = fields.get("name").and_then(Value::as_str).is_some_and(is_secret);
                for (key, value) in fields {
                    if value.is_string() && (is_secret(key) || named && key == "value") {
                        *value = Value::String(HIDDEN.to_owned());
                    } else {
                        self.clean_document(value);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    // "secretName" and "tokens_used" name things, they are none.
    let harmless = name.ends_with("name")
        || name.ends_with("key")
            && !["apikey", "api_key", "api-key"].iter().any(|key| name.ends_with(key))
        || name.contains("tokens");
    !harmless && NAMES.iter().any(|secret| name.contains(secret))
}

/// `scheme://user:password@host` without the password.
fn clean_urls(line: &str) -> String {
    let mut rest = line;
    let mut clean = String::with_capacity(line.len());
    while let Some((before, after)) = rest.split_once("://") {
        clean.push_str(before);
        clean.push_str("://");
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '?'))
            .unwrap_or(after.len());
        let (authority, remainder) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((userinfo, host)) => {
                let user = userinfo.split(':').next().unwrap_or_default();
                for part in [user, ":", HIDDEN, "@", host] {
                    clean.push_str(part);
                }
            }
            None => clean.push_str(authority),
        }
        rest = remainder;
    }
    clean.push_str(rest);
    clean
}

/// `password=x`, `"token": "x"`, `Authorization: Bearer x` without the x.
fn clean_pairs(line: &str) -> String {
    let mut clean = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['=', ':']) {
        let (before, after) = rest.split_at(at);
        let name = before
            .trim_end_matches(['"', '\'', ' '])
            .rsplit(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))
            .next()
            .unwrap_or_default();
        clean.push_str(before);
        clean.push_str(&after[..1]);
        rest = &after[1..];
        if !is_secret(name) {
            continue;
        }
        let start = rest.len() - rest.trim_start_matches([' ', '"', '\'']).len();
        clean.push_str(&rest[..start]);
        rest = &rest[start..];
        let header = name.eq_ignore_ascii_case("authorization");
        let mut escaped = false;
        let end = rest
            .find(|c: char| {
                let plain = !escaped;
                escaped = plain && c == '\\';
                let ends = matches!(c, '"' | '\'' | ',' | ';' | '&' | '}');
                plain && (ends || c.is_whitespace() && !header)
            })
            .unwrap_or(rest.len());
        if end > 0 {
            clean.push_str(HIDDEN);
        }
        rest = &rest[end..];
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn clean(text: &str) -> String {
        Redactor::default().without(["hunter2"]).clean(text)
    }

    #[test]
    fn known_words_are_hidden_everywhere() {
        assert_eq!(clean("login with hunter2 failed"), "login with [redacted] failed");
    }

    #[test]
    fn a_url_keeps_its_user_and_host() {
        assert_eq!(
            clean("connect postgres://slm_user:geheim@db:5432/x now"),
            "connect postgres://slm_user:[redacted]@db:5432/x now"
        );
        assert_eq!(clean("GET http://127.0.0.1:1/a@b"), "GET http://127.0.0.1:1/a@b");
    }

    #[test]
    fn values_are_hidden_by_the_names_before_them() {
        assert_eq!(clean("password=abc user=ada"), "password=[redacted] user=ada");
        assert_eq!(clean(r#"{"token": "abc", "a": 1}"#), r#"{"token": "[redacted]", "a": 1}"#);
        assert_eq!(clean("Authorization: Bearer abc def"), "Authorization: [redacted]");
        assert_eq!(clean("DB_PASSWORD: abc"), "DB_PASSWORD: [redacted]");
        assert_eq!(clean("X-API-Key: abc"), "X-API-Key: [redacted]");
        assert_eq!(clean("openaiApiKey=abc"), "openaiApiKey=[redacted]");
        assert_eq!(clean(r#"{"password":"a\"b"}"#), r#"{"password":"[redacted]"}"#);
    }

    #[test]
    fn text_in_any_script_is_read() {
        for text in ["🚀: started", "“model”: gpt", "level=…: x", "größe=1", "ключ: значение"]
        {
            assert_eq!(clean(text), text);
        }
        assert_eq!(clean("🚀password=abc"), "🚀password=[redacted]");
    }

    #[test]
    fn what_only_names_a_secret_stays() {
        for text in [
            "secretName: postgresql-secret",
            "tokens_used=5",
            "12:30:45 ready",
            "passwordKey: password",
        ] {
            assert_eq!(clean(text), text);
        }
    }

    #[test]
    fn the_environment_of_a_pod_is_cleaned() {
        let mut document =
            json!({"env": [{"name": "PGPASSWORD", "value": "abc"}, {"name": "A", "value": "b"}]});
        Redactor::default().clean_document(&mut document);
        assert_eq!(document["env"][0]["value"], "[redacted]");
        assert_eq!(document["env"][1]["value"], "b");
    }
}
