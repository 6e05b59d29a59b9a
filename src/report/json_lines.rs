//! Writes what happens as JSON, a line an event, for other programs.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
};

use super::say;
use crate::events::{Consumer, Event};

/// A file of events.
#[derive(Debug)]
pub(crate) struct JsonLines {
    path: String,
    /// Until it could not be written to.
    file: Option<File>,
}

impl JsonLines {
    /// An empty file at `path`.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.display().to_string(), file: Some(File::create(path)?) })
    }
}

impl Consumer for JsonLines {
    fn take(&mut self, event: &Event) {
        let Some(file) = &mut self.file else { return };
        let line = serde_json::to_string(event).map_err(io::Error::from);
        // Whole lines, so that who reads along never sees half of one.
        let written = line.and_then(|line| file.write_all(format!("{line}\n").as_bytes()));
        if let Err(error) = written {
            say(&format!("the events are no longer written to {}: {error}", self.path));
            self.file = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{Events, What};

    #[test]
    fn each_event_is_a_line_of_json() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let events = Events::new(vec![Box::new(JsonLines::create(file.path()).unwrap())]);
        events.tell(What::CasesBegan);
        events.notice("shop", "two\nlines");
        let text = std::fs::read_to_string(file.path()).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["event"], "cases-began");
        assert_eq!(lines[1]["notice"], "two\nlines");
    }
}
