//! Brings up a stack, tier by tier.

use std::{collections::BTreeSet, path::Path};

use futures_util::future::try_join_all;
use serde_json::Value;

use super::{
    Stack, StackError,
    apply::has_validations,
    clients::Clients,
    ends::Told,
    generation::Configuration,
    leftovers, migrations,
    namespace::{self, Past},
    rights, shared,
    site::Site,
    workloads::{Images, made_of},
};
use crate::{
    cluster::Shelf,
    events::Phase,
    plan::{MigrationsPlan, SuitePlan, TierPlan, WorkloadPlan},
};

/// A stack of which some tiers are up.
#[derive(Debug)]
pub(crate) struct Rising {
    stack: Stack,
    configuration: Configuration,
    past: Past,
    /// How many of its tiers are up.
    raised: usize,
}

impl Rising {
    /// Makes what exists before the first tier.
    pub(crate) async fn begin(
        site: Site,
        suite: &SuitePlan,
        images: &Shelf,
    ) -> Result<Self, StackError> {
        let deploy = site.events.phase(Phase::Deploy, &suite.name);
        let client = site.cluster.client();
        let made = suite.namespaces().map(|name| namespace::ensure(&client, name, &suite.name));
        try_join_all(made).await?;
        let (passwords, past) = namespace::passwords(&site.cluster, suite).await?;
        site.known.learn(passwords.values());
        namespace::secrets(&site.cluster, suite, &passwords).await?;
        if past == Past::Kept {
            // First, because they may hold the ports and the room of what replaces them.
            leftovers::delete(&site, suite).await?;
        }
        shared::make_folders(&site, suite)?;
        let resources = resources(&site, suite, images).await?;
        drop(deploy);
        if !site.cluster.is_at_least(1, 25) && suite.objects().any(has_validations) {
            let words = "x-kubernetes-validations are left out: this server does not know them";
            site.events.notice(&suite.name, words);
        }
        let configuration = Configuration::of(suite, &passwords);
        let clients = Clients::new(&site.cluster, suite)?;
        let stack = Stack {
            reached: BTreeSet::new(),
            passwords,
            plan: SuitePlan { resources, ..suite.clone() },
            images: images.clone(),
            site,
            clients,
            told: Told::default(),
        };
        if past == Past::Kept {
            stack.put_back_of_before().await?;
        }
        Ok(Self { stack, configuration, past, raised: 0 })
    }

    /// Brings up the tier at this place; of a step, which is not the stack's, nothing.
    pub(crate) async fn raise(&mut self, place: usize) -> Result<(), StackError> {
        let Some(tier) = self.stack.plan.tiers.get(place).cloned() else { return Ok(()) };
        let is_step = |tier: &TierPlan| matches!(tier, TierPlan::Step(_));
        let only = self.stack.plan.tiers.iter().filter(|tier| !is_step(tier)).count() == 1;
        if self.raised == 1 && !is_step(&tier) {
            // Only databases, which others wait for, can do without the names of others.
            self.stack.resolves_names().await?;
        }
        match tier {
            TierPlan::Workloads(workloads) => self.workloads(place, &workloads, only).await?,
            TierPlan::Migrations(migrations) => self.migrations(&migrations).await?,
            TierPlan::Step(_) => return Ok(()),
        }
        self.raised += 1;
        Ok(())
    }

    async fn workloads(
        &mut self,
        place: usize,
        workloads: &[WorkloadPlan],
        only: bool,
    ) -> Result<(), StackError> {
        let Self { stack, configuration, past, .. } = self;
        let wanted: Vec<_> = stack.plan.images_of(workloads).collect();
        let delivered = stack.images.take(&wanted).await.map_err(StackError::Image)?;
        let images = Images { wanted: &stack.plan.images, delivered: &delivered };
        let workloads = made_of(images, workloads, configuration);
        stack.plan.tiers[place] = TierPlan::Workloads(workloads.clone());
        // Counted before they begin: a pod may crash twice while the rest is still being applied.
        let before = stack.restarts().await?;
        stack.deploy(&workloads, *past).await?;
        let later = &stack.plan.tiers[place + 1..];
        if !later.iter().any(|tier| matches!(tier, TierPlan::Workloads(_))) {
            // Now all roles are there.
            rights::check(&stack.client(), &stack.plan).await?;
        }
        if only {
            stack.resolves_names().await?;
            // What crashed for want of names is not waited for: another begins at once, and counts anew.
            try_join_all(workloads.iter().map(|workload| stack.renew(workload))).await?;
        }
        let _ready = stack.site.events.phase(Phase::Ready, &stack.plan.name);
        stack.prove(&workloads, &before).await?;
        let endpoints = workloads.iter().flat_map(|workload| &workload.endpoints);
        stack.reached.extend(endpoints.map(|endpoint| endpoint.name.clone()));
        Ok(())
    }

    async fn migrations(&self, migrations: &MigrationsPlan) -> Result<(), StackError> {
        let stack = &self.stack;
        let database = stack.database(Some(&migrations.workload));
        let login = database.and_then(|database| stack.login(database));
        migrations::run(&stack.site, &stack.plan, login.as_ref(), migrations).await
    }

    /// The stack as far as it is up.
    pub(crate) fn so_far(&self) -> &Stack {
        &self.stack
    }

    /// The stack when all of it is up.
    pub(crate) async fn up(self) -> Stack {
        // What was restarted on the way up was no failure.
        self.stack.ends().await;
        self.stack
    }
}

/// Applies what exists before the first tier.
async fn resources(
    site: &Site,
    suite: &SuitePlan,
    images: &Shelf,
) -> Result<Vec<Value>, StackError> {
    let wanted: Vec<_> = suite.images_in(&suite.resources).collect();
    let delivered = images.take(&wanted).await.map_err(StackError::Image)?;
    let images = Images { wanted: &suite.images, delivered: &delivered };
    let mut resources = suite.resources.clone();
    for object in &mut resources {
        images.pin(object);
    }
    let manifest = Path::new("its resources");
    site.applier.apply_all(&suite.namespace, manifest, &resources).await?;
    Ok(resources)
}
