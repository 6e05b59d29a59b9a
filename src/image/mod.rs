//! Makes images: what a suite declares is packed, built, found or pulled into the Docker daemon.
//!
//! The states are types: an [`Image`](crate::Image) is declared, a [`Built`] one is in the daemon,
//! and only a cluster says that one is delivered.

mod archive;
mod build;
mod buildkit;
mod cache;
mod context;
mod dockerfile;
mod elf;
mod error;
mod estimate;
mod ignore;
mod layer;
mod limit;
mod load;
mod program;
mod proxy;
mod pull;
mod reference;
mod shared_objects;
mod stamp;
mod strip;
mod temporary;
#[cfg(test)]
mod tests;
mod walk;
mod workshop;

pub(crate) use error::ImageError;
pub(crate) use {
    build::{Built, build},
    cache::{Cache, Cached, list as cached, remove_all as remove_cached},
    estimate::estimate,
    reference::{Reference, content_name},
    workshop::Workshop,
};
