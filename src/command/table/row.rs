//! A suite of a run as a row of the table.

use serde_json::Value;

/// What a plan says of a suite, and what became of it.
pub(super) fn of(suite: &Value, events: &[Value]) -> String {
    let cells = [
        format!("`{}`", text(&suite["name"])),
        strategies(suite),
        images(suite),
        stack(suite),
        node_ports(suite),
        cases(suite, events),
        seconds(suite, events),
    ];
    format!("| {} |\n", cells.join(" | "))
}

fn strategies(suite: &Value) -> String {
    let named: Vec<_> = items(&suite["strategies"]).map(text).collect();
    if named.is_empty() { "overlapped".to_owned() } else { named.join(", ") }
}

fn images(suite: &Value) -> String {
    let references = suite["images"].as_object().into_iter().flatten();
    let references: Vec<_> =
        references.map(|(_, reference)| format!("`{}`", text(reference))).collect();
    references.join("<br>")
}

/// Its tiers, one after the other.
fn stack(suite: &Value) -> String {
    let tier = |tier: &Value| {
        if let Some(step) = tier.get("step") {
            return format!("step {}", text(&step["name"]));
        }
        if let Some(migrations) = tier.get("migrations") {
            return format!("{} migrations", items(&migrations["files"]).count());
        }
        let names: Vec<_> =
            items(&tier["workloads"]).map(|workload| text(&workload["name"])).collect();
        names.join(", ")
    };
    let tiers: Vec<_> = items(&suite["tiers"]).map(tier).collect();
    tiers.join(" → ")
}

/// Those that it has, and the ones that it wishes where they are others.
fn node_ports(suite: &Value) -> String {
    let endpoints = items(&suite["tiers"])
        .flat_map(|tier| items(&tier["workloads"]))
        .flat_map(|workload| items(&workload["endpoints"]));
    let ports: Vec<_> = endpoints
        .map(|endpoint| {
            let given = &endpoint["node_port"];
            let called = format!("{}:{}", text(&endpoint["workload"]), text(&endpoint["endpoint"]));
            match endpoint.get("wished").filter(|wished| *wished != given) {
                Some(wished) => format!("{called} {wished} → {given}"),
                None => format!("{called} {given}"),
            }
        })
        .collect();
    ports.join("<br>")
}

/// How many cases ended how, what is not passed said in words.
fn cases(suite: &Value, events: &[Value]) -> String {
    let ended = |outcome: &str| {
        let of_suite = events.iter().filter(|event| {
            event["event"] == "case-ended"
                && event["suite"] == suite["name"]
                && event["outcome"] == outcome
        });
        of_suite.count()
    };
    let outcomes = ["failed", "ignored", "skipped", "unjudged"];
    let others = outcomes.map(|outcome| (outcome, ended(outcome)));
    let others = others.iter().filter(|(_, cases)| *cases > 0);
    others.fold(ended("passed").to_string(), |text, (outcome, cases)| {
        format!("{text}, {cases} {outcome}")
    })
}

/// From its admission to the release of its stack.
fn seconds(suite: &Value, events: &[Value]) -> String {
    let moved = |state: &str| {
        let moved = events.iter().find(|event| {
            event["event"] == "suite-moved"
                && event["suite"] == suite["name"]
                && event["state"] == state
        });
        moved.and_then(|event| event["after"].as_f64())
    };
    match (moved("admitted"), moved("released")) {
        (Some(admitted), Some(released)) => format!("{:.0}", released - admitted),
        _ => "–".to_owned(),
    }
}

fn items(json: &Value) -> impl Iterator<Item = &Value> {
    json.as_array().into_iter().flatten()
}

fn text(json: &Value) -> &str {
    json.as_str().unwrap_or_default()
}
