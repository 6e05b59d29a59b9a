//! Whether kept clusters are still what this run asks for.

use crate::{
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
        if cluster.config != config_digest(&inputs.inventory.cluster) {
            problems.push(Problem::ClusterFileChanged { run, cluster: name });
        }
    }
}
