//! Hides what is a secret by its own shape: passwords in URLs, private keys, tokens.

use super::mark::HIDDEN;

/// How the tokens of well-known services begin.
const PREFIXES: [&str; 13] = [
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxa-",
    "xoxb-",
    "xoxp-",
    "sk-",
    "hf_",
    "npm_",
];
/// How long such a token is at least.
const TOKEN: usize = 20;
/// How the ids of keys of AWS begin, and how long they are.
const KEY_IDS: [&str; 4] = ["AKIA", "ASIA", "ABIA", "ACCA"];
const KEY_ID: usize = 20;
/// Every JSON Web Token begins with `{"` in base64.
const JSON: &str = "eyJ";

/// The text without what is a secret wherever it stands.
pub(super) fn hide(text: &str) -> String {
    let text = hide_private_keys(text);
    let text = hide_in_urls(&text);
    hide_tokens(&text)
}

/// `-----BEGIN PRIVATE KEY-----` to its end, or as far as a text has it that was cut off.
fn hide_private_keys(text: &str) -> String {
    const END: &str = "PRIVATE KEY-----";
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find("-----BEGIN ") {
        let (before, block) = rest.split_at(begin);
        clean.push_str(before);
        let Some(key) = heading(block) else {
            let (dashes, after) = block.split_at(1);
            clean.push_str(dashes);
            rest = after;
            continue;
        };
        clean.push_str(HIDDEN);
        let footer = block.find("-----END ").and_then(|at| {
            let end = at + block[at..].find(END)? + END.len();
            // The end of another block is not the end of this one.
            (!block[key..end].contains("-----BEGIN ")).then_some(end)
        });
        rest = &block[footer.unwrap_or_else(|| key + digits(&block[key..]))..];
    }
    clean.push_str(rest);
    clean
}

/// Where the heading of a private key ends, if this is one.
fn heading(block: &str) -> Option<usize> {
    const DASHES: &str = "-----";
    let words = block.strip_prefix(DASHES)?;
    let kind = &words[..words.find(DASHES)?];
    let known = kind.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == ' ');
    (known && kind.ends_with("PRIVATE KEY")).then_some(kind.len() + 2 * DASHES.len())
}

/// How far the lines of digits go that follow a heading.
fn digits(text: &str) -> usize {
    const LEAST: usize = 16;
    // A log has the time before each line.
    let fits = |c: char| c.is_ascii_alphanumeric() || "+/=\\-:.".contains(c);
    let mut end = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let fitting = word.len() - word.trim_start_matches(fits).len();
        if fitting < LEAST && !word.trim().is_empty() {
            break;
        }
        if fitting < word.trim_end().len() {
            end += fitting;
            break;
        }
        end += word.len();
    }
    text[..end].trim_end().len()
}

/// Every URL and address without its password.
fn hide_in_urls(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, authority) = rest.split_at(at + "://".len());
        clean.push_str(before);
        let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '?' | '#' | '\\');
        let end = authority.find(ends).unwrap_or(authority.len());
        // What looks like a port may be the scheme of a URL that follows without a gap.
        let end = authority.find("://").map_or(end, |scheme| scheme.min(end));
        clean.push_str(&without_password(&authority[..end]));
        rest = &authority[end..];
    }
    clean.push_str(rest);
    hide_in_addresses(&clean)
}

/// `user:password@host` without the password.
fn without_password(authority: &str) -> String {
    let parts = authority.rsplit_once('@').and_then(|(userinfo, host)| {
        let (user, password) = userinfo.split_once(':')?;
        (!password.is_empty()).then(|| format!("{user}:{HIDDEN}@{host}"))
    });
    parts.unwrap_or_else(|| authority.to_owned())
}

/// `user:password@tcp(host)`, as a driver of Go writes addresses, without the password.
fn hide_in_addresses(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = ["@tcp(", "@unix("].iter().filter_map(|mark| rest.find(mark)).min() {
        let (before, after) = rest.split_at(at);
        let word = before.rfind(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '='));
        match before[word.unwrap_or(0)..].find(':') {
            Some(colon) => {
                clean.push_str(&before[..=word.unwrap_or(0) + colon]);
                clean.push_str(HIDDEN);
            }
            None => clean.push_str(before),
        }
        clean.push('@');
        rest = &after[1..];
    }
    clean.push_str(rest);
    clean
}

/// JSON Web Tokens, ids of keys, and the tokens of well-known services.
fn hide_tokens(text: &str) -> String {
    let of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(of_token) {
        clean.push_str(&rest[..begin]);
        let word = &rest[begin..];
        let word = &word[..word.find(|c| !of_token(c)).unwrap_or(word.len())];
        rest = &rest[begin + word.len()..];
        clean.push_str(if is_web_token(word) || is_known_token(word) || has_key_id(word) {
            HIDDEN
        } else {
            word
        });
    }
    clean.push_str(rest);
    clean
}

/// Whether a word has the header and the body of a JSON Web Token, signed, unsigned or encrypted.
fn is_web_token(word: &str) -> bool {
    const HEADER: usize = 16;
    let mut parts = word.split('.').skip_while(|part| !part.starts_with(JSON));
    let header = parts.next().is_some_and(|header| header.len() >= HEADER);
    header && parts.next().is_some_and(|body| body.starts_with(JSON) || parts.count() == 3)
}

fn is_known_token(word: &str) -> bool {
    word.len() >= TOKEN
        && word.contains(|c: char| c.is_ascii_digit())
        && PREFIXES.iter().any(|prefix| word.starts_with(prefix))
}

fn has_key_id(word: &str) -> bool {
    word.split(['.', '_', '-']).any(|part| {
        part.len() == KEY_ID
            && KEY_IDS.iter().any(|prefix| part.starts_with(prefix))
            && part.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    })
}
