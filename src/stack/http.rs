//! The one client for the services of a stack.

/// A client that goes to a service itself, each time anew.
///
/// What runs in a cluster of this machine is behind no proxy, whatever the environment says. And a
/// connection that is kept leads to the pod that took it, also after another one took its place.
pub(super) fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build()
}
