//! Chooses what a build is told of the proxies of this machine.

use std::collections::BTreeMap;

use crate::docker::is_loopback;

/// The arguments that a Dockerfile takes without naming them, and that no image keeps.
const NAMES: [&str; 5] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY"];

/// The build arguments that these variables stand for.
///
/// A proxy on this machine's loopback is left out: a step of a build has a loopback of its own.
pub(super) fn build_arguments(environment: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let chosen = environment.iter().filter(|(name, value)| {
        NAMES.contains(&name.to_uppercase().as_str()) && !value.is_empty() && !is_own(value)
    });
    chosen.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Whether a proxy is on this machine's loopback; it may be written without its scheme.
fn is_own(proxy: &str) -> bool {
    let url = if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
    is_loopback(&url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_told_of_proxies_that_its_steps_can_reach() {
        let environment = [
            ("HTTPS_PROXY", "http://proxy.example:3128"),
            ("http_proxy", "proxy.example:3128"),
            ("NO_PROXY", "localhost,127.0.0.1"),
            ("no_proxy", ""),
            ("ALL_PROXY", "socks5://127.0.0.1:1080"),
            ("HTTP_PROXY", "localhost:3128"),
            ("HOME", "/home/ada"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let arguments = build_arguments(&BTreeMap::from(environment));
        let names: Vec<_> = arguments.keys().map(String::as_str).collect();
        assert_eq!(names, ["HTTPS_PROXY", "NO_PROXY", "http_proxy"]);
    }
}
