//! A folder of the evidence: nothing is written to it that the redactor has not seen.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Serialize;
use serde_json::Value;
use tokio::task::spawn_blocking;

use super::{file_name::file_name, loss::Losses, redact::Redactor};
use crate::text::chain;

/// A folder, which is made when there is something to put into it.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
    redactor: Redactor,
    losses: Losses,
}

impl Folder {
    /// The folder at `path`, which counts what it loses among `losses`.
    pub(super) fn new(path: PathBuf, redactor: Redactor, losses: Losses) -> Self {
        Self { path, redactor, losses }
    }

    /// The folder of this name in it.
    pub(super) fn folder(&self, name: &str) -> Self {
        Self { path: self.path.join(file_name(name)), ..self.clone() }
    }

    /// Where it is, if there is anything in it.
    pub(super) fn found(&self) -> Option<&Path> {
        self.path.is_dir().then_some(self.path.as_path())
    }

    /// Writes into it on a thread that may be busy for as long as it takes: to clean what is long holds up
    /// every task that shares a thread with it, and cannot be interrupted.
    pub(super) async fn aside(&self, write: impl FnOnce(&Self) + Send + 'static) {
        let folder = self.clone();
        if let Err(error) = spawn_blocking(move || write(&folder)).await {
            self.losses.count(&self.path, error.into());
        }
    }

    /// Collects for so long at most, and says in it if that was not enough.
    pub(super) async fn within<T>(&self, limit: Duration, collecting: impl Future<Output = T>) {
        if tokio::time::timeout(limit, Box::pin(collecting)).await.is_err() {
            self.text("incomplete.txt", &format!("collecting was given up after {limit:?}"));
        }
    }

    /// Writes a text.
    pub(super) fn text(&self, name: &str, text: &str) {
        self.write(name, self.redactor.clean(text).as_bytes());
    }

    /// Writes a document as `<name>.json`, which is JSON whatever is hidden in it.
    pub(super) fn json(&self, name: &str, document: &impl Serialize) {
        match serde_json::to_value(document) {
            Ok(document) => self.document(&format!("{name}.json"), document),
            Err(error) => self.text(&format!("{name}.txt"), &chain(&error)),
        }
    }

    /// Writes a file as it was found. If its name says that it is JSON, it is, or gets another name.
    pub(super) fn file(&self, name: &str, content: &str) {
        if !Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
            return self.text(name, content);
        }
        match serde_json::from_str(content) {
            Ok(document) => self.document(name, document),
            Err(_) => self.text(&format!("{name}.txt"), content),
        }
    }

    /// Writes a file that need not be a text. What is none cannot be cleaned, so it is kept only if no
    /// secret that is known is in it.
    pub(super) fn bytes(&self, name: &str, content: Vec<u8>) {
        match String::from_utf8(content) {
            Ok(text) => self.file(name, &text),
            Err(error) if self.redactor.knows(error.as_bytes()) => {
                let words = "this was no text, and is not kept because a secret is in it";
                self.text(&format!("{name}.txt"), words);
            }
            Err(error) => self.write(name, error.as_bytes()),
        }
    }

    fn document(&self, name: &str, mut document: Value) {
        self.redactor.clean_document(&mut document);
        self.write(name, format!("{document:#}\n").as_bytes());
    }

    fn write(&self, name: &str, clean: &[u8]) {
        let path = self.path.join(file_name(name));
        let written: io::Result<()> =
            fs::create_dir_all(&self.path).and_then(|()| fs::write(&path, clean));
        if let Err(error) = written {
            // Half a document would be none.
            let _ = fs::remove_file(&path);
            self.losses.count(&path, error);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn folder(path: &Path) -> Folder {
        Folder::new(path.to_owned(), Redactor::default().without(["8080"]), Losses::default())
    }

    #[test]
    fn what_is_called_json_is_json() {
        let directory = tempfile::tempdir().unwrap();
        let folder = folder(directory.path());
        let pod = json!({"spec": {"automountServiceAccountToken": true, "port": 8080}});
        folder.json("pods", &[&pod]);
        folder.file("inspect.json", &format!("[{pod}]"));
        folder.file("half.json", r#"[{"port": 8080"#);
        let read = |name: &str| fs::read_to_string(directory.path().join(name)).unwrap();
        for name in ["pods.json", "inspect.json"] {
            assert_eq!(serde_json::from_str::<Value>(&read(name)).unwrap(), json!([pod]));
        }
        assert_eq!(read("half.json.txt"), r#"[{"port": [redacted]"#);
        assert!(!directory.path().join("half.json").exists());
    }

    #[test]
    fn what_is_no_text_is_kept_as_it_is_unless_a_secret_is_in_it() {
        let directory = tempfile::tempdir().unwrap();
        let folder = folder(directory.path());
        let read = |name: &str| fs::read(directory.path().join(name)).unwrap();
        folder.bytes("shot.png", b"\xff\xd8picture".to_vec());
        assert_eq!(read("shot.png"), b"\xff\xd8picture");
        folder.bytes("dump.bin", b"\xff8080".to_vec());
        assert!(!directory.path().join("dump.bin").exists());
        assert!(read("dump.bin.txt").starts_with(b"this was no text, and is not kept"));
        folder.bytes("port.json", br#"{"port": "8080"}"#.to_vec());
        assert!(String::from_utf8(read("port.json")).unwrap().contains("[redacted]"));
    }

    #[test]
    fn no_name_leads_out_of_the_evidence() {
        let directory = tempfile::tempdir().unwrap();
        let evidence = directory.path().join("evidence");
        folder(&evidence).folder("../..").folder("/tmp").text("../a\nb", "text");
        let mut found = vec![evidence];
        while let Some(entry) = found.last().filter(|path| path.is_dir()) {
            let mut inside = fs::read_dir(entry).unwrap().map(|entry| entry.unwrap().path());
            let only = inside.next().unwrap();
            assert_eq!(inside.next(), None);
            found.push(only);
        }
        assert_eq!(found.len(), 4, "{found:?}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_limit_interrupts_what_is_long_to_clean() {
        let directory = tempfile::tempdir().unwrap();
        let folder = folder(directory.path());
        let (done, waiting) = std::sync::mpsc::channel::<()>();
        let cleaning = folder.aside(move |_| assert!(waiting.recv().is_err(), "nobody sends"));
        folder.within(Duration::from_millis(1), cleaning).await;
        assert!(directory.path().join("incomplete.txt").is_file());
        drop(done);
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_cleaned_is_counted() {
        let folder = folder(Path::new("/evidence"));
        folder.aside(|_| panic!("too long")).await;
        assert!(folder.losses.told(Path::new("/evidence")).is_some());
    }

    #[test]
    fn what_cannot_be_written_is_counted() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("evidence");
        fs::write(&file, "in the way").unwrap();
        let folder = folder(&file);
        folder.text("a.txt", "a");
        folder.json("b", &1);
        let told = folder.losses.told(&file).unwrap();
        assert!(told.contains("2 files could not be written, the first is "), "{told}");
    }
}
