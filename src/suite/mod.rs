//! What a suite's author declares: its images, its stack in tiers, its cases.

use std::{path::PathBuf, time::Duration};

mod body;
mod case;
mod database;
mod endpoint;
mod image;
mod macros;
mod patience;
mod place;
mod read;
mod reserve;
mod step;
mod strategy;
mod table;
mod workload;

pub(crate) use body::Body;
pub use case::Case;
pub use database::Database;
pub use endpoint::{Ca, Endpoint};
pub(crate) use endpoint::{EndpointName, Protocol};
pub use image::{Image, Source};
pub use patience::Condition;
pub(crate) use patience::Patience;
pub use reserve::Reserve;
pub use step::Step;
pub use strategy::Strategy;
pub use table::Table;
pub use workload::{Migrations, Part, Secret, Workload, password, text};

/// How long after an answer rows may still arrive, unless the suite says otherwise.
const SETTLE: Duration = Duration::from_secs(1);

/// Cases that share a stack: one namespace with everything that they need.
///
/// ```
/// use kindwright::{Case, CaseResult, Ctx, Endpoint, Image, Suite, Workload, cases};
///
/// async fn the_shop_is_open(ctx: Ctx) -> CaseResult {
///     ctx.get("shop", "/open").send().await?.expect(200)?;
///     Ok(())
/// }
///
/// let shop = Workload::new("shop", "manifests/shop.yaml")
///     .endpoint(Endpoint::http("http").health("/health"));
/// let suite = Suite::new("shop", "shop-tests")
///     .image(Image::dockerfile("shop", "images/shop"))
///     .resources("manifests/roles.yaml")
///     .tier([shop])
///     .cases(cases![the_shop_is_open]);
/// assert_eq!(suite.name(), "shop");
/// ```
#[derive(Clone, Debug)]
pub struct Suite {
    pub(crate) name: String,
    pub(crate) consumer: String,
    pub(crate) images: Vec<Image>,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) tiers: Vec<Tier>,
    pub(crate) resources: Vec<PathBuf>,
    /// The suffixes of its namespaces beside its own.
    pub(crate) namespaces: Vec<String>,
    /// Whether no other suite is in its cluster.
    pub(crate) own_cluster: bool,
    /// kind's configuration of its cluster, if it is not the project's.
    pub(crate) kind_config: Option<PathBuf>,
    /// Room for the pods that its cases create.
    pub(crate) reserved: Vec<Reserve>,
    pub(crate) controls: Vec<String>,
    /// Under which a matrix of jobs runs it; the default one if empty.
    pub(crate) strategies: Vec<Strategy>,
    pub(crate) real: bool,
    pub(crate) tables: Vec<Table>,
    pub(crate) settle: Duration,
    /// How long a case may take that does not say it.
    pub(crate) case_limit: Duration,
    pub(crate) cases: Vec<Case>,
    pub(crate) after_cases: Vec<Step>,
    pub(crate) before_each: Vec<Body>,
    pub(crate) after_each: Vec<Body>,
    /// The workloads that are not deployed, because only cases need them that are set aside.
    pub(crate) left_out: Vec<String>,
    /// The images that are left out for the same reason.
    pub(crate) left_out_images: Vec<String>,
}

/// What is deployed together; the next tier waits for all of it.
#[derive(Clone, Debug)]
pub(crate) enum Tier {
    Workloads(Vec<Workload>),
    Migrations(Migrations),
    Step(Step),
}

impl Suite {
    /// A suite called `name`, whose images are tagged for `consumer`.
    ///
    /// The name is a filter on the command line, and the namespace in the
    /// cluster, so it must be a Kubernetes name (`[a-z0-9-]`, at most 63). The consumer is for whom images are
    /// made: the image `shop` gets the reference `localhost/shop:<consumer>-<run>`. Suites of one consumer
    /// share the images that are called alike, which must then be the same.
    ///
    /// ```
    /// # use kindwright::Suite;
    /// let suite = Suite::new("shop", "shop-tests"); // `cargo test --test e2e -- shop`
    /// ```
    pub fn new(name: impl Into<String>, consumer: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            consumer: consumer.into(),
            images: Vec::new(),
            secrets: Vec::new(),
            tiers: Vec::new(),
            resources: Vec::new(),
            namespaces: Vec::new(),
            own_cluster: false,
            kind_config: None,
            reserved: Vec::new(),
            controls: Vec::new(),
            strategies: Vec::new(),
            real: false,
            tables: Vec::new(),
            settle: SETTLE,
            case_limit: case::LIMIT,
            cases: Vec::new(),
            after_cases: Vec::new(),
            before_each: Vec::new(),
            after_each: Vec::new(),
            left_out: Vec::new(),
            left_out_images: Vec::new(),
        }
    }

    /// Adds an image that the suite's manifests may name.
    ///
    /// ```
    /// # use kindwright::{Image, Suite};
    /// let suite = Suite::new("shop", "shop-tests")
    ///     .image(Image::reference("postgresql", "docker.io/library/postgres:16-alpine"))
    ///     .image(Image::dockerfile("shop", "images/shop"));
    /// ```
    #[must_use]
    pub fn image(mut self, image: Image) -> Self {
        self.images.push(image);
        self
    }

    /// Adds a Secret, which exists before the first tier.
    ///
    /// ```
    /// # use kindwright::{Secret, Suite, password};
    /// let key = Secret::new("shop-key").entry("key", [password("key")]);
    /// let suite = Suite::new("shop", "shop-tests").secret(key);
    /// ```
    #[must_use]
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secrets.push(secret);
        self
    }

    /// Adds a manifest without pods of its own (CRDs, RBAC), applied before the first tier.
    ///
    /// Here and in workloads, what belongs to no namespace (a `ClusterRole`, a webhook, a policy, and what a CRD of
    /// a selected suite says is of the cluster) is renamed to `<name>-<suite>`, and references in objects of
    /// Kubernetes follow. Those inside custom resources follow only where the field is called as Kubernetes calls it
    /// (`storageClassName`) or says group and kind beside the name: what other fields mean cannot be known, so write
    /// `<name>-<suite>` there, and in objects that cases make. Webhooks and policies see the suite's own
    /// namespaces only; for objects without a namespace they are still asked. CRDs are
    /// shared by all suites and keep their name, as does what is found by its name alone (`APIService`,
    /// `CSIDriver`): two suites that bring the same one get clusters of their own. A `Role` or `RoleBinding` whose
    /// namespace is `kube-system` stays there, as `<name>-<suite>`.
    ///
    /// ```
    /// # use kindwright::Suite;
    /// let suite = Suite::new("operator", "operator-tests")
    ///     .resources("manifests/definitions.yaml")
    ///     .resources("manifests/roles.yaml");
    /// ```
    #[must_use]
    pub fn resources(mut self, manifest: impl Into<PathBuf>) -> Self {
        self.resources.push(manifest.into());
        self
    }

    /// Adds workloads that start together, once all tiers before them are ready.
    ///
    /// ```
    /// # use kindwright::{Suite, Workload};
    /// let suite = Suite::new("shop", "shop-tests")
    ///     .tier(["postgresql", "redis"].map(|name| Workload::new(name, format!("manifests/{name}.yaml"))))
    ///     .tier([Workload::new("shop", "manifests/shop.yaml")]);
    /// ```
    #[must_use]
    pub fn tier(mut self, workloads: impl IntoIterator<Item = Workload>) -> Self {
        self.tiers.push(Tier::Workloads(workloads.into_iter().collect()));
        self
    }

    /// Adds the migrations of a database, run once all tiers before them are ready.
    ///
    /// ```
    /// # use kindwright::{Database, Endpoint, Migrations, Suite, Workload};
    /// let database = Database::new("shop", "shop", "database");
    /// let postgresql = Workload::new("postgresql", "manifests/postgresql.yaml")
    ///     .endpoint(Endpoint::postgres("postgresql", database));
    /// let suite = Suite::new("shop", "shop-tests")
    ///     .tier([postgresql])
    ///     .migrations(Migrations::new("migrations", "postgresql").create(["orders"]));
    /// ```
    #[must_use]
    pub fn migrations(mut self, migrations: Migrations) -> Self {
        self.tiers.push(Tier::Migrations(migrations));
        self
    }

    /// Names a kind of object that a service of this suite reconciles, as its controller.
    ///
    /// Stand-ins act in their own suite's namespaces only, while a real controller acts in all of them. So
    /// two suites that control one kind get clusters of their own if either is [real](Self::real).
    ///
    /// ```
    /// # use kindwright::Suite;
    /// let suite = Suite::new("orders", "order-tests").controls("Order").real();
    /// ```
    #[must_use]
    pub fn controls(mut self, kind: impl Into<String>) -> Self {
        self.controls.push(kind.into());
        self
    }

    /// Says that its services are the real ones, those that are shipped, and not stand-ins for them.
    ///
    /// What is [beyond](Case::beyond) real services is set aside, and a suite that [controls](Self::controls) the
    /// same kind gets another cluster. A suite of stand-ins becomes real
    /// by itself as soon as an image that it makes is overridden (`KINDWRIGHT_IMAGE_<NAME>`).
    ///
    /// ```
    /// # use kindwright::Suite;
    /// let suite = Suite::new("shop", "shop-tests").real();
    /// ```
    #[must_use]
    pub fn real(mut self) -> Self {
        self.real = true;
        self
    }

    /// Adds cases.
    ///
    /// ```
    /// # use kindwright::{CaseResult, Ctx, Suite, cases};
    /// # async fn an_order_is_taken(ctx: Ctx) -> CaseResult { Ok(()) }
    /// # async fn an_order_is_paid(ctx: Ctx) -> CaseResult { Ok(()) }
    /// let suite = Suite::new("shop", "shop-tests").cases(cases![an_order_is_taken, an_order_is_paid]);
    /// ```
    #[must_use]
    pub fn cases(mut self, cases: impl IntoIterator<Item = Case>) -> Self {
        self.cases.extend(cases);
        self
    }

    /// Adds one case.
    ///
    /// ```
    /// # use kindwright::{CaseResult, Ctx, Suite, case};
    /// # async fn an_order_is_taken(ctx: Ctx) -> CaseResult { Ok(()) }
    /// let suite = Suite::new("shop", "shop-tests").case(case!(an_order_is_taken).label("smoke"));
    /// ```
    #[must_use]
    pub fn case(self, case: Case) -> Self {
        self.cases([case])
    }

    /// Its name.
    ///
    /// ```
    /// # use kindwright::Suite;
    /// let suites = [Suite::new("shop", "shop-tests"), Suite::new("till", "till-tests")];
    /// assert_eq!(suites.map(|suite| suite.name().to_owned()), ["shop", "till"]);
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }
}
