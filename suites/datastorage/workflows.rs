//! The catalog of workflows: searches, their trail, versions, and edge cases (scenarios 04, 06, 07, 08).

use std::time::Instant;

use kindwright::{Case, CaseResult, Ctx, Failure, HttpError, Method, case, cases, ensure};
use serde_json::{Value, json};

use super::{SERVICE, members, text};

const WORKFLOWS: &str = "/api/v1/workflows";
const SEARCHED: &str = "workflow.catalog.search_completed";
/// How much longer than without one a search may take that leaves an event.
const SLOWER: u32 = 10;

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_search_finds_the_right_ones_of_several_workflows,
        detected_labels_put_the_fitting_workflow_first,
        a_search_leaves_an_event_that_says_what_was_found,
        a_version_replaces_the_one_before_it,
        a_version_is_registered_once,
        a_workflow_that_lacks_something_is_refused_with_the_field,
        what_a_version_does_never_changes,
        a_disabled_workflow_is_not_found_any_more,
        the_catalog_is_listed_by_label_and_page,
        a_search_without_a_match_leaves_an_event_too,
        among_equals_the_newest_is_found_every_time,
        a_workflow_for_all_components_is_found_for_each,
        a_search_that_makes_no_sense_is_refused_with_the_field,
    ]
    .into_iter()
    .chain([
        case!(searches_do_not_wait_for_their_events).alone(),
        // The original's own validator refuses its category.
        case!(a_registered_workflow_leaves_an_event_under_its_id).beyond("contract 4.6"),
    ])
}

/// The labels of the case's own signal.
fn labels(ctx: &Ctx) -> Value {
    json!({
        "signal_type": format!("Signal-{}", ctx.correlation_id()),
        "severity": "critical",
        "component": "deployment",
        "environment": "production",
        "priority": "P0",
    })
}

/// A workflow of the case.
fn workflow(ctx: &Ctx, name: &str, version: &str) -> Value {
    json!({
        "workflow_name": format!("{name}-{}", ctx.correlation_id()),
        "version": version,
        "name": format!("{name} {version}"),
        "description": "Registered by a case",
        "content": "steps: []",
        "content_hash": "557a607701752acc545cdabbc5ff51f641ebb7d078ef33d2760bc1e408f7a888",
        "labels": labels(ctx),
        "status": "active",
        "execution_engine": "tekton",
        "container_image": format!("ghcr.io/kubernaut/workflows/{name}:{version}"),
    })
}

/// Registers a workflow, and returns it.
async fn register(ctx: &Ctx, workflow: &Value) -> Result<Value, HttpError> {
    ctx.post(SERVICE, WORKFLOWS).json(workflow).send().await?.expect(201)?.json()
}

/// What a search finds, made for the case's own remediation.
async fn search(ctx: &Ctx, filters: &Value, more: &Value) -> Result<Value, HttpError> {
    let mut request = json!({"filters": filters, "remediation_id": ctx.correlation_id()});
    for (name, value) in more.as_object().into_iter().flatten() {
        request[name] = value.clone();
    }
    let request = ctx.post(SERVICE, &format!("{WORKFLOWS}/search")).json(&request);
    request.send().await?.expect(200)?.json()
}

/// The titles of what was found, best first.
fn titles(answer: &Value) -> Vec<&str> {
    members(answer, "/workflows").iter().map(|found| text(found, "/title")).collect()
}

async fn read(ctx: &Ctx, id: &str) -> Result<Value, HttpError> {
    ctx.get(SERVICE, &format!("{WORKFLOWS}/{id}")).send().await?.expect(200)?.json()
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
        ("container_image", json!("ghcr.io/kubernaut/workflows/same:v1")),
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
    ensure!(scores == [&json!(0.52), &json!(0.5), &json!(0.49)], "the scores are {scores:?}");
    Ok(())
}

async fn a_search_leaves_an_event_that_says_what_was_found(ctx: Ctx) -> CaseResult {
    let id = register(&ctx, &workflow(&ctx, "restart", "v1")).await?["workflow_id"].clone();
    search(&ctx, &labels(&ctx), &json!({"top_k": 5})).await?;
    let rows = ctx
        .audit()
        .types([SEARCHED])
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

async fn a_registered_workflow_leaves_an_event_under_its_id(ctx: Ctx) -> CaseResult {
    let registered = register(&ctx, &workflow(&ctx, "told", "v1")).await?;
    let id = text(&registered, "/workflow_id");
    ctx.audit_of(id).types(["datastorage.workflow.created"]).exactly(1).holds().await?;
    Ok(())
}

async fn a_version_replaces_the_one_before_it(ctx: Ctx) -> CaseResult {
    let mut ids = Vec::new();
    for version in ["v1.0.0", "v1.1.0", "v2.0.0"] {
        let registered = register(&ctx, &workflow(&ctx, "oom-recovery", version)).await?;
        ensure!(registered["is_latest_version"] == true, "{version} is old: {registered:#}");
        ids.push(text(&registered, "/workflow_id").to_owned());
        let mut latest = Vec::new();
        for id in &ids {
            latest.push(read(&ctx, id).await?["is_latest_version"] == true);
        }
        let only = latest.iter().filter(|latest| **latest).count() == 1;
        ensure!(only && latest.ends_with(&[true]), "after {version} these are latest: {latest:?}");
    }
    let found = search(&ctx, &labels(&ctx), &json!({})).await?;
    ensure!(titles(&found) == ["oom-recovery v2.0.0"], "the search finds {found:#}");
    let last = read(&ctx, &ids[2]).await?;
    ensure!(last["version"] == "v2.0.0", "the id is of another version: {last:#}");
    let name = text(&last, "/workflow_name");
    let request = ctx.get(SERVICE, &format!("{WORKFLOWS}/by-name/{name}/versions"));
    let all: Value = request.send().await?.expect(200)?.json()?;
    let versions: Vec<_> =
        members(&all, "/versions").iter().map(|one| text(one, "/version")).collect();
    ensure!(versions == ["v2.0.0", "v1.1.0", "v1.0.0"], "the versions are {versions:?}");
    Ok(())
}

async fn a_version_is_registered_once(ctx: Ctx) -> CaseResult {
    let workflow = workflow(&ctx, "twice", "v1");
    let first = register(&ctx, &workflow).await?;
    let again = ctx.post(SERVICE, WORKFLOWS).json(&workflow).send().await?;
    let problem: Value = again.expect(409)?.json()?;
    ensure!(problem["title"] == "Workflow Already Exists", "the problem is {problem:#}");
    let detail = text(&problem, "/detail");
    let name = text(&workflow, "/workflow_name");
    let expected = format!("Workflow '{name}' version 'v1' already exists");
    ensure!(detail == expected, "the detail is {detail:?}");
    let kept = read(&ctx, text(&first, "/workflow_id")).await?;
    ensure!(kept["is_latest_version"] == true, "the refused one changed the first: {kept:#}");
    Ok(())
}

async fn a_workflow_that_lacks_something_is_refused_with_the_field(ctx: Ctx) -> CaseResult {
    for (pointer, value) in [
        ("/workflow_name", Value::Null),
        ("/description", json!("")),
        ("/content_hash", json!("abc")),
        ("/status", json!("new")),
        ("/labels/severity", json!("P0")),
        ("/labels/component", Value::Null),
        ("/labels/priority", json!("high")),
    ] {
        let mut workflow = workflow(&ctx, "wrong", "v1");
        if let Some(member) = workflow.pointer_mut(pointer) {
            *member = value;
        }
        let answer = ctx.post(SERVICE, WORKFLOWS).json(&workflow).send().await?;
        let problem: Value = answer.expect(400)?.json()?;
        let detail = text(&problem, "/detail");
        let field = pointer.trim_start_matches('/').replace('/', ".");
        ensure!(detail.starts_with(&field), "{field}: the detail is {detail:?}");
    }
    let found = search(&ctx, &labels(&ctx), &json!({})).await?;
    ensure!(found["total_results"] == 0, "one was registered: {found:#}");
    Ok(())
}

async fn what_a_version_does_never_changes(ctx: Ctx) -> CaseResult {
    let registered = register(&ctx, &workflow(&ctx, "fixed", "v1")).await?;
    let path = format!("{WORKFLOWS}/{}", text(&registered, "/workflow_id"));
    for field in ["content", "labels", "container_image", "version", "workflow_name"] {
        let change = json!({field: "other", "status": "deprecated"});
        let answer = ctx.request(Method::PATCH, SERVICE, &path).json(&change).send().await?;
        let problem: Value = answer.expect(400)?.json()?;
        let kind = text(&problem, "/type");
        ensure!(kind.ends_with("immutable-field-violation"), "{field}: {problem:#}");
        ensure!(text(&problem, "/detail").contains(field), "{field}: {problem:#}");
    }
    let change = json!({"status": "deprecated", "deprecation_notice": "use another"});
    let answer = ctx.request(Method::PATCH, SERVICE, &path).json(&change).send().await?;
    let changed: Value = answer.expect(200)?.json()?;
    ensure!(changed["status"] == "deprecated", "it is {changed:#}");
    ensure!(changed["content"] == registered["content"], "its content is {changed:#}");
    let nobody = format!("{WORKFLOWS}/00000000-0000-4000-8000-000000000000");
    ctx.request(Method::PATCH, SERVICE, &nobody).json(&change).send().await?.expect(404)?;
    ctx.get(SERVICE, &nobody).send().await?.expect(404)?;
    Ok(())
}

async fn a_disabled_workflow_is_not_found_any_more(ctx: Ctx) -> CaseResult {
    let registered = register(&ctx, &workflow(&ctx, "broken", "v1")).await?;
    let path = format!("{WORKFLOWS}/{}/disable", text(&registered, "/workflow_id"));
    let why = json!({"updated_by": "ops@example.com", "reason": "it deletes too much"});
    let answer = ctx.request(Method::PATCH, SERVICE, &path).json(&why).send().await?;
    let disabled: Value = answer.expect(200)?.json()?;
    ensure!(disabled["status"] == "disabled", "it is {disabled:#}");
    ensure!(disabled["disabled_reason"] == why["reason"], "nobody knows why: {disabled:#}");
    ensure!(disabled["disabled_by"] == why["updated_by"], "nobody did: {disabled:#}");
    ensure!(disabled["disabled_at"].is_string(), "it never was: {disabled:#}");
    let found = search(&ctx, &labels(&ctx), &json!({})).await?;
    ensure!(found["total_results"] == 0, "it is found: {found:#}");
    let found = search(&ctx, &labels(&ctx), &json!({"include_disabled": true})).await?;
    ensure!(titles(&found) == ["broken v1"], "it is not found: {found:#}");
    Ok(())
}

async fn the_catalog_is_listed_by_label_and_page(ctx: Ctx) -> CaseResult {
    for (name, team) in [("one", "a"), ("two", "b"), ("three", "c")] {
        let mut workflow = workflow(&ctx, name, "v1");
        workflow["custom_labels"] = json!({"team": [team]});
        register(&ctx, &workflow).await?;
    }
    let signal = text(&labels(&ctx), "/signal_type").to_owned();
    let list = async |more: &[(&str, &str)]| -> Result<(Vec<String>, Value), Failure> {
        let own = [&[("signal_type", signal.as_str())], more].concat();
        let answer = ctx.get(SERVICE, WORKFLOWS).query(&own).send().await?;
        let page: Value = answer.expect(200)?.json()?;
        let names = members(&page, "/workflows").iter().map(|one| text(one, "/name").to_owned());
        Ok((names.collect(), page["total"].clone()))
    };
    let (names, total) = list(&[]).await?;
    ensure!(names == ["three v1", "two v1", "one v1"] && total == 3, "{names:?} of {total}");
    let (names, total) = list(&[("limit", "1"), ("offset", "1")]).await?;
    ensure!(names == ["two v1"] && total == 3, "{names:?} of {total}");
    let (names, total) = list(&[("custom_labels[team]", "a,c")]).await?;
    ensure!(names == ["three v1", "one v1"] && total == 2, "{names:?} of {total}");
    ctx.get(SERVICE, WORKFLOWS).query(&[("limit", "101")]).send().await?.expect(400)?;
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
            "event_data": {"results": {"total_found": 0}},
        }))
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
        ensure!(found["total_results"] == 3, "so many fit: {found:#}");
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
        let field = pointer.trim_start_matches('/').replace('/', ".");
        ensure!(detail.starts_with(&field), "{field}: the detail is {detail:?}");
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
    ctx.audit().types([SEARCHED]).exactly(9).holds().await?;
    Ok(())
}
