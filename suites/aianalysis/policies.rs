//! Approval policies that change while the controller runs, and policies that are none (`docs/policies.md`).

use kindwright::{Case, CaseResult, Ctx, Failure, case, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{
    CONTROLLER, ERROR, EVALUATED, SOON, analysis, complete,
    says::{answers, proposal},
};
use crate::expect::{counted, until_one};

const CONFIG: &str = "aianalysis-policies";
const FILE: &str = "approval.rego";
/// A policy by which the payments team approves by itself, and nobody else.
const PAYMENTS: &str = r#"package aianalysis.approval

ours if "payments" in input.custom_labels.team

default require_approval := true

require_approval := false if ours

reason := "payments may" if ours

reason := sprintf("not ours: %v of %v", [input.target_resource.kind, input.environment]) if not ours
"#;

/// A policy that says what it is told.
const TELLS: &str = r"package aianalysis.approval

default require_approval := true

reason := json.marshal(input)
";

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    [
        case!(a_policy_that_is_replaced_counts_from_then_on),
        case!(a_policy_is_told_what_is_known),
        case!(a_policy_that_does_not_compile_means_that_somebody_must_approve),
        // The original tells of an error practically never.
        case!(a_policy_that_says_nonsense_means_that_somebody_must_approve)
            .beyond("supplement 6.2"),
        case!(a_policy_that_is_missing_means_that_somebody_must_approve),
    ]
    .map(Case::alone)
}

/// Lets one incident of the payments team after the other be analyzed, until a status is as it should be.
async fn until(ctx: &Ctx, what: &str, is_so: impl Fn(&Value) -> bool) -> Result<Value, Failure> {
    let analyzed = async |number| {
        let mut analysis = analysis(ctx, &format!("incident-{number}"), "OOMKilled", "staging");
        analysis["spec"]["analysisRequest"]["signalContext"]["enrichmentResults"]["customLabels"] =
            json!({"team": ["payments"]});
        complete(ctx, analysis).await
    };
    until_one(ctx, what, SOON, analyzed, is_so).await
}

async fn a_policy_that_is_replaced_counts_from_then_on(ctx: Ctx) -> CaseResult {
    ctx.disturb()?.replace_config(CONFIG, FILE, PAYMENTS).await?;
    let ours = |status: &Value| status["approvalReason"] == "payments may";
    let status = until(&ctx, "an approval of payments", ours).await?;
    ensure_eq!(status["approvalRequired"], json!(false));
    let status = complete(&ctx, analysis(&ctx, "theirs", "OOMKilled", "staging")).await?;
    ensure_eq!(status["approvalRequired"], json!(true));
    ensure_eq!(status["approvalReason"], json!("not ours: Pod of staging"));
    Ok(())
}

async fn a_policy_is_told_what_is_known(ctx: Ctx) -> CaseResult {
    ctx.disturb()?.replace_config(CONFIG, FILE, TELLS).await?;
    let tells =
        |status: &Value| status["approvalReason"].as_str().is_some_and(|it| it.starts_with('{'));
    until(&ctx, "a decision by what is known", tells).await?;
    let said = json!({"warnings": ["so"], "target_in_owner_chain": true});
    answers(&ctx, [proposal(0.9, said)]).await?;
    let mut incident = analysis(&ctx, "known", "OOMKilled", "qa");
    let signal = &mut incident["spec"]["analysisRequest"]["signalContext"];
    signal["enrichmentResults"] = json!({
        "detectedLabels": {
            "gitOpsManaged": true, "gitOpsTool": "flux", "pdbProtected": true, "hpaEnabled": false,
            "stateful": true, "helmManaged": false, "networkIsolated": true, "serviceMesh": "linkerd",
            "failedDetections": ["hpaEnabled"],
        },
        "customLabels": {"team": ["payments"]},
    });
    let status = complete(&ctx, incident).await?;
    let told: Value = serde_json::from_str(status["approvalReason"].as_str().unwrap_or_default())?;
    for (name, value) in [
        ("signal_type", json!("OOMKilled")),
        ("severity", json!("warning")),
        ("environment", json!("qa")),
        ("business_priority", json!("P2")),
        ("target_resource", json!({"kind": "Pod", "name": "till", "namespace": "shop"})),
        ("custom_labels", json!({"team": ["payments"]})),
        ("confidence", json!(0.9)),
        ("target_in_owner_chain", json!(true)),
        ("warnings", json!(["so"])),
        ("failed_detections", json!(["hpaEnabled"])),
        ("is_recovery_attempt", json!(false)),
        ("recovery_attempt_number", json!(0)),
    ] {
        ensure_eq!((name, &told[name]), (name, &value));
    }
    for (name, value) in [
        ("git_ops_managed", json!(true)),
        ("git_ops_tool", json!("flux")),
        ("pdb_protected", json!(true)),
        ("hpa_enabled", json!(false)),
        ("stateful", json!(true)),
        ("helm_managed", json!(false)),
        ("network_isolated", json!(true)),
        ("service_mesh", json!("linkerd")),
    ] {
        ensure_eq!((name, &told["detected_labels"][name]), (name, &value));
    }
    Ok(())
}

/// Fails unless a policy that is none, or no policy, degrades a decision and is told everywhere; `words` say what is wrong.
async fn degrades(ctx: &Ctx, policy: Option<&str>, words: &str) -> CaseResult {
    let mark = ctx.mark().await?;
    let labels = [("outcome", "requires_approval"), ("degraded", "true")];
    let count =
        async || counted(ctx, CONTROLLER, "aianalysis_rego_evaluations_total", &labels).await;
    let before = count().await?;
    let stack = ctx.disturb()?;
    match policy {
        Some(policy) => stack.replace_config(CONFIG, FILE, policy).await?,
        None => stack.remove_config(CONFIG, FILE).await?,
    }
    let degraded = |status: &Value| status["degradedMode"] == true;
    let status = until(ctx, "a decision without a policy", degraded).await?;
    ensure_eq!(status["approvalRequired"], json!(true));
    let reason = status["approvalReason"].as_str().unwrap_or_default();
    ensure!(reason.contains(FILE) && reason.contains(words), "the reason is: {reason}");
    let evaluation = &status["approvalContext"]["policyEvaluation"]["decision"];
    ensure_eq!(evaluation, "degraded_mode");
    let after = count().await?;
    ensure!(after > before, "it was {before} and is {after}");
    let log = ctx.logs(CONTROLLER)?.since(&mark);
    log.until("a warning of the policy", SOON, |line| line.text().contains(FILE)).await?;
    let told = json!({"event_data": {"degraded": true, "outcome": "requires_approval"}});
    let audit = ctx.audit().emitter(CONTROLLER);
    audit.kinds([EVALUATED]).at_least(1).matching(EVALUATED, told).holds().await?;
    Ok(())
}

async fn a_policy_that_does_not_compile_means_that_somebody_must_approve(ctx: Ctx) -> CaseResult {
    let broken = "package aianalysis.approval\n\nrequire_approval := {";
    degrades(&ctx, Some(broken), "cannot be asked for").await
}

async fn a_policy_that_says_nonsense_means_that_somebody_must_approve(ctx: Ctx) -> CaseResult {
    let nonsense = "package aianalysis.approval\n\nrequire_approval := \"perhaps\"\n";
    degrades(&ctx, Some(nonsense), "is true or false").await?;
    let errors = ctx.audit().emitter(CONTROLLER).kinds([ERROR]);
    errors.all_matching(json!({"event_data": {"phase": "Analyzing"}})).holds().await?;
    Ok(())
}

async fn a_policy_that_is_missing_means_that_somebody_must_approve(ctx: Ctx) -> CaseResult {
    degrades(&ctx, None, "must exist").await
}
