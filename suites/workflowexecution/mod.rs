//! The controller of workflow executions: what becomes of a workflow that is to run on a target, and what is told of it.
//!
//! The cases are the scenarios of contract 6.6, by their numbers there. Pipelines run in a namespace beside the
//! suite's own, and whoever runs them is Tekton, or stands in for it.
//!
//! None of them was tried with the original's image.

mod audit;
mod deletion;
mod events;
mod failures;
mod lifecycle;
mod locks;
mod metrics;
mod outage;
mod parameters;
mod refusals;

use kindwright::{
    Ctx, Endpoint, Failure, Image, Objects, ObjectsError, Reserve, Suite, Workload, step,
};
use serde_json::{Value, json};

use crate::{
    expect,
    platform::{self, Ports, SOON, STAND_INS},
    workflows,
};

const NAME: &str = "workflowexecution";
/// The controller, as workload, image and emitter of events.
const CONTROLLER: &str = "workflowexecution-controller";
/// Whoever runs pipelines.
const TEKTON: &str = "tekton";
const VERSION: &str = "kubernaut.ai/v1alpha1";
const KIND: &str = "WorkflowExecution";
const STARTED: &str = "workflow.started";
const COMPLETED: &str = "workflow.completed";
const FAILED: &str = "workflow.failed";
/// A workflow that says something and takes two seconds, and one that fails as it is told to.
const HELLO: [&str; 2] =
    ["test-hello-world", "quay.io/jordigilh/test-workflows/hello-world:v1.0.0"];
const FAILING: [&str; 2] =
    ["test-intentional-failure", "quay.io/jordigilh/test-workflows/failing:v1.0.0"];

pub(crate) fn suite() -> Suite {
    let ports = Ports { datastorage: (30081, 8081), postgresql: (30432, 15441) };
    let metrics = Endpoint::http("metrics").node_port(30185).host_port(9185).health("/metrics");
    let controller =
        Workload::new(CONTROLLER, "fixtures/manifests/workflowexecution-controller.yaml")
            .endpoint(metrics.service("workflowexecution-controller-metrics"));
    let tekton = Workload::new(TEKTON, "fixtures/manifests/tekton.yaml");
    let suite = Suite::new(NAME, NAME)
        .strategies(platform::STRATEGIES)
        .namespace("workflows")
        .image(Image::program(CONTROLLER, STAND_INS, [CONTROLLER]))
        .image(Image::program(TEKTON, STAND_INS, [TEKTON]))
        .image(Image::reference("debian", "docker.io/library/debian:bookworm-slim"))
        .resources("fixtures/crds/kubernaut.ai_workflowexecutions.yaml")
        .resources("fixtures/crds/tekton.dev_pipelineruns.yaml")
        .resources("fixtures/crds/tekton.dev_taskruns.yaml")
        .controls(KIND)
        .controls("PipelineRun")
        .reserve(Reserve::pods(16).cpu("5m").memory("16Mi"));
    platform::shared(suite, ports, [controller, tekton])
        .step(step!(register_workflows))
        .cases(lifecycle::cases())
        .cases(parameters::cases())
        .cases(failures::cases())
        .cases(deletion::cases())
        .cases(locks::cases())
        .cases(refusals::cases())
        .cases(events::cases())
        .cases(audit::cases())
        .cases(metrics::cases())
        .cases(outage::cases())
}

/// Puts the workflows of the cases into the catalog.
async fn register_workflows(ctx: Ctx) -> Result<(), Failure> {
    let labels = json!({
        "signal_type": "test-signal", "severity": "low", "component": "deployment",
        "environment": "test", "priority": "P3",
    });
    for [name, image] in [HELLO, FAILING] {
        let mut workflow = workflows::workflow(name, "v1.0.0", &labels);
        workflow["container_image"] = json!(image);
        workflows::keep(&ctx, &workflow).await?;
    }
    Ok(())
}

/// An execution of a workflow, on a target that only this case has, with changes to its spec. It is
/// audited under the correlation id of the case.
fn execution(ctx: &Ctx, name: &str, [workflow, image]: [&str; 2], more: &Value) -> Value {
    let own = ctx.objects().own_name(name);
    let mut spec = json!({
        // The group is what the original's cases say; nothing reads it.
        "remediationRequestRef": {
            "apiVersion": "remediationorchestrator.kubernaut.ai/v1alpha1",
            "kind": "RemediationRequest",
            "name": format!("rr-{own}"),
            "namespace": ctx.objects().namespace(),
        },
        "workflowRef": {"workflowId": workflow, "version": "v1.0.0", "containerImage": image},
        "targetResource": target(ctx, name),
        "parameters": {"MESSAGE": "Hello from a case"},
        "confidence": 0.9,
        "rationale": "It is a case",
    });
    if let (Some(spec), Some(more)) = (spec.as_object_mut(), more.as_object()) {
        spec.extend(more.clone());
    }
    let labels = json!({"kubernaut.ai/correlation-id": ctx.correlation_id()});
    let metadata = json!({"name": own, "labels": labels});
    json!({"apiVersion": VERSION, "kind": KIND, "metadata": metadata, "spec": spec})
}

/// What executions of this name act on.
fn target(ctx: &Ctx, name: &str) -> String {
    format!("{}/deployment/{name}", ctx.objects().namespace())
}

/// Makes an execution; returns its name.
async fn make(objects: &Objects, execution: Value) -> Result<String, ObjectsError> {
    let made = objects.create(execution).await?;
    Ok(made["metadata"]["name"].as_str().unwrap_or_default().to_owned())
}

/// Makes an execution of a workflow as [`execution`] has it; returns its name.
async fn run(
    ctx: &Ctx,
    name: &str,
    workflow: [&str; 2],
    more: Value,
) -> Result<String, ObjectsError> {
    make(ctx.objects(), execution(ctx, name, workflow, &more)).await
}

/// Waits until the status of an execution is so, and returns the object.
async fn until(ctx: &Ctx, name: &str, status: Value) -> Result<Value, ObjectsError> {
    ctx.objects().until_matching([VERSION, KIND, name], json!({"status": status}), SOON).await
}

/// Waits until an execution is in a phase.
async fn until_in(ctx: &Ctx, name: &str, phase: &str) -> Result<Value, ObjectsError> {
    until(ctx, name, json!({"phase": phase})).await
}

/// The run of an execution, if it is there.
async fn run_of(ctx: &Ctx, name: &str) -> Result<Option<Value>, Failure> {
    let runs = ctx.objects_in("workflows")?.list(["tekton.dev/v1", "PipelineRun"]).await?;
    let owner = |run: &Value| run["metadata"]["labels"]["kubernaut.ai/workflow-execution"] == *name;
    Ok(runs.into_iter().find(owner))
}

/// Status and reason of a condition of an execution.
fn condition<'a>(execution: &'a Value, kind: &str) -> Option<[&'a str; 2]> {
    let condition = expect::condition(&execution["status"], kind);
    Some([condition["status"].as_str()?, condition["reason"].as_str()?])
}

/// A text of an object; empty where there is none.
fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
