//! Tells how two values differ that should be equal.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::Failure;
use crate::difference::difference;

/// Fails the case, showing how they differ, unless two values are equal.
///
/// JSON is shown as JSON, and other values as their `Debug` says. A message may follow, as in [`format!`].
///
/// ```
/// use kindwright::{Failure, ensure_eq};
/// use serde_json::json;
///
/// fn sold(order: &serde_json::Value) -> Result<(), Failure> {
///     ensure_eq!(order["sku"], "tea");
///     ensure_eq!(order["count"], json!(3), "the order {order}");
///     Ok(())
/// }
///
/// assert!(sold(&json!({"sku": "tea", "count": 3})).is_ok());
/// assert!(sold(&json!({"sku": "tea", "count": 4})).is_err());
/// ```
#[macro_export]
macro_rules! ensure_eq {
    ($left:expr, $right:expr $(,)?) => {
        $crate::ensure_eq!($left, $right, "{}", "the values differ")
    };
    ($left:expr, $right:expr, $($message:tt)+) => {
        match (&$left, &$right) {
            (left, right) => {
                if *left != *right {
                    use $crate::case::shown::*;
                    return ::core::result::Result::Err($crate::case::unequal(
                        format_args!($($message)+),
                        [stringify!($left), stringify!($right)],
                        &[Shown(left).shown(), Shown(right).shown()],
                    ));
                }
            }
        }
    };
}

/// How values are shown: what [`ensure_eq!`](crate::ensure_eq) names.
#[doc(hidden)]
pub mod shown {
    use super::{Json, Serialize, fmt};

    /// A value that is to be shown.
    #[derive(Debug)]
    pub struct Shown<'a, T: ?Sized>(pub &'a T);

    // Where both fit, a method of its own comes before one of a trait.
    impl<T: Json + Serialize + ?Sized> Shown<'_, T> {
        /// The value as JSON.
        pub fn shown(&self) -> String {
            serde_json::to_string_pretty(self.0).unwrap_or_default()
        }
    }

    /// Shows what is no JSON.
    pub trait ShownByDebug {
        /// The value as its `Debug` says.
        fn shown(&self) -> String;
    }

    impl<T: fmt::Debug + ?Sized> ShownByDebug for Shown<'_, T> {
        fn shown(&self) -> String {
            format!("{:#?}", self.0)
        }
    }
}

/// What is JSON through and through.
#[doc(hidden)]
pub trait Json {}

impl Json for Value {}
impl<T: Json + ?Sized> Json for &T {}
impl<T: Json> Json for Option<T> {}
impl<T: Json> Json for [T] {}
impl<T: Json, const N: usize> Json for [T; N] {}
impl<T: Json> Json for Vec<T> {}

/// The failure of two values that differ, as they are written and as they are.
#[doc(hidden)]
pub fn unequal(message: fmt::Arguments<'_>, written: [&str; 2], values: &[String; 2]) -> Failure {
    let [left, right] = written;
    let names = [format!("left: {left}"), format!("right: {right}")];
    let names = [names[0].as_str(), names[1].as_str()];
    let [left_value, right_value] = values;
    if left_value == right_value {
        return Failure::new(format_args!("{message}, though both are shown as {left_value}"));
    }
    if values.iter().all(|value| value.lines().count() <= 1) {
        let [left, right] = names;
        return Failure::new(format_args!(
            "{message}\n    {left}\n        {left_value}\n    {right}\n        {right_value}"
        ));
    }
    let lines = difference(names, [left_value, right_value]);
    Failure::new(format_args!("{message}\n{lines}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn compared<L: fmt::Debug + PartialEq<R> + ?Sized, R: fmt::Debug + ?Sized>(
        left: &L,
        right: &R,
    ) -> String {
        let compare = || {
            ensure_eq!(*left, *right, "the {} differs", "order");
            Ok(())
        };
        compare().map_or_else(Failure::into_text, |()| "equal".to_owned())
    }

    #[test]
    fn short_values_are_shown_one_below_the_other() {
        assert_eq!(compared("tea", "tea"), "equal");
        assert_eq!(
            compared(&true, &false),
            "the order differs\n    left: *left\n        true\n    right: *right\n        false"
        );
    }

    #[test]
    fn long_values_are_shown_as_a_difference() {
        assert_eq!(
            compared(&[1, 2], &[1, 3]),
            "the order differs\n--- left: *left\n+++ right: *right\n@@ -1,4 +1,4 @@\n [\n     1,\n-    2,\n+    3,\n ]"
        );
    }

    #[test]
    fn json_is_shown_as_json() {
        let order = json!({"sku": "tea", "count": 3});
        let compare = || {
            ensure_eq!(order, json!({"sku": "tea", "count": 4}));
            Ok(())
        };
        let text = compare().map_or_else(Failure::into_text, |()| "equal".to_owned());
        assert!(
            text.starts_with("the values differ\n--- left: order\n+++ right: json!("),
            "{text}"
        );
        assert!(text.contains("\n-  \"count\": 3,\n+  \"count\": 4,\n"), "{text}");
        let compare = || {
            ensure_eq!(order.get("sku"), Some(&json!("coffee")));
            Ok(())
        };
        let text = compare().map_or_else(Failure::into_text, |()| "equal".to_owned());
        assert!(text.ends_with("        \"coffee\""), "{text}");
    }
}
