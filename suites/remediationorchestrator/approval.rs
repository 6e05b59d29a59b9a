//! The conditions of a question that people are asked (DD-CRD-002-RAR; left pending by the original).

use std::pin::pin;

use futures_util::future::{Either, select};
use kindwright::{Case, CaseResult, Ctx, Failure, case, ensure, ensure_eq};
use serde_json::{Value, json};
use time::Duration;

use super::{
    SOON, VERSION,
    play::{
        ANALYSIS, APPROVAL, NOTIFICATION, Play, WORKFLOW, analysed, is_after, moment, now,
        to_be_approved,
    },
};
use crate::expect::{condition, has_condition};

/// How long people have.
const DUE: Duration = Duration::minutes(15);
/// How urgent what people are told is, by the priority of the signal.
const URGENCY: [[&str; 2]; 4] =
    [["P0", "critical"], ["P1", "high"], ["P2", "medium"], ["P3", "low"]];

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    let urgent = URGENCY.map(|[priority, urgency]| {
        let name = format!("a_question_about_a_signal_of_{priority}_is_told_as_{urgency}");
        Case::named(name, move |ctx| is_told_as(ctx, priority, urgency))
    });
    [
        case!(the_question_says_what_is_to_be_decided_and_until_when),
        case!(an_open_question_says_so),
        case!(an_approved_question_says_so),
        case!(a_rejected_question_says_so),
        case!(an_expired_question_says_so),
        // The original waits for ever for an answer to a question that is gone.
        case!(a_question_that_is_deleted_is_asked_again).beyond("contract S6.8"),
    ]
    .into_iter()
    .chain(urgent)
}

/// A remediation that waits for an answer.
async fn ask(ctx: &Ctx) -> Result<Play, Failure> {
    let play = Play::begin(ctx).await?;
    play.analysed(to_be_approved()).await?;
    play.phase("AwaitingApproval").await?;
    Ok(play)
}

/// The question, once these conditions of it are so.
async fn until(play: &Play, conditions: [(&str, [&str; 2]); 3]) -> Result<Value, Failure> {
    let (name, what) = (play.child_name(APPROVAL), format!("{conditions:?}"));
    let holds =
        |question: &Value| conditions.iter().all(|(kind, is)| has_condition(question, kind, *is));
    Ok(play.objects().until([VERSION, APPROVAL.0, &name], what, SOON, holds).await?)
}

async fn the_question_says_what_is_to_be_decided_and_until_when(ctx: Ctx) -> CaseResult {
    let play = ask(&ctx).await?;
    let question = play.look(APPROVAL).await?;
    let spec = &question["spec"];
    let made = moment(&question, "/metadata/creationTimestamp")?;
    is_after(moment(&question, "/spec/requiredBy")?, made, DUE)?;
    for field in ["reason", "whyApprovalRequired"] {
        ensure_eq!((field, &spec[field]), (field, &json!("it is production")));
    }
    ensure_eq!(spec["investigationSummary"], json!("it needs more memory"));
    let actions = json!([{"action": "scale up", "rationale": "more of it is needed"}]);
    ensure_eq!(spec["recommendedActions"], actions);
    ensure_eq!(spec["confidence"], json!(0.9));
    let about = &spec["remediationRequestRef"];
    ensure_eq!([&about["name"], &about["uid"]], [&json!(play.name), &json!(play.uid)]);
    let workflow = &spec["recommendedWorkflow"];
    ensure_eq!(
        [&workflow["workflowId"], &workflow["version"]],
        [&json!(WORKFLOW), &json!("v1.0.0")]
    );
    Ok(())
}

async fn is_told_as(ctx: Ctx, priority: &str, urgency: &str) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.processed_as(priority).await?;
    play.says(ANALYSIS, analysed(to_be_approved())).await?;
    play.phase("AwaitingApproval").await?;
    let name = format!("nr-approval-{}", play.name);
    let told = play.objects().get([VERSION, NOTIFICATION, &name]).await?.unwrap_or_default();
    ensure_eq!(told["spec"]["priority"], json!(urgency));
    Ok(())
}

async fn an_open_question_says_so(ctx: Ctx) -> CaseResult {
    let play = ask(&ctx).await?;
    until(
        &play,
        [
            ("ApprovalPending", ["True", "AwaitingDecision"]),
            ("ApprovalDecided", ["False", "PendingDecision"]),
            ("ApprovalExpired", ["False", "NotExpired"]),
        ],
    )
    .await?;
    Ok(())
}

/// The message of a condition.
fn message<'a>(question: &'a Value, kind: &str) -> &'a str {
    condition(&question["status"], kind)["message"].as_str().unwrap_or_default()
}

async fn an_approved_question_says_so(ctx: Ctx) -> CaseResult {
    let play = ask(&ctx).await?;
    play.says(APPROVAL, json!({"decision": "Approved", "decidedBy": "ann"})).await?;
    let question = until(
        &play,
        [
            ("ApprovalPending", ["False", "DecisionMade"]),
            ("ApprovalDecided", ["True", "Approved"]),
            ("ApprovalExpired", ["False", "NotExpired"]),
        ],
    )
    .await?;
    let said = message(&question, "ApprovalDecided");
    ensure!(said.contains("ann"), "it does not say who has approved: {said}");
    Ok(())
}

async fn a_rejected_question_says_so(ctx: Ctx) -> CaseResult {
    let play = ask(&ctx).await?;
    let rejected = json!({
        "decision": "Rejected", "decidedBy": "bob", "decisionMessage": "not on a Friday",
    });
    play.says(APPROVAL, rejected).await?;
    let question = until(
        &play,
        [
            ("ApprovalPending", ["False", "DecisionMade"]),
            ("ApprovalDecided", ["True", "Rejected"]),
            ("ApprovalExpired", ["False", "NotExpired"]),
        ],
    )
    .await?;
    let said = message(&question, "ApprovalDecided");
    let both = said.contains("bob") && said.contains("not on a Friday");
    ensure!(both, "it does not say who has rejected it, and why: {said}");
    Ok(())
}

/// Asks what must be answered now: somebody else has asked already, and the orchestrator takes up their question.
pub(super) async fn ask_until_now(play: &Play) -> CaseResult {
    play.processed().await?;
    play.child(ANALYSIS).await?;
    let question = json!({
        "apiVersion": VERSION,
        "kind": APPROVAL.0,
        "metadata": {"name": play.child_name(APPROVAL)},
        "spec": {
            "remediationRequestRef": {"name": play.name},
            "aiAnalysisRef": {"name": play.child_name(ANALYSIS)},
            "confidence": 0.9, "confidenceLevel": "high", "reason": "it is production",
            "recommendedWorkflow": {
                "workflowId": WORKFLOW, "version": "v1.0.0", "containerImage": "image",
                "rationale": "more of it is needed",
            },
            "investigationSummary": "it needs more memory", "recommendedActions": [],
            "whyApprovalRequired": "it is production", "requiredBy": now(),
        },
    });
    play.objects().create(question).await?;
    play.analysed(to_be_approved()).await?;
    Ok(())
}

async fn an_expired_question_says_so(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    ask_until_now(&play).await?;
    play.until(json!({"overallPhase": "Failed", "failurePhase": "approval"})).await?;
    let question = play.look(APPROVAL).await?;
    let status = &question["status"];
    ensure_eq!([&status["decision"], &status["decidedBy"]], [&json!("Expired"), &json!("system")]);
    ensure_eq!(status["expired"], json!(true));
    let (decided, due) =
        (moment(&question, "/status/decidedAt")?, moment(&question, "/spec/requiredBy")?);
    // Some write whole seconds.
    ensure!(decided + Duration::seconds(1) >= due, "it was too late before {due}: at {decided}");
    ensure!(has_condition(&question, "ApprovalPending", ["False", "DecisionMade"]), "{question}");
    ensure!(has_condition(&question, "ApprovalExpired", ["True", "Timeout"]), "{question}");
    let decided = &condition(status, "ApprovalDecided")["status"];
    ensure!(decided != "True", "somebody has decided: {question}");
    Ok(())
}

async fn a_question_that_is_deleted_is_asked_again(ctx: Ctx) -> CaseResult {
    let play = ask(&ctx).await?;
    let (objects, name) = (play.objects(), play.child_name(APPROVAL));
    let name = [VERSION, APPROVAL.0, &name];
    let first = play.look(APPROVAL).await?;
    let is_another = |it: &Value| it["metadata"]["uid"] != first["metadata"]["uid"];
    let asked = pin!(objects.until(name, "another question", SOON, is_another));
    // The next one may be there before anybody has seen that the name was free: then there is no end to wait for.
    match select(asked, pin!(objects.delete(name))).await {
        Either::Left((asked, _)) => drop(asked?),
        Either::Right((deleted, asked)) => {
            deleted?;
            asked.await?;
        }
    }
    play.says(APPROVAL, json!({"decision": "Approved", "decidedBy": "ann"})).await?;
    play.phase("Executing").await?;
    Ok(())
}
