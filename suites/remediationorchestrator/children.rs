//! The objects that a remediation makes: whose they are, how they are found, and how it refers to them.

use kindwright::{Case, CaseResult, Ctx, Failure, case, ensure, ensure_eq};
use serde_json::{Value, json};

use super::{
    VERSION,
    play::{
        ANALYSIS, APPROVAL, CHILDREN, EXECUTION, NOTIFICATION, PROCESSING, Play, REQUEST, moment,
        to_be_approved,
    },
};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    [
        case!(all_that_a_remediation_makes_belongs_to_it),
        case!(a_remediation_refers_to_what_it_makes),
        case!(a_remediation_says_when_its_phases_began),
        case!(an_analysis_is_told_where_its_target_is_and_whose_and_no_more),
    ]
}

/// A remediation whose workflow runs, after people were asked.
async fn approved(ctx: &Ctx) -> Result<(Play, Value), Failure> {
    let play = Play::begin(ctx).await?;
    play.analysed(to_be_approved()).await?;
    play.phase("AwaitingApproval").await?;
    let approved = json!({"decision": "Approved", "decidedBy": "ann"});
    play.says(APPROVAL, approved).await?;
    let request = play.phase("Executing").await?;
    Ok((play, request))
}

async fn all_that_a_remediation_makes_belongs_to_it(ctx: Ctx) -> CaseResult {
    let (play, _) = approved(&ctx).await?;
    let mut made = Vec::new();
    for kind in CHILDREN.map(|child| child.0).into_iter().chain([NOTIFICATION]) {
        made.extend(play.objects().list([VERSION, kind]).await?);
    }
    ensure_eq!(made.len(), CHILDREN.len() + 1);
    for object in made {
        let (labels, owner) =
            (&object["metadata"]["labels"], &object["metadata"]["ownerReferences"][0]);
        ensure_eq!(labels["kubernaut.ai/remediation-request"], json!(play.name));
        let component = labels["kubernaut.ai/component"].as_str().unwrap_or_default();
        ensure!(!component.is_empty(), "nobody knows who made {object}");
        let [kind, name, uid] = ["kind", "name", "uid"].map(|field| owner[field].as_str());
        ensure_eq!([kind, name, uid], [REQUEST, &play.name, &play.uid].map(Some));
        ensure_eq!(owner["controller"], json!(true));
    }
    Ok(())
}

async fn a_remediation_refers_to_what_it_makes(ctx: Ctx) -> CaseResult {
    let (play, request) = approved(&ctx).await?;
    let status = &request["status"];
    let notification = format!("nr-approval-{}", play.name);
    for (reference, kind, name) in [
        ("/signalProcessingRef", PROCESSING.0, play.child_name(PROCESSING)),
        ("/aiAnalysisRef", ANALYSIS.0, play.child_name(ANALYSIS)),
        ("/workflowExecutionRef", EXECUTION.0, play.child_name(EXECUTION)),
        ("/notificationRequestRefs/0", NOTIFICATION, notification),
    ] {
        let object = play.objects().get([VERSION, kind, &name]).await?.unwrap_or_default();
        let expected = json!({
            "apiVersion": VERSION, "kind": kind, "name": name,
            "namespace": play.objects().namespace(), "uid": object["metadata"]["uid"],
        });
        ensure_eq!(status.pointer(reference), Some(&expected));
    }
    Ok(())
}

async fn an_analysis_is_told_where_its_target_is_and_whose_and_no_more(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    let namespace = play.objects().namespace();
    let owners = json!([{"namespace": namespace, "kind": "ReplicaSet", "name": "cart-7"}]);
    let status = json!({
        "phase": "Completed",
        "kubernetesContext": {
            "namespace": {"name": namespace, "labels": {"team": "tea"}},
            "ownerChain": owners,
            "detectedLabels": {"hasHPA": true},
            "customLabels": {"team": ["tea"]},
        },
    });
    play.says(PROCESSING, status).await?;
    let analysis = play.child(ANALYSIS).await?;
    let request = &analysis["spec"]["analysisRequest"];
    ensure_eq!(
        request["analysisTypes"],
        json!(["investigation", "root-cause", "workflow-selection"])
    );
    let context = &request["signalContext"];
    let defaults = [&context["environment"], &context["businessPriority"]];
    ensure_eq!(defaults, [&json!("unknown"), &json!("P2")]);
    let told = json!({"kubernetesContext": {"namespace": namespace}, "ownerChain": owners});
    ensure_eq!(context["enrichmentResults"], told);
    Ok(())
}

async fn a_remediation_says_when_its_phases_began(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    let request = play.goes_well().await?;
    let times = [
        "startTime",
        "processingStartTime",
        "analyzingStartTime",
        "executingStartTime",
        "completedAt",
    ];
    let mut before = None;
    for field in times {
        let time = moment(&request["status"], &format!("/{field}"))?;
        ensure!(before.is_none_or(|it| it <= time), "{field} is too early: {request}");
        before = Some(time);
    }
    Ok(())
}
