//! Gives back what a suite does not need any more: its evidence is collected, its room is for others.

use std::sync::{Arc, PoisonError, atomic::Ordering};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::sync::mpsc;

use super::{
    clusters::{Admitted, Coming, Ground},
    site::Site,
    suites::Running,
};
use crate::{cli::Keep, plan::ClusterPlan, stack::release};

/// A stack that nobody needs any more, while others wait for its room.
#[derive(Debug)]
pub(super) struct Release {
    ground: Arc<Ground>,
    admitted: Admitted,
    namespace: String,
}

/// Deletes released stacks until there is nobody left to release one.
pub(super) async fn release_all(mut releases: mpsc::UnboundedReceiver<Release>) {
    let mut ongoing = FuturesUnordered::new();
    loop {
        tokio::select! {
            Some(released) = releases.recv() => ongoing.push(async move {
                release(&released.ground.cluster, &released.namespace).await;
                drop(released.admitted);
            }),
            Some(()) = ongoing.next() => {}
            else => return,
        }
    }
}

impl Running {
    /// Notes that one of its cases has ended; the last one lets the stack go.
    pub(super) async fn ended(&self, site: &Site) {
        if self.remaining.fetch_sub(1, Ordering::SeqCst) > 1 {
            return;
        }
        if self.failed.load(Ordering::SeqCst) {
            self.collect(site).await;
        }
        self.let_go(site).await;
    }

    pub(super) async fn collect(&self, site: &Site) {
        let client = {
            let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            held.as_ref().map(|(ground, _)| ground.cluster.client())
        };
        let Some(client) = client else { return };
        let evidence = self.evidence(site);
        let collecting = evidence.of_namespace(&client, &self.plan.namespace);
        site.interrupt.hurry.run_until_cancelled(collecting).await;
    }

    /// Gives its room to suites that wait for it; what nobody waits for goes with the cluster.
    pub(super) async fn let_go(&self, site: &Site) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((ground, admitted)) = held else {
            return;
        };
        if !self.goes(site) {
            ground.keep(admitted);
        } else if site.plan.suites_of(&self.plan.cluster).count() > 1 {
            let _ = site.note(|notes| notes.endpoints.retain(|it| it.suite != self.plan.name));
            // The cases do not have to wait for the end of it, only whoever needs its room.
            let _ = site.releases.send(Release {
                ground,
                admitted,
                namespace: self.plan.namespace.clone(),
            });
        } else if site.plan.clusters.len() > 1 {
            ground.delete(site).await;
        }
    }

    /// Deletes a cluster of its own of which it never got a part, once it is there.
    pub(super) async fn give_back(&self, site: &Site, coming: &Coming) {
        let own = site.plan.suites_of(&self.plan.cluster).count() == 1;
        if own
            && site.plan.clusters.len() > 1
            && self.goes(site)
            && let Ok(ground) = coming.ground().await
        {
            ground.delete(site).await;
        }
    }

    /// Whether its stack is deleted before the run ends.
    fn goes(&self, site: &Site) -> bool {
        let failed = self.failed.load(Ordering::SeqCst);
        let kept = site.plan.keep == Keep::Always || site.plan.keep == Keep::OnFailure && failed;
        let made = site.plan.clusters.iter().any(|cluster| {
            matches!(cluster, ClusterPlan::Create { name, .. } if *name == self.plan.cluster)
        });
        made && !kept && !site.interrupt.stop.is_cancelled()
    }
}
