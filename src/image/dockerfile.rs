//! Reads from a Dockerfile which images it is built on.

use std::collections::BTreeSet;

/// The images that this Dockerfile takes from elsewhere, or nothing if its text alone does not tell what it is made of.
///
/// An argument may name any image, `ADD` may fetch from anywhere what is not in the context, `ONBUILD` is for
/// others, and an escape of its own or a here-document changes what a line is.
pub(super) fn bases(text: &str, in_context: impl Fn(&str) -> bool) -> Option<BTreeSet<String>> {
    if text.lines().any(|line| line.replace(' ', "").to_lowercase().starts_with("#escape="))
        || text.contains("<<")
    {
        return None;
    }
    let (mut bases, mut stages) = (BTreeSet::new(), BTreeSet::new());
    for line in instructions(text) {
        let mut words = line.split_whitespace().peekable();
        let instruction = words.next().unwrap_or_default().to_uppercase();
        let mut flags = Vec::new();
        while let Some(flag) = words.next_if(|word| word.starts_with("--")) {
            flags.push(flag);
        }
        let rest: Vec<_> = words.collect();
        let local = |source: &String| !is_repository(source) && in_context(source);
        if instruction == "ONBUILD" || instruction == "ADD" && !sources(&rest)?.iter().all(local) {
            return None;
        }
        if instruction == "FROM" {
            let base = *rest.first()?;
            if base != "scratch" && !stages.contains(&base.to_lowercase()) {
                bases.insert(base.to_owned());
            }
            if let [_, _as, name] = rest[..] {
                stages.insert(name.to_lowercase());
            }
            continue;
        }
        for from in flags.iter().filter_map(|flag| from(flag)) {
            let is_stage = stages.contains(&from.to_lowercase()) || from.parse::<usize>().is_ok();
            if !is_stage {
                bases.insert(from.to_owned());
            }
        }
    }
    // Where an image is named by an argument, only the builder knows which one it is.
    bases.iter().all(|base| !base.contains('$')).then_some(bases)
}

/// What `COPY --from=IMAGE` and `RUN --mount=type=bind,from=IMAGE` name.
fn from(flag: &str) -> Option<&str> {
    let flag = flag.trim_start_matches("--");
    let mut options = flag.strip_prefix("mount=").unwrap_or(flag).split(',');
    options.find_map(|option| option.strip_prefix("from="))
}

/// What the words behind `ADD` and its flags name, but for the last one, which is where it goes.
fn sources(words: &[&str]) -> Option<Vec<String>> {
    let mut paths: Vec<String> = if words.first()?.starts_with('[') {
        serde_json::from_str(&words.join(" ")).ok()?
    } else {
        words.iter().map(ToString::to_string).collect()
    };
    paths.pop();
    Some(paths)
}

/// Whether a source is fetched with Git, even if a path is called so: only this host needs no scheme.
fn is_repository(source: &str) -> bool {
    source.starts_with("github.com/")
}

/// The lines without comments, those that end with `\` joined with the next one, and with nothing between.
fn instructions(text: &str) -> Vec<String> {
    let mut instructions = vec![String::new()];
    let lines = text.lines().map(str::trim_end).filter(|line| !line.trim_start().starts_with('#'));
    for line in lines.filter(|line| !line.is_empty()) {
        let (line, goes_on) = match line.strip_suffix('\\') {
            Some(line) => (line, true),
            None => (line, false),
        };
        if let Some(last) = instructions.last_mut() {
            last.push_str(line);
        }
        if !goes_on {
            instructions.push(String::new());
        }
    }
    instructions.retain(|line| !line.is_empty());
    instructions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<Vec<String>> {
        let in_context = |path: &str| ["files.tar", "more files"].contains(&path);
        bases(text, in_context).map(|bases| bases.into_iter().collect())
    }

    #[test]
    fn images_of_stages_copies_and_mounts_are_found() {
        let text = "# FROM nothing\n\
            FROM --platform=linux/amd64 golang:1.23 \\\n  # why\n  AS Build\n\
            RUN --mount=type=cache,target=/root --mount=type=bind,from=tools:1,target=/t make\n\
            from build as test\n\
            FROM scratch\n\
            COPY --from=build /a /a\n\
            COPY --from=0 /b /b\n\
            COPY --chown=1:1 --from=busybox /bin/sh /bin/sh\n\
            COPY\\\n  --from=fe\\\n# why\ndora /bin/sh /bin/sh\n\
            ADD files.tar /\n\
            ADD --chown=1:1 [\"more files\", \"files.tar\", \"/\"]\n\
            RUN make --from=nowhere\n";
        let expected = ["busybox", "fedora", "golang:1.23", "tools:1"].map(str::to_owned);
        assert_eq!(found(text), Some(expected.to_vec()));
    }

    #[test]
    fn what_the_text_alone_does_not_tell_is_left_to_the_builder() {
        for text in [
            "ARG BASE\nFROM $BASE\n",
            "FROM debian:${RELEASE}\n",
            "FROM scratch\nADD https://example.com/a /a\n",
            "FROM scratch\nADD git@example.com:a.git /a\n",
            "FROM scratch\nADD github.com/a/b.git /a\n",
            "FROM scratch\nADD [\"files.tar\", \"github.com/a/b.git#main\", \"/a\"]\n",
            "FROM scratch\nADD $FILES /a\n",
            "FROM scratch\nADD missing.tar /a\n",
            "# escape=`\nFROM scratch\n",
            "FROM debian\nRUN <<EOF\nFROM other\nEOF\n",
            "FROM debian\nONBUILD COPY --from=other / /\n",
            "FROM\n",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
        assert_eq!(found("FROM debian\nRUN echo $HOME\n"), Some(vec!["debian".to_owned()]));
    }
}
