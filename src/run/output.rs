//! Carries what libtest-mimic prints to standard output, whose reader may leave early.
//!
//! libtest-mimic panics where it cannot print. So it prints into a pipe that is read to its end,
//! and what nobody wants to read any more is dropped.

use std::{
    io::{self, IsTerminal as _, Read as _, Write as _},
    os::fd::AsRawFd as _,
    thread,
};

use libtest_mimic::{Arguments, ColorSetting, Conclusion};

/// How much is carried at once.
const CHUNK: usize = 1 << 13;

/// The way of libtest-mimic's words to standard output.
pub(super) struct Output;

impl Output {
    /// Runs something that prints as these arguments say.
    pub(super) fn carry(
        mut arguments: Arguments,
        run: impl FnOnce(&Arguments) -> Conclusion,
    ) -> Conclusion {
        if arguments.logfile.is_some() {
            return run(&arguments);
        }
        let Ok((reader, writer)) = io::pipe() else {
            return run(&arguments);
        };
        // It would judge by the pipe, which is no terminal.
        if matches!(arguments.color, None | Some(ColorSetting::Auto)) && io::stdout().is_terminal()
        {
            arguments.color = Some(ColorSetting::Always);
        }
        arguments.logfile = Some(format!("/proc/self/fd/{}", writer.as_raw_fd()));
        let carrier = thread::spawn(move || carry(reader));
        let conclusion = run(&arguments);
        // The end of the pipe is seen once nobody can write to it.
        drop(writer);
        let _ = carrier.join();
        conclusion
    }
}

fn carry(mut reader: io::PipeReader) {
    let mut chunk = [0; CHUNK];
    let mut output = Some(io::stdout());
    while let Ok(length @ 1..) = reader.read(&mut chunk) {
        output = output.filter(|output| {
            let mut output = output.lock();
            output.write_all(&chunk[..length]).and_then(|()| output.flush()).is_ok()
        });
    }
}
