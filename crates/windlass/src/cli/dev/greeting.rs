//! What a person reads who has started a cluster.

use std::path::Path;

use crate::dev_cluster::keyless::Keyless;

/// What is told of a cluster.
pub(super) struct Greeting<'a> {
    /// URL of the API server.
    pub(super) cluster: String,
    /// Host and port of the registry.
    pub(super) registry: String,
    /// Who may log in there.
    pub(super) login: &'static str,
    pub(super) keyless: Option<&'a Keyless>,
    pub(super) kubeconfig: &'a Path,
    /// That of the controller's settings.
    pub(super) namespace: &'a str,
    pub(super) runs_steps: bool,
    pub(super) has_examples: bool,
}

impl Greeting<'_> {
    /// Where everything listens, and what to type in another terminal.
    pub(super) fn text(&self) -> String {
        let Self {
            cluster,
            registry,
            login,
            ..
        } = self;
        let steps = if self.runs_steps {
            "WARNING: the steps of task runs run as processes on this machine, with your rights\n\
             and without any isolation. Create only runs that you trust."
        } else {
            "A created run waits until somebody writes its status; with --run-steps its steps run."
        };
        format!(
            "A Kubernetes API with Tekton's kinds listens on {cluster}\n\
             A registry listens on {registry}{login}\n\
             {}\n\
             {steps}\n\n\
             In another terminal:\n\n\
             \x20 export KUBECONFIG={}\n\
             {}\n\
             Ctrl-C stops the cluster; nothing is saved.\n",
            self.keyless.map(servers).unwrap_or_default(),
            self.kubeconfig.display(),
            self.commands()
        )
    }

    /// From the settings to what was signed.
    fn commands(&self) -> String {
        let run = if self.has_examples {
            "kubectl get taskruns,pipelineruns"
        } else {
            "kubectl create -f examples/task-output-image.yaml"
        };
        let look = format!(
            "\x20 {run}\n\
             \x20 windlass tr describe --last\n\
             \x20 windlass tr logs --last\n"
        );
        if let Some(keyless) = self.keyless {
            let flags = keyless.flags(&keyless.trusted_root());
            return format!("{look}\x20 windlass verify {flags} taskrun --last\n");
        }
        let namespace = self.namespace;
        format!(
            "\x20 windlass generate-key-pair k8s://{namespace}/signing-secrets\n\
             \x20 kubectl patch configmap chains-config -n {namespace} \
             -p='{{\"data\":{{\"artifacts.oci.storage\": \"\", \
             \"artifacts.taskrun.format\":\"tekton\", \"artifacts.taskrun.storage\": \
             \"tekton\"}}}}'\n\
             {look}"
        )
    }
}

/// The servers of a Sigstore.
fn servers(keyless: &Keyless) -> String {
    let sigstore = &keyless.sigstore;
    format!(
        "Fulcio listens on {}, Rekor on {}, a timestamp authority on {}\n\
         Their trusted root is {}\n\
         A mirror has it too: windlass trust initialize --mirror {} --root {}\n",
        sigstore.fulcio.url(),
        sigstore.log.url(),
        sigstore.times.url(),
        keyless.trusted_root().display(),
        sigstore.mirror.url(),
        keyless.mirror_root().display()
    )
}
