//! Whether kept clusters are still what this run asks for.

use crate::{
    inventory::cluster_file,
    plan::{Inputs, config_digest},
    problem::Problem,
};

/// What a cluster was made from that this run would make it from no more.
pub(super) fn check(inputs: &Inputs<'_>, problems: &mut Vec<Problem>) {
    let Some(reused) = inputs.reused else {
        return;
    };
    let image = |image: &Option<String>| match image {
        Some(image) => format!("the node image `{image}`"),
        None => "kind's own node image".to_owned(),
    };
    for cluster in &reused.clusters {
        let (run, name) = (reused.run.to_string(), cluster.name.to_string());
        // A run of before that noted neither.
        if cluster.config.is_empty() {
            continue;
        }
        let asked = &inputs.settings.node_image;
        if cluster.node_image != *asked {
            problems.push(Problem::NodeImageChanged {
                run: run.clone(),
                cluster: name.clone(),
                was: image(&cluster.node_image),
                asked: image(asked),
            });
        }
        let changed = inputs.selection.suites.iter().find(|suite| {
            reused.cluster_of(&suite.name).is_some_and(|it| it.name == cluster.name)
                && cluster.config != config_digest(inputs.inventory.cluster(suite))
        });
        problems.extend(changed.map(|suite| Problem::ClusterFileChanged {
            run,
            cluster: name,
            suite: suite.name.clone(),
            file: cluster_file(suite).to_owned(),
        }));
    }
}
