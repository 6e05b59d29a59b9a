//! What was typed: libtest's flags with libtest's meaning, and a few of our own.
//!
//! `libtest_mimic::Arguments` is not used for this: it takes one filter only and
//! knows nothing of clusters. [`crate::selection`] translates for it.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{Parser, ValueEnum};

use crate::suite::Strategy;

/// The exit code of a command line that cannot be understood.
const USAGE: u8 = 2;

/// What these arguments say; the exit code where clap has answered, to `--help` or to a mistake.
pub(crate) fn parsed<C: Parser>(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<C, ExitCode> {
    C::try_parse_from(arguments).map_err(|words| {
        // Clap knows where its words go; a terminal that is gone is nobody to tell.
        let _ = words.print();
        ExitCode::from(u8::try_from(words.exit_code()).unwrap_or(USAGE))
    })
}

/// Runs end-to-end suites, each on a stack of its own in a Kind cluster.
#[derive(Clone, Debug, PartialEq, Eq, Parser)]
#[command(
    version,
    after_help = "A FILTER that equals a suite's name selects that suite alone.\n\
                  Exit codes: 0 passed, 2 usage or plan, 4 nothing selected, 70 nothing was judged,\n\
                  71 something was left behind, 101 a case failed, 130 interrupted."
)]
#[expect(clippy::struct_excessive_bools, reason = "libtest has so many switches")]
pub(crate) struct Cli {
    /// Run only cases whose name contains one of these texts.
    #[arg(value_name = "FILTER")]
    pub(crate) filters: Vec<String>,

    /// Match whole names instead of parts of them.
    #[arg(long)]
    pub(crate) exact: bool,

    /// Leave out cases whose name contains this text; may be given several times.
    #[arg(long, value_name = "FILTER")]
    pub(crate) skip: Vec<String>,

    /// Run only cases with one of these labels, or with `!LABEL` only those without it; may be given
    /// several times.
    #[arg(long, value_name = "LABEL")]
    pub(crate) label: Vec<String>,

    /// Run only ignored cases.
    #[arg(long, conflicts_with = "include_ignored")]
    pub(crate) ignored: bool,

    /// Run ignored cases too, also those that are set aside because the services are real.
    #[arg(long)]
    pub(crate) include_ignored: bool,

    /// Print the selected cases and start nothing.
    #[arg(long)]
    pub(crate) list: bool,

    /// How many cases may run at once [default: `RUST_TEST_THREADS`, else 16 a core].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) test_threads: Option<u16>,

    /// One character a case instead of a line.
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// How results are printed.
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,

    /// Whether output is coloured.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) color: Color,

    /// Write the results of cases to this file, and not to the terminal.
    #[arg(long, value_name = "PATH")]
    pub(crate) logfile: Option<String>,

    /// Accepted for libtest's sake: output is never captured.
    #[arg(long, visible_alias = "no-capture")]
    pub(crate) nocapture: bool,

    /// Accepted for libtest's sake: output is never captured.
    #[arg(long)]
    pub(crate) show_output: bool,

    /// Run tests, which all cases are; it counts beside `--bench` only.
    #[arg(long)]
    pub(crate) test: bool,

    /// Run only benchmarks, of which there are none, unless `--test` is given too.
    #[arg(long)]
    pub(crate) bench: bool,

    /// Accepted for libtest's sake (`--format json` asks for it there).
    #[arg(short = 'Z', value_name = "FLAG")]
    pub(crate) unstable: Vec<String>,

    /// Print what would be done, and start nothing.
    #[arg(long, value_name = "FORMAT", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub(crate) plan: Option<PlanFormat>,

    /// Print the jobs of a CI as JSON: each selected suite under each of its strategies, and all together.
    #[arg(long)]
    pub(crate) matrix: bool,

    /// Write all that happens in the run to this file, an object a line.
    #[arg(long, value_name = "PATH")]
    pub(crate) events: Option<PathBuf>,

    /// Print what the time went into, step by step.
    #[arg(long)]
    pub(crate) timings: bool,

    /// When to leave the cluster running.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) keep: Keep,

    /// Deploy into the cluster of this kept run instead of a new one.
    #[arg(long, value_name = "RUN")]
    pub(crate) reuse: Option<String>,

    /// Whether suites share a cluster.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) clusters: Clusters,

    /// Whether images and cluster are made at the same time.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) strategy: Strategy,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A line a case.
    Pretty,
    /// A character a case.
    Terse,
    /// An object a case, as libtest prints it.
    Json,
}

/// Whether output is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// If it goes to a terminal.
    #[default]
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

/// How a plan is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// When a cluster outlives the run that made it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Keep {
    /// Undo everything, whatever happened.
    #[default]
    Never,
    /// Leave it running if the run did not pass.
    OnFailure,
    /// Leave it running.
    Always,
}

/// Whether suites share a cluster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Clusters {
    /// One cluster for the run, a namespace for each suite.
    #[default]
    Shared,
    /// A cluster for each suite; at most two exist at once.
    PerSuite,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(arguments: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from([&["e2e"], arguments].concat())
    }

    #[test]
    fn several_filters_are_taken() {
        let cli = typed(&["hapi", "datastorage", "--skip", "slow"]).unwrap();
        assert_eq!(cli.filters, ["hapi", "datastorage"]);
        assert_eq!(cli.skip, ["slow"]);
    }

    #[test]
    fn a_plan_is_text_unless_json_is_asked_for() {
        assert_eq!(typed(&["--plan"]).unwrap().plan, Some(PlanFormat::Text));
        assert_eq!(typed(&["--plan=json"]).unwrap().plan, Some(PlanFormat::Json));
        assert_eq!(typed(&["--plan", "hapi"]).unwrap().filters, ["hapi"]);
    }

    #[test]
    fn no_case_at_all_may_run_at_once_is_refused() {
        assert!(typed(&["--test-threads", "0"]).is_err());
    }

    #[test]
    fn what_nextest_types_is_understood() {
        assert!(typed(&["--list", "--format", "terse", "--ignored"]).is_ok());
        assert!(typed(&["hapi::x", "--nocapture", "--exact"]).is_ok());
        assert!(typed(&["-Z", "unstable-options", "--format", "json"]).is_ok());
    }

    #[test]
    fn a_run_is_told_to_a_file_that_is_named() {
        let cli = typed(&["--events", "run.jsonl", "--timings"]).unwrap();
        assert_eq!(cli.events, Some(PathBuf::from("run.jsonl")));
        assert!(cli.timings);
    }
}
