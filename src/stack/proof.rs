//! Proves that workloads are ready, and answer with the pods of today.

use std::{collections::BTreeSet, time::Instant};

use futures_util::future::try_join_all;

use super::{
    StackError,
    ask::Asker,
    condition, generation,
    reach::{Outcome, Reach},
    ready,
    restarts::Restarts,
    site::Site,
};
use crate::plan::{SuitePlan, WorkloadPlan};

/// Waits until workloads of a suite are ready and have answered; what crashed `before` does not count.
pub(super) async fn prove(
    site: &Site,
    suite: &SuitePlan,
    workloads: &[WorkloadPlan],
    asker: Asker<'_>,
    before: &Restarts,
) -> Result<(), StackError> {
    let objects = suite.workloads().flat_map(|workload| &workload.objects);
    let marks: BTreeSet<_> = objects.filter_map(generation::of_object).collect();
    let reach = Reach { site, suite, asker, marks: &marks };
    let proving = workloads.iter().map(|workload| one(reach, workload, before));
    try_join_all(proving).await.map(drop)
}

async fn one(
    reach: Reach<'_>,
    workload: &WorkloadPlan,
    before: &Restarts,
) -> Result<(), StackError> {
    let begun = Instant::now();
    loop {
        // On the heap: a case holds these futures too.
        Box::pin(ready::wait(reach.site, reach.suite, workload, begun, before)).await?;
        match Box::pin(reach.ask(workload, begun)).await? {
            Outcome::Answered => break,
            // The next look says why.
            Outcome::Unready => {}
        }
    }
    let Reach { site, suite, .. } = reach;
    let until = workload.until.iter();
    let waiting = until.map(|condition| condition::wait(site, suite, workload, condition, begun));
    Box::pin(try_join_all(waiting)).await.map(drop)
}
