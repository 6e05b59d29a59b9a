//! An image that a cluster has, and what a manifest must say to run it.

use serde_json::{Value, json};

use crate::image::Reference;

/// An image that every node of a cluster can run. Only a delivery makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivered {
    wanted: Reference,
    reference: Reference,
    way: Delivery,
}

/// How an image came to where pods run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// It was put into every node, and nobody else has it.
    Node,
}

impl Delivered {
    pub(super) fn new(wanted: Reference, reference: Reference, way: Delivery) -> Self {
        Self { wanted, reference, way }
    }

    /// What was delivered as it was wanted.
    #[cfg(test)]
    pub(crate) fn as_wanted(wanted: &Reference) -> Self {
        Self::new(wanted.clone(), wanted.clone(), Delivery::Node)
    }

    /// The reference that the plan asked for.
    pub(crate) fn wanted(&self) -> &Reference {
        &self.wanted
    }

    /// The reference to deploy.
    ///
    /// Where an earlier run brought the same content for the same consumer, it
    /// is the one of that run, so that what is deployed need not change.
    pub(crate) fn reference(&self) -> &str {
        self.reference.as_str()
    }

    /// Makes a container run it.
    pub(crate) fn pin(&self, container: &mut Value) {
        container["image"] = json!(self.reference());
        container["imagePullPolicy"] = json!(self.pull_policy());
    }

    /// What a node is told about pulling it.
    pub(crate) fn pull_policy(&self) -> &'static str {
        match self.way {
            Delivery::Node => "Never",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_into_the_nodes_is_never_pulled() {
        let reference = Reference::new("shop", "tests", "0a1b2c3d");
        let delivered = Delivered::new(reference.clone(), reference, Delivery::Node);
        let mut container = json!({"name": "shop", "image": "localhost/shop"});
        delivered.pin(&mut container);
        assert_eq!(container["image"], "localhost/shop:tests-0a1b2c3d");
        assert_eq!(container["imagePullPolicy"], "Never");
    }
}
