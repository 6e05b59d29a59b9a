//! What a suite asks of the nodes of its cluster.

use serde_json::json;

use super::WorkloadPlan;
use crate::{
    manifest::{Demand, Requests, quantity},
    problem::Problem,
    suite::{Reserve, Suite},
};

/// What the pods of a suite and those of its cases ask for, and the part of its cases.
pub(super) fn plan<'a>(
    suite: &Suite,
    workloads: impl Iterator<Item = &'a WorkloadPlan>,
    problems: &mut Vec<Problem>,
) -> (Demand, Requests) {
    let mut demand = Demand::of(workloads.flat_map(|workload| &workload.objects));
    let mut reserved = Demand::default();
    for reserve in &suite.reserved {
        if reserve.pods == 0 {
            problems.push(Problem::ReserveNothing { suite: suite.name.clone() });
        }
        let each = each(suite, reserve, problems);
        demand.add(each, reserve.pods.into());
        reserved.add(each, reserve.pods.into());
    }
    (demand, reserved.total(0))
}

/// What each of the pods asks for.
fn each(suite: &Suite, reserve: &Reserve, problems: &mut Vec<Problem>) -> Requests {
    let mut read = |field, given: &Option<String>| {
        let Some(text) = given else { return 0 };
        quantity(&json!(text)).unwrap_or_else(|| {
            let (suite, text) = (suite.name.clone(), text.clone());
            problems.push(Problem::ReserveQuantity { suite, field, text });
            0
        })
    };
    let (cpu, memory) = (read("cpu", &reserve.cpu), read("memory", &reserve.memory) / 1000);
    Requests { cpu, memory, pods: 1 }
}
