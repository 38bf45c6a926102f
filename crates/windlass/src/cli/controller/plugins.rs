//! The plugins that the controller may run: what its flags say, else its environment. No ConfigMap has a
//! say in it.

use std::path::PathBuf;

use crate::sign::kms::plugins::{FOLDER, Plugins, VARIABLES};

/// The plugins of a folder, or none.
pub(super) fn of(
    folder: Option<PathBuf>,
    variables: &[String],
    variable: impl Fn(&str) -> Option<String>,
) -> Plugins {
    let folder = folder.or_else(|| variable(FOLDER).map(PathBuf::from));
    let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) else {
        return Plugins::Off;
    };
    let listed = if variables.is_empty() {
        let listed = variable(VARIABLES).unwrap_or_default();
        listed.split(',').map(str::to_owned).collect()
    } else {
        variables.to_vec()
    };
    let listed = listed.iter().map(|name| name.trim().to_owned());
    Plugins::OfController {
        folder,
        variables: listed.filter(|name| !name.is_empty()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugins(folder: &str, variables: &str) -> Plugins {
        Plugins::OfController {
            folder: folder.into(),
            variables: variables.split_whitespace().map(str::to_owned).collect(),
        }
    }

    #[test]
    fn no_plugin_is_run_unless_a_folder_is_named() {
        let nothing = |_: &str| None;
        assert_eq!(of(None, &["A".to_owned()], nothing), Plugins::Off);
        let empty = |_: &str| Some(String::new());
        assert_eq!(of(Some(PathBuf::new()), &[], empty), Plugins::Off);
    }

    #[test]
    fn a_flag_counts_before_the_variable_of_the_same_meaning() {
        let variable = |name: &str| match name {
            FOLDER => Some("/b".to_owned()),
            VARIABLES => Some("C, D,".to_owned()),
            _ => None,
        };
        assert_eq!(of(None, &[], variable), plugins("/b", "C D"));
        let typed = of(Some("/a".into()), &["A".to_owned()], variable);
        assert_eq!(typed, plugins("/a", "A"));
    }
}
