//! Makes images in a real daemon.
//!
//! These tests are ignored because they need Docker: run them with `--ignored`. Each makes images
//! of names of its own, and removes them.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use bollard::{
    API_DEFAULT_VERSION, Docker,
    query_parameters::{ListImagesOptionsBuilder, RemoveImageOptionsBuilder},
};
use futures_util::future::try_join_all;

use super::*;
use crate::suite::Source;

/// A daemon, and an image that only this test makes.
struct Bench {
    docker: Docker,
    image: String,
}

impl Bench {
    fn new() -> Self {
        let socket = "/var/run/docker.sock";
        let docker = Docker::connect_with_unix(socket, 60, API_DEFAULT_VERSION).unwrap();
        Self { docker, image: format!("bench-{}", uuid::Uuid::new_v4().simple()) }
    }

    /// A run that makes the image, and ends.
    async fn run(&self, cache: Cache, source: &Source) -> String {
        let workshop = Workshop::open(&self.docker, cache, &BTreeMap::new()).await.unwrap();
        let names = ["api", "worker"].map(|name| Reference::new(&self.image, name, "0a1b2c3d"));
        let built = build(&workshop, source, &names).await.unwrap();
        for name in &names {
            assert_eq!(self.id(name.as_str()).await.as_ref(), Some(&built.id), "{name}");
            self.remove(name.as_str()).await;
        }
        built.id
    }

    async fn id(&self, reference: &str) -> Option<String> {
        pull::find(&self.docker, reference).await.unwrap().and_then(|found| found.id)
    }

    async fn remove(&self, reference: &str) {
        let options = RemoveImageOptionsBuilder::default().build();
        self.docker.remove_image(reference, Some(options), None).await.unwrap();
    }

    /// The names that were kept for this image.
    async fn kept(&self) -> Vec<String> {
        let kept = cache::list(&self.docker).await.unwrap().into_iter();
        kept.map(|image| image.reference).filter(|name| name.contains(&self.image)).collect()
    }

    async fn is_there(&self, id: &str) -> bool {
        let all = ListImagesOptionsBuilder::default().build();
        let all = self.docker.list_images(Some(all)).await.unwrap();
        all.iter().any(|image| image.id == id)
    }

    /// Removes what was kept.
    async fn clear(self) {
        for name in self.kept().await {
            self.remove(&name).await;
        }
    }
}

fn this_program(argument: &str) -> Source {
    Source::Program { path: env::current_exe().unwrap(), arguments: vec![argument.to_owned()] }
}

fn context(files: &[(&str, &str)]) -> (tempfile::TempDir, Source) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let source = Source::Dockerfile {
        context: directory.path().to_owned(),
        file: PathBuf::from("Dockerfile"),
    };
    (directory, source)
}

#[tokio::test]
#[ignore = "needs Docker"]
async fn an_unchanged_program_is_found_by_the_next_run_and_a_new_one_replaces_it() {
    let bench = Bench::new();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("program");
    fs::copy("/bin/true", &path).unwrap();
    let source = Source::Program { path: path.clone(), arguments: Vec::new() };
    let first = bench.run(Cache::Keep, &source).await;
    let kept = bench.kept().await;
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(bench.run(Cache::Keep, &source).await, first);
    assert_eq!(bench.kept().await, kept);

    fs::copy("/bin/true", &path).unwrap();
    assert_eq!(bench.run(Cache::Keep, &source).await, first, "written anew, with the same content");
    assert_ne!(bench.kept().await, kept);

    fs::copy("/bin/false", &path).unwrap();
    let second = bench.run(Cache::Keep, &source).await;
    assert_ne!(second, first);
    assert_eq!(bench.kept().await.len(), 1);
    assert!(!bench.is_there(&first).await, "the old content is gone");
    bench.clear().await;
}

#[tokio::test]
#[ignore = "needs Docker"]
async fn an_unchanged_dockerfile_is_found_by_the_next_run_and_a_new_one_replaces_it() {
    let bench = Bench::new();
    let (directory, source) =
        context(&[("Dockerfile", "FROM scratch\nCOPY tea /tea\n"), ("tea", "green")]);
    let first = bench.run(Cache::Keep, &source).await;
    let kept = bench.kept().await;
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(bench.run(Cache::Keep, &source).await, first);
    assert_eq!(bench.kept().await, kept);

    fs::write(directory.path().join("tea"), "black").unwrap();
    let second = bench.run(Cache::Keep, &source).await;
    assert_ne!(second, first);
    assert_eq!(bench.kept().await.len(), 1);
    assert!(!bench.is_there(&first).await, "the old content is gone");
    bench.clear().await;
}

#[tokio::test]
#[ignore = "needs Docker"]
async fn a_dockerfile_whose_base_the_daemon_does_not_have_is_not_kept() {
    let bench = Bench::new();
    let workshop = Workshop::open(&bench.docker, Cache::Keep, &BTreeMap::new()).await.unwrap();
    let (_directory, source) = context(&[("Dockerfile", "FROM localhost/nowhere:none\n")]);
    let names = [Reference::new(&bench.image, "api", "0a1b2c3d")];
    let error = build(&workshop, &source, &names).await.unwrap_err();
    assert!(error.to_string().contains("localhost/nowhere:none"), "{error}");
    assert!(bench.kept().await.is_empty());
}

#[tokio::test]
#[ignore = "needs Docker"]
async fn without_a_cache_nothing_outlives_the_run() {
    let bench = Bench::new();
    let id = bench.run(Cache::Off, &this_program("off")).await;
    assert!(bench.kept().await.is_empty());
    assert!(!bench.is_there(&id).await);
}

#[tokio::test]
#[ignore = "needs Docker"]
async fn twenty_images_of_one_program_share_its_layers() {
    let bench = Bench::new();
    let workshop = Workshop::open(&bench.docker, Cache::Off, &BTreeMap::new()).await.unwrap();
    let images = (0..20).map(|index| {
        let name = Reference::new(&bench.image, &format!("service{index}"), "0a1b2c3d");
        (this_program(&index.to_string()), [name])
    });
    let images: Vec<_> = images.collect();
    let building = images.iter().map(|(source, names)| build(&workshop, source, names));
    let built = try_join_all(building).await.unwrap();
    let mut layers = Vec::new();
    for image in &built {
        let found = pull::find(&bench.docker, &image.id).await.unwrap().unwrap();
        layers.push(found.root_fs.unwrap().layers);
    }
    assert!(layers.windows(2).all(|pair| pair[0] == pair[1]));
    for (_, [name]) in &images {
        bench.remove(name.as_str()).await;
    }
}
