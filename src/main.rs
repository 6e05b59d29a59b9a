//! The command `kindwright`, for what outlives a run: `ps`, `reap`, `env`.

use std::process::ExitCode;

fn main() -> ExitCode {
    kindwright::command(std::env::args_os())
}
