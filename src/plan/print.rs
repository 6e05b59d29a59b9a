//! A plan in words, for `--plan`.

use std::fmt;

use super::{ClusterPlan, Plan, SuitePlan, TierPlan};
use crate::suite::Source;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "run {}", self.run)?;
        for cluster in &self.clusters {
            match cluster {
                ClusterPlan::Create { name, node_image, ports, .. } => {
                    let image = node_image.as_deref().unwrap_or("kind's own node image");
                    writeln!(f, "cluster {name}: create from {image}")?;
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
        writeln!(f, "suite {}: namespace {namespaces} in {}", self.name, self.cluster)?;
        for (index, tier) in self.tiers.iter().enumerate() {
            match tier {
                TierPlan::Workloads(workloads) => {
                    for workload in workloads {
                        write!(
                            f,
                            "  tier {}: {} from {}",
                            index + 1,
                            workload.name,
                            workload.manifest.display()
                        )?;
                        for endpoint in &workload.endpoints {
                            write!(f, ", {} at NodePort {}", endpoint.port, endpoint.node_port)?;
                        }
                        writeln!(f)?;
                    }
                }
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
        writeln!(f, "  {} cases", self.cases.len())?;
        self.cases.iter().try_for_each(|case| match &case.set_aside {
            Some(reason) => writeln!(f, "    {}, set aside: {reason}", case.full_name),
            None => writeln!(f, "    {}", case.full_name),
        })
    }
}
