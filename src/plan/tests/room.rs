//! What suites ask of nodes, and how long they take.

use super::*;
use crate::suite::Reserve;

#[test]
fn a_plan_says_what_is_reserved_for_cases_and_how_long_they_take() {
    let took = Took { seconds: 30.0, cases: 4 };
    let durations = BTreeMap::from([("shop".to_owned(), took)]);
    let reserve = Reserve::pods(4).cpu("50m").memory("64Mi");
    let suite = shop("shop", 30090).reserve(reserve).reserve(Reserve::pods(1).memory("0.5Gi"));
    let two = suite.clone().case(Case::declared("it_is_open", ()));
    let given = Given { durations, ..Given::files(inventory()) };
    let plan = given.plan(std::slice::from_ref(&two), &[]).unwrap();
    let words = plan.to_string();
    let lines = "\
  requests 200m of cpu, 768 MiB of memory, 6 pods; of it for its cases 200m of cpu, 768 MiB of memory, 5 pods
  2 cases, about 15.0 s
";
    assert!(words.contains(lines), "{words}");
    let json = serde_json::to_value(&plan.suites[0]).unwrap();
    assert_eq!(json["requests"], json!({"cpu": "200m", "memory": "805306368", "pods": 6}));
    assert_eq!(json["reserved"], json!({"cpu": "200m", "memory": "805306368", "pods": 5}));
    assert_eq!(json["expected"], json!(15.0));
    assert!(plan.suites[0].whole);
    assert!(!given.plan(&[two], &["it_is_open"]).unwrap().suites[0].whole);
    let unknown = Given::files(inventory()).plan(&[suite], &[]).unwrap();
    assert_eq!(serde_json::to_value(&unknown.suites[0]).unwrap().get("expected"), None);
}

#[test]
fn what_is_reserved_in_words_that_are_no_quantity_is_a_problem() {
    let suite = shop("shop", 30090)
        .reserve(Reserve::pods(1).cpu("fifty").memory("64MB"))
        .reserve(Reserve::pods(0).cpu("50m"));
    assert_eq!(
        plan(&[suite], &inventory(), &[]).unwrap_err(),
        [
            "suite `shop`: `.reserve(..)` has \"fifty\" for cpu, which is no quantity; write it as `250m` or `64Mi`",
            "suite `shop`: `.reserve(..)` has \"64MB\" for memory, which is no quantity; write it as `250m` or `64Mi`",
            "suite `shop`: `Reserve::pods(0)` reserves nothing; say how many pods its cases create at a time",
        ]
    );
}
