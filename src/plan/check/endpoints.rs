//! Whether what is declared of an endpoint fits what it speaks, and is there.

use std::collections::BTreeSet;

use rustls::pki_types::ServerName;
use serde_json::Value;

use super::tiers;
use crate::{
    manifest::text_at,
    plan::{Access, EndpointPlan, Inputs, SuitePlan, Trusted},
    problem::Problem,
    suite::{Endpoint, EndpointName, Protocol, Secret, Suite},
    text::listed,
};

/// What can be seen without any file.
pub(super) fn declarations(suite: &Suite, problems: &mut Vec<Problem>) {
    let passwords: BTreeSet<_> = suite.secrets.iter().flat_map(Secret::passwords).collect();
    for (name, endpoint) in suite.endpoints() {
        meaningless(suite, &name, endpoint, problems);
        if let Some(host) = &endpoint.server_name
            && !matches!(ServerName::try_from(host.as_str()), Ok(ServerName::DnsName(_)))
        {
            let (suite, endpoint) = (suite.name.clone(), name.clone());
            problems.push(Problem::ServerName { suite, endpoint, name: host.clone() });
        }
        if let Some(database) = endpoint.database()
            && !passwords.contains(database.password.as_str())
        {
            problems.push(Problem::NoPassword {
                suite: suite.name.clone(),
                endpoint: name,
                password: database.password.clone(),
                known: quoted(passwords.iter().copied()),
            });
        }
    }
}

/// What means nothing for what an endpoint speaks.
fn meaningless(
    suite: &Suite,
    name: &EndpointName,
    endpoint: &Endpoint,
    problems: &mut Vec<Problem>,
) {
    let is_https = endpoint.protocol == Protocol::Https;
    let is_http = is_https || endpoint.protocol == Protocol::Http;
    let given = [
        (endpoint.health.is_some() && !is_http, ".health(..)", "`Endpoint::http` or `https`"),
        (endpoint.ca.is_some() && !is_https, ".ca(..)", "`Endpoint::https`"),
        (endpoint.server_name.is_some() && !is_https, ".server_name(..)", "`Endpoint::https`"),
    ];
    let given = given.into_iter().filter(|(is_given, ..)| *is_given);
    problems.extend(given.map(|(_, given, instead)| Problem::Meaningless {
        suite: suite.name.clone(),
        endpoint: name.to_string(),
        protocol: endpoint.protocol.to_string(),
        given,
        instead,
    }));
}

/// Certificates that are to be trusted and are in no object of a suite.
pub(super) fn authorities(
    inputs: &Inputs<'_>,
    suite: &Suite,
    plan: &SuitePlan,
    problems: &mut Vec<Problem>,
) {
    for endpoint in plan.endpoints() {
        let Access::Https { trusted: trusted @ Trusted::Object { kind, name, key }, .. } =
            &endpoint.access
        else {
            continue;
        };
        let found = match keys(plan, endpoint, kind, name) {
            Some(keys) if keys.contains(key.as_str()) => continue,
            Some(keys) => format!("it has {}", quoted(keys)),
            None if tiers::may_be_made(inputs, suite, plan) => continue,
            None => "nothing of the suite makes it".to_owned(),
        };
        problems.push(Problem::NoAuthorities {
            suite: suite.name.clone(),
            endpoint: endpoint.name.clone(),
            ca: trusted.to_string(),
            found,
        });
    }
}

/// The keys of an object that a suite brings.
fn keys<'a>(
    plan: &'a SuitePlan,
    endpoint: &EndpointPlan,
    kind: &str,
    name: &str,
) -> Option<BTreeSet<&'a str>> {
    let mut secrets = plan.secrets.iter().filter(|_| endpoint.namespace == plan.namespace);
    if let Some(secret) = secrets.find(|secret| kind == "Secret" && secret.name == name) {
        return Some(secret.entries.iter().map(|(key, _)| key.as_str()).collect());
    }
    let object = plan.objects().find(|object| {
        text_at(object, "/kind") == kind
            && text_at(object, "/metadata/name") == name
            && text_at(object, "/metadata/namespace") == endpoint.namespace
    })?;
    let data = ["/data", "/stringData", "/binaryData"].into_iter();
    let data = data.filter_map(|path| object.pointer(path).and_then(Value::as_object));
    Some(data.flatten().map(|(key, _)| key.as_str()).collect())
}

fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    listed(names.into_iter().map(|name| format!("`{name}`")))
}
