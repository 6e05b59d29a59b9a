//! Reads the objects of a manifest.

use std::path::Path;

use serde_json::Value;

use crate::problem::Problem;

/// The objects of a manifest's text, with Lists taken apart.
pub(super) fn objects(path: &Path, text: &str) -> Result<Vec<Value>, Problem> {
    let documents =
        serde_saphyr::from_multiple::<Value>(text).map_err(|error| no_yaml(path, &error))?;
    let mut objects = Vec::new();
    for document in documents {
        match document {
            // A `---` with nothing behind it.
            empty if empty.is_null() => {}
            mut list if list["kind"] == "List" => {
                let Value::Array(items) = list["items"].take() else {
                    return Err(incomplete(
                        path,
                        objects.len(),
                        "no `items`, although it is a List",
                    ));
                };
                objects.extend(items);
            }
            object => objects.push(object),
        }
    }
    for (index, object) in objects.iter().enumerate() {
        for field in ["/apiVersion", "/kind", "/metadata/name"] {
            if !object.pointer(field).is_some_and(Value::is_string) {
                let missing = format!("no `{}`", field[1..].replace('/', "."));
                return Err(incomplete(path, index, &missing));
            }
        }
    }
    if objects.is_empty() {
        return Err(Problem::NoObjects { path: path.to_owned() });
    }
    Ok(objects)
}

/// Text that is no YAML, with the place where it is not.
pub(super) fn no_yaml(path: &Path, error: &serde_saphyr::Error) -> Problem {
    let words = error.to_string().trim_start_matches("error: ").to_owned();
    Problem::NoYaml { path: path.to_owned(), words }
}

fn incomplete(path: &Path, index: usize, what: &str) -> Problem {
    Problem::NoObject { path: path.to_owned(), index: index + 1, what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_may_hold_several_documents_and_lists() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: List\nitems:\n\
                    - {apiVersion: v1, kind: Service, metadata: {name: b}}\n---\n";
        let kinds: Vec<_> = objects(Path::new("x.yaml"), text).unwrap();
        assert_eq!(kinds.len(), 2);
        assert_eq!(kinds[1]["kind"], "Service");
    }

    #[test]
    fn an_object_without_a_name_is_refused_with_its_place() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n";
        let problem = objects(Path::new("x.yaml"), text).unwrap_err();
        assert_eq!(
            problem.to_string(),
            "x.yaml: object 1 has no `metadata.name`; `kubectl apply -f` would refuse it too"
        );
    }

    #[test]
    fn a_manifest_without_objects_is_refused() {
        for text in ["", "---\n", "# nothing\n", "apiVersion: v1\nkind: List\nitems: []\n"] {
            let problem = objects(Path::new("x.yaml"), text).unwrap_err();
            assert_eq!(
                problem.to_string(),
                "x.yaml has no objects; leave it out of the suite, or write some"
            );
        }
    }

    #[test]
    fn text_that_is_no_yaml_is_refused_with_its_place() {
        let problem = objects(Path::new("x.yaml"), "kind: [\n").unwrap_err();
        assert!(problem.to_string().starts_with("x.yaml is not YAML"), "{problem}");
    }
}
