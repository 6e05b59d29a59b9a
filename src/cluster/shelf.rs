//! The images of one cluster: what was delivered, and what never will be.

use std::{collections::BTreeMap, sync::Arc};

use thiserror::Error;
use tokio::sync::watch;

use super::{delivered::Delivered, error::DeliveryError};
use crate::image::{ImageError, Reference};

/// Why a cluster will never have an image.
#[derive(Clone, Debug, Error)]
pub(crate) enum Undelivered {
    /// It could not be made.
    #[error(transparent)]
    Image(Arc<ImageError>),
    /// It could not be brought there.
    #[error(transparent)]
    Delivery(Arc<DeliveryError>),
}

/// What became of each image, by the reference that was wanted.
type Arrivals = BTreeMap<Reference, Result<Delivered, Undelivered>>;

/// Where suites wait for the images of their cluster.
#[derive(Clone, Debug)]
pub(crate) struct Shelf(watch::Receiver<Arrivals>);

/// Where whoever delivers puts what became of images.
#[derive(Debug)]
pub(crate) struct Stock(watch::Sender<Arrivals>);

/// An empty shelf, and the way to fill it.
pub(crate) fn shelf() -> (Stock, Shelf) {
    let (sender, receiver) = watch::channel(Arrivals::new());
    (Stock(sender), Shelf(receiver))
}

impl Stock {
    /// Puts down what was delivered.
    pub(crate) fn put(&self, delivered: Vec<Delivered>) {
        let outcomes = delivered.into_iter().map(|image| (image.wanted().clone(), Ok(image)));
        self.0.send_modify(|all| all.extend(outcomes));
    }

    /// Says that these will never come.
    pub(crate) fn fail<'a>(
        &self,
        references: impl IntoIterator<Item = &'a Reference>,
        why: &Undelivered,
    ) {
        let outcomes = references.into_iter().map(|wanted| (wanted.clone(), Err(why.clone())));
        self.0.send_modify(|all| all.extend(outcomes));
    }

    /// Ends when nobody waits any more.
    pub(crate) async fn unwanted(&self) {
        self.0.closed().await;
    }
}

impl Shelf {
    /// Waits for the images of these references, or for the first that never comes.
    pub(crate) async fn take(
        &self,
        wanted: &[&Reference],
    ) -> Result<BTreeMap<Reference, Delivered>, Undelivered> {
        let mut shelf = self.0.clone();
        let complete = |all: &Arrivals| {
            wanted.iter().all(|reference| all.contains_key(*reference))
                || wanted.iter().any(|reference| matches!(all.get(*reference), Some(Err(_))))
        };
        let Ok(all) = shelf.wait_for(complete).await else {
            // Nobody delivers any more because there will be no cluster, which tells why itself.
            return std::future::pending().await;
        };
        let chosen = wanted.iter().filter_map(|reference| all.get_key_value(*reference));
        let chosen = chosen.map(|(wanted, outcome)| Ok((wanted.clone(), outcome.clone()?)));
        // The first that failed is the answer, whatever else is there.
        chosen.collect()
    }

    /// The reference to deploy of an image that is there.
    pub(crate) fn delivered(&self, wanted: &Reference) -> Option<String> {
        let all = self.0.borrow();
        let delivered = all.get(wanted)?.as_ref().ok()?;
        Some(delivered.reference().to_owned())
    }

    /// Ends when one of these will never come.
    pub(crate) async fn failed(&self, wanted: &[&Reference]) -> Undelivered {
        match self.take(wanted).await {
            Err(why) => why,
            Ok(_) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::delivered::Delivery;

    #[tokio::test]
    async fn one_image_that_never_comes_ends_the_wait_for_all() {
        let (stock, shelf) = shelf();
        let [first, second, third] =
            ["a", "b", "c"].map(|name| Reference::new(name, "tests", "0a1b2c3d"));
        let delivered = Delivered::new(first.clone(), first.clone(), Delivery::Node);
        stock.put(vec![delivered]);
        assert_eq!(shelf.take(&[&first]).await.unwrap().len(), 1);
        assert_eq!(shelf.delivered(&first).as_deref(), Some("localhost/a:tests-0a1b2c3d"));
        assert_eq!(shelf.delivered(&second), None);
        stock.fail([&second], &Undelivered::Image(Arc::new(ImageError::Nameless)));
        assert!(shelf.take(&[&first, &second, &third]).await.is_err());
    }
}
