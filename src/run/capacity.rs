//! Which suites fit into a cluster at the same time: pure bookkeeping, node by node.

use std::collections::BTreeMap;

use crate::manifest::Requests;

/// What the nodes of a cluster have for suites, and who has taken what of it.
#[derive(Clone, Debug)]
pub(super) struct Capacity {
    /// What each node has when no suite is there.
    empty: Vec<Requests>,
    parts: BTreeMap<String, Part>,
}

/// What a suite has taken of each node.
#[derive(Clone, Debug)]
struct Part {
    nodes: Vec<Requests>,
    /// Whether it will not be given back before the end of the run.
    stays: bool,
}

/// Whether a suite fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It has taken its part.
    Now,
    /// Once others have given back theirs.
    Later,
    /// Not beside those that stay.
    NotBesideKept,
    /// Not even alone.
    Never,
}

impl Capacity {
    /// Nodes that have this for suites.
    pub(super) fn new(empty: Vec<Requests>) -> Self {
        Self { empty, parts: BTreeMap::new() }
    }

    /// Takes what the pods of a suite ask for, if that is there.
    pub(super) fn take(&mut self, suite: &str, pods: &[Requests]) -> Fit {
        if let Some(nodes) = place(&self.beside(|_| true), pods) {
            self.parts.insert(suite.to_owned(), Part { nodes, stays: false });
            return Fit::Now;
        }
        if place(&self.empty, pods).is_none() {
            Fit::Never
        } else if place(&self.beside(|part| part.stays), pods).is_none() {
            Fit::NotBesideKept
        } else {
            Fit::Later
        }
    }

    /// Gives back what a suite has taken.
    pub(super) fn give_back(&mut self, suite: &str) {
        self.parts.remove(suite);
    }

    /// Notes that a suite will not give its part back.
    pub(super) fn stays(&mut self, suite: &str) {
        if let Some(part) = self.parts.get_mut(suite) {
            part.stays = true;
        }
    }

    /// Whether somebody's part stays.
    pub(super) fn is_kept(&self) -> bool {
        self.parts.values().any(|part| part.stays)
    }

    /// What all nodes have together when no suite is there.
    pub(super) fn total(&self) -> Requests {
        self.empty.iter().copied().fold(Requests::default(), Requests::plus)
    }

    /// What each node has left beside some of the parts.
    fn beside(&self, counts: impl Fn(&Part) -> bool) -> Vec<Requests> {
        let mut left = self.empty.clone();
        for part in self.parts.values().filter(|part| counts(part)) {
            for (node, taken) in left.iter_mut().zip(&part.nodes) {
                *node = node.less(*taken);
            }
        }
        left
    }
}

/// What pods take of each node, if each finds one: the biggest first, each where most is left, as
/// the scheduler of Kubernetes prefers it.
fn place(nodes: &[Requests], pods: &[Requests]) -> Option<Vec<Requests>> {
    let mut left = nodes.to_vec();
    let mut taken = vec![Requests::default(); nodes.len()];
    let mut pods = pods.to_vec();
    pods.sort_by_key(|pod| std::cmp::Reverse((pod.cpu, pod.memory)));
    for pod in pods {
        let fitting = (0..left.len()).filter(|node| pod.fits(left[*node]));
        let node = fitting.max_by_key(|node| (left[*node].cpu, left[*node].memory))?;
        left[node] = left[node].less(pod);
        taken[node] = taken[node].plus(pod);
    }
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(cpu: u64) -> Requests {
        Requests { cpu, memory: 1 }
    }

    fn nodes(cpus: &[u64]) -> Capacity {
        Capacity::new(cpus.iter().map(|cpu| Requests { cpu: *cpu, memory: 1 << 30 }).collect())
    }

    #[test]
    fn a_suite_waits_for_what_others_give_back() {
        let mut capacity = nodes(&[1000]);
        assert_eq!(capacity.take("a", &[cpu(400), cpu(300)]), Fit::Now);
        assert_eq!(capacity.take("b", &[cpu(400)]), Fit::Later);
        assert_eq!(capacity.take("c", &[cpu(300)]), Fit::Now);
        capacity.give_back("a");
        assert_eq!(capacity.take("b", &[cpu(400)]), Fit::Now);
    }

    #[test]
    fn what_is_too_big_for_every_node_never_fits_although_all_nodes_together_have_it() {
        let mut capacity = nodes(&[500, 500]);
        assert_eq!(capacity.take("a", &[cpu(600)]), Fit::Never);
        assert_eq!(capacity.take("a", &[cpu(300), cpu(300), cpu(200)]), Fit::Now);
        assert_eq!(capacity.take("b", &[cpu(250)]), Fit::Later);
        assert_eq!(capacity.total().cpu, 1000);
    }

    #[test]
    fn nobody_waits_for_what_stays() {
        let mut capacity = nodes(&[1000]);
        assert_eq!(capacity.take("a", &[cpu(700)]), Fit::Now);
        capacity.stays("a");
        assert!(capacity.is_kept());
        assert_eq!(capacity.take("b", &[cpu(400)]), Fit::NotBesideKept);
        assert_eq!(capacity.take("b", &[cpu(300)]), Fit::Now);
        assert_eq!(capacity.take("c", &[cpu(200)]), Fit::Later);
    }

    #[test]
    fn a_suite_without_pods_fits_anywhere() {
        assert_eq!(nodes(&[]).take("a", &[]), Fit::Now);
    }
}
