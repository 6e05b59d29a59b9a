//! Compares JSON with a part of what it should be, and shows where it differs.

use serde_json::{Map, Value};

use crate::difference::difference;

/// Whether `found` has everything that `expected` says.
///
/// Objects may have more at every depth; arrays have as many elements, which match one by one.
pub(crate) fn matches(expected: &Value, found: &Value) -> bool {
    let (all, same) = leaves(expected, Some(found));
    all == same
}

/// The lines in which `found`, called so, differs from what `expected` says; nothing where it does not.
pub(crate) fn differences(expected: &Value, found: &Value, called: &str) -> String {
    if matches(expected, found) {
        return String::new();
    }
    let found = project(expected, found);
    difference(["expected", called], [&format!("{expected:#}"), &format!("{found:#}")])
}

/// How many leaves `expected` has, and how many of them `found` has too.
pub(crate) fn leaves(expected: &Value, found: Option<&Value>) -> (usize, usize) {
    let sum = |sum: (usize, usize), part: (usize, usize)| (sum.0 + part.0, sum.1 + part.1);
    match (expected, found) {
        // What is empty is still an object or an array.
        (Value::Object(keys), found) if !keys.is_empty() => keys
            .iter()
            .map(|(key, value)| leaves(value, found.and_then(|found| found.get(key))))
            .fold((0, 0), sum),
        (Value::Array(items), Some(Value::Array(found)))
            if !items.is_empty() && items.len() == found.len() =>
        {
            items.iter().zip(found).map(|(item, found)| leaves(item, Some(found))).fold((0, 0), sum)
        }
        (expected, Some(found)) => (1, usize::from(equal(expected, found))),
        (_, None) => (1, 0),
    }
}

/// What `found` says about what is in `expected`, and nothing else.
fn project(expected: &Value, found: &Value) -> Value {
    match (expected, found) {
        (Value::Object(keys), Value::Object(entries)) => {
            let known = keys.iter().filter_map(|(key, value)| {
                let entry = entries.get(key)?;
                Some((key.clone(), project(value, entry)))
            });
            Value::Object(known.collect::<Map<_, _>>())
        }
        (Value::Array(items), Value::Array(found)) => {
            // Of those that are too many all is shown.
            let more = found.iter().skip(items.len()).cloned();
            items.iter().zip(found).map(|(item, found)| project(item, found)).chain(more).collect()
        }
        (_, found) => found.clone(),
    }
}

/// Whether a leaf is as expected. A number may be written differently: 1.0 is 1.
fn equal(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Number(expected), Value::Number(found)) => {
            expected == found || expected.as_f64() == found.as_f64()
        }
        (Value::Object(expected), Value::Object(_)) => expected.is_empty(),
        (expected, found) => expected == found,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_given_key_must_match_at_every_depth() {
        let found = json!({"a": 1, "b": {"c": "x", "d": null}, "e": 0.5});
        for expected in [json!({}), json!({"b": {}}), json!({"a": 1.0, "b": {"c": "x", "d": null}})]
        {
            assert!(matches(&expected, &found), "{expected}");
        }
        for expected in
            [json!({"f": null}), json!({"b": {"c": "y"}}), json!({"a": {}}), json!({"e": {"x": 1}})]
        {
            assert!(!matches(&expected, &found), "{expected}");
        }
    }

    #[test]
    fn arrays_match_element_by_element() {
        let found = json!({"a": [{"b": 1, "c": 2}, "x"], "d": []});
        for expected in [json!({"a": [{"b": 1.0}, "x"]}), json!({"a": [{}, "x"], "d": []})] {
            assert!(matches(&expected, &found), "{expected}");
        }
        for expected in
            [json!({"a": [{"b": 1}]}), json!({"a": []}), json!({"d": {}}), json!({"a": ["x", {}]})]
        {
            assert!(!matches(&expected, &found), "{expected}");
        }
        let expected = json!([{"b": 2}]);
        assert_eq!(project(&expected, &found["a"]), json!([{"b": 1}, "x"]));
    }

    #[test]
    fn a_projection_keeps_the_expected_keys_only() {
        let expected = json!({"a": 1, "b": {"c": 2, "gone": 3}, "d": {"e": 1}});
        let found = json!({"a": 9, "b": {"c": 2, "more": 4}, "d": "text", "f": 0});
        assert_eq!(project(&expected, &found), json!({"a": 9, "b": {"c": 2}, "d": "text"}));
        assert_eq!(leaves(&expected, Some(&found)), (4, 1));
    }

    #[test]
    fn a_difference_shows_what_is_expected_only() {
        let (expected, found) = (json!({"a": 1, "b": "x"}), json!({"a": 2, "b": "x", "c": 3}));
        assert_eq!(
            differences(&expected, &found, "answer"),
            "\
--- expected
+++ answer
@@ -1,4 +1,4 @@
 {
-  \"a\": 1,
+  \"a\": 2,
   \"b\": \"x\"
 }"
        );
        assert_eq!(differences(&expected, &expected, "answer"), "");
    }
}
