//! Stops and starts workloads of a stack, and brings all of it back after that.

use std::collections::BTreeSet;

use futures_util::future::try_join_all;

use super::{Stack, StackError, reach, readiness::has_replicas, replicas::Wished};
use crate::plan::{TierPlan, WorkloadPlan};

impl Stack {
    /// Ends all pods of a workload, within `grace` seconds if it is given, and waits until they are
    /// gone and nothing answers any more where they did.
    pub(crate) async fn stop(
        &self,
        workload: &WorkloadPlan,
        grace: Option<u32>,
    ) -> Result<(), StackError> {
        let replicas = self.replicas(workload);
        Box::pin(replicas.scale(Wished::Nothing)).await?;
        if let Some(grace) = grace {
            Box::pin(replicas.hurry(grace, has_replicas)).await?;
        }
        let answering = async || reach::answering(&self.site, workload, self.asker()).await;
        Box::pin(replicas.until_gone(answering)).await
    }

    /// Starts the pods of a workload, and waits until they have answered.
    pub(crate) async fn start(&self, workload: &WorkloadPlan) -> Result<(), StackError> {
        let before = self.restarts().await?;
        self.replicas(workload).scale(Wished::AsPlanned).await?;
        self.prove(std::slice::from_ref(workload), &before).await
    }

    /// Waits until all of the stack has answered anew, tier by tier; first it starts what was
    /// stopped of these workloads.
    pub(crate) async fn restore(&self, stopped: &BTreeSet<String>) -> Result<(), StackError> {
        for tier in &self.plan.tiers {
            let TierPlan::Workloads(workloads) = tier else { continue };
            let before = self.restarts().await?;
            for workload in workloads.iter().filter(|it| stopped.contains(&it.name)) {
                self.replicas(workload).scale(Wished::AsPlanned).await?;
            }
            // What crashed for want of another is not waited for, but begins at once.
            try_join_all(workloads.iter().map(|workload| self.renew(workload))).await?;
            self.prove(workloads, &before).await?;
        }
        Ok(())
    }
}
