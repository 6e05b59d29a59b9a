//! What can be wrong with files and plans, in words that end with the next step.

use std::path::PathBuf;

use thiserror::Error;

use crate::suite::EndpointName;

/// One reason why a plan cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum Problem {
    #[error("{} cannot be read: {words}; {step}", path.display())]
    Unreadable { path: PathBuf, words: String, step: &'static str },
    #[error("{} is not YAML: {words}", path.display())]
    NoYaml { path: PathBuf, words: String },
    #[error("{}: object {index} has {what}; `kubectl apply -f` would refuse it too", path.display())]
    NoObject { path: PathBuf, index: usize, what: String },
    #[error("{} has no objects; leave it out of the suite, or write some", path.display())]
    NoObjects { path: PathBuf },
    #[error("{}: {what} must be {expected}, but is {found}", path.display())]
    ClusterFile { path: PathBuf, what: String, expected: &'static str, found: String },
    #[error("{words}")]
    Migration { words: String },
    #[error("image `{image}`: the program {} does not exist; build it first", path.display())]
    Program { image: String, path: PathBuf },
    #[error("image `{image}`: there is no {}; `Image::dockerfile` takes the directory that has it, from the project's root", path.display())]
    Dockerfile { image: String, path: PathBuf },
    #[error(
        "`{name}` is not a name for {what}: use 1 to {most} of a-z, 0-9 and `-`, not `-` first or last"
    )]
    Name { what: &'static str, name: String, most: usize },
    #[error(
        "suite `{suite}`: `{suffix}` is not the end of a namespace's name: use 1 to {most} of a-z, 0-9 and `-`, not `-` first or last, and not the suite's own name"
    )]
    NamespaceSuffix { suite: String, suffix: String, most: usize },
    #[error(
        "the namespace `{namespace}` would be of the suites `{first}` and `{second}`; call one of them, or what is given to `.namespace(..)`, otherwise"
    )]
    SharedNamespace { namespace: String, first: String, second: String },
    #[error("suite `{suite}`: {kind} `{name}` is there twice, and not the same; leave one out")]
    Objects { suite: String, kind: String, name: String },
    #[error("{what} `{name}` is declared twice{of}; {step}")]
    Twice { what: &'static str, name: String, of: String, step: &'static str },
    #[error("suite `{suite}`: {} names the image `{image}`, which the suite does not provide (it provides {known}); add `.image(..)`", manifest.display())]
    Image { suite: String, manifest: PathBuf, image: String, known: String },
    #[error("suite `{suite}`: {} names the image `{image}`, which is `.beyond()` what the real suite needs; declare its workload so too, or the image without it", manifest.display())]
    BeyondImage { suite: String, manifest: PathBuf, image: String },
    #[error("suite `{suite}`: {}: {value:?} in {object} names an image that the suite does not provide (it provides {known}); add `.image(..)`, or write what is no image otherwise, as with a port or a scheme", manifest.display())]
    ImageValue { suite: String, manifest: PathBuf, object: String, value: String, known: String },
    #[error("suite `{suite}`: {}: `{field}` of container `{container}` is {text:?}, which is no quantity; write it as `250m` or `64Mi`", manifest.display())]
    Quantity { suite: String, manifest: PathBuf, container: String, field: String, text: String },
    #[error(
        "suite `{suite}`: `.reserve(..)` has {text:?} for {field}, which is no quantity; write it as `250m` or `64Mi`"
    )]
    ReserveQuantity { suite: String, field: &'static str, text: String },
    #[error(
        "suite `{suite}`: `Reserve::pods(0)` reserves nothing; say how many pods its cases create at a time"
    )]
    ReserveNothing { suite: String },
    #[error(
        "the suites `{first}` and `{second}` make different images `{image}` for one consumer, `{consumer}`; give one of them another consumer or the image another name"
    )]
    Consumer { image: String, consumer: String, first: String, second: String },
    #[error(
        "suite `{suite}`: `{endpoint}` wants NodePort {node_port}, outside 30000-32767; name one of these, or leave `.node_port(..)` out for one that is free"
    )]
    NodePortRange { suite: String, endpoint: EndpointName, node_port: u16 },
    #[error(
        "suite `{suite}`: `{endpoint}` wants NodePort {node_port}, which {} maps itself (`extraPortMappings`); give one of them another number",
        file.display()
    )]
    NodePortOwn { suite: String, endpoint: EndpointName, node_port: u16, file: PathBuf },
    #[error(
        "suite `{suite}`: `{first}` and `{second}` both want NodePort {node_port}; give one another number"
    )]
    NodePortTwice { suite: String, first: EndpointName, second: EndpointName, node_port: u16 },
    #[error(
        "no NodePort is left in 30000-32767 for `{endpoint}` of suite `{suite}`; run fewer suites, or use `--clusters per-suite`"
    )]
    NodePortsExhausted { suite: String, endpoint: EndpointName },
    #[error("suite `{suite}`: {} fixes NodePort {node_port} of Service `{service}` port `{port}`, which no endpoint plans; declare it with `.endpoint(..)`, or leave the number out", manifest.display())]
    NodePortUnplanned {
        suite: String,
        manifest: PathBuf,
        service: String,
        port: String,
        node_port: u64,
    },
    #[error(
        "suite `{suite}`: {} has no {wanted}, which the endpoint `{endpoint}` is to reach; it has {found}; name one of these, or `.service(..)` of another Service",
        manifest.display()
    )]
    Endpoint { suite: String, manifest: PathBuf, endpoint: String, wanted: String, found: String },
    #[error(
        "suite `{suite}`: `{endpoint}` is to be reached through Service `{service}` of {}, which is headless (`clusterIP: None`) and so has no NodePort; name another one with `.service(..)`",
        manifest.display()
    )]
    Headless { suite: String, manifest: PathBuf, endpoint: EndpointName, service: String },
    #[error(
        "suite `{suite}`: `{first}` and `{second}` are both the port `{port}` of Service `{service}`; declare it once"
    )]
    SamePort { suite: String, first: String, second: String, service: String, port: String },
    #[error(
        "suite `{suite}`: `{endpoint}` speaks {protocol}, for which `{given}` means nothing; leave it out, or declare the endpoint with {instead}"
    )]
    Meaningless {
        suite: String,
        endpoint: String,
        protocol: String,
        given: &'static str,
        instead: &'static str,
    },
    #[error(
        "suite `{suite}`: {name:?} is not a name of a host, which `.server_name(..)` of `{endpoint}` takes; write it as `shop.example.com`"
    )]
    ServerName { suite: String, endpoint: EndpointName, name: String },
    #[error(
        "suite `{suite}`: {name:?} is not a name for a variable of `{endpoint}`: use letters, digits and `_`, not a digit first"
    )]
    Variable { suite: String, endpoint: EndpointName, name: String },
    #[error(
        "the variable `{name}` would be of `{first}` and `{second}` in `kindwright env`; call one of them otherwise"
    )]
    SharedVariable { name: String, first: String, second: String },
    #[error("{} holds no certificates that an endpoint could trust: {words}; `.ca(..)` takes those of its authorities, in PEM", path.display())]
    Authorities { path: PathBuf, words: String },
    #[error(
        "suite `{suite}`: `{endpoint}` trusts {ca}, and {found}; name what the suite has, or what a Job or a controller of it makes"
    )]
    NoAuthorities { suite: String, endpoint: EndpointName, ca: String, found: String },
    #[error(
        "suite `{suite}`: migrations go to `{workload}`, and the suite has no such database (it has {known}); name the workload of an `Endpoint::postgres`, or `workload:endpoint`"
    )]
    NoDatabase { suite: String, workload: String, known: String },
    #[error(
        "suite `{suite}`: the database of `{endpoint}` names the password `{password}`, which no Secret of the suite has (they have {known}); add it with `password({password:?})` to an entry of a Secret"
    )]
    NoPassword { suite: String, endpoint: EndpointName, password: String, known: String },
    #[error(
        "suite `{suite}`: the table `{table}` is in the database of `{database}`, and the suite has no such database (it has {known}); name the workload of an `Endpoint::postgres`, or `workload:endpoint`"
    )]
    TableDatabase { suite: String, table: String, database: String, known: String },
    #[error(
        "suite `{suite}`: the table `{table}` needs a database, and the suite has none; give a workload an `Endpoint::postgres`"
    )]
    TableNowhere { suite: String, table: String },
    #[error(
        "suite `{suite}`: {name:?} is not a name for {what} of the table `{table}`: use 1 to 63 bytes of letters, digits, `_`, `$` and `-`{hint}"
    )]
    Identifier {
        suite: String,
        table: String,
        what: &'static str,
        name: String,
        hint: &'static str,
    },
    #[error(
        "suite `{suite}`: `{first}` and `{second}` are both declared as the audit table; declare one of them with `.table(..)`"
    )]
    AuditTwice { suite: String, first: String, second: String },
    #[error(
        "CustomResourceDefinition `{name}` differs between the suites `{first}` and `{second}`; make them equal, or use `--clusters per-suite`"
    )]
    CustomResources { name: String, first: String, second: String },
    #[error("suite `{suite}`: {} has the Namespace `{name}`; a suite's namespace is made by the runner, and others with `.namespace(..)`; leave it out", manifest.display())]
    Namespace { suite: String, manifest: PathBuf, name: String },
    #[error("suite `{suite}`: {object} of {} is in the namespace `{namespace}`, which is nearly `{near}` of the suite's; write `{near}`, or leave the namespace out if it is to be in the suite's own", manifest.display())]
    NearNamespace {
        suite: String,
        manifest: PathBuf,
        object: String,
        namespace: String,
        near: String,
    },
    #[error(
        "host port {host_port} is wanted by `{first}` and `{second}` (KINDWRIGHT_HOST_PORTS=fixed); run one suite, or use `--clusters per-suite` with `--test-threads 1`"
    )]
    HostPort { host_port: u16, first: String, second: String },
    #[error("`{setting}` {does} of a suite; unset it, or correct its name (known: {known})")]
    Setting { setting: String, does: &'static str, known: String },
    #[error(
        "no NodePort is left in the cluster of run {run} for `{endpoint}` of suite `{suite}`, and none can be added; run without `--reuse`"
    )]
    NotMapped { run: String, suite: String, endpoint: EndpointName },
    #[error(
        "run {run} has no cluster for suite `{suite}`: {holds}; select one of those, or run without `--reuse`"
    )]
    NotHeld { run: String, suite: String, holds: String },
    #[error(
        "the suites `{first}` and `{second}` cannot share cluster {cluster} of run {run}: {reason}; select one of them, or run without `--reuse`"
    )]
    Quarrel { run: String, cluster: String, first: String, second: String, reason: String },
    #[error(
        "cluster {cluster} of run {run} was made from {was}, and {asked} is asked for now; set KIND_NODE_IMAGE as it was, or run without `--reuse`"
    )]
    NodeImageChanged { run: String, cluster: String, was: String, asked: String },
    #[error(
        "the configuration of the cluster of suite `{suite}` ({}) is not that with which run {run} made {cluster}; undo the change, or run without `--reuse`",
        file.display()
    )]
    ClusterFileChanged { run: String, cluster: String, suite: String, file: PathBuf },
    #[error(
        "suite `{suite}`: the migrations of tier {tier} need the database of `{workload}`, which is in tier {of}; move them below it"
    )]
    EarlyMigrations { suite: String, tier: usize, workload: String, of: usize },
    #[error(
        "suite `{suite}`: `{workload}` of tier {tier} needs {kind} `{name}`, which only tier {of} makes, and that waits for tier {tier}; move it up"
    )]
    EarlyWorkload {
        suite: String,
        workload: String,
        tier: usize,
        kind: &'static str,
        name: String,
        of: usize,
    },
    #[error(
        "suite `{suite}`: `{workload}` needs {kind} `{name}`, which nothing of the suite makes; add it to a manifest{hint}, or mark it `optional: true`"
    )]
    Nowhere {
        suite: String,
        workload: String,
        kind: &'static str,
        name: String,
        hint: &'static str,
    },
    #[error(
        "`{name}` is not a name for a suite: Kubernetes has a namespace of that name, or may get one; call it otherwise"
    )]
    Reserved { name: String },
    #[error(
        "suite `{suite}`: {name:?} is not a name for a case: use letters, digits, spaces and any of _-.(),=' with at least one letter or digit, no `..`, and no space at an end"
    )]
    CaseName { suite: String, name: String },
    #[error(
        "suite `{suite}`: {name:?} is not a name for a step: use letters, digits, spaces and any of _-.(),=' with at least one letter or digit, no `..`, and no space at an end"
    )]
    StepName { suite: String, name: String },
    #[error(
        "suite `{suite}`: the steps `{first}` and `{second}` both return a `{given}`, and cases find it by its type; let one of them return a type of its own"
    )]
    GivenTwice { suite: String, first: String, second: String, given: &'static str },
    #[error("suite `{suite}`: `{workload}` is to be ready when {words}, but {what}")]
    Condition { suite: String, workload: String, words: String, what: String },
    #[error(
        "suite `{suite}` controls `{kind}`, and nobody brings the CustomResourceDefinition of that kind into its cluster (there are definitions of: {known}); add its manifest with `.resources(..)`"
    )]
    Undefined { suite: String, kind: String, known: String },
    #[error(
        "suite `{suite}`: `{workload}` is to be ready in no time or without a start; give `.ready_within(..)` and `.starts(..)` more than 0"
    )]
    NoPatience { suite: String, workload: String },
    #[error("suite `{suite}`: `{name}` has no time at all; give its `.limit(..)` some")]
    NoLimit { suite: String, name: String },
    #[error(
        "suite `{suite}`: {label:?} is not a name for a label: use letters, digits and any of _-."
    )]
    Label { suite: String, label: String },
}
