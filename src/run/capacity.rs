//! Which suites fit into a cluster at the same time: pure bookkeeping, node by node.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::manifest::{Demand, Requests};

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It has taken its part.
    Now,
    /// Once others have given back theirs.
    Later(Lack),
    /// Not beside those that stay.
    NotBesideKept(Lack),
    /// Not even alone.
    Never(Lack),
}

/// What there is too little of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// All nodes together have too little, in these words.
    Of(Vec<&'static str>),
    /// No node has what this pod asks for, although all together have enough.
    Node(Requests),
    /// Nothing, but this suite waits for longer and would not fit beside it.
    Turn(String),
}

/// Who waits for longer, and who came after it.
#[derive(Clone, Copy, Debug)]
pub(super) struct First<'a> {
    pub(super) suite: &'a str,
    pub(super) demand: &'a Demand,
    pub(super) overtaken_by: &'a BTreeSet<String>,
}

impl Capacity {
    /// Nodes that have this for suites.
    pub(super) fn new(empty: Vec<Requests>) -> Self {
        Self { empty, parts: BTreeMap::new() }
    }

    /// Takes what a suite asks for, if that is there and is not taken from who waits for longer.
    pub(super) fn take(&mut self, suite: &str, demand: &Demand, first: Option<First<'_>>) -> Fit {
        let nodes = match place(&self.beside(|_, _| true), demand) {
            Ok(nodes) => nodes,
            Err(lack) => return self.refusal(demand, lack),
        };
        if let Some(First { suite, demand, overtaken_by }) = first {
            // Those that were there before it give their parts back, and only for them it waits.
            let after = self.beside(|name, part| part.stays || overtaken_by.contains(name));
            let left: Vec<_> = after.iter().zip(&nodes).map(|(it, own)| it.less(*own)).collect();
            if place(&left, demand).is_err() {
                return Fit::Later(Lack::Turn(suite.to_owned()));
            }
        }
        self.parts.insert(suite.to_owned(), Part { nodes, stays: false });
        Fit::Now
    }

    /// Whether it is worth waiting for what is not there now.
    fn refusal(&self, demand: &Demand, now: Lack) -> Fit {
        if let Err(lack) = place(&self.empty, demand) {
            Fit::Never(lack)
        } else if let Err(lack) = place(&self.beside(|_, part| part.stays), demand) {
            Fit::NotBesideKept(lack)
        } else {
            Fit::Later(now)
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

    /// How many nodes there are.
    pub(super) fn nodes(&self) -> usize {
        self.empty.len()
    }

    /// What all nodes have together when no suite is there.
    pub(super) fn total(&self) -> Requests {
        sum(&self.empty)
    }

    /// What each node has left beside some of the parts.
    fn beside(&self, counts: impl Fn(&str, &Part) -> bool) -> Vec<Requests> {
        let mut left = self.empty.clone();
        for (_, part) in self.parts.iter().filter(|(suite, part)| counts(suite, part)) {
            for (node, taken) in left.iter_mut().zip(&part.nodes) {
                *node = node.less(*taken);
            }
        }
        left
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Of(words) => f.write_str(&words.join(", ")),
            Self::Node(pod) => write!(f, "no node has what one of its pods requests ({pod})"),
            Self::Turn(suite) => write!(f, "after `{suite}`, which waits for longer"),
        }
    }
}

/// What pods take of each node, if each finds one: the biggest first, each where most is left, as
/// the scheduler of Kubernetes prefers it.
fn place(nodes: &[Requests], demand: &Demand) -> Result<Vec<Requests>, Lack> {
    let beyond = demand.total(nodes.len()).beyond(sum(nodes));
    if !beyond.is_empty() {
        return Err(Lack::Of(beyond));
    }
    if nodes.iter().any(|node| !demand.everywhere.fits(*node)) {
        return Err(Lack::Node(demand.everywhere));
    }
    let mut left: Vec<_> = nodes.iter().map(|node| node.less(demand.everywhere)).collect();
    let mut taken = vec![demand.everywhere; nodes.len()];
    let mut pods = demand.pods.clone();
    pods.sort_by_key(|pod| std::cmp::Reverse((pod.cpu, pod.memory)));
    for pod in pods {
        let fitting = (0..left.len()).filter(|node| pod.fits(left[*node]));
        let node = fitting.max_by_key(|node| (left[*node].cpu, left[*node].memory));
        let node = node.ok_or(Lack::Node(pod))?;
        left[node] = left[node].less(pod);
        taken[node] = taken[node].plus(pod);
    }
    Ok(taken)
}

fn sum(nodes: &[Requests]) -> Requests {
    nodes.iter().copied().fold(Requests::default(), Requests::plus)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pods that ask for so many thousandths of a core each.
    fn pods(cpus: &[u64]) -> Demand {
        let pods = cpus.iter().map(|cpu| Requests { cpu: *cpu, memory: 1, pods: 1 });
        Demand { pods: pods.collect(), ..Demand::default() }
    }

    fn nodes(cpus: &[u64]) -> Capacity {
        let node = |cpu: &u64| Requests { cpu: *cpu, memory: 1 << 30, pods: 4 };
        Capacity::new(cpus.iter().map(node).collect())
    }

    fn take(capacity: &mut Capacity, suite: &str, cpus: &[u64]) -> Fit {
        capacity.take(suite, &pods(cpus), None)
    }

    fn cpu() -> Lack {
        Lack::Of(vec!["insufficient cpu"])
    }

    #[test]
    fn a_suite_waits_for_what_others_give_back() {
        let mut capacity = nodes(&[1000]);
        assert_eq!(take(&mut capacity, "a", &[400, 300]), Fit::Now);
        assert_eq!(take(&mut capacity, "b", &[400]), Fit::Later(cpu()));
        assert_eq!(take(&mut capacity, "c", &[300]), Fit::Now);
        capacity.give_back("a");
        assert_eq!(take(&mut capacity, "b", &[400]), Fit::Now);
    }

    #[test]
    fn what_is_too_big_for_every_node_never_fits_although_all_nodes_together_have_it() {
        let mut capacity = nodes(&[500, 500]);
        let Fit::Never(Lack::Node(pod)) = take(&mut capacity, "a", &[600]) else {
            panic!("it fits")
        };
        assert_eq!(pod.cpu, 600);
        assert_eq!(take(&mut capacity, "a", &[300, 300, 200]), Fit::Now);
        assert!(matches!(take(&mut capacity, "b", &[250]), Fit::Later(_)));
        assert_eq!(capacity.total().cpu, 1000);
    }

    #[test]
    fn a_node_takes_no_more_pods_than_it_allows() {
        let many = Lack::Of(vec!["too many pods"]);
        let mut capacity = nodes(&[1000]);
        assert_eq!(take(&mut capacity, "a", &[1; 5]), Fit::Never(many.clone()));
        assert_eq!(take(&mut capacity, "b", &[1; 3]), Fit::Now);
        assert_eq!(take(&mut capacity, "c", &[1; 2]), Fit::Later(many));
        assert_eq!(take(&mut capacity, "d", &[1]), Fit::Now);
        assert_eq!(take(&mut nodes(&[1000, 1000]), "a", &[1; 5]), Fit::Now);
    }

    #[test]
    fn what_is_on_every_node_takes_its_part_of_each() {
        let everywhere = Demand { everywhere: pods(&[300]).total(1), ..pods(&[600]) };
        assert_eq!(nodes(&[900, 300]).take("a", &everywhere, None), Fit::Now);
        let short = nodes(&[1000, 200]).take("a", &everywhere, None);
        assert_eq!(short, Fit::Never(Lack::Node(everywhere.everywhere)));
    }

    #[test]
    fn nobody_waits_for_what_stays() {
        let mut capacity = nodes(&[1000]);
        assert_eq!(take(&mut capacity, "a", &[700]), Fit::Now);
        capacity.stays("a");
        assert!(capacity.is_kept());
        assert_eq!(take(&mut capacity, "b", &[400]), Fit::NotBesideKept(cpu()));
        assert_eq!(take(&mut capacity, "b", &[300]), Fit::Now);
        assert_eq!(take(&mut capacity, "c", &[200]), Fit::Later(cpu()));
    }

    #[test]
    fn nobody_waits_for_who_came_later() {
        let mut capacity = nodes(&[1000]);
        assert_eq!(take(&mut capacity, "a", &[600]), Fit::Now);
        let (big, mut overtaken_by) = (pods(&[700]), BTreeSet::new());
        let mut overtake = |suite: &str, cpu| {
            let first = First { suite: "big", demand: &big, overtaken_by: &overtaken_by };
            let fit = capacity.take(suite, &pods(&[cpu]), Some(first));
            if fit == Fit::Now {
                overtaken_by.insert(suite.to_owned());
            }
            fit
        };
        let turn = Fit::Later(Lack::Turn("big".to_owned()));
        assert_eq!(overtake("b", 350), turn);
        assert_eq!(overtake("c", 200), Fit::Now);
        assert_eq!(overtake("d", 150), turn);
        assert_eq!(overtake("e", 100), Fit::Now);
        capacity.give_back("a");
        assert_eq!(capacity.take("big", &big, None), Fit::Now);
    }

    #[test]
    fn a_suite_without_pods_fits_anywhere() {
        assert_eq!(take(&mut nodes(&[]), "a", &[]), Fit::Now);
    }
}
