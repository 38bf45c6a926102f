//! The library that speaks for the tokens. To load one is to run it, and a URI may come from whoever may
//! write a ConfigMap: so a URI chooses among the libraries that the environment names, and brings in none.

use std::path::{Path, PathBuf};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};

use crate::environment::{Environment, MODULE, MODULES};
use crate::error::Error;
use crate::uri::Uri;

/// The library of a URI, if it is allowed.
pub(crate) fn allowed(uri: &Uri, environment: &Environment) -> Result<PathBuf, Error> {
    let listed = environment.modules.as_ref().map(|listed| {
        let listed = std::env::split_paths(listed);
        listed.filter(|path| path.is_absolute()).collect::<Vec<_>>()
    });
    let listed = listed.unwrap_or_default();
    if listed.is_empty() {
        return Err(Error::Module(format!(
            "no PKCS#11 library is allowed; set {MODULES} to the absolute paths of those that may be loaded, \
             or {MODULE} to that of one"
        )));
    }
    let is_meant = |path: &Path| {
        let has_path = uri
            .module_path
            .as_ref()
            .is_none_or(|wanted| path == Path::new(wanted));
        has_path
            && uri
                .module_name
                .as_ref()
                .is_none_or(|wanted| has_name(path, wanted))
    };
    let found = listed.into_iter().find(|path| is_meant(path));
    found.ok_or_else(|| {
        Error::Module(format!(
            "the PKCS#11 library that the URI names is not allowed; add it to {MODULES}, or leave module-path \
             and module-name out"
        ))
    })
}

/// Whether a library is called so: its file name without `lib` before and what follows the last dot.
fn has_name(path: &Path, wanted: &str) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    stem.is_some_and(|stem| stem == wanted || stem.strip_prefix("lib") == Some(wanted))
}

/// Loads a library.
pub(crate) fn load(path: &Path) -> Result<Pkcs11, Error> {
    let library = Pkcs11::new(path).map_err(|_| {
        Error::Module(format!(
            "cannot load the PKCS#11 library {}; see that it exists, and that it is one for this system",
            path.display()
        ))
    })?;
    let arguments = CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK);
    library
        .initialize(arguments)
        .map_err(Error::token("start its library"))?;
    Ok(library)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(modules: &str, query: &str) -> Result<PathBuf, String> {
        let environment = Environment {
            modules: (!modules.is_empty()).then(|| modules.into()),
            ..Environment::default()
        };
        let uri = Uri::parse(&format!("token=t;object=o{query}")).unwrap();
        allowed(&uri, &environment).map_err(|error| error.to_string())
    }

    #[test]
    fn a_uri_chooses_among_the_libraries_of_the_environment() {
        let listed = "/usr/lib/libsofthsm2.so:/opt/vendor/token.so";
        for (query, path) in [
            ("", "/usr/lib/libsofthsm2.so"),
            ("?module-name=softhsm2", "/usr/lib/libsofthsm2.so"),
            ("?module-name=token", "/opt/vendor/token.so"),
            ("?module-path=/opt/vendor/token.so", "/opt/vendor/token.so"),
            (
                "?module-path=%2Fopt/vendor/token.so&module-name=token",
                "/opt/vendor/token.so",
            ),
        ] {
            assert_eq!(choose(listed, query).unwrap(), Path::new(path));
        }
    }

    #[test]
    fn a_uri_brings_in_no_library() {
        for query in [
            "?module-path=/tmp/evil.so",
            "?module-path=/usr/lib/../lib/evil.so",
            "?module-path=evil.so",
            "?module-name=evil",
            "?module-name=../evil",
            "?module-path=/usr/lib/libsofthsm2.so&module-name=evil",
        ] {
            let error = choose("/usr/lib/libsofthsm2.so", query).unwrap_err();
            assert!(error.contains("is not allowed"), "{error}");
        }
        for listed in ["", "softhsm2.so", ":"] {
            let error = choose(listed, "?module-path=/tmp/evil.so").unwrap_err();
            assert!(error.contains("no PKCS#11 library is allowed"), "{error}");
        }
    }
}
