//! The scheduling of a run, against a world made of memory.

use crate::{
    events::{
        CaseEnded, Outcome,
        SuiteState::{Admitted, Judging, Planned, Released, Up},
        What,
    },
    suite::Image,
};

mod admission;
mod interrupts;
mod memory;
mod script;

use memory::{Act, Fault};
use script::{Over, Script, suite};

#[tokio::test]
async fn a_run_in_which_nothing_goes_wrong_passes() {
    let over = Script::of([suite("shop", &["one", "two"])]).run().await;
    over.counted([2, 0, 0], 0).in_order(&["deliver shop to ", "up shop", "begin shop::one"]);
    // It goes with its cluster.
    over.never("release shop").never("collect shop");
}

#[tokio::test]
async fn two_suites_that_control_the_same_kind_keep_their_own_clusters_with_a_third_between_them() {
    let controller = |name| suite(name, &["one"]).resources("orders.yaml").controls("Order");
    let suites = [controller("first"), suite("between", &["one"]), controller("second")];
    let script = Script::of(suites).replaced("first").replaced("second");
    // A case on another suite's stack, and a suite on another's cluster, fail these tests.
    let over = script.run().await;
    over.counted([3, 0, 0], 0);
    over.in_order(&["make 1", "up between"]).in_order(&["make 2", "up second"]);
}

#[tokio::test]
async fn a_setup_that_fails_fails_its_own_suite_only_with_evidence_before_its_room_is_given_back() {
    let suites = [suite("bad-1500", &["one", "two"]), suite("good-1500", &["one"])];
    let over = Script::of(suites).fault("up bad-1500", Fault::Fails).run().await;
    over.counted([1, 0, 2], 101);
    over.in_order(&["up bad-1500", "collect bad-1500", "release bad-1500", "up good-1500"]);
    assert_eq!(over.causes().len(), 1, "a cause is told once: {:?}", over.causes());
}

#[tokio::test]
async fn a_run_in_which_no_stack_comes_up_judges_nothing() {
    let over = Script::of([suite("bad", &["one"])]).fault("up bad", Fault::Fails).run().await;
    over.counted([0, 0, 1], 70);
}

#[tokio::test]
async fn a_panic_while_a_stack_comes_up_is_a_failed_setup() {
    let over = Script::of([suite("bad", &["one"]), suite("good", &["one"])])
        .fault("up bad", Fault::Panics)
        .run()
        .await;
    over.counted([1, 0, 1], 101);
    assert!(over.causes()[0].contains("up bad panics; please report this"), "{:?}", over.causes());
}

#[tokio::test]
async fn an_image_that_cannot_be_made_ends_the_run_although_its_cluster_is_never_done() {
    let script = Script::of([suite("shop", &["one"])])
        .fault("build shop", Fault::Fails)
        .fault("make ", Fault::Hangs);
    script.run().await.counted([0, 0, 1], 70).never("up shop");
}

#[tokio::test]
async fn what_only_cases_name_is_there_before_they_begin() {
    let shop = || suite("shop", &["one"]).image(Image::reference("job", "job:1").for_cases());
    let over = Script::of([shop()]).after("build job", "up shop").run().await;
    over.counted([1, 0, 0], 0).in_order(&["up shop", "deliver job to ", "begin shop::one"]);
    let over =
        Script::of([shop()]).fault("deliver job to ", Fault::Fails).after("build job", "up shop");
    over.run().await.counted([0, 0, 1], 70);
}

#[tokio::test]
async fn an_image_that_cannot_be_delivered_fails_the_suites_that_need_it() {
    let script = Script::of([suite("shop", &["one"])]).fault("deliver shop to ", Fault::Fails);
    let over = script.run().await;
    over.counted([0, 0, 1], 70);
    assert!(over.causes()[0].contains("no space left for images"), "{:?}", over.causes());
}

#[tokio::test]
async fn a_suite_whose_image_fails_while_it_waits_for_room_takes_none() {
    let suites = ["first-1500", "bad-1500", "last-1500"].map(|name| suite(name, &["one"]));
    let script = Script::of(suites)
        .fault("build bad-1500", Fault::Fails)
        .after("build bad-1500", "begin first-1500::one")
        .after("release first-1500", "build bad-1500");
    let over = script.run().await;
    over.counted([2, 0, 1], 101).in_order(&["released first-1500", "up last-1500"]);
}

#[tokio::test]
async fn a_cluster_that_cannot_be_made_fails_its_own_suites_only() {
    let suites = [suite("first", &["one"]), suite("second", &["one"]), suite("third", &["one"])];
    let script = Script::of(suites).typed(&["--clusters", "per-suite"]);
    let over = script.fault("make 1", Fault::Fails).run().await;
    over.counted([2, 0, 1], 101).in_order(&["make 1", "delete 1", "make 3"]);
}

#[tokio::test]
async fn at_most_two_clusters_exist_at_once() {
    let names: Vec<_> = (0..10).map(|number| format!("s{number}")).collect();
    let suites = names.iter().map(|name| suite(name, &["one"]));
    let over = Script::of(suites).typed(&["--clusters", "per-suite"]).run().await;
    over.counted([10, 0, 0], 0);
    let mut alive = 0_usize;
    for step in &over.log {
        alive += usize::from(step.starts_with("make "));
        alive -= usize::from(step.starts_with("delete "));
        assert!(alive <= 2, "{:#?}", over.log);
    }
}

#[tokio::test]
async fn cluster_first_goes_on_although_the_first_of_ten_clusters_failed() {
    let names: Vec<_> = (0..10).map(|number| format!("s{number}")).collect();
    let suites = names.iter().map(|name| suite(name, &["one"]));
    let flags = ["--clusters", "per-suite", "--strategy", "cluster-first"];
    let over = Script::of(suites).typed(&flags).fault("make 1", Fault::Fails).run().await;
    over.counted([9, 0, 1], 101);
}

#[tokio::test]
async fn strategies_differ_in_who_waits_for_whom() {
    let script = || Script::of([suite("shop", &["one"])]);
    let over = script().typed(&["--strategy", "images-first"]).run().await;
    over.counted([1, 0, 0], 0).in_order(&["build shop", "make "]);
    let over = script().typed(&["--strategy", "cluster-first"]).run().await;
    over.counted([1, 0, 0], 0).in_order(&["make ", "build shop"]);
    let over = script().after("make ", "build shop").run().await;
    over.counted([1, 0, 0], 0);
    let over = script().after("build shop", "make ").run().await;
    over.counted([1, 0, 0], 0);
}

#[tokio::test]
async fn nothing_is_built_when_no_cluster_can_be_made() {
    let script = Script::of([suite("shop", &["one"])]).typed(&["--strategy", "cluster-first"]);
    let over = script.fault("make ", Fault::Fails).run().await;
    over.counted([0, 0, 1], 70).never("build shop");
}

#[tokio::test]
async fn a_big_image_does_not_hold_up_what_an_earlier_tier_needs() {
    let suites = [suite("shop", &["one"]), suite("stall", &["one"])];
    let script = Script::of(suites).after("build stall", "deliver shop to ");
    let over = script.fault("deliver shop to ", Fault::Hangs).act("stall::one", Act::Interrupts);
    over.run().await.in_order(&["deliver shop to ", "deliver stall to ", "begin stall::one"]);
}

#[tokio::test]
async fn cases_that_fail_or_panic_are_failures_with_evidence() {
    let script = Script::of([suite("shop", &["one", "two", "three"])])
        .act("shop::one", Act::Fails)
        .act("shop::two", Act::Panics);
    let over = script.run().await;
    over.counted([1, 2, 0], 101).at("collect shop");
    let causes: Vec<_> = ended(&over).filter_map(|case| case.cause.as_deref()).collect();
    assert!(causes.contains(&"it is wrong"), "{causes:?}");
    assert!(causes.contains(&"the case panicked: the kettle is empty"), "{causes:?}");
}

#[tokio::test]
async fn a_case_that_skips_itself_is_told_so_and_fails_nothing() {
    let script = Script::of([suite("shop", &["one", "two"])]).act("shop::one", Act::Skips);
    let over = script.run().await;
    over.counted([1, 0, 0], 0).never("collect shop").at("close shop::one");
    let one = ended(&over).find(|case| case.case == "one").unwrap();
    assert_eq!((one.outcome, one.cause.as_deref()), (Outcome::Skipped, Some("it has no kettle")));
    assert_eq!(notices(&over), 0);
}

#[tokio::test]
async fn a_run_in_which_every_case_skips_itself_is_not_green_and_a_suite_in_which_it_does_is_told()
{
    let script = || Script::of([suite("shop", &["one"])]).act("shop::one", Act::Skips);
    script().run().await.counted([0, 0, 0], 70);
    let suites = [suite("shop", &["one"]), suite("stall", &["one"])];
    let over = Script::of(suites).act("shop::one", Act::Skips).run().await;
    over.counted([1, 0, 0], 0);
    assert_eq!(notices(&over), 1);
}

fn notices(over: &Over) -> usize {
    over.events.iter().filter(|event| matches!(event.what, What::Noticed { .. })).count()
}

fn ended(over: &Over) -> impl Iterator<Item = &CaseEnded> {
    over.events.iter().filter_map(|event| {
        if let What::CaseEnded(ended) = &event.what { Some(ended) } else { None }
    })
}

#[tokio::test]
async fn a_case_that_blocks_its_thread_is_abandoned_and_can_touch_nothing_any_more() {
    let mut shop = suite("shop", &["one", "two"]);
    shop.cases[0] = shop.cases[0].clone().alone().limit(std::time::Duration::from_millis(10));
    shop.cases[1] = shop.cases[1].clone().alone();
    let over = Script::of([shop]).act("shop::one", Act::Blocks).run().await;
    over.counted([1, 1, 0], 101);
    let cause = ended(&over).find(|case| case.case == "one").and_then(|case| case.cause.clone());
    assert!(cause.clone().is_some_and(|words| words.contains("it is abandoned")), "{cause:?}");
    let two = ["begin shop::two", "close shop::two"];
    let (one, two) = (["begin shop::one", "close shop::one"], two);
    let [first, second] = if over.at(one[0]) < over.at(two[0]) { [one, two] } else { [two, one] };
    over.in_order(&[first[0], first[1], second[0], second[1]]);
}

#[tokio::test]
async fn a_case_that_does_not_end_within_its_limit_fails() {
    let mut shop = suite("shop", &["one"]);
    shop.cases[0] = shop.cases[0].clone().limit(std::time::Duration::from_millis(10));
    let over = Script::of([shop]).act("shop::one", Act::Waits).run().await;
    over.counted([0, 1, 0], 101);
}

#[tokio::test]
async fn no_case_begins_on_a_stack_that_did_not_come_back() {
    let mut shop = suite("shop", &["one", "two"]);
    shop.cases[0] = shop.cases[0].clone().alone();
    shop.cases[1] = shop.cases[1].clone().alone();
    let script = Script::of([shop]).act("shop::one", Act::Spoils).act("shop::two", Act::Spoils);
    let over = script.run().await;
    assert_eq!(over.counts.passed + over.counts.unjudged, 2);
    assert_eq!(over.counts.unjudged, 1, "{:#?}", over.events);
    assert_eq!(over.causes(), ["shop: its stack did not come back: it is gone"]);
}

#[tokio::test]
async fn a_panic_of_the_runner_while_it_judges_is_never_green() {
    let suites = [suite("shop", &["one"]), suite("stall", &["one"])];
    let over = Script::of(suites).act("shop::one", Act::BreaksTheRunner).run().await;
    over.counted([1, 0, 1], 101);
    let over =
        Script::of([suite("shop", &["one"])]).act("shop::one", Act::BreaksTheRunner).run().await;
    over.counted([0, 0, 1], 70);
}

#[tokio::test]
async fn so_many_bodies_run_at_once_and_no_more() {
    let names: Vec<&'static str> =
        (0..300).map(|number| &*Box::leak(format!("case{number}").into_boxed_str())).collect();
    let over = Script::of([suite("shop", &names)]).bodies(4).run().await;
    over.counted([300, 0, 0], 0);
    let (mut running, mut most) = (0_usize, 0);
    for step in &over.log {
        running += usize::from(step.starts_with("begin "));
        running -= usize::from(step.starts_with("close "));
        most = most.max(running);
    }
    assert!(most <= 4, "{most} at once");
}

#[tokio::test]
async fn cases_that_are_set_aside_need_no_stack_and_are_told_with_their_reason() {
    let mut shop = suite("shop", &["one", "two"]);
    shop.cases = shop.cases.into_iter().map(crate::suite::Case::ignored).collect();
    let over = Script::of([shop]).run().await;
    over.counted([0, 0, 0], 0).never("make ");
}

#[tokio::test]
async fn a_suite_is_told_in_each_of_its_states() {
    let over = Script::of([suite("shop", &["one"])]).run().await;
    let moved = over.events.iter().filter_map(|event| {
        if let What::SuiteMoved { state, .. } = &event.what { Some(*state) } else { None }
    });
    let states: Vec<_> = moved.collect();
    assert_eq!(states, [Planned, Admitted, Up, Judging, Released]);
    assert_eq!(ended(&over).map(|case| case.outcome).collect::<Vec<_>>(), [Outcome::Passed]);
}

#[tokio::test]
async fn what_a_suite_does_after_its_cases_comes_once_and_fails_the_run_if_it_fails() {
    let cases = ["one", "two"];
    let over = Script::of([suite("shop", &cases)]).run().await;
    over.counted([2, 0, 0], 0).in_order(&["begin shop::two", "tidy up shop", "look back shop"]);
    let over = Script::of([suite("shop", &cases)]).fault("tidy up shop", Fault::Fails).run().await;
    over.counted([2, 0, 0], 101).never("look back shop").at("collect shop");
    assert_eq!(over.causes(), ["shop: the broom is gone"]);
    let over = Script::of([suite("shop", &cases)]).fault("up shop", Fault::Fails).run().await;
    over.counted([0, 0, 2], 70).never("tidy up shop");
}
