//! Tells from its name whether a value must not be seen.
//!
//! The last word of a name says what a thing is: `client_secret` is one, a
//! `secretName` or `tokens_used` is none.

/// What ends the name of a password, of which even digits are one.
const PASSWORDS: [&str; 4] = ["password", "passwords", "passwd", "passphrase"];
/// The same, where it is not the whole name: `pwd` alone is a directory.
const ABBREVIATED: [&str; 3] = ["pass", "pwd", "pw"];
/// What ends the names of other secrets.
const SECRETS: [&str; 18] = [
    "secret",
    "secrets",
    "token",
    "tokens",
    "credential",
    "credentials",
    "authorization",
    "cookie",
    "cookies",
    "jwt",
    "apikey",
    "apikeys",
    "accesskey",
    "privatekey",
    "privatekeys",
    "secretkey",
    "sshkey",
    "signingkey",
];
/// What makes a key none: any other one may open something.
const OPEN_KEYS: [&str; 71] = [
    "alias",
    "annotation",
    "attribute",
    "bucket",
    "cache",
    "column",
    "composite",
    "condition",
    "config",
    "context",
    "dedup",
    "deduplication",
    "document",
    "duplicate",
    "entity",
    "entry",
    "event",
    "field",
    "filter",
    "foreign",
    "group",
    "hash",
    "hot",
    "idempotency",
    "index",
    "item",
    "label",
    "locale",
    "lock",
    "lookup",
    "map",
    "match",
    "message",
    "metadata",
    "metric",
    "missing",
    "natural",
    "object",
    "order",
    "ordering",
    "param",
    "parameter",
    "partition",
    "password",
    "pod",
    "primary",
    "property",
    "public",
    "queue",
    "range",
    "record",
    "resource",
    "routing",
    "row",
    "search",
    "selector",
    "shard",
    "sharding",
    "sort",
    "span",
    "stream",
    "surrogate",
    "tag",
    "taint",
    "token",
    "topic",
    "topology",
    "trace",
    "translation",
    "unique",
    "unknown",
];
/// Last words that say how a thing is written, not what it is.
const FORMS: [&str; 10] =
    ["b64", "base", "base64", "data", "hash", "plain", "plaintext", "string", "text", "value"];
/// Headers whose value is the whole rest of the line.
const HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

/// Whether this value, which has this name, must not be seen.
pub(super) fn hides(name: &str, value: &str) -> bool {
    let value = value.trim();
    match sort(name) {
        Sort::Open => false,
        Sort::Password => !says_nothing(value),
        // A count of tokens is no secret.
        Sort::Secret => !says_nothing(value) && !is_number(value),
    }
}

/// Whether a value of this name could be one that must not be seen.
pub(super) fn is_secret(name: &str) -> bool {
    !matches!(sort(name), Sort::Open)
}

/// Whether everything below this name must not be seen, whatever it is called itself.
pub(super) fn holds_secrets(name: &str) -> bool {
    let words = words(name);
    let last = words.last().map(String::as_str);
    matches!(last, Some("cookie" | "cookies" | "credential" | "credentials"))
}

/// Whether this is a header of which the whole line must not be seen.
pub(super) fn is_header(name: &str) -> bool {
    HEADERS.iter().any(|header| name.eq_ignore_ascii_case(header))
}

enum Sort {
    Open,
    Password,
    Secret,
}

fn sort(name: &str) -> Sort {
    let mut words = words(name);
    while words.len() > 1 && words.last().is_some_and(|word| is_form(word)) {
        words.pop();
    }
    let Some(last) = words.last() else { return Sort::Open };
    let last = last.trim_end_matches(|c: char| c.is_ascii_digit());
    let before = words.len().checked_sub(2).and_then(|at| words.get(at)).map(String::as_str);
    if PASSWORDS.iter().any(|ending| last.ends_with(ending))
        || before.is_some() && ABBREVIATED.contains(&last)
    {
        return Sort::Password;
    }
    let secret = match (before, last) {
        (Some(before), "key" | "keys") => !OPEN_KEYS.contains(&before),
        _ => SECRETS.iter().any(|ending| last.ends_with(ending)),
    };
    if secret { Sort::Secret } else { Sort::Open }
}

fn is_form(word: &str) -> bool {
    FORMS.contains(&word) || word.chars().all(|c| c.is_ascii_digit())
}

/// The words of a name in lower case, however it joins them.
fn words(name: &str) -> Vec<String> {
    let characters: Vec<_> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, &character) in characters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| characters.get(at));
        let after = characters.get(at + 1);
        // `apiKey` and `APIKey` have two words, `API` has one.
        let begins = character.is_uppercase()
            && (before.is_some_and(|c| c.is_lowercase() || c.is_ascii_digit())
                || before.is_some_and(|c| c.is_uppercase())
                    && after.is_some_and(|c| c.is_lowercase()));
        if begins || !character.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a value is one of those that stand where a secret could be.
fn says_nothing(value: &str) -> bool {
    const WORDS: [&str; 10] =
        ["", "true", "false", "yes", "no", "null", "nil", "none", "undefined", "[]"];
    WORDS.iter().any(|word| value.eq_ignore_ascii_case(word))
}

fn is_number(value: &str) -> bool {
    value.contains(|c: char| c.is_ascii_digit())
        && value.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+' | ' '))
}
