//! What can be promised to be undone.

use serde::{Deserialize, Serialize};

/// One effect, as seen by the one who must undo it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Undo {
    /// Remove this reference, and the image if it was the last one.
    Image {
        /// The whole reference.
        reference: String,
    },
    /// Remove the nodes of this kind cluster, with their volumes.
    Cluster {
        /// The cluster.
        name: String,
    },
    /// Remove this Docker network.
    Network {
        /// The network.
        name: String,
    },
}

impl Undo {
    /// The command by which a person does the same.
    pub(crate) fn by_hand(&self) -> String {
        match self {
            Self::Image { reference } => format!("docker image rm {reference}"),
            Self::Cluster { name } => {
                format!("kind delete cluster --name {name} --kubeconfig /dev/null")
            }
            Self::Network { name } => format!("docker network rm {name}"),
        }
    }
}
