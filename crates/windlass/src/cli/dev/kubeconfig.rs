//! Where the kubeconfig of a cluster goes: the file that is named, or the first free one of the folder,
//! so that two clusters in one folder do not get into each other's way.

use std::path::{Path, PathBuf};

use crate::dev_cluster::{DevCluster, DevClusterError, KubeconfigFile, KubeconfigFileError};

/// The folder of files that nobody named.
const FOLDER: &str = ".windlass";
/// Most clusters in one folder.
const MOST: usize = 9;

/// Writes the kubeconfig of a cluster.
pub(super) fn write(
    dev: &DevCluster,
    named: Option<&Path>,
) -> Result<KubeconfigFile, DevClusterError> {
    if let Some(named) = named {
        return dev.write_kubeconfig(named);
    }
    let mut number = 1;
    loop {
        match dev.write_kubeconfig(&path(number)) {
            Err(DevClusterError::File(KubeconfigFileError::InUse { .. })) if number < MOST => {
                number += 1;
            }
            written => return written,
        }
    }
}

fn path(number: usize) -> PathBuf {
    let name = match number {
        1 => "kubeconfig".to_owned(),
        number => format!("kubeconfig-{number}"),
    };
    Path::new(FOLDER).join(name)
}
