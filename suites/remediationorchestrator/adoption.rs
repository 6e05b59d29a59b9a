//! Children that somebody else has made under the names that the orchestrator uses.

use kindwright::{Case, CaseResult, Ctx, Failure, ObjectsError, case, ensure_eq};
use serde_json::{Value, json};

use super::{
    VERSION,
    play::{ANALYSIS, Child, EXECUTION, PROCESSING, Play, REQUEST, WORKFLOW, fingerprint, now},
};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    [
        case!(children_that_were_made_by_hand_are_taken_up),
        // The original takes what is called so, whosever it is.
        case!(a_child_of_nobody_is_owned_from_then_on).beyond("contract S6.8"),
        case!(a_child_of_another_is_left_alone).beyond("contract S6.8"),
    ]
}

/// A child as somebody makes it, for a request that owns it or for none.
fn by_hand(ctx: &Ctx, play: &Play, child: Child, owner: Option<&Play>) -> Value {
    let namespace = play.objects().namespace();
    let target = json!({"kind": "Deployment", "name": "cart", "namespace": namespace});
    let reference = json!({"name": play.name});
    let spec = match child.0 {
        "SignalProcessing" => json!({
            "remediationRequestRef": reference,
            "signal": {
                "fingerprint": fingerprint(ctx, 0), "name": "HighMemoryUsage",
                "severity": "critical", "type": "prometheus-alert", "targetType": "kubernetes",
                "targetResource": target, "receivedTime": now(),
            },
        }),
        "AIAnalysis" => json!({
            "remediationRequestRef": reference,
            "remediationId": play.uid,
            "analysisRequest": {
                "signalContext": {
                    "fingerprint": fingerprint(ctx, 0), "severity": "critical",
                    "signalType": "prometheus-alert", "environment": "staging",
                    "businessPriority": "P2", "targetResource": target, "enrichmentResults": {},
                },
                "analysisTypes": ["investigation"],
            },
        }),
        _ => json!({
            "remediationRequestRef": reference,
            "workflowRef": {"workflowId": WORKFLOW, "version": "1", "containerImage": "image"},
            "targetResource": format!("{namespace}/Deployment/cart"),
        }),
    };
    let owners = owner.map(|owner| {
        json!({
            "apiVersion": VERSION, "kind": REQUEST, "name": owner.name, "uid": owner.uid,
            "controller": true,
        })
    });
    let owners: Vec<_> = owners.into_iter().collect();
    json!({
        "apiVersion": VERSION, "kind": child.0, "spec": spec,
        "metadata": {"name": play.child_name(child), "ownerReferences": owners},
    })
}

/// Makes a child, unless the orchestrator was faster.
async fn make(ctx: &Ctx, play: &Play, child: Child) -> CaseResult {
    match play.objects().create(by_hand(ctx, play, child, Some(play))).await {
        Err(ObjectsError::Api { .. }) if !play.look(child).await?.is_null() => Ok(()),
        made => Ok(made.map(drop)?),
    }
}

async fn children_that_were_made_by_hand_are_taken_up(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    for child in [PROCESSING, ANALYSIS, EXECUTION] {
        make(&ctx, &play, child).await?;
    }
    play.goes_well().await?;
    for child in [PROCESSING, ANALYSIS, EXECUTION] {
        ensure_eq!(play.objects().list([VERSION, child.0]).await?.len(), 1);
    }
    Ok(())
}

/// A remediation that is analysed, and its execution, which is there before the orchestrator makes it.
async fn with_execution(ctx: &Ctx, owner: Option<&Play>) -> Result<Play, Failure> {
    let play = Play::begin(ctx).await?;
    play.processed().await?;
    play.child(ANALYSIS).await?;
    play.objects().create(by_hand(ctx, &play, EXECUTION, owner)).await?;
    play.analysed(json!({})).await?;
    Ok(play)
}

async fn a_child_of_nobody_is_owned_from_then_on(ctx: Ctx) -> CaseResult {
    let play = with_execution(&ctx, None).await?;
    play.phase("Executing").await?;
    let execution = play.look(EXECUTION).await?;
    let owner = &execution["metadata"]["ownerReferences"][0];
    ensure_eq!([&owner["uid"], &owner["controller"]], [&json!(play.uid), &json!(true)]);
    play.executed().await?;
    play.phase("Completed").await?;
    Ok(())
}

async fn a_child_of_another_is_left_alone(ctx: Ctx) -> CaseResult {
    let other = json!({"signalFingerprint": fingerprint(&ctx, 1)});
    let other = Play::of(&ctx, ctx.objects(), "another", other).await?;
    let play = with_execution(&ctx, Some(&other)).await?;
    play.condition("WorkflowExecutionReady", ["False", "WorkflowExecutionCreationFailed"]).await?;
    let execution = play.look(EXECUTION).await?;
    ensure_eq!(execution["metadata"]["ownerReferences"][0]["uid"], json!(other.uid));
    // Once it is gone, there is room for the remediation's own.
    let name = play.child_name(EXECUTION);
    play.objects().delete([VERSION, EXECUTION.0, &name]).await?;
    play.phase("Executing").await?;
    Ok(())
}
