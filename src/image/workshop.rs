//! What one run makes its images with: the daemon, the layers that images share, and bounds on what is made at once.

use std::{collections::BTreeMap, sync::Arc};

use bollard::Docker;
use tokio::sync::{Mutex, OnceCell, Semaphore, SemaphorePermit};

use super::{ImageError, cache::Cache, layer::Layer, limit::answer, proxy};

/// How many layers, contexts and images are written at once: they share a disk.
const PACKING: usize = 2;

/// How many Dockerfiles are built at once: each may use all cores.
const BUILDING: usize = 4;

/// Where the images of a run are made.
pub(crate) struct Workshop {
    /// The daemon.
    pub(super) docker: Docker,
    /// What the daemon, and so every node, runs.
    pub(super) architecture: String,
    /// Whether images are kept for the next run.
    pub(super) cache: Cache,
    /// What every Dockerfile is told of this machine's proxies.
    pub(super) proxies: BTreeMap<String, String>,
    /// Layers by what they are packed from.
    layers: Mutex<BTreeMap<String, Arc<OnceCell<Arc<Layer>>>>>,
    packing: Semaphore,
    building: Semaphore,
}

impl Workshop {
    /// A workshop at this daemon; builds get the proxies that `environment` names.
    pub(crate) async fn open(
        docker: &Docker,
        cache: Cache,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, ImageError> {
        let version = answer("ask the Docker daemon for its version", docker.version()).await?;
        let workshop = Self::of(docker, version.arch.unwrap_or_default(), cache);
        Ok(Self { proxies: proxy::build_arguments(environment), ..workshop })
    }

    fn of(docker: &Docker, architecture: String, cache: Cache) -> Self {
        Self {
            docker: docker.clone(),
            architecture,
            cache,
            proxies: BTreeMap::new(),
            layers: Mutex::default(),
            packing: Semaphore::new(PACKING),
            building: Semaphore::new(BUILDING),
        }
    }

    /// The layer that is packed from what `key` says; all who ask for it share one packing.
    pub(super) async fn layer(
        &self,
        key: String,
        pack: impl Future<Output = Result<Layer, ImageError>>,
    ) -> Result<Arc<Layer>, ImageError> {
        let cell = Arc::clone(self.layers.lock().await.entry(key).or_default());
        let packed = cell.get_or_try_init(async || {
            let _turn = self.turn_to_pack().await;
            pack.await.map(Arc::new)
        });
        packed.await.cloned()
    }

    /// Waits until so much as one may be written.
    pub(super) async fn turn_to_pack(&self) -> Option<SemaphorePermit<'_>> {
        // Only a semaphore that was closed gives none, and nobody closes it.
        self.packing.acquire().await.ok()
    }

    /// Waits until a Dockerfile may be built.
    pub(super) async fn turn_to_build(&self) -> Option<SemaphorePermit<'_>> {
        self.building.acquire().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use bollard::API_DEFAULT_VERSION;
    use futures_util::future::{join_all, try_join_all};
    use tokio::task::yield_now;

    use super::*;
    use crate::image::archive::Archive;

    /// A workshop whose daemon is never asked.
    fn workshop() -> Workshop {
        let docker = Docker::connect_with_http("http://127.0.0.1:1", 1, API_DEFAULT_VERSION);
        Workshop::of(&docker.unwrap(), "amd64".to_owned(), Cache::Keep)
    }

    fn layer() -> Layer {
        Layer::new("empty", Archive::new().unwrap()).unwrap()
    }

    #[tokio::test]
    async fn what_many_images_share_is_packed_once() {
        let (workshop, packed) = (workshop(), AtomicUsize::new(0));
        let asking = (0..20).map(|_| {
            workshop.layer("platform".to_owned(), async {
                packed.fetch_add(1, SeqCst);
                yield_now().await;
                Ok(layer())
            })
        });
        let layers = try_join_all(asking).await.unwrap();
        assert!(layers.iter().all(|layer| Arc::ptr_eq(layer, &layers[0])));
        assert_eq!(packed.into_inner(), 1);
    }

    #[tokio::test]
    async fn few_are_packed_at_once() {
        let workshop = workshop();
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let asking = (0..20).map(|index| {
            workshop.layer(index.to_string(), async {
                most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                yield_now().await;
                now.fetch_sub(1, SeqCst);
                Ok(layer())
            })
        });
        try_join_all(asking).await.unwrap();
        assert_eq!(most.into_inner(), PACKING);
    }

    #[tokio::test]
    async fn a_packing_that_fails_is_tried_again_by_the_next_who_asks() {
        let (workshop, tried) = (workshop(), AtomicUsize::new(0));
        let asking = (0..2).map(|_| {
            workshop.layer("platform".to_owned(), async {
                match tried.fetch_add(1, SeqCst) {
                    0 => Err(ImageError::Nameless),
                    _ => Ok(layer()),
                }
            })
        });
        let outcomes = join_all(asking).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    }
}
