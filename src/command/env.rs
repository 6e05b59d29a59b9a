//! Says how a kept run is reached, as lines that a shell reads.

use super::Failure;
use crate::{
    ledger::{NotedCluster, Notes},
    settings::override_name,
};

/// A line a variable: the kubeconfig, the address and the URL of each endpoint, and the names that clients
/// know it by.
///
/// An endpoint is `<WORKLOAD>_<ENDPOINT>_ADDRESS`, and `_URL` if it has one. With several suites, the suite's
/// name comes before; so it does for kubeconfigs of several clusters.
pub(super) fn lines(notes: &Notes) -> Result<String, Failure> {
    let mut text = String::new();
    for NotedCluster { kubeconfig, suites, .. } in &notes.clusters {
        let kubeconfig = kubeconfig.to_string_lossy();
        if notes.clusters.len() == 1 {
            text.push_str(&export("KUBECONFIG", &kubeconfig)?);
            continue;
        }
        for suite in suites {
            text.push_str(&export(&format!("{}_KUBECONFIG", override_name(suite)), &kubeconfig)?);
        }
    }
    let several = notes.suites.len() > 1;
    for endpoint in &notes.endpoints {
        let prefix =
            if several { format!("{}_", override_name(&endpoint.suite)) } else { String::new() };
        let mut say = |name: &str, value: &str| -> Result<(), Failure> {
            text.push_str(&export(&format!("{prefix}{name}"), value)?);
            Ok(())
        };
        let url = endpoint.url.as_ref().map(|url| url.trim_end_matches('/'));
        if let Some(url) = url {
            say(&endpoint.name.variable("URL"), url)?;
        }
        say(&endpoint.name.variable("ADDRESS"), &endpoint.address)?;
        let place = url.unwrap_or(&endpoint.address);
        endpoint.variables.iter().try_for_each(|name| say(name, place))?;
    }
    Ok(text)
}

fn export(name: &str, value: &str) -> Result<String, Failure> {
    Ok(format!("export {name}={}\n", shlex::try_quote(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ledger::NotedEndpoint, suite::EndpointName};

    fn endpoint(name: &str, node_port: u16, variables: &[&str]) -> NotedEndpoint {
        NotedEndpoint {
            suite: "hapi".into(),
            name: EndpointName { workload: "data-storage".into(), endpoint: name.into() },
            node_port,
            address: format!("127.0.0.1:{node_port}"),
            url: (name != "raw").then(|| format!("http://127.0.0.1:{node_port}/")),
            variables: variables.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn notes() -> Notes {
        Notes {
            suites: vec!["hapi".into()],
            endpoints: vec![
                endpoint("http", 30001, &["DATA_URL"]),
                endpoint("raw", 30002, &["RAW"]),
            ],
            ..Notes::default()
        }
    }

    #[test]
    fn each_endpoint_has_a_name_of_its_own() {
        let wanted = "export DATA_STORAGE_HTTP_URL=http://127.0.0.1:30001\n\
                      export DATA_STORAGE_HTTP_ADDRESS=127.0.0.1:30001\n\
                      export DATA_URL=http://127.0.0.1:30001\n\
                      export DATA_STORAGE_RAW_ADDRESS=127.0.0.1:30002\n\
                      export RAW=127.0.0.1:30002\n";
        assert_eq!(lines(&notes()).unwrap(), wanted);
        let several = Notes { suites: vec!["hapi".into(), "other".into()], ..notes() };
        assert!(lines(&several).unwrap().contains("export HAPI_DATA_STORAGE_RAW_ADDRESS="));
    }

    #[test]
    fn a_shell_reads_back_what_was_meant() {
        let path = "/home/ada's $HOME/it";
        let notes = Notes {
            clusters: vec![NotedCluster { kubeconfig: path.into(), ..NotedCluster::default() }],
            ..Notes::default()
        };
        let words = shlex::split(&lines(&notes).unwrap()).unwrap();
        assert_eq!(words, ["export".to_owned(), format!("KUBECONFIG={path}")]);
    }
}
