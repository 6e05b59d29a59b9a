//! What a case or a step does, of a type that only the room knows which makes contexts for it.

use std::{any::Any, fmt, sync::Arc};

/// A function of some type.
#[derive(Clone)]
pub(crate) struct Body(Arc<dyn Any + Send + Sync>);

impl Body {
    pub(crate) fn new(body: impl Any + Send + Sync) -> Self {
        Self(Arc::new(body))
    }

    /// The function, if it is of this type.
    pub(crate) fn of<B: Any>(&self) -> Option<&B> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}
