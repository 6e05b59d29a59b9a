//! Which suites get a part of a cluster, and when.

use super::{
    memory::Act,
    script::{Over, Script, suite},
};
use crate::{
    events::{Phase, What},
    suite::{Reserve, Suite},
};

#[tokio::test]
async fn a_suite_waits_for_room_until_another_has_given_it_back() {
    let suites =
        [suite("big-1500", &["one"]), suite("more-1500", &["one"]), suite("small", &["one"])];
    let over = Script::of(suites).run().await;
    over.counted([3, 0, 0], 0);
    over.in_order(&["begin big-1500::one", "released big-1500", "up more-1500"]);
    // Whoever needs little does not wait behind who needs much.
    over.in_order(&["up small", "released big-1500"]);
}

#[tokio::test]
async fn a_suite_that_is_too_big_for_every_node_is_told_so_and_the_others_go_on() {
    let suites = [suite("big-1500", &["one"]), suite("small-500", &["one"])];
    let over = Script::of(suites).nodes(&[1000, 1000]).run().await;
    over.counted([1, 0, 1], 101).never("up big-1500");
    let causes = over.causes();
    assert!(
        causes[0]
            .starts_with("big-1500: the suite needs 1500m of cpu, 0 MiB of memory, 1 pod, and"),
        "{causes:?}"
    );
    assert!(causes[0].contains(": no node has what one of its pods requests (1500m"), "{causes:?}");
}

#[tokio::test]
async fn nobody_waits_for_the_room_of_a_stack_that_is_kept() {
    let suites = [suite("big-1500", &["one"]), suite("more-1500", &["one"])];
    let over = Script::of(suites).typed(&["--keep", "always"]).run().await;
    over.counted([1, 0, 1], 101).never("release big-1500");
    assert!(over.causes()[0].contains("beside stacks that are kept"), "{:?}", over.causes());
}

#[tokio::test]
async fn a_failed_stack_is_kept_on_failure_and_another_is_released() {
    let suites = [suite("bad", &["one"]), suite("good", &["one"]), suite("last-1950", &["one"])];
    let script = Script::of(suites).typed(&["--keep", "on-failure"]).act("bad::one", Act::Fails);
    let over = script.run().await;
    // The last one does not fit beside what is kept.
    over.counted([1, 1, 1], 101).never("release bad").at("release good");
}

#[tokio::test]
async fn what_takes_longest_is_first_and_what_is_not_known_is_taken_as_the_longest() {
    let names = ["short-1500", "new-1500", "long-1500", "newer-1500"];
    let script = || {
        let script = Script::of(names.map(|name| suite(name, &["one"])));
        script.took("short-1500", 5.0).took("long-1500", 50.0)
    };
    let order = ["new-1500", "newer-1500", "long-1500", "short-1500"];
    let over = script().run().await;
    over.counted([4, 0, 0], 0).in_order(&order.map(|suite| format!("up {suite}")));
    over.in_order(&order.map(|suite| format!("build {suite}")));
    let over = script().typed(&["--clusters", "per-suite"]).run().await;
    over.counted([4, 0, 0], 0).in_order(&["make 2", "make 4", "make 3", "make 1"]);
}

#[tokio::test]
async fn without_an_earlier_run_suites_come_as_they_are_declared() {
    let names = ["b-1500", "a-1500", "c-1500"];
    let over = Script::of(names.map(|name| suite(name, &["one"]))).run().await;
    over.counted([3, 0, 0], 0).in_order(&names.map(|suite| format!("up {suite}")));
}

#[tokio::test]
async fn a_big_suite_does_not_wait_for_small_ones_that_came_after_it() {
    let names = ["first-1500", "big-1800", "small-300", "tiny-150"];
    let over = Script::of(names.map(|name| suite(name, &["one"]))).run().await;
    over.counted([4, 0, 0], 0);
    // This one fits beside the big one, too, and the other would not.
    over.in_order(&["up tiny-150", "released first-1500", "up big-1800"]);
    over.in_order(&["released big-1800", "up small-300"]);
    assert_eq!(
        waits(&over),
        [
            "big-1800: room: insufficient cpu",
            "small-300: room: after `big-1800`, which waits for longer",
            "small-300: room: insufficient cpu",
        ]
    );
}

#[tokio::test]
async fn what_a_suite_reserves_for_its_cases_is_not_given_to_another() {
    let jobs = suite("jobs", &["one"]).reserve(Reserve::pods(3).cpu("0.5").memory("1Mi"));
    let over = Script::of([jobs, suite("shop-500", &["one"])]).run().await;
    over.counted([2, 0, 0], 0).in_order(&["begin jobs::one", "released jobs", "up shop-500"]);
}

#[tokio::test]
async fn a_suite_of_more_pods_than_nodes_take_is_told_so() {
    let jobs = |pods| suite("jobs", &["one"]).reserve(Reserve::pods(pods).memory("1Mi"));
    Script::of([jobs(109)]).run().await.counted([1, 0, 0], 0);
    let over = Script::of([jobs(110)]).run().await;
    over.counted([0, 0, 1], 70);
    assert_eq!(
        over.causes(),
        ["jobs: the suite needs 100m of cpu, 110 MiB of memory, 111 pods \
             (of which 0m of cpu, 110 MiB of memory, 110 pods are reserved for its cases), \
             and the nodes of an empty cluster have 2000m of cpu, 1024 MiB of memory, 110 pods: too many pods; \
             lower `resources.requests` or what it reserves, or add a node \
             to kind's configuration (kind/cluster.yaml, or the file that the suite names with `.kind_config(..)`)"]
    );
}

#[tokio::test]
async fn a_suite_that_waits_for_pods_is_told_so() {
    let jobs = |name: &str| -> Suite { suite(name, &["one"]).reserve(Reserve::pods(60)) };
    let over = Script::of([jobs("first"), jobs("second")]).run().await;
    over.counted([2, 0, 0], 0).in_order(&["released first", "up second"]);
    assert_eq!(waits(&over), ["second: room: too many pods"]);
    let admitting = over.events.iter().filter_map(|event| {
        let What::PhaseEnded { phase, subject, .. } = &event.what else { return None };
        Some((*phase, subject.as_str()))
    });
    assert_eq!(admitting.collect::<Vec<_>>(), [(Phase::Admit, "second")]);
}

/// What suites waited for, each with its name.
fn waits(over: &Over) -> Vec<String> {
    let waits = over.events.iter().filter_map(|event| {
        let What::PhaseWaits { subject, waits_for } = &event.what else { return None };
        Some(format!("{subject}: {waits_for}"))
    });
    waits.collect()
}
