//! Leaves out of a program what only a debugger reads: three quarters of a debug build.

use std::{fs::File, io, os::fd::AsRawFd as _, path::Path};

use super::temporary;
use crate::exec::Command;

/// The program without debug information, if this machine has a tool that can remove it.
pub(super) async fn stripped(program: &Path) -> io::Result<Option<File>> {
    let file = temporary::file()?;
    // It can be written to by another process through its descriptor only.
    let descriptor = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    let command = Command::new("objcopy").arg("--strip-debug").path(program).arg(descriptor);
    let done = command.output().await.is_ok() && file.metadata()?.len() > 0;
    Ok(done.then_some(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_no_program_is_left_as_it_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "#!/bin/sh\n").unwrap();
        assert!(stripped(file.path()).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_stripped_program_is_still_one() {
        let this = std::env::current_exe().unwrap();
        let whole = std::fs::metadata(&this).unwrap().len();
        if let Some(file) = stripped(&this).await.unwrap() {
            let mut start = [0; 4];
            std::os::unix::fs::FileExt::read_exact_at(&file, &mut start, 0).unwrap();
            assert_eq!(&start, b"\x7fELF");
            assert!(file.metadata().unwrap().len() < whole);
        }
    }
}
