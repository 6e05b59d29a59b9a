//! What is hidden and what stays, by example.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

mod properties;

use super::Redactor;

fn clean(text: &str) -> String {
    Redactor::default().without(["hunter2"]).clean(text)
}

fn document(mut document: Value) -> Value {
    Redactor::default().without(["hunter2"]).clean_document(&mut document);
    document
}

#[test]
fn values_are_hidden_by_the_names_before_them() {
    for (text, cleaned) in [
        ("password=abc user=ada", "password=[redacted] user=ada"),
        ("POSTGRES_PASSWORD=1234", "POSTGRES_PASSWORD=[redacted]"),
        ("DB_PASSWORD: abc", "DB_PASSWORD: [redacted]"),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG", "AWS_SECRET_ACCESS_KEY=[redacted]"),
        ("DJANGO_SECRET_KEY=x-y", "DJANGO_SECRET_KEY=[redacted]"),
        ("SECRET_KEY_BASE=abc", "SECRET_KEY_BASE=[redacted]"),
        ("PRIVATE_KEY=abc SSH_KEY=def", "PRIVATE_KEY=[redacted] SSH_KEY=[redacted]"),
        ("STRIPE_KEY=abc", "STRIPE_KEY=[redacted]"),
        ("stripe_key: abc fernet_key=def", "stripe_key: [redacted] fernet_key=[redacted]"),
        ("appKey=abc vault-key: def", "appKey=[redacted] vault-key: [redacted]"),
        (
            r#"{"db_key": "abc", "DbKeys": ["def"]}"#,
            r#"{"DbKeys":["[redacted]"],"db_key":"[redacted]"}"#,
        ),
        ("client_secret: abc", "client_secret: [redacted]"),
        ("refreshTokens=abc", "refreshTokens=[redacted]"),
        ("X-API-Key: abc", "X-API-Key: [redacted]"),
        ("openaiApiKey=abc", "openaiApiKey=[redacted]"),
        ("params[password]=abc&a=b", "params[password]=[redacted]&a=b"),
        ("token: [abc, def] end", "token: [[redacted]] end"),
        ("token: Bearer abc", "token: [redacted]"),
        (
            r#"Config { password: Some("a b"), n: 1 }"#,
            r#"Config { password: Some("[redacted]"), n: 1 }"#,
        ),
        ("{'password': 'abc', 'a': 1}", "{'password': '[redacted]', 'a': 1}"),
        (r#"msg="{\"password\":\"a\\\"b\"}" x=1"#, r#"msg="{\"password\":\"[redacted]\"}" x=1"#),
        (r#"password => "abc" end"#, r#"password => "[redacted]" end"#),
        ("🚀password=abc", "🚀password=[redacted]"),
    ] {
        assert_eq!(clean(text), cleaned);
    }
}

#[test]
fn a_block_of_yaml_is_hidden_as_far_as_it_is_indented() {
    for (text, cleaned) in [
        (
            "a:\n  password: |\n    first\n\n    second\n  user: ada\n",
            "a:\n  password: [redacted]\n  user: ada\n",
        ),
        ("token: >-\n  first\n  second", "token: [redacted]"),
        ("- \"api_key\": !!str |2+ # why\n     abc\n  b: c", "- \"api_key\": [redacted]\n  b: c"),
        (
            "2026-11-24T22:31:34.1Z password: |\n2026-11-24T22:31:34.2Z   abc\n2026-11-24T22:31:34.3Z b: c",
            "2026-11-24T22:31:34.1Z password: [redacted]\n2026-11-24T22:31:34.3Z b: c",
        ),
        ("notes: |\n  no secret\n", "notes: |\n  no secret\n"),
        ("password: |\nuser: ada", "password: [redacted]\nuser: ada"),
    ] {
        assert_eq!(clean(text), cleaned);
    }
}

#[test]
fn a_header_is_hidden_to_the_end_of_its_line() {
    for (text, cleaned) in [
        ("> Authorization: Bearer abc def\n> A: b", "> Authorization: [redacted]\n> A: b"),
        ("Authorization: Digest username=\"u\", response=\"x\"", "Authorization: [redacted]"),
        ("Proxy-Authorization: Basic abc=", "Proxy-Authorization: [redacted]"),
        ("Cookie: a=b; c=d, e", "Cookie: [redacted]"),
        ("set-cookie: prefs={\"a\":1}; sid=abc; Path=/", "set-cookie: [redacted]"),
        ("curl -H 'Cookie: a=b; c=d' http://x", "curl -H 'Cookie: [redacted]' http://x"),
        (
            "map[Authorization:[Bearer a] Cookie:[a=b; c=d]]",
            "map[Authorization:[[redacted]] Cookie:[[redacted]]]",
        ),
    ] {
        assert_eq!(clean(text), cleaned);
    }
}

#[test]
fn what_has_the_shape_of_a_secret_is_hidden_wherever_it_stands() {
    for (text, cleaned) in [
        (
            "at postgres://slm_user:geheim@db:5432/x now",
            "at postgres://slm_user:[redacted]@db:5432/x now",
        ),
        ("dsn: root:ge:heim@tcp(db:3306)/x", "dsn: root:[redacted]@tcp(db:3306)/x"),
        ("host=db password='geheim' user=u", "host=db password='[redacted]' user=u"),
        ("id AKIAIOSFODNN7EXAMPLE ok", "id [redacted] ok"),
        ("got ghp_0123456789abcdefghij.", "got [redacted]"),
        (
            "jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.dozjgNryP4J3jVmNHl0w5N end",
            "jwt [redacted] end",
        ),
        ("no -----BEGIN PRIVATE KEY----- in tls.pem", "no [redacted] in tls.pem"),
        (
            "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\n=\n-----END RSA PRIVATE KEY-----\nb",
            "a\n[redacted]\nb",
        ),
        (
            "a -----BEGIN PRIVATE KEY-----\nMIIEabcdefghijklmnop\nMIIEabcdefghijklmnop\nb",
            "a [redacted]\nb",
        ),
    ] {
        assert_eq!(clean(text), cleaned);
    }
}

#[test]
fn a_known_secret_is_hidden_inside_words_unless_it_is_short() {
    assert_eq!(clean("login with xhunter2x failed"), "login with x[redacted]x failed");
    let redactor = Redactor::default().without(["a", "pass", "password"]);
    assert_eq!(redactor.clean("a cat has a password"), "[redacted] cat has [redacted] [redacted]");
}

#[test]
fn of_secrets_that_overlap_nothing_is_left() {
    let redactor = Redactor::default().without(["teapot-1", "pot-1-lid", "x"]);
    assert_eq!(redactor.clean_known("a teapot-1-lid, x, ax"), "a [redacted], [redacted], ax");
}

#[test]
fn a_known_secret_is_found_in_the_base64_of_a_longer_text() {
    for before in ["", "u", "us", "usr", "postgres://user"] {
        for engine in [STANDARD, URL_SAFE_NO_PAD] {
            let encoded = engine.encode(format!("{before}:kq9-8Lm2_Zx7:rest"));
            let cleaned = Redactor::default().without(["kq9-8Lm2_Zx7"]).clean(&encoded);
            assert!(cleaned.contains("[redacted]"), "{encoded} became {cleaned}");
        }
    }
}

#[test]
fn json_in_a_text_stays_json() {
    let line =
        r#"12:00 {"env":[{"name":"API_KEY","value":"abc"}],"refreshTokens":["x"],"n":1} end"#;
    let cleaned = r#"12:00 {"env":[{"name":"API_KEY","value":"[redacted]"}],"n":1,"refreshTokens":["[redacted]"]} end"#;
    assert_eq!(clean(line), cleaned);
    let harmless = r#"{"b": 1,  "a": "x"}"#;
    assert_eq!(clean(harmless), harmless);
}

#[test]
fn a_document_is_cleaned_by_its_structure() {
    let pod = json!({
        "spec": {
            "automountServiceAccountToken": true, "imagePullSecrets": [],
            "volumes": [{"secret": {"secretName": "x", "items": [{"key": "password", "path": "p"}]}}],
            "containers": [{
                "args": ["--password", "abc", "--verbose", "--token=def"],
                "env": [
                    {"name": "PGPASSWORD", "value": "abc"}, {"name": "A", "value": "b"},
                    {"name": "MAX_TOKENS", "value": "100"},
                    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "password"}}},
                ],
            }],
        },
    });
    let mut expected = pod.clone();
    let container = &mut expected["spec"]["containers"][0];
    container["args"] = json!(["--password", "[redacted]", "--verbose", "--token=[redacted]"]);
    container["env"][0]["value"] = json!("[redacted]");
    assert_eq!(document(pod), expected);

    let secret = json!({"kind": "Secret", "data": {"a": "abc"}, "cookies": {"sid": "abc", "n": 1}});
    let hidden = json!({"kind": "Secret", "data": {"a": "[redacted]"}, "cookies": {"sid": "[redacted]", "n": 1}});
    assert_eq!(document(secret), hidden);
    assert_eq!(
        document(json!({"hunter2": 1, "[redacted]": 2, "a": "x hunter2"})),
        json!({"[redacted]": 2, "[redacted]'": 1, "a": "x [redacted]"})
    );
}

/// Lines that speak of secrets, or look a little like them, and have none.
const HARMLESS: [&str; 45] = [
    "secretName: postgresql-secret",
    "tokens_used=5",
    "max_tokens: 100",
    "\"max_tokens\": 4096,",
    "passwordKey: password",
    "secretKeyRef: {name: db, key: password}",
    "key: value",
    "partition_key: orders",
    "PARTITION_KEY=orders",
    "primary_key=id foreign key: customer",
    "public_key: abc",
    "cacheKey=a:b",
    "topologyKey: kubernetes.io/hostname",
    "matchLabelKeys: [pod-template-hash]",
    "sort_key=name routing-key: orders idempotencyKey=7f",
    "configMapKeyRef: {name: settings, key: colour}",
    "automountServiceAccountToken: true",
    "\"imagePullSecrets\": []",
    "password: null",
    "PASSWORD_FILE=/run/secrets/password",
    "token_type: bearer",
    "PWD=/root",
    "couldn't find key wall in Secret keyless/colours",
    "references non-existent secret key: password",
    "open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file",
    "INFO app::auth::token: refreshed",
    "password authentication failed for user \"ada\"",
    "secret_controller.go:53: synced",
    "Token: <none>",
    "12:30:45 ready",
    "2026-11-24T22:31:34Z level=info msg=\"started\"",
    "GET http://127.0.0.1:1/a@b",
    "clone git@example.org:a/b.git and ssh://git@example.org/a",
    "postgres://slm_user@db:5432/x",
    "image: nginx:1.27@sha256:0123456789abcdef0123456789abcdef",
    "-----BEGIN CERTIFICATE-----",
    "eyJ is how it begins",
    "AKIA is short",
    "sk-learn",
    "🚀: started",
    "“model”: gpt",
    "level=…: x",
    "größe=1",
    "ключ: значение",
    "{\"a\": {\"b\": [1, 2.50, true, null, \"x\"]}}",
];

#[test]
fn what_only_speaks_of_a_secret_stays() {
    for text in HARMLESS {
        assert_eq!(clean(text), text);
    }
}
