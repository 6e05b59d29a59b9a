//! Which cases run, decided from the arguments alone.
//!
//! libtest-mimic takes one filter only and passes when nothing matches. So the
//! decision is made here, and libtest-mimic is given the exact names to skip:
//! then what it counts as filtered out is right.

use std::collections::BTreeMap;

use libtest_mimic::{Arguments, ColorSetting, FormatSetting};

use crate::{
    cli::{Cli, Color, Format},
    suite::{Case, Step, Suite},
};

/// What stands before a label whose cases are not wanted.
pub(crate) const NOT: char = '!';

/// What is between the name of a suite and that of its case.
const BETWEEN: &str = "::";

/// The suites with a selected case, and those cases.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) suites: Vec<Suite>,
    left_out: Vec<String>,
}

/// The name of a case in lists, results and filters.
pub(crate) fn full_name(suite: &Suite, case: &Case) -> String {
    format!("{}{BETWEEN}{}", suite.name, case.name)
}

impl Selection {
    /// Selects from `suites` what `cli` asks for.
    pub(crate) fn of(cli: &Cli, suites: &[Suite]) -> Self {
        let mut left_out = Vec::new();
        let mut chosen = Vec::new();
        for suite in suites {
            let (take, leave): (Vec<_>, Vec<_>) =
                suite.cases.iter().cloned().partition(|case| selects(cli, suites, suite, case));
            left_out.extend(leave.iter().map(|case| full_name(suite, case)));
            if !take.is_empty() {
                chosen.push(Suite { cases: take, ..suite.clone() });
            }
        }
        Self { suites: chosen, left_out }
    }

    /// The same choice of suites that are changed.
    pub(crate) fn map(self, change: impl FnMut(Suite) -> Suite) -> Self {
        Self { suites: self.suites.into_iter().map(change).collect(), ..self }
    }

    /// The declaration of a selected case, by its full name.
    pub(crate) fn case(&self, name: &str) -> Option<&Case> {
        let (suite, case) = name.split_once(BETWEEN)?;
        self.suite(suite)?.cases.iter().find(|known| known.name == case)
    }

    /// The declaration of a selected suite.
    pub(crate) fn suite(&self, name: &str) -> Option<&Suite> {
        self.suites.iter().find(|known| known.name == name)
    }

    /// The declaration of a step of a selected suite.
    pub(crate) fn step(&self, suite: &str, name: &str) -> Option<&Step> {
        self.suite(suite)?.steps().find(|known| known.name == name)
    }

    /// Whether no case at all is selected.
    pub(crate) fn is_empty(&self) -> bool {
        self.suites.is_empty()
    }

    /// The same choice in libtest-mimic's own words.
    pub(crate) fn arguments(&self, cli: &Cli) -> Arguments {
        Arguments {
            include_ignored: cli.include_ignored,
            ignored: cli.ignored,
            list: cli.list,
            exact: true,
            skip: self.left_out.clone(),
            quiet: cli.quiet,
            logfile: cli.logfile.clone(),
            color: Some(match cli.color {
                Color::Auto => ColorSetting::Auto,
                Color::Always => ColorSetting::Always,
                Color::Never => ColorSetting::Never,
            }),
            format: cli.format.map(|format| match format {
                Format::Pretty => FormatSetting::Pretty,
                Format::Terse => FormatSetting::Terse,
                Format::Json => FormatSetting::Json,
            }),
            // One thread a case: how many run at once is decided after the
            // suite's stack is ready, or a slow suite would hold up a ready one.
            test_threads: Some(
                self.suites.iter().map(|suite| suite.cases.len()).sum::<usize>().max(2),
            ),
            ..Arguments::default()
        }
    }
}

/// Whether cases run although they are ignored, or would be set aside.
pub(crate) fn runs_all(cli: &Cli) -> bool {
    cli.ignored || cli.include_ignored
}

/// Why no case is selected, and how to see what there is.
pub(crate) fn nothing_selected(cli: &Cli, suites: &[Suite]) -> String {
    if benchmarks_only(cli) {
        return "no case is selected: `--bench` runs benchmarks only, and there are none; leave it out"
            .to_owned();
    }
    let names: Vec<_> = suites.iter().map(|suite| suite.name.as_str()).collect();
    let mut asked = match cli.filters.as_slice() {
        [] => String::new(),
        filters => format!(" by `{}`", filters.join(" ")),
    };
    if !cli.label.is_empty() {
        asked = format!("{asked} with `--label {}`", cli.label.join(" --label "));
    }
    format!(
        "no case is selected{asked}; the suites are: {} (`--list` prints the cases)",
        names.join(", ")
    )
}

/// What is wrong if a label is asked for that no case has.
pub(crate) fn unknown_label(cli: &Cli, suites: &[Suite]) -> Option<String> {
    let known = labels(suites);
    let mut asked = cli.label.iter().map(|label| label.strip_prefix(NOT).unwrap_or(label));
    let unknown = asked.find(|label| !known.contains_key(label))?;
    let known: Vec<_> = known.into_keys().collect();
    Some(if known.is_empty() {
        format!("no case has the label `{unknown}`, nor any other; `Case::label` gives one to it")
    } else {
        format!("no case has the label `{unknown}`; the labels are: {}", known.join(", "))
    })
}

/// The labels of the cases of some suites, and how many cases have each.
pub(crate) fn labels(suites: &[Suite]) -> BTreeMap<&str, usize> {
    let mut labels = BTreeMap::new();
    let cases = suites.iter().flat_map(|suite| &suite.cases);
    for label in cases.flat_map(|case| &case.labels) {
        *labels.entry(label.as_str()).or_default() += 1;
    }
    labels
}

// As libtest: both flags together run both.
fn benchmarks_only(cli: &Cli) -> bool {
    cli.bench && !cli.test
}

fn selects(cli: &Cli, suites: &[Suite], suite: &Suite, case: &Case) -> bool {
    let name = full_name(suite, case);
    let wanted = cli.filters.is_empty()
        || cli.filters.iter().any(|filter| {
            if suites.iter().any(|other| other.name == *filter) {
                suite.name == *filter
            } else {
                matches(cli, &name, filter)
            }
        });
    let skipped = cli.skip.iter().any(|filter| {
        if suites.iter().any(|other| other.name == *filter) {
            suite.name == *filter
        } else {
            matches(cli, &name, filter)
        }
    });
    wanted
        && !skipped
        && labelled(cli, case)
        && !benchmarks_only(cli)
        && (!cli.ignored || case.ignored)
}

/// Whether a case has a label that is wanted, if any is, and none that is not.
fn labelled(cli: &Cli, case: &Case) -> bool {
    let has = |label: &str| case.labels.contains(label);
    let mut wanted = cli.label.iter().filter(|label| !label.starts_with(NOT)).peekable();
    let mut unwanted = cli.label.iter().filter_map(|label| label.strip_prefix(NOT));
    (wanted.peek().is_none() || wanted.any(|label| has(label))) && !unwanted.any(has)
}

fn matches(cli: &Cli, name: &str, filter: &str) -> bool {
    if cli.exact { name == filter } else { name.contains(filter) }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn suites() -> [Suite; 3] {
        let case = |name| Case::declared(name, ());
        [
            Suite::new("hapi", "holmesgpt-api").cases([case("one"), case("two")]),
            Suite::new("hapi-extra", "x").case(case("one").label("smoke")),
            Suite::new("gateway", "gateway").cases([
                case("hapi_is_reached").label("smoke").label("slow"),
                case("slow").label("slow").ignored(),
            ]),
        ]
    }

    fn typed(arguments: &[&str]) -> Cli {
        Cli::parse_from([&["e2e"], arguments].concat())
    }

    fn names(arguments: &[&str]) -> Vec<String> {
        let selection = Selection::of(&typed(arguments), &suites());
        let names = selection
            .suites
            .iter()
            .flat_map(|suite| suite.cases.iter().map(|case| full_name(suite, case)));
        names.collect()
    }

    #[test]
    fn a_filter_that_equals_a_suites_name_selects_that_suite_alone() {
        assert_eq!(names(&["hapi"]), ["hapi::one", "hapi::two"]);
    }

    #[test]
    fn any_other_filter_is_a_part_of_the_name() {
        assert_eq!(names(&["hapi_is"]), ["gateway::hapi_is_reached"]);
        assert_eq!(names(&["::one"]), ["hapi::one", "hapi-extra::one"]);
    }

    #[test]
    fn exact_and_skip_mean_what_libtest_means() {
        assert_eq!(names(&["--exact", "hapi::one"]), ["hapi::one"]);
        assert!(names(&["--exact", "one"]).is_empty());
        assert_eq!(names(&["hapi", "--skip", "two"]), ["hapi::one"]);
    }

    #[test]
    fn benchmarks_alone_are_nothing() {
        assert!(names(&["--bench"]).is_empty());
        assert!(names(&["--bench", "hapi"]).is_empty());
        assert_eq!(names(&["--bench", "--test", "hapi"]), ["hapi::one", "hapi::two"]);
        let words = nothing_selected(&typed(&["--bench"]), &suites());
        assert!(words.contains("benchmarks only"), "{words}");
    }

    #[test]
    fn a_case_is_found_by_its_whole_name() {
        let selection = Selection::of(&typed(&["hapi"]), &suites());
        assert_eq!(selection.case("hapi::two").map(|case| case.name.as_str()), Some("two"));
        assert!(selection.case("hapi-extra::one").is_none());
    }

    #[test]
    fn a_case_with_any_of_the_labels_is_selected_unless_it_has_one_that_is_not_wanted() {
        let (extra, reached) = ("hapi-extra::one", "gateway::hapi_is_reached");
        assert_eq!(names(&["--label", "smoke"]), [extra, reached]);
        assert_eq!(names(&["--label", "smoke", "--label", "!slow"]), [extra]);
        assert_eq!(names(&["--label=slow", "--label=smoke"]), [extra, reached, "gateway::slow"]);
        assert_eq!(names(&["hapi-extra", "hapi", "--label", "!smoke"]), ["hapi::one", "hapi::two"]);
    }

    #[test]
    fn a_label_that_no_case_has_is_told_with_those_that_there_are() {
        let unknown = |label| unknown_label(&typed(&["--label", label]), &suites());
        assert_eq!(unknown("!slow"), None);
        for label in ["smok", "!smok"] {
            let words = "no case has the label `smok`; the labels are: slow, smoke";
            assert_eq!(unknown(label).as_deref(), Some(words));
        }
        let none = unknown_label(&typed(&["--label", "slow"]), &suites()[..1]);
        assert!(none.is_some_and(|words| words.contains("nor any other")));
        let nothing = nothing_selected(&typed(&["hapi", "--label", "smoke"]), &suites());
        assert!(nothing.contains("by `hapi` with `--label smoke`"), "{nothing}");
    }

    #[test]
    fn ignored_selects_only_what_is_ignored() {
        assert_eq!(names(&["--ignored"]), ["gateway::slow"]);
    }
}
