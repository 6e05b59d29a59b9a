//! Builds an image with the `BuildKit` of the Docker daemon.
//!
//! The classic builder is not used: a failed or cancelled build of it leaves
//! containers and images without a name.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use bollard::{
    Docker, body_try_stream,
    errors::Error,
    moby::buildkit::v1::StatusResponse,
    models::BuildInfoAux,
    query_parameters::{BuildImageOptionsBuilder, BuilderVersion},
};
use uuid::Uuid;

use super::{
    Reference,
    archive::Archive,
    error::{Exceeded, ImageError},
    limit::{Ended, Patience},
};
use crate::text;

/// How many lines of a step's output are kept for its error.
const LINES: usize = 20;

/// How much of a step's output is kept to take these lines from.
const TAIL: usize = 16 << 10;

/// A compiler or an installer may be silent for some minutes, but a suite that waits for more than
/// an hour of building wants an image that is built elsewhere.
const PATIENCE: Patience =
    Patience { silence: Duration::from_mins(15), total: Duration::from_hours(1) };

/// Builds the image of a context under one name.
pub(super) async fn build(
    docker: &Docker,
    context: Archive,
    dockerfile: &str,
    reference: &Reference,
    arguments: &BTreeMap<String, String>,
) -> Result<(), ImageError> {
    let arguments: HashMap<&str, &str> =
        arguments.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let options = BuildImageOptionsBuilder::default()
        .dockerfile(dockerfile)
        .t(reference.as_str())
        .buildargs(&arguments)
        .version(BuilderVersion::BuilderBuildKit)
        .session(&Uuid::new_v4().to_string())
        .build();
    let what = format!("build the image `{reference}`");
    let context = context.into_stream().map_err(|error| ImageError::docker(&what)(error.into()))?;
    let messages = docker.build_image(options, None, Some(body_try_stream(context)));
    let mut steps = Steps::default();
    let built = PATIENCE.follow(messages, |message| {
        if let Some(BuildInfoAux::BuildKit(status)) = message.aux {
            steps.take_in(status);
        }
        Ok(())
    });
    let image = reference.infrastructure();
    match built.await {
        Ok(()) => Ok(()),
        Err(Ended::Failed(Error::DockerStreamError { error })) => Err(steps.failure(image, error)),
        Err(Ended::Failed(error)) => Err(ImageError::docker(what)(error)),
        Err(Ended::GivenUp(exceeded)) => Err(steps.given_up(image, exceeded)),
    }
}

/// What the steps of a build have said so far.
#[derive(Debug, Default)]
struct Steps {
    failed: Option<(String, String)>,
    /// The name of the step that began last.
    begun: Option<String>,
    names: BTreeMap<String, String>,
    logs: BTreeMap<String, Vec<u8>>,
}

impl Steps {
    fn take_in(&mut self, status: StatusResponse) {
        for log in status.logs {
            let kept = self.logs.entry(log.vertex).or_default();
            kept.extend(log.msg);
            kept.drain(..kept.len().saturating_sub(TAIL));
        }
        for vertex in status.vertexes {
            // The others of a failed build end as cancelled.
            let failed = !vertex.error.is_empty() && !vertex.error.contains("context canceled");
            if failed && self.failed.is_none() {
                self.failed = Some((vertex.digest.clone(), vertex.error));
            }
            if vertex.started.is_some() && vertex.completed.is_none() {
                self.begun = Some(vertex.name.clone());
            }
            self.names.insert(vertex.digest, vertex.name);
        }
    }

    fn given_up(&self, image: &str, exceeded: Exceeded) -> ImageError {
        let last = self.begun.as_ref().map(|step| format!(" (the last step that began: {step})"));
        ImageError::GivenUp {
            image: image.to_owned(),
            what: "the build".to_owned(),
            exceeded,
            last: last.unwrap_or_default(),
            next: "`docker build --progress=plain` in its context shows where it stands".to_owned(),
        }
    }

    /// The step that failed, why, and what it said at last.
    fn failure(&self, image: &str, words: String) -> ImageError {
        let (digest, words) = match &self.failed {
            Some((digest, words)) => (digest.as_str(), words.clone()),
            None => ("", words),
        };
        let log = self.logs.get(digest).map(Vec::as_slice).unwrap_or_default();
        ImageError::Build {
            image: image.to_owned(),
            step: self.names.get(digest).map_or("build", String::as_str).to_owned(),
            words,
            log: text::tail(&String::from_utf8_lossy(log), LINES),
        }
    }
}

#[cfg(test)]
mod tests {
    use bollard::moby::buildkit::v1::{Vertex, VertexLog};

    use super::*;

    fn vertex(digest: &str, name: &str, error: &str) -> Vertex {
        Vertex {
            digest: digest.into(),
            name: name.into(),
            error: error.into(),
            ..Vertex::default()
        }
    }

    fn log(vertex: &str, text: &str) -> VertexLog {
        VertexLog { vertex: vertex.into(), msg: text.into(), ..VertexLog::default() }
    }

    #[test]
    fn a_failure_names_its_step_and_ends_with_its_last_lines() {
        let mut steps = Steps::default();
        steps.take_in(StatusResponse {
            vertexes: vec![vertex("a", "[1/2] FROM base", ""), vertex("b", "[2/2] RUN make", "")],
            logs: vec![log("a", "of another step\n"), log("b", "line 0\nline")],
            ..StatusResponse::default()
        });
        let lines: Vec<_> = (1..30).map(|line| format!(" {line}\nline")).collect();
        steps.take_in(StatusResponse {
            vertexes: vec![
                vertex("b", "[2/2] RUN make", "exit code: 2"),
                vertex("a", "[1/2] FROM base", "context canceled"),
            ],
            logs: vec![log("b", &lines.concat()), log("b", " 30\n")],
            ..StatusResponse::default()
        });
        let text = steps.failure("gateway", "failed to solve".into()).to_string();
        assert!(
            text.starts_with("image `gateway`: [2/2] RUN make: exit code: 2\n    line 11\n"),
            "{text}"
        );
        assert!(text.ends_with("line 29\n    line 30"), "{text}");
    }

    #[test]
    fn a_build_that_fails_before_its_first_step_says_why() {
        let error = Steps::default().failure("gateway", "dockerfile parse error line 1".into());
        assert_eq!(error.to_string(), "image `gateway`: build: dockerfile parse error line 1");
    }

    /// Its type has no name here.
    fn some_time<T: Default>() -> T {
        T::default()
    }

    #[test]
    fn a_build_that_is_given_up_names_the_step_that_began_last() {
        let began =
            |digest, name| Vertex { started: Some(some_time()), ..vertex(digest, name, "") };
        let mut steps = Steps::default();
        steps.take_in(StatusResponse {
            vertexes: vec![began("a", "[1/2] FROM base"), began("b", "[2/2] RUN sleep 1d")],
            ..StatusResponse::default()
        });
        let error = steps.given_up("gateway", Exceeded::Silence(PATIENCE.silence));
        let words = error.to_string();
        assert!(
            words.starts_with("image `gateway`: the build has made no progress for 15 min (the last step that began: [2/2] RUN sleep 1d); `docker build"),
            "{words}"
        );
    }
}
