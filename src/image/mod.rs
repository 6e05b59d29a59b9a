//! Makes images: what a suite declares is packed, built, found or pulled into the Docker daemon.
//!
//! The states are types: an [`Image`](crate::Image) is declared, a [`Built`] one is in the daemon,
//! and only a cluster says that one is delivered.

mod archive;
mod build;
mod buildkit;
mod context;
mod elf;
mod error;
mod ignore;
mod load;
mod program;
mod pull;
mod reference;
mod shared_objects;
mod strip;

pub use error::ImageError;
pub(crate) use {
    build::{Built, build},
    reference::{Reference, content_name},
};
