//! Workflows as a catalog takes them, and the five that every catalog begins with (contract 5.7).

use kindwright::{CaseResult, Ctx, Failure};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

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
    for [name, signal, severity, component, environment, priority] in WORKFLOWS {
        let labels = json!({
            "signal_type": signal, "severity": severity, "component": component,
            "environment": environment, "priority": priority,
        });
        keep(ctx, &workflow(name, "1.0.0", &labels)).await?;
    }
    Ok(())
}

/// Registers a workflow, unless it is there already.
pub(crate) async fn keep(ctx: &Ctx, workflow: &Value) -> CaseResult {
    let answer = ctx.post("datastorage", "/api/v1/workflows").json(workflow).send().await?;
    if matches!(answer.status(), 201 | 409) {
        return Ok(());
    }
    Err(Failure::new(format!("expected 201 or 409:\n{}", answer.exchange())))
}

/// A version of a workflow, with content, and with an image that is pinned.
pub(crate) fn workflow(name: &str, version: &str, labels: &Value) -> Value {
    let repository = format!("ghcr.io/kubernaut/workflows/{name}");
    let content = format!(
        "apiVersion: tekton.dev/v1\nkind: Pipeline\nmetadata:\n  name: workflow\nspec:\n  tasks:\n  \
         - name: remedy\n    taskSpec:\n      steps:\n      - name: remedy\n        image: \
         {repository}:{version}\n"
    );
    let hash = Sha256::digest(&content);
    let hash = hash.iter().fold(String::new(), |hash, byte| hash + &format!("{byte:02x}"));
    let digest = format!("sha256:{hash}");
    json!({
        "workflow_name": name,
        "version": version,
        "name": name,
        "description": format!("Remedies with {name}"),
        "content": content,
        "content_hash": hash,
        "labels": labels,
        "status": "active",
        "execution_engine": "tekton",
        "container_image": format!("{repository}:{version}@{digest}"),
        "container_digest": digest,
    })
}
