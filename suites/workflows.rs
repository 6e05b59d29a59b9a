//! The five workflows that every catalog begins with (contract 5.7).

use kindwright::{CaseResult, Ctx, Failure};
use serde_json::{Value, json};

/// Name, signal, severity, component, environment and priority of a workflow.
const WORKFLOWS: [[&str; 6]; 5] = [
    ["oomkill-increase-memory-limits", "OOMKilled", "critical", "pod", "production", "P0"],
    ["oomkill-scale-down-replicas", "OOMKilled", "high", "deployment", "staging", "P1"],
    ["crashloop-fix-configuration", "CrashLoopBackOff", "high", "pod", "production", "P1"],
    ["node-not-ready-drain-and-reboot", "NodeNotReady", "critical", "node", "production", "P0"],
    ["image-pull-backoff-fix-credentials", "ImagePullBackOff", "high", "pod", "production", "P1"],
];

/// Registers them; one that is there already stays.
pub(crate) async fn register(ctx: &Ctx) -> CaseResult {
    for (number, workflow) in (1..).zip(WORKFLOWS) {
        let request = ctx.post("datastorage", "/api/v1/workflows");
        let answer = request.json(&body(number, workflow)).send().await?;
        if !matches!(answer.status(), 201 | 409) {
            return Err(Failure::new(format!("expected 201 or 409:\n{}", answer.exchange())));
        }
    }
    Ok(())
}

fn body(number: u8, workflow: [&str; 6]) -> Value {
    let [name, signal, severity, component, environment, priority] = workflow;
    let digest = format!("sha256:{number:064}");
    json!({
        "workflow_name": name,
        "version": "1.0.0",
        "name": name,
        "description": name,
        "content": "",
        // The hash of nothing.
        "content_hash": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "labels": {
            "signal_type": signal, "severity": severity, "component": component,
            "environment": environment, "priority": priority,
        },
        "status": "active",
        "execution_engine": "tekton",
        "container_image": format!("ghcr.io/kubernaut/workflows/{name}:v1.0.0@{digest}"),
        "container_digest": digest,
    })
}
