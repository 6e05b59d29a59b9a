//! What the catalog takes, refuses, changes, and lists.

use kindwright::{Case, CaseResult, Ctx, HttpError, Method, case, cases, ensure};
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
        a_page_without_sense_is_the_usual_one,
    ]
    .into_iter()
    .chain([
        // The original's own validator refuses its category.
        case!(a_registered_workflow_leaves_an_event_under_its_id).beyond("contract 4.6"),
        // The original stumbles over it, and answers with 500.
        case!(a_workflow_that_nobody_registered_is_not_found).beyond("contract 4.1"),
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
        ("/content", json!("")),
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
    let id = text(&registered, "/workflow_id");
    let path = format!("{WORKFLOWS}/{id}");
    let mut labels = labels(&ctx);
    labels["severity"] = json!("low");
    for (field, value) in
        [("description", json!("other")), ("content", json!("other")), ("labels", labels)]
    {
        let change = json!({field: value, "status": "deprecated"});
        let answer = ctx.request(Method::PATCH, SERVICE, &path).json(&change).send().await?;
        let problem: Value = answer.expect(400)?.json()?;
        let kind = text(&problem, "/type");
        ensure!(kind.ends_with("immutable-field-violation"), "{field}: {problem:#}");
        ensure!(text(&problem, "/detail").contains(field), "{field}: {problem:#}");
    }
    let kept = read(&ctx, id).await?;
    ensure!(kept["status"] == "active", "what was refused has changed it: {kept:#}");
    let change = json!({"status": "deprecated", "version": "v2", "owner": "nobody"});
    let answer = ctx.request(Method::PATCH, SERVICE, &path).json(&change).send().await?;
    let changed: Value = answer.expect(200)?.json()?;
    ensure!(changed["status"] == "deprecated", "it is {changed:#}");
    for field in ["description", "content", "labels", "version", "owner"] {
        ensure!(changed[field] == registered[field], "its {field} is {changed:#}");
    }
    Ok(())
}

async fn a_workflow_that_nobody_registered_is_not_found(ctx: Ctx) -> CaseResult {
    let path = format!("{WORKFLOWS}/00000000-0000-4000-8000-000000000000");
    let change = json!({"status": "deprecated"});
    ctx.request(Method::PATCH, SERVICE, &path).json(&change).send().await?.expect(404)?;
    ctx.get(SERVICE, &path).send().await?.expect(404)?;
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

/// A page of the catalog.
async fn list(ctx: &Ctx, parameters: &[(&str, &str)]) -> Result<Value, HttpError> {
    ctx.get(SERVICE, WORKFLOWS).query(parameters).send().await?.expect(200)?.json()
}

async fn the_catalog_is_listed_by_label_and_page(ctx: Ctx) -> CaseResult {
    // Of the labels that the list knows, this one may be the case's own.
    let component = format!("component-{}", ctx.correlation_id());
    for (name, priority) in [("one", "P0"), ("two", "P1"), ("three", "P0")] {
        let mut workflow = workflow(&ctx, name, "v1");
        workflow["labels"]["component"] = json!(component);
        workflow["labels"]["priority"] = json!(priority);
        workflow["custom_labels"] = json!({"team": [name]});
        register(&ctx, &workflow).await?;
    }
    let all = ["three v1", "two v1", "one v1"].as_slice();
    for (more, total, expected) in [
        ([].as_slice(), 3, all),
        (&[("environment", "production")], 3, all),
        (&[("environment", "staging")], 0, &[]),
        (&[("priority", "P0")], 2, &["three v1", "one v1"]),
        (&[("limit", "1"), ("offset", "1")], 3, &["two v1"]),
        // The original reads these, or does not know them, and compares nothing.
        (&[("custom_labels[team]", "one")], 3, all),
        (&[("signal_type", "NobodyKnowsThis")], 3, all),
    ] {
        let own = [&[("component", component.as_str())], more].concat();
        let page = list(&ctx, &own).await?;
        let names: Vec<_> =
            members(&page, "/workflows").iter().map(|one| text(one, "/name")).collect();
        ensure!(names == expected && page["total"] == total, "{more:?}: {page:#}");
    }
    Ok(())
}

async fn a_page_without_sense_is_the_usual_one(ctx: Ctx) -> CaseResult {
    for (limit, expected) in [("0", 50), ("-1", 50), ("1000", 100)] {
        let page = list(&ctx, &[("limit", limit)]).await?;
        ensure!(page["limit"] == expected, "with {limit} the page has {}", page["limit"]);
    }
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
