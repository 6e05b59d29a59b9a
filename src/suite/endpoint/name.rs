//! What an endpoint is known by in its suite.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::settings::override_name;

/// What an endpoint is known by in its suite.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct EndpointName {
    pub(crate) workload: String,
    pub(crate) endpoint: String,
}

impl EndpointName {
    /// Whether a text names it: `workload`, or `workload:endpoint`.
    pub(crate) fn is(&self, text: &str) -> bool {
        match text.split_once(':') {
            Some((workload, endpoint)) => self.workload == workload && self.endpoint == endpoint,
            None => self.workload == text,
        }
    }

    /// The name of a variable about it that ends so.
    pub(crate) fn variable(&self, ending: &str) -> String {
        override_name(&format!("{}-{}-{ending}", self.workload, self.endpoint))
    }
}

impl fmt::Display for EndpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.workload, self.endpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_named_by_its_workload_or_by_both() {
        let name = EndpointName { workload: "shop".into(), endpoint: "http".into() };
        assert!(name.is("shop") && name.is("shop:http"));
        assert!(!name.is("till") && !name.is("shop:") && !name.is("shop:metrics"));
        assert_eq!(name.variable("URL"), "SHOP_HTTP_URL");
    }
}
