//! What is true of every text and document.

use proptest::{collection, prelude::*};

use super::*;

/// Secrets as people and generators choose them, which are no part of the mark.
fn secrets() -> impl Strategy<Value = String> {
    "[!-Z\\\\^-~äß€ 🔑]{4,24}".prop_filter("it has something of its own", |secret| {
        secret.trim().chars().count() >= 4 && !"[redacted]".contains(secret.trim())
    })
}

fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        "(password|token|key|Cookie)[=:] ?\\PC{0,20}".prop_map(Value::from),
        "\\{\"(password|a)\":\"[a-z]{0,4}\"\\}".prop_map(Value::from),
    ];
    let names = prop_oneof!["\\PC{0,8}", "(name|value|kind|data|token|password|cookies|secret)"];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            collection::btree_map(names.clone(), inner, 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The shape of a document: everything but its texts.
fn shape(document: &Value) -> Value {
    match document {
        Value::String(_) => json!("text"),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => document.clone(),
    }
}

proptest! {
    // A failure prints its input, which becomes an example above; files of its own it needs none.
    #![proptest_config(ProptestConfig {
        failure_persistence: None, ..ProptestConfig::with_cases(100)
    })]

    #[test]
    fn a_document_keeps_its_shape_and_is_json(before in documents()) {
        let after = document(before.clone());
        prop_assert_eq!(shape(&after), shape(&before));
        let read: Value = serde_json::from_str(&format!("{after:#}")).unwrap();
        prop_assert_eq!(&read, &after);
        prop_assert_eq!(document(after.clone()), after);
    }

    #[test]
    fn no_spelling_of_a_known_secret_is_left(
        secret in secrets(), before in "[a-z:= \"]{0,12}", after in "[a-z:= \"]{0,12}",
    ) {
        let json = Value::from(secret.as_str()).to_string();
        let json = &json[1..json.len() - 1];
        let twice = Value::from(json).to_string();
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let spellings = [
            secret.clone(),
            STANDARD.encode(&secret),
            STANDARD_NO_PAD.encode(&secret),
            URL_SAFE.encode(&secret),
            URL_SAFE_NO_PAD.encode(&secret),
            STANDARD.encode(format!("{secret}\n")),
            utf8_percent_encode(&secret, NON_ALPHANUMERIC).to_string(),
            form,
            json.to_owned(),
            twice[1..twice.len() - 1].to_owned(),
        ];
        let redactor = Redactor::default().without([secret.as_str()]);
        for spelling in spellings {
            let text = format!("{before}{spelling}{after}");
            let cleaned = redactor.clean(&text);
            prop_assert!(!cleaned.contains(&spelling), "{text} became {cleaned}");
            prop_assert!(!redactor.clean_known(&text).contains(&spelling));
            let mut inside = json!({&spelling: [&text]});
            redactor.clean_document(&mut inside);
            let written = serde_json::to_string(&inside).unwrap();
            prop_assert!(!written.contains(&spelling), "{text} became {written}");
        }
    }

    #[test]
    fn of_secrets_that_overlap_the_longest_is_hidden(
        (short, long) in secrets().prop_flat_map(|short| {
            let long = format!("x{short}y");
            (Just(short), Just(long))
        }),
    ) {
        let redactor = Redactor::default().without([short.as_str(), long.as_str()]);
        prop_assert_eq!(redactor.clean_known(&format!("({long})")), "([redacted])");
    }

    #[test]
    fn cleaning_twice_is_cleaning_once(
        secret in secrets(),
        lines in collection::vec(prop_oneof![
            "(password|token|Cookie|a|API_KEY)[ \"']?[:=][ \"'\\[]?\\PC{0,20}",
            "\\PC{0,40}",
            "[a-z]{1,4}://[a-z:@\\[\\]]{0,12}",
            "\\{\"(token|a)\": ?[\"\\[]?[a-z]{0,4}[\"\\]]?\\}",
        ], 0..6),
    ) {
        let redactor = Redactor::default().without([secret.as_str()]);
        let text = lines.join(&secret);
        let once = redactor.clean(&text);
        prop_assert_eq!(redactor.clean(&once), once);
        let known = redactor.clean_known(&text);
        prop_assert_eq!(redactor.clean_known(&known), known);
    }

    #[test]
    fn text_without_secrets_is_unchanged(
        lines in collection::vec(prop_oneof![
            proptest::sample::select(&HARMLESS[..]).prop_map(str::to_owned),
            "(info|warn|status|key|user|name): [a-z ]{0,20}",
            "(count|port|max_tokens)=[0-9]{1,6} tokens=[0-9]{1,6} took [0-9]{1,3}ms",
        ], 0..8),
    ) {
        let text = lines.join("\n");
        prop_assert_eq!(clean(&text), text);
    }
}
