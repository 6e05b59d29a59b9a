//! Where the objects of a handle are, and what may be done with them there.

use crate::stack::Marks;

/// Where the objects of a handle are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a namespace of the case, which is made with its first object.
    Own {
        namespace: String,
        /// What is written on it.
        marks: Marks,
    },
    /// In that of the suite.
    Suite(String),
    /// In one that the suite declares.
    Declared(String),
}

/// What is done with objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Read,
    Write,
}

impl Place {
    /// A namespace of the case.
    pub(super) fn own(namespace: String) -> Self {
        Self::Own { namespace, marks: Marks::default() }
    }

    /// Another namespace of the case, on which the same is written.
    pub(super) fn beside(&self, namespace: String) -> Self {
        Self::Own { namespace, marks: self.marks() }
    }

    /// What is written on its namespace by the case.
    pub(super) fn marks(&self) -> Marks {
        match self {
            Self::Own { marks, .. } => marks.clone(),
            Self::Suite(_) | Self::Declared(_) => Marks::default(),
        }
    }

    /// The namespace.
    pub(super) fn namespace(&self) -> &str {
        match self {
            Self::Own { namespace, .. } | Self::Suite(namespace) | Self::Declared(namespace) => {
                namespace
            }
        }
    }

    /// Whether this may be done there.
    pub(super) fn allows(&self, act: Act) -> bool {
        act == Act::Read || !matches!(self, Self::Suite(_))
    }
}
