//! What goes with a remediation that is deleted (BR-ORCH-031; those with notifications are left pending by the original).

use kindwright::{Case, CaseResult, Ctx, Failure, case, ensure};
use serde_json::{Value, json};

use super::{
    SOON, VERSION,
    play::{ANALYSIS, APPROVAL, CHILDREN, NOTIFICATION, Play, REQUEST, to_be_approved},
};

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    [
        case!(the_children_of_a_remediation_go_with_it),
        case!(a_notification_goes_with_its_remediation),
        case!(all_notifications_go_with_their_remediation),
        case!(what_belongs_to_others_stays),
    ]
}

/// Deletes a remediation.
async fn delete(play: &Play) -> CaseResult {
    Ok(play.objects().delete([VERSION, REQUEST, &play.name]).await?)
}

/// Waits until there are so many objects of a kind in the namespace of the case.
async fn until_there_are(ctx: &Ctx, kind: &str, count: usize) -> CaseResult {
    ctx.until(format_args!("{count} of {kind}"), SOON, async || {
        let there = ctx.objects().list([VERSION, kind]).await?;
        ensure!(there.len() == count, "there are {}", there.len());
        Ok(())
    })
    .await
}

async fn the_children_of_a_remediation_go_with_it(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.analysed(to_be_approved()).await?;
    play.phase("AwaitingApproval").await?;
    play.says(APPROVAL, json!({"decision": "Approved", "decidedBy": "ann"})).await?;
    play.phase("Executing").await?;
    for child in CHILDREN {
        until_there_are(&ctx, child.0, 1).await?;
    }
    delete(&play).await?;
    for child in CHILDREN {
        until_there_are(&ctx, child.0, 0).await?;
    }
    Ok(())
}

/// A notification of a remediation that somebody else has made.
async fn notify(play: &Play, name: &str, kind: &str) -> CaseResult {
    let owner = json!({
        "apiVersion": VERSION, "kind": REQUEST, "name": play.name, "uid": play.uid,
        "controller": true, "blockOwnerDeletion": true,
    });
    let notification: Value = json!({
        "apiVersion": VERSION,
        "kind": NOTIFICATION,
        "metadata": {"name": name, "ownerReferences": [owner]},
        "spec": {"type": kind, "priority": "medium", "subject": "tea", "body": "is ready"},
    });
    play.objects().create(notification).await?;
    Ok(())
}

async fn a_notification_goes_with_its_remediation(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    notify(&play, "approval", "approval").await?;
    delete(&play).await?;
    until_there_are(&ctx, NOTIFICATION, 0).await
}

async fn all_notifications_go_with_their_remediation(ctx: Ctx) -> CaseResult {
    let play = Play::begin(&ctx).await?;
    play.analysed(to_be_approved()).await?;
    play.phase("AwaitingApproval").await?;
    notify(&play, "escalation", "escalation").await?;
    until_there_are(&ctx, NOTIFICATION, 2).await?;
    delete(&play).await?;
    until_there_are(&ctx, NOTIFICATION, 0).await
}

async fn what_belongs_to_others_stays(ctx: Ctx) -> CaseResult {
    let other = json!({"signalFingerprint": super::play::fingerprint(&ctx, 1)});
    let (play, other) =
        (Play::begin(&ctx).await?, Play::of(&ctx, ctx.objects(), "another", other).await?);
    for play in [&play, &other] {
        play.processed().await?;
        play.child(ANALYSIS).await?;
    }
    delete(&play).await?;
    until_there_are(&ctx, ANALYSIS.0, 1).await?;
    other.goes_well().await?;
    Ok::<_, Failure>(())
}
