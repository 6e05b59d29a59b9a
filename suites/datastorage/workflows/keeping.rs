//! What the catalog takes, refuses, changes, and lists.

use kindwright::{Case, CaseResult, Ctx, Failure, Method, case, cases, ensure};
use serde_json::{Value, json};

use super::{SERVICE, WORKFLOWS, labels, members, read, register, search, text, titles, workflow};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    cases![
        a_version_replaces_the_one_before_it,
        a_version_is_registered_once,
        a_workflow_that_lacks_something_is_refused_with_the_field,
        what_a_version_does_never_changes,
        a_disabled_workflow_is_not_found_any_more,
        the_catalog_is_listed_by_label_and_page,
    ]
    .into_iter()
    .chain([
        // The original's own validator refuses its category.
        case!(a_registered_workflow_leaves_an_event_under_its_id).beyond("contract 4.6"),
        // The contract does not say how the original leaves out what it does not know.
        case!(what_a_workflow_does_not_have_is_left_out).beyond("contract 4.6"),
    ])
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
    let list = if all.is_array() { "" } else { "/versions" };
    let versions: Vec<_> = members(&all, list).iter().map(|one| text(one, "/version")).collect();
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
        let field = pointer.rsplit('/').next().unwrap_or_default();
        ensure!(detail.contains(field), "{pointer}: the detail is {detail:?}");
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
    ctx.get(SERVICE, WORKFLOWS).query(&[("limit", "0")]).send().await?.expect(400)?;
    Ok(())
}

async fn a_registered_workflow_leaves_an_event_under_its_id(ctx: Ctx) -> CaseResult {
    let registered = register(&ctx, &workflow(&ctx, "told", "v1")).await?;
    let id = text(&registered, "/workflow_id");
    ctx.audit_of(id).kinds(["datastorage.workflow.created"]).exactly(1).holds().await?;
    Ok(())
}

async fn what_a_workflow_does_not_have_is_left_out(ctx: Ctx) -> CaseResult {
    let registered = register(&ctx, &workflow(&ctx, "plain", "v1")).await?;
    let kept = read(&ctx, text(&registered, "/workflow_id")).await?;
    let found = search(&ctx, &labels(&ctx), &json!({})).await?;
    let found = members(&found, "/workflows").first().cloned().unwrap_or_default();
    for answer in [registered, kept, found] {
        let empty = answer.as_object().is_none_or(|members| members.values().any(Value::is_null));
        ensure!(!empty, "there is a member without a value: {answer:#}");
    }
    Ok(())
}
