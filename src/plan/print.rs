//! A plan in words, for `--plan`.

use std::fmt;

use super::{CasePlan, ClusterPlan, Plan, StepPlan, SuitePlan, TierPlan, WorkloadPlan};
use crate::{
    manifest::{Requests, text_at},
    suite::{Patience, Source},
};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "run {}", self.run)?;
        for cluster in &self.clusters {
            match cluster {
                ClusterPlan::Create { name, node_image, file, ports, .. } => {
                    let image = node_image.as_deref().unwrap_or("kind's own node image");
                    write!(f, "cluster {name}: create from {image}")?;
                    if let Some(file) = file {
                        write!(f, " by {}", file.display())?;
                    }
                    match cluster.nodes() {
                        1 => writeln!(f)?,
                        nodes => writeln!(f, ", {nodes} nodes")?,
                    }
                    for port in ports {
                        match port.host_port {
                            Some(host) => {
                                writeln!(
                                    f,
                                    "  NodePort {} at port {host} of this machine",
                                    port.node_port
                                )?;
                            }
                            None => {
                                writeln!(
                                    f,
                                    "  NodePort {} at a free port of this machine",
                                    port.node_port
                                )?;
                            }
                        }
                    }
                }
                ClusterPlan::Adopt { name, run } => {
                    writeln!(f, "cluster {name}: kept by run {run}")?;
                }
            }
        }
        for image in &self.images {
            match &image.source {
                Source::Program { path, arguments } => {
                    writeln!(
                        f,
                        "image {}: program {} {}",
                        image.name,
                        path.display(),
                        arguments.join(" ")
                    )?;
                }
                Source::Dockerfile { context, file } => {
                    writeln!(
                        f,
                        "image {}: {} in {}",
                        image.name,
                        file.display(),
                        context.display()
                    )?;
                }
                Source::Reference(reference) => writeln!(f, "image {}: {reference}", image.name)?,
            }
            for reference in image.references.values().flatten() {
                writeln!(f, "  as {reference}")?;
            }
        }
        self.suites.iter().try_for_each(|suite| write!(f, "{suite}"))
    }
}

impl fmt::Display for SuitePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let namespaces = self.namespaces.join(", ");
        let real = if self.real { ", with its real services" } else { "" };
        writeln!(f, "suite {}: namespace {namespaces} in {}{real}", self.name, self.cluster)?;
        for secret in &self.secrets {
            let keys: Vec<_> = secret.entries.iter().map(|(key, _)| key.as_str()).collect();
            writeln!(f, "  secret {}: {}", secret.name, keys.join(", "))?;
        }
        for object in &self.resources {
            let (kind, name) = (text_at(object, "/kind"), text_at(object, "/metadata/name"));
            writeln!(f, "  resource {kind} {name}")?;
        }
        for (index, tier) in self.tiers.iter().enumerate() {
            match tier {
                TierPlan::Workloads(workloads) => {
                    for workload in workloads {
                        writeln!(
                            f,
                            "  tier {}: {} from {}{}",
                            index + 1,
                            workload.name,
                            workload.manifest.display(),
                            Readiness(workload)
                        )?;
                        let mut endpoints = workload.endpoints.iter();
                        endpoints.try_for_each(|endpoint| writeln!(f, "    {endpoint}"))?;
                    }
                }
                TierPlan::Step(step) => writeln!(f, "  tier {}: {step}", index + 1)?,
                TierPlan::Migrations(migrations) => {
                    writeln!(
                        f,
                        "  tier {}: {} migrations into {}",
                        index + 1,
                        migrations.files.len(),
                        migrations.workload
                    )?;
                }
            }
        }
        write!(f, "  requests {}", self.requests)?;
        if self.reserved != Requests::default() {
            write!(f, "; of it for its cases {}", self.reserved)?;
        }
        writeln!(f)?;
        for table in &self.tables {
            let database = table.database.as_deref().unwrap_or("the first database");
            writeln!(f, "  rows of {} in {database}", table.called())?;
        }
        for workload in &self.left_out {
            writeln!(f, "  set aside: {workload}, which only cases need that are set aside")?;
        }
        for image in &self.left_out_images {
            writeln!(f, "  set aside: image {image}, which only they need")?;
        }
        for step in &self.after_cases {
            writeln!(f, "  after its cases: {step}")?;
        }
        let noun = if self.cases.len() == 1 { "case" } else { "cases" };
        write!(f, "  {} {noun}", self.cases.len())?;
        match self.expected {
            Some(expected) => writeln!(f, ", about {:.1} s", expected.as_secs_f64())?,
            None => writeln!(f)?,
        }
        self.cases.iter().try_for_each(|case| writeln!(f, "    {case}"))
    }
}

/// What makes a workload ready that its manifest does not say.
struct Readiness<'a>(&'a WorkloadPlan);

impl fmt::Display for Readiness<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(workload) = self;
        let usual = Patience::default();
        if workload.ready_within != usual.ready_within {
            write!(f, ", ready within {} s", workload.ready_within.as_secs_f64())?;
        }
        if workload.starts != usual.starts {
            write!(f, ", in at most {} starts", workload.starts)?;
        }
        workload.until.iter().try_for_each(|it| write!(f, ", until {}", it.words()))
    }
}

impl fmt::Display for StepPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {}, at most {} s", self.name, self.limit.as_secs_f64())
    }
}

impl fmt::Display for CasePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full_name)?;
        if !self.labels.is_empty() {
            let labels: Vec<_> = self.labels.iter().map(String::as_str).collect();
            write!(f, " [{}]", labels.join(", "))?;
        }
        match &self.set_aside {
            Some(reason) => write!(f, ", set aside: {reason}"),
            None if !self.runs => f.write_str(", ignored unless `--include-ignored` is given"),
            None => Ok(()),
        }
    }
}
