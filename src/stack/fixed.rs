//! Namespaces of a fixed name, which one case at a time holds in a cluster.

use std::{collections::BTreeMap, collections::btree_map::Entry, sync::Arc};

use tokio::sync::watch;

use super::Stack;

/// Who holds which name in a cluster. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct FixedNames(Arc<watch::Sender<BTreeMap<String, String>>>);

/// A name that is held until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    names: FixedNames,
    name: String,
}

impl Stack {
    /// The fixed names of its cluster.
    pub(crate) fn fixed(&self) -> &FixedNames {
        &self.site.fixed
    }
}

impl FixedNames {
    /// Nobody holds any.
    pub(crate) fn none() -> Self {
        Self(Arc::new(watch::Sender::default()))
    }

    /// Who holds a name.
    pub(crate) fn holder(&self, name: &str) -> Option<String> {
        self.0.borrow().get(name).cloned()
    }

    /// Waits until nobody else holds a name, and holds it for `who`.
    pub(crate) async fn hold(&self, name: &str, who: &str) -> Held {
        let mut changes = self.0.subscribe();
        while !self.take(name, who) {
            // It cannot be closed: this holds its sender.
            let _ = changes.changed().await;
        }
        Held { names: self.clone(), name: name.to_owned() }
    }

    fn take(&self, name: &str, who: &str) -> bool {
        self.0.send_if_modified(|holders| match holders.entry(name.to_owned()) {
            Entry::Vacant(free) => {
                free.insert(who.to_owned());
                true
            }
            Entry::Occupied(_) => false,
        })
    }
}

impl Held {
    /// The name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.names.0.send_modify(|holders| {
            holders.remove(&self.name);
        });
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_name_is_held_by_one_at_a_time() {
        let names = FixedNames::none();
        let first = names.hold("production", "first").await;
        let _other = names.hold("staging", "first").await;
        let mut second = Box::pin(names.hold("production", "second"));
        assert!(second.as_mut().now_or_never().is_none());
        assert_eq!(names.holder(first.name()).as_deref(), Some("first"));
        drop(first);
        let second = second.await;
        assert_eq!(names.holder("production").as_deref(), Some("second"));
        drop(second);
        assert_eq!(names.holder("production"), None);
    }
}
