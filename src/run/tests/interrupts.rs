//! Runs that somebody ends.

use super::{
    memory::{Act, Fault},
    script::{Script, suite},
};

#[tokio::test]
async fn an_interrupt_before_anything_is_there_ends_at_once() {
    let over = Script::of([suite("shop", &["one"])]).interrupted().run().await;
    over.counted([0, 0, 0], 130).never("up shop");
}

#[tokio::test]
async fn an_interrupt_while_cases_run_ends_them_and_begins_no_other() {
    let cases = ["first", "second", "third"];
    let script = Script::of([suite("shop", &cases)]).bodies(1);
    let script = cases
        .iter()
        .fold(script, |script, case| script.act(&format!("shop::{case}"), Act::Interrupts));
    let over = script.run().await;
    assert_eq!(over.counts.verdict().code(), 130);
    assert_eq!(over.log.iter().filter(|step| step.starts_with("begin ")).count(), 1);
    over.never("release shop").counted([0, 0, 3], 130);
}

#[tokio::test]
async fn an_interrupt_ends_a_run_whose_cluster_and_stack_never_come_up() {
    for step in ["make 2", "up stuck", "build stuck", "deliver stuck to 2"] {
        let suites = [suite("shop", &["one"]), suite("stuck", &["one"])];
        let script = Script::of(suites).typed(&["--clusters", "per-suite"]);
        let over = script.fault(step, Fault::Hangs).act("shop::one", Act::Interrupts).run().await;
        assert_eq!(over.counts.verdict().code(), 130, "{step}: {:#?}", over.events);
    }
}
