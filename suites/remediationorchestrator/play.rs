//! A remediation, whose children the case plays.

use kindwright::{CaseResult, Ctx, Failure, Objects, ObjectsError, ensure};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::{SOON, VERSION};
use crate::expect::has_condition;

pub(super) const REQUEST: &str = "RemediationRequest";
pub(super) const NOTIFICATION: &str = "NotificationRequest";
/// The workflow that analyses select.
pub(super) const WORKFLOW: &str = "scale-up";

/// How far what happens at once may be apart: some write whole seconds, and all need a moment.
const AT_ONCE: Duration = Duration::seconds(2);

/// A child, by its kind and what its name begins with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Child(pub(super) &'static str, pub(super) &'static str);

pub(super) const PROCESSING: Child = Child("SignalProcessing", "sp");
pub(super) const ANALYSIS: Child = Child("AIAnalysis", "ai");
pub(super) const APPROVAL: Child = Child("RemediationApprovalRequest", "rar");
pub(super) const EXECUTION: Child = Child("WorkflowExecution", "we");
pub(super) const CHILDREN: [Child; 4] = [PROCESSING, ANALYSIS, APPROVAL, EXECUTION];

/// A remediation in a namespace of the case.
#[derive(Clone, Debug)]
pub(super) struct Play {
    objects: Objects,
    pub(super) name: String,
    pub(super) uid: String,
}

/// The time, as objects write it.
pub(super) fn now() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}

/// The time that an object says.
pub(super) fn moment(object: &Value, pointer: &str) -> Result<OffsetDateTime, Failure> {
    let text = object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let parsed = OffsetDateTime::parse(text, &Rfc3339);
    parsed.map_err(|_| Failure::new(format_args!("`{pointer}` is no time: {object}")))
}

/// Fails unless a moment is as long after another as it should be.
pub(super) fn is_after(
    later: OffsetDateTime,
    earlier: OffsetDateTime,
    expected: Duration,
) -> CaseResult {
    let after = later - earlier;
    ensure!((after - expected).abs() <= AT_ONCE, "{later} is {after} after {earlier}");
    Ok(())
}

/// Waits until a moment has passed.
pub(super) async fn passes(ctx: &Ctx, moment: OffsetDateTime) -> CaseResult {
    ctx.until(format_args!("{moment}"), SOON, async || {
        let now = OffsetDateTime::now_utc();
        ensure!(now > moment, "it is {now}");
        Ok(())
    })
    .await
}

/// A signal that no other case has; `number` tells those of one case from each other.
pub(super) fn fingerprint(ctx: &Ctx, number: u32) -> String {
    let id = ctx.correlation_id().rsplit('-').next().unwrap_or_default();
    format!("{number:052x}{id}")
}

/// A request about the first signal of the case; `more` is what its specification says otherwise.
pub(super) fn request(ctx: &Ctx, objects: &Objects, name: &str, more: &Value) -> Value {
    let target = json!({"kind": "Deployment", "name": "cart", "namespace": objects.namespace()});
    let mut spec = json!({
        "signalFingerprint": fingerprint(ctx, 0), "signalName": "HighMemoryUsage",
        "severity": "critical", "signalType": "prometheus-alert", "signalSource": "prometheus",
        "targetType": "kubernetes", "targetResource": target,
        "firingTime": now(), "receivedTime": now(),
    });
    if let (Some(spec), Some(more)) = (spec.as_object_mut(), more.as_object()) {
        spec.extend(more.clone());
    }
    json!({"apiVersion": VERSION, "kind": REQUEST, "metadata": {"name": name}, "spec": spec})
}

impl Play {
    /// Makes the request `rr` in the namespace of the case.
    pub(super) async fn begin(ctx: &Ctx) -> Result<Self, Failure> {
        Self::of(ctx, ctx.objects(), "rr", json!({})).await
    }

    /// Makes a request.
    pub(super) async fn of(
        ctx: &Ctx,
        objects: &Objects,
        name: &str,
        more: Value,
    ) -> Result<Self, Failure> {
        let made = objects.create(request(ctx, objects, name, &more)).await?;
        let uid = made["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        Ok(Self { objects: objects.clone(), name: name.to_owned(), uid })
    }

    pub(super) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The name of a child.
    pub(super) fn child_name(&self, child: Child) -> String {
        format!("{}-{}", child.1, self.name)
    }

    /// A child, once it is there.
    pub(super) async fn child(&self, child: Child) -> Result<Value, ObjectsError> {
        let name = self.child_name(child);
        self.objects.until([VERSION, child.0, &name], "that it is made", SOON, |_| true).await
    }

    /// A child as it is now, null if there is none.
    pub(super) async fn look(&self, child: Child) -> Result<Value, ObjectsError> {
        let found = self.objects.get([VERSION, child.0, &self.child_name(child)]).await?;
        Ok(found.unwrap_or_default())
    }

    /// Lets a child say this, once it is there.
    pub(super) async fn says(&self, child: Child, status: Value) -> Result<(), ObjectsError> {
        self.child(child).await?;
        let status = json!({"status": status});
        self.objects.merge_status([VERSION, child.0, &self.child_name(child)], &status).await?;
        Ok(())
    }

    /// The status of the request as it is now.
    pub(super) async fn status(&self) -> Result<Value, ObjectsError> {
        let mut found = self.objects.get([VERSION, REQUEST, &self.name]).await?.unwrap_or_default();
        Ok(found["status"].take())
    }

    /// The request, once its status is so.
    pub(super) async fn until(&self, status: Value) -> Result<Value, ObjectsError> {
        let status = json!({"status": status});
        self.objects.until_matching([VERSION, REQUEST, &self.name], status, SOON).await
    }

    /// The request, once it is in this phase.
    pub(super) async fn phase(&self, phase: &str) -> Result<Value, ObjectsError> {
        self.until(json!({"overallPhase": phase})).await
    }

    /// The request, once a condition of it is so.
    pub(super) async fn condition(
        &self,
        kind: &str,
        [status, reason]: [&str; 2],
    ) -> Result<Value, ObjectsError> {
        let what = format!("{kind} {status} {reason}");
        let holds = |request: &Value| has_condition(request, kind, [status, reason]);
        self.objects.until([VERSION, REQUEST, &self.name], what, SOON, holds).await
    }

    /// Its signal is processed, and nothing is more urgent.
    pub(super) async fn processed(&self) -> Result<(), ObjectsError> {
        self.processed_as("P0").await
    }

    /// Its signal is processed, and as urgent as this.
    pub(super) async fn processed_as(&self, priority: &str) -> Result<(), ObjectsError> {
        let status = json!({
            "phase": "Completed",
            "environmentClassification": {"environment": "production"},
            "priorityAssignment": {"priority": priority},
        });
        self.says(PROCESSING, status).await
    }

    /// Its analysis has come to an end; `more` is what it says besides.
    pub(super) async fn analysed(&self, more: Value) -> Result<(), ObjectsError> {
        self.processed().await?;
        self.says(ANALYSIS, analysed(more)).await
    }

    /// Its workflow has run.
    pub(super) async fn executed(&self) -> Result<(), ObjectsError> {
        let status = json!({"phase": "Completed", "startTime": now(), "completionTime": now()});
        self.says(EXECUTION, status).await
    }

    /// All its children do what they should, and no person is asked.
    pub(super) async fn goes_well(&self) -> Result<Value, ObjectsError> {
        self.analysed(json!({})).await?;
        self.executed().await?;
        self.phase("Completed").await
    }

    /// Its signal cannot be processed.
    pub(super) async fn fails(&self) -> Result<Value, ObjectsError> {
        self.says(PROCESSING, json!({"phase": "Failed", "error": "nobody knows it"})).await?;
        self.phase("Failed").await
    }
}

/// What an analysis says that has selected a workflow, and whatever it says otherwise.
pub(super) fn analysed(more: Value) -> Value {
    let mut status = json!({
        "phase": "Completed",
        "approvalRequired": false,
        "selectedWorkflow": {
            "workflowId": WORKFLOW, "version": "v1.0.0", "confidence": 0.9,
            "containerImage": "quay.io/jordigilh/test-workflows/scale-up:v1.0.0",
            "parameters": {"REPLICAS": "3"}, "rationale": "more of it is needed",
        },
    });
    if let (Some(status), Value::Object(more)) = (status.as_object_mut(), more) {
        status.extend(more);
    }
    status
}

/// What an analysis says that wants a person to decide.
pub(super) fn to_be_approved() -> Value {
    json!({
        "approvalRequired": true,
        "approvalReason": "it is production",
        "approvalContext": {
            "reason": "it is production", "confidenceScore": 0.9, "confidenceLevel": "high",
            "investigationSummary": "it needs more memory", "whyApprovalRequired": "it is production",
            "recommendedActions": [{"action": "scale up", "rationale": "more of it is needed"}],
        },
    })
}
