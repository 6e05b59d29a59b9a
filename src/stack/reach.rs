//! Asks each endpoint of a workload, where this machine knows it, until its pods of today answer.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream::FuturesUnordered};

use super::{
    StackError,
    ask::{Asked, Asker, asked},
    doubt::{Doubt, Doubts, PATIENCE},
    endpoints::address,
    lead::{self, Lead, Target},
    prospect,
    site::Site,
};
use crate::{
    plan::{EndpointPlan, SuitePlan, WorkloadPlan},
    text::chain,
    wait::{self, Limit, Poll},
};

/// The pause between two looks at an endpoint.
const PAUSE: Duration = Duration::from_millis(50);
/// How long the first request may take, and each further one half as long again: the node refuses
/// only a few connections at once by a word, the others by silence, and who waits for an answer to
/// such a one asks again after a second.
const FIRST: Duration = Duration::from_millis(200);
/// Who waited longer than this was not dropped, but made to wait.
const DROPPED: Duration = Duration::from_secs(1);
/// How long after a request without an answer another one is sent beside it: one that came while the node
/// had the port, but not yet where it leads, is never answered.
const BESIDE: Duration = Duration::from_secs(2);
/// How many answers in a row say that no request is lost: for a moment after a pod is gone, the
/// node may lead every second one to where it was.
const IN_A_ROW: usize = 4;

/// What became of asking a workload.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All its endpoints have answered.
    Answered,
    /// Its pods were ready for a moment only.
    Unready,
}

/// What one look at an endpoint found.
struct Look {
    /// Nothing if it answered.
    seen: Option<String>,
    doubt: Option<Doubt>,
    targets: Vec<Target>,
}

impl Look {
    fn without_request(seen: String, doubt: Option<Doubt>) -> Self {
        Self { seen: Some(seen), doubt, targets: Vec::new() }
    }
}

/// Reaches endpoints of a suite, behind which are pods with one of these marks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach<'a> {
    pub(super) site: &'a Site,
    pub(super) suite: &'a SuitePlan,
    pub(super) asker: Asker<'a>,
    pub(super) marks: &'a BTreeSet<&'a str>,
}

impl Reach<'_> {
    /// Asks every endpoint of a workload until it has answered. Its limit counts from `begun`.
    pub(super) async fn ask(
        &self,
        workload: &WorkloadPlan,
        begun: Instant,
    ) -> Result<Outcome, StackError> {
        for endpoint in &workload.endpoints {
            if self.endpoint(workload, endpoint, begun).await? == Outcome::Unready {
                return Ok(Outcome::Unready);
            }
        }
        Ok(Outcome::Answered)
    }

    async fn endpoint(
        &self,
        workload: &WorkloadPlan,
        endpoint: &EndpointPlan,
        begun: Instant,
    ) -> Result<Outcome, StackError> {
        let address = address(self.site, endpoint)?;
        let what = asked(endpoint, address);
        let name = || workload.name.clone();
        let (mut doubts, mut patience) = (Doubts::default(), FIRST);
        let mut last = String::from("nothing");
        let total = workload.ready_within;
        let limit = Limit { total: total.saturating_sub(begun.elapsed()), every: PAUSE };
        let asking = wait::until(&what, limit, async || {
            let look = self.look(endpoint, address, &mut patience).await;
            let Some(seen) = look.seen else {
                return Ok(Poll::Ready(Outcome::Answered));
            };
            last.clone_from(&seen);
            self.site.events.waits(&self.suite.name, &format!("{}: {seen}", endpoint.name));
            if !doubts.proven(look.doubt, Instant::now()) {
                return Ok(Poll::NotYet(seen));
            }
            match look.doubt {
                Some(Doubt::Unready) => Ok(Poll::Ready(Outcome::Unready)),
                Some(Doubt::Nowhere) => Err(StackError::Astray { workload: name(), words: seen }),
                Some(Doubt::NotFound) => Err(StackError::Unhealthy {
                    workload: name(),
                    asked: what.clone(),
                    answer: format!("{seen} (is this its health path?)"),
                }),
                Some(Doubt::Untrusted) => {
                    Err(StackError::Untrusted { endpoint: endpoint.name.clone(), words: seen })
                }
                Some(Doubt::Denied | Doubt::Wrong) => {
                    let (workload, asked) = (name(), what.clone());
                    Err(if endpoint.is_http() {
                        StackError::Unhealthy { workload, asked, answer: seen }
                    } else {
                        StackError::Refusing { workload, asked, answer: seen }
                    })
                }
                Some(Doubt::Refused)
                    if lead::is_closed(self.site, endpoint, &look.targets).await =>
                {
                    let words = format!(
                        "{}, which refuses connections; is `targetPort` right?",
                        lead::words(&look.targets)
                    );
                    Err(StackError::Astray { workload: name(), words })
                }
                Some(Doubt::Refused) | None => {
                    doubts = Doubts::default();
                    Ok(Poll::NotYet(seen))
                }
            }
        });
        match asking.await {
            Ok(proof) => Ok(proof),
            Err(wait::WaitError::Broken { source, .. }) => Err(source),
            Err(wait::WaitError::TimedOut { .. }) => {
                Err(StackError::Silent { workload: name(), asked: what, limit: total, seen: last })
            }
        }
    }

    /// Looks where an endpoint leads, and asks it if that is to pods of today.
    async fn look(
        &self,
        endpoint: &EndpointPlan,
        address: SocketAddr,
        patience: &mut Duration,
    ) -> Look {
        let targets = match lead::lead(self.site, endpoint, self.marks).await {
            Ok(Lead::Here(targets)) => targets,
            Ok(Lead::Before(words)) => return Look::without_request(words, None),
            Ok(Lead::Unready(words)) => return Look::without_request(words, Some(Doubt::Unready)),
            Ok(Lead::Nowhere(selector, words)) => {
                let may_come = prospect::may_come(self.suite.objects(), selector.as_ref());
                return Look::without_request(words, (!may_come).then_some(Doubt::Nowhere));
            }
            Err(error) => return Look::without_request(chain(&error), None),
        };
        let mut answer = Asked::Answered;
        for _ in 0..IN_A_ROW {
            answer = first(BESIDE, || self.asker.ask(endpoint, address, *patience)).await;
            if answer != Asked::Answered {
                break;
            }
        }
        let leads = lead::words(&targets);
        let (seen, doubt) = match answer {
            Asked::Answered => (None, None),
            Asked::NotFound(words) => (Some(words), Some(Doubt::NotFound)),
            Asked::Starting(words) => (Some(words), None),
            Asked::Wrong(words) => (Some(words), Some(Doubt::Wrong)),
            Asked::Denied(words) => (Some(words), Some(Doubt::Denied)),
            Asked::Untrusted(words) => (Some(words), Some(Doubt::Untrusted)),
            Asked::Late(words) => (Some(format!("{words}; {leads}")), None),
            Asked::Refused(words) => (Some(format!("{words}; {leads}")), Some(Doubt::Refused)),
        };
        *patience = longer(*patience);
        Look { seen, doubt, targets }
    }
}

/// What ends first of one attempt and others, each of which is begun so long after the one before.
async fn first<T, F: Future<Output = T>>(after: Duration, attempt: impl Fn() -> F) -> T {
    let mut attempts = FuturesUnordered::new();
    loop {
        attempts.push(attempt());
        if let Ok(Some(ended)) = tokio::time::timeout(after, attempts.next()).await {
            return ended;
        }
    }
}

/// How long the request after one may take that waited so long.
fn longer(patience: Duration) -> Duration {
    if patience > DROPPED { PATIENCE } else { patience * 3 / 2 }
}

/// The address at which an endpoint of a workload still answers, if one does.
pub(super) async fn answering(
    site: &Site,
    workload: &WorkloadPlan,
    asker: Asker<'_>,
) -> Option<SocketAddr> {
    for endpoint in &workload.endpoints {
        let address = site.cluster.address(endpoint.node_port)?;
        match asker.ask(endpoint, address, FIRST).await {
            Asked::Answered
            | Asked::NotFound(_)
            | Asked::Starting(_)
            | Asked::Wrong(_)
            | Asked::Denied(_)
            | Asked::Untrusted(_) => return Some(address),
            Asked::Late(_) | Asked::Refused(_) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_service_gets_the_patience_of_a_request_after_a_few_short_ones() {
        let mut patience = vec![FIRST];
        while patience.last() < Some(&PATIENCE) && patience.len() < 20 {
            patience.extend(patience.last().copied().map(longer));
        }
        assert_eq!(patience.last(), Some(&PATIENCE));
        let before: Duration = patience[..patience.len() - 1].iter().sum();
        assert!(before < Duration::from_secs(5), "{patience:?}");
    }

    #[tokio::test]
    async fn a_request_that_is_never_answered_does_not_hold_up_one_that_is() {
        let asked = std::cell::Cell::new(0);
        let answer = first(Duration::from_millis(1), || {
            asked.set(asked.get() + 1);
            let number = asked.get();
            async move {
                if number < 3 {
                    std::future::pending::<()>().await;
                }
                number
            }
        });
        assert_eq!(answer.await, 3);
    }
}
