//! Asking HAPI with the model that can be scripted, and what the model then asked (contract 5.7).

use kindwright::{Ctx, Failure, HttpError, ensure};
use serde_json::{Value, json};

use super::{ANALYZE, EMITTER, LLM, envelope};

/// What HAPI answers with the model that can be scripted.
pub(super) async fn advise(ctx: &Ctx, request: &Value) -> Result<Value, HttpError> {
    ctx.post(LLM, ANALYZE).json(request).send().await?.expect(200)?.json()
}

/// What the events of so many searches say, oldest first; that no other was made is asserted.
pub(super) async fn searches(
    ctx: &Ctx,
    request: &Value,
    calls: usize,
) -> Result<Vec<Value>, Failure> {
    let rows = ctx
        .audit()
        .emitter(EMITTER)
        .kinds(["llm_tool_call"])
        .exactly(calls)
        .all_matching(envelope(request))
        .all_matching(json!({
            "event_action": "tool_invoked",
            "event_outcome": "success",
            "event_data": {"tool_name": "search_workflow_catalog"},
        }))
        .holds()
        .await?;
    let said: Vec<_> = rows.iter().map(|row| row.as_json()["event_data"].clone()).collect();
    for (call, index) in said.iter().zip(0_u64..) {
        ensure!(call["tool_call_index"] == index, "this is not call {index}: {call:#}");
    }
    Ok(said)
}
