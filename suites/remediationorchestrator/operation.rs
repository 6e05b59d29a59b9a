//! How it works under way: at once, and each namespace by itself (left pending by the original).

use std::time::{Duration, Instant};

use kindwright::{Case, CaseResult, Ctx, case};
use serde_json::json;

use super::play::{PROCESSING, Play, fingerprint};
use crate::expect::is_done_within;

/// How long the first step may take (contract 6.8).
const AT_ONCE: Duration = Duration::from_secs(5);

pub(super) fn cases() -> impl IntoIterator<Item = Case> {
    [
        // The time of one is measured.
        case!(the_first_step_is_taken_at_once).alone(),
        case!(remediations_of_two_namespaces_keep_out_of_each_others_way),
    ]
}

async fn the_first_step_is_taken_at_once(ctx: Ctx) -> CaseResult {
    ctx.objects().make_namespace().await?;
    is_done_within(AT_ONCE, async |number| {
        let own = json!({"signalFingerprint": fingerprint(&ctx, number)});
        let begun = Instant::now();
        let play = Play::of(&ctx, ctx.objects(), &format!("rr-{number}"), own).await?;
        play.child(PROCESSING).await?;
        Ok(begun.elapsed())
    })
    .await
}

async fn remediations_of_two_namespaces_keep_out_of_each_others_way(ctx: Ctx) -> CaseResult {
    let other = json!({"signalFingerprint": fingerprint(&ctx, 1)});
    let beside = ctx.objects().beside("b");
    let (failing, going) = (Play::begin(&ctx).await?, Play::of(&ctx, &beside, "rr", other).await?);
    failing.fails().await?;
    going.analysed(json!({"reason": "WorkflowNotNeeded", "selectedWorkflow": null})).await?;
    going.phase("Completed").await?;
    failing.phase("Failed").await?;
    Ok(())
}
