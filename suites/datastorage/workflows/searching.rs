//! What the catalog finds, in which order, and the trail that a search leaves.

use std::time::Instant;

use kindwright::{Case, CaseResult, Ctx, case, cases, ensure};
use serde_json::{Value, json};

use super::{SERVICE, WORKFLOWS, labels, members, read, register, search, text, titles, workflow};

const SEARCHED: &str = "workflow.catalog.search_completed";
/// How much longer than without one a search may take that leaves an event.
const SLOWER: u32 = 10;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_search_finds_the_right_ones_of_several_workflows,
        detected_labels_put_the_fitting_workflow_first,
        a_search_leaves_an_event_that_says_what_was_found,
        a_search_without_a_match_leaves_an_event_too,
        among_equals_the_newest_is_found_every_time,
        a_workflow_for_all_components_is_found_for_each,
        a_search_that_makes_no_sense_is_refused_with_the_field,
    ]
    .into_iter()
    .chain([
        // The original's event tells it by numbers only.
        case!(a_search_without_a_match_is_told_by_its_name).beyond("contract 6.9"),
        case!(searches_do_not_wait_for_their_events).alone(),
    ])
}

async fn a_search_finds_the_right_ones_of_several_workflows(ctx: Ctx) -> CaseResult {
    for (name, label, value) in [
        ("same", "severity", "critical"),
        ("severity", "severity", "high"),
        ("component", "component", "node"),
        ("environment", "environment", "staging"),
        ("priority", "priority", "P1"),
    ] {
        let mut workflow = workflow(&ctx, name, "v1");
        workflow["labels"][label] = json!(value);
        register(&ctx, &workflow).await?;
    }
    let found = search(&ctx, &labels(&ctx), &json!({})).await?;
    ensure!(titles(&found) == ["same v1"], "these were found: {found:#}");
    let one = &members(&found, "/workflows")[0];
    for (member, expected) in [
        ("confidence", json!(0.5)),
        ("final_score", json!(0.5)),
        ("label_boost", json!(0.0)),
        ("label_penalty", json!(0.0)),
        ("rank", json!(1)),
        ("signal_type", labels(&ctx)["signal_type"].clone()),
        ("container_image", workflow(&ctx, "same", "v1")["container_image"].clone()),
    ] {
        ensure!(one[member] == expected, "`{member}` is {}, not {expected}", one[member]);
    }
    ensure!(found["filters"] == labels(&ctx), "other filters: {found:#}");
    let more = json!({"min_score": 0.51});
    let found = search(&ctx, &labels(&ctx), &more).await?;
    ensure!(found["total_results"] == 0, "it is not good enough: {found:#}");
    Ok(())
}

async fn detected_labels_put_the_fitting_workflow_first(ctx: Ctx) -> CaseResult {
    for (name, labels) in [
        ("argocd", json!({"gitOpsManaged": true, "gitOpsTool": "argocd"})),
        ("flux", json!({"gitOpsManaged": true, "gitOpsTool": "flux"})),
        ("plain", json!({})),
    ] {
        let mut workflow = workflow(&ctx, name, "v1");
        workflow["detected_labels"] = labels;
        register(&ctx, &workflow).await?;
    }
    let mut filters = labels(&ctx);
    filters["detected_labels"] = json!({"gitOpsManaged": true, "gitOpsTool": "argocd"});
    let found = search(&ctx, &filters, &json!({})).await?;
    ensure!(titles(&found) == ["argocd v1", "flux v1", "plain v1"], "the order: {found:#}");
    let scores: Vec<_> =
        members(&found, "/workflows").iter().map(|it| &it["final_score"]).collect();
    ensure!(scores == [&json!(0.52), &json!(0.5), &json!(0.48)], "the scores are {scores:?}");
    Ok(())
}

async fn a_search_leaves_an_event_that_says_what_was_found(ctx: Ctx) -> CaseResult {
    let id = register(&ctx, &workflow(&ctx, "restart", "v1")).await?["workflow_id"].clone();
    search(&ctx, &labels(&ctx), &json!({"top_k": 5})).await?;
    let rows = ctx
        .audit()
        .kinds([SEARCHED])
        .exactly(1)
        .all_matching(json!({
            "event_category": "workflow",
            "event_action": "search_completed",
            "event_outcome": "success",
            "actor_type": "service",
            "actor_id": "datastorage",
            "resource_type": "workflow_catalog",
            "event_data": {
                "query": {"filters": labels(&ctx), "top_k": 5},
                "results": {"total_found": 1, "returned": 1},
            },
        }))
        .holds()
        .await?;
    let told = rows[0].get("event_data.results.workflows.0").cloned().unwrap_or_default();
    ensure!(told["workflow_id"] == id, "another workflow: {told:#}");
    ensure!(told["scoring"]["confidence"] == 0.5, "another score: {told:#}");
    let took = rows[0].get("event_data.search_metadata.duration_ms");
    ensure!(took.is_some_and(Value::is_u64), "it took {took:?}");
    Ok(())
}

async fn a_search_without_a_match_leaves_an_event_too(ctx: Ctx) -> CaseResult {
    let found = search(&ctx, &labels(&ctx), &json!({})).await?;
    ensure!(found["workflows"] == json!([]), "something was found: {found:#}");
    ensure!(found["total_results"] == 0, "something was counted: {found:#}");
    ctx.audit()
        .exactly(1)
        .in_order([SEARCHED])
        .all_matching(json!({
            "event_outcome": "success",
            "event_data": {
                "query": {"filters": labels(&ctx)},
                "results": {"total_found": 0, "returned": 0, "workflows": []},
            },
        }))
        .holds()
        .await?;
    Ok(())
}

async fn a_search_without_a_match_is_told_by_its_name(ctx: Ctx) -> CaseResult {
    search(&ctx, &labels(&ctx), &json!({})).await?;
    ctx.audit()
        .kinds([SEARCHED])
        .exactly(1)
        .all_matching(json!({"event_data": {"result": "no_matches"}}))
        .holds()
        .await?;
    Ok(())
}

async fn among_equals_the_newest_is_found_every_time(ctx: Ctx) -> CaseResult {
    for name in ["oldest", "middle", "newest"] {
        register(&ctx, &workflow(&ctx, name, "v1")).await?;
    }
    for _ in 0..5 {
        let found = search(&ctx, &labels(&ctx), &json!({"top_k": 1})).await?;
        ensure!(titles(&found) == ["newest v1"], "this was found: {found:#}");
    }
    Ok(())
}

async fn a_workflow_for_all_components_is_found_for_each(ctx: Ctx) -> CaseResult {
    let mut all = workflow(&ctx, "all", "v1");
    all["labels"]["component"] = json!("*");
    register(&ctx, &all).await?;
    register(&ctx, &workflow(&ctx, "deployments", "v1")).await?;
    let mut filters = labels(&ctx);
    for (component, expected) in
        [("deployment", vec!["deployments v1", "all v1"]), ("statefulset", vec!["all v1"])]
    {
        filters["component"] = json!(component);
        let found = search(&ctx, &filters, &json!({})).await?;
        ensure!(titles(&found) == expected, "{component}: {found:#}");
    }
    Ok(())
}

async fn a_search_that_makes_no_sense_is_refused_with_the_field(ctx: Ctx) -> CaseResult {
    for (pointer, value) in [
        ("/filters", Value::Null),
        ("/filters/priority", json!("p0")),
        ("/filters/environment", Value::Null),
        ("/top_k", json!(101)),
        ("/min_score", json!(2)),
    ] {
        let mut request = json!({"filters": labels(&ctx), "top_k": 10, "min_score": 0});
        if let Some(member) = request.pointer_mut(pointer) {
            *member = value;
        }
        let answer =
            ctx.post(SERVICE, &format!("{WORKFLOWS}/search")).json(&request).send().await?;
        let problem: Value = answer.expect(400)?.json()?;
        let detail = text(&problem, "/detail");
        let field = pointer.rsplit('/').next().unwrap_or_default();
        ensure!(detail.contains(field), "{pointer}: the detail is {detail:?}");
    }
    Ok(())
}

async fn searches_do_not_wait_for_their_events(ctx: Ctx) -> CaseResult {
    let registered = register(&ctx, &workflow(&ctx, "fast", "v1")).await?;
    let id = text(&registered, "/workflow_id").to_owned();
    let mut reads = Vec::new();
    let mut searches = Vec::new();
    for _ in 0..9 {
        let begun = Instant::now();
        read(&ctx, &id).await?;
        reads.push(begun.elapsed());
        let begun = Instant::now();
        search(&ctx, &labels(&ctx), &json!({})).await?;
        searches.push(begun.elapsed());
    }
    reads.sort_unstable();
    searches.sort_unstable();
    let (reading, searching) = (reads[4], searches[4]);
    ensure!(
        searching < reading * SLOWER,
        "a search takes {searching:?}, and reading one workflow {reading:?}"
    );
    ctx.audit().kinds([SEARCHED]).exactly(9).holds().await?;
    Ok(())
}
