//! The flags of klog, the logger of Kubernetes' Go libraries, which the controller of Tekton Chains
//! has as well. They are read, so that a Deployment that sets them starts, and have no effect.

use clap::builder::{PossibleValuesParser, ValueParser};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches, value_parser};

/// Each flag and what its value is.
const FLAGS: [(&str, Kind); 15] = [
    ("add_dir_header", Kind::Switch),
    ("alsologtostderr", Kind::Switch),
    ("alsologtostderrthreshold", Kind::Text),
    ("legacy_stderr_threshold_behavior", Kind::Switch),
    ("log_backtrace_at", Kind::Text),
    ("log_dir", Kind::Text),
    ("log_file", Kind::Text),
    ("log_file_max_size", Kind::Size),
    ("logtostderr", Kind::Switch),
    ("one_output", Kind::Switch),
    ("skip_headers", Kind::Switch),
    ("skip_log_headers", Kind::Switch),
    ("stderrthreshold", Kind::Text),
    ("v", Kind::Level),
    ("vmodule", Kind::Text),
];

/// How Go writes a boolean.
const SWITCH: [&str; 12] = [
    "true", "false", "1", "0", "t", "f", "T", "F", "TRUE", "FALSE", "True", "False",
];

#[derive(Debug, Clone, Copy)]
enum Kind {
    Switch,
    Text,
    Size,
    Level,
}

/// The flags of klog on the command line.
#[derive(Debug, Clone, Default)]
pub(super) struct Klog {
    /// Names of those that are set.
    pub(super) set: Vec<&'static str>,
}

impl Kind {
    fn parser(self) -> ValueParser {
        match self {
            Self::Switch => PossibleValuesParser::new(SWITCH).into(),
            Self::Text => ValueParser::string(),
            Self::Size => value_parser!(u64).into(),
            Self::Level => value_parser!(i32).into(),
        }
    }

    fn flag(self, name: &'static str) -> Arg {
        let flag = Arg::new(name)
            .long(name)
            .hide(true)
            .action(ArgAction::Set)
            .value_parser(self.parser());
        match self {
            Self::Switch => flag
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true"),
            Self::Text | Self::Size | Self::Level => flag.allow_hyphen_values(true),
        }
    }
}

/// Reads a boolean as Go does.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match SWITCH.iter().position(|word| *word == text) {
        // on and off take turns in the list
        Some(at) => Ok(at % 2 == 0),
        None => Err("expected true or false".to_owned()),
    }
}

impl clap::Args for Klog {
    fn augment_args(command: Command) -> Command {
        command.args(FLAGS.map(|(name, kind)| kind.flag(name)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Klog {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let names = FLAGS.iter().map(|(name, _)| *name);
        let is_set = |name: &&str| matches.value_source(name) == Some(ValueSource::CommandLine);
        Ok(Self {
            set: names.filter(is_set).collect(),
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
