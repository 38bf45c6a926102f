//! What the runs of one namespace may do with the credentials of the controller.

use tempfile::TempDir;
use windlass_sandbox::registry::{
    Accounts, Authentication, Grant, Options, Registry, Transport, User,
};

use super::registries::{built, everywhere, image, verify_both};
use super::*;

/// A registry where the controller may do everything and the runs nothing.
async fn private() -> Registry {
    let grants = [Grant::push(""), Grant::pull("")];
    let users = [User::new("controller", "hunter22", grants)];
    let options = Options {
        authentication: Authentication::Basic(Accounts::of(users)),
        ..Options::default()
    };
    Registry::start(options).await.unwrap()
}

/// A controller whose Docker configuration opens this registry.
struct Confided {
    scene: Scene,
    _folder: TempDir,
}

impl Confided {
    async fn with(registry: &Registry, config: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        let docker_config = registry.docker_config("controller").unwrap_or_default();
        std::fs::write(&path, docker_config).unwrap();
        let certificates = folder.path().join(registry.host());
        std::fs::create_dir(&certificates).unwrap();
        let keep = |name: &str, content: &str| {
            std::fs::write(certificates.join(name), content).unwrap();
        };
        if let Some(client) = registry.client_certificate() {
            keep("ca.crt", registry.ca_pem().unwrap());
            keep("client.cert", &client.certificate_pem);
            keep("client.key", &client.key_pem);
        }
        let mut options = options();
        options.identity.docker_config = vec![path];
        options.identity.certificates = vec![folder.path().to_owned()];
        let scene = Scene::with_options(options).await.configured(config).await;
        Self {
            scene,
            _folder: folder,
        }
    }

    /// Creates `windlass-config` with these lines, or changes them.
    async fn share(&self, lines: &str) {
        let data = json!({ "registries.shared-credentials": lines });
        self.scene.configure_own(data).await;
    }
}

/// Whether anybody showed the registry the controller's password.
fn was_shown(registry: &Registry) -> bool {
    let requests = registry.take_requests();
    assert!(!requests.is_empty(), "nobody asked the registry");
    let mut seen = requests.iter();
    seen.any(|request| request.authorization.contains("controller"))
}

#[tokio::test]
async fn a_run_that_names_a_repository_of_others_is_not_pushed_for_with_the_controllers_password() {
    let registry = private().await;
    let confided = Confided::with(&registry, everywhere()).await;
    let scene = &confided.scene;
    let digest = image(&registry);
    scene.create(built("app", &registry, &digest));
    let reason = scene.reason("app").await;
    for part in [
        "credentials of the controller: not used",
        "registries.shared-credentials in windlass-config",
        "for the namespace default",
        "no credential: HTTP 401",
    ] {
        assert!(reason.contains(part), "{reason}");
    }
    assert!(!was_shown(&registry));
    assert_eq!(registry.tags("team/app"), ["v1"]);
    let signed = scene.annotations("app");
    assert!(!signed.contains_key("chains.tekton.dev/signed"));

    // lines for others change nothing: another namespace, a neighbour, another port
    let host = registry.host();
    confided
        .share(&format!(
            "team-a {host}/team\ndefault {host}/tea,{host}/team/app/x,127.0.0.1:1/team"
        ))
        .await;
    scene.create(built("again", &registry, &digest));
    scene.reason("again").await;
    assert!(!was_shown(&registry));
    assert_eq!(registry.tags("team/app"), ["v1"]);

    // the line for it does, and nobody has to touch the runs
    confided.share(&format!("default {host}/team")).await;
    assert_eq!(scene.marked("app").await, "true");
    assert_eq!(scene.marked("again").await, "true");
    assert!(was_shown(&registry));
    verify_both(&registry, &digest);
    confided.scene.end().await;
}

#[tokio::test]
async fn the_line_of_two_asterisks_shares_everything_with_everybody_as_chains_does() {
    let registry = private().await;
    let confided = Confided::with(&registry, everywhere()).await;
    confided.share("* *").await;
    let digest = image(&registry);
    confided.scene.create(built("app", &registry, &digest));
    assert_eq!(confided.scene.marked("app").await, "true");
    verify_both(&registry, &digest);
    confided.scene.end().await;
}

#[tokio::test]
async fn the_repository_of_the_settings_needs_no_line_and_opens_nothing_beside_it() {
    let registry = private().await;
    let mut config = everywhere();
    config["storage.oci.repository"] = json!(format!("{}/signatures", registry.host()));
    let confided = Confided::with(&registry, config).await;
    let scene = &confided.scene;
    let digest = image(&registry);
    scene.create(built("app", &registry, &digest));
    assert_eq!(scene.marked("app").await, "true");
    assert_eq!(registry.tags("signatures").len(), 2);
    assert_eq!(registry.tags("team/app"), ["v1"]);

    // a bundle is in the repository of its image, which the run names
    let bundles = json!({ "storage.oci.encoding-format": "sigstore-bundle" });
    let before = scene.local.metrics.config_accepted.get();
    scene.configure(bundles).await;
    let metrics = scene.local.metrics.clone();
    let accepted = |_: &Scene| metrics.config_accepted.get() > before;
    scene.until("bundles are in force", accepted).await;
    let images = registry.manifests("team/app").len();
    scene.create(built("bundle", &registry, &digest));
    let reason = scene.reason("bundle").await;
    assert!(reason.contains("registries.shared-credentials"), "{reason}");
    assert_eq!(registry.manifests("team/app").len(), images);
    confided.scene.end().await;
}

#[tokio::test]
async fn lines_that_are_not_valid_are_refused_and_the_valid_ones_stay() {
    let registry = private().await;
    let confided = Confided::with(&registry, everywhere()).await;
    let scene = &confided.scene;
    confided
        .share(&format!("default {}/team", registry.host()))
        .await;
    let uri = format!("/api/v1/namespaces/{SYSTEM}/configmaps/windlass-config");
    let lines = json!({ "registries.shared-credentials": "default r.io/team\n* https://r.io" });
    scene.patch(&uri, json!({ "data": lines })).await;
    let event = scene.event("ConfigRefused").await;
    let message = event["message"].as_str().unwrap();
    assert!(
        message.contains("registries.shared-credentials: line 2,"),
        "{message}"
    );
    let digest = image(&registry);
    scene.create(built("app", &registry, &digest));
    assert_eq!(scene.marked("app").await, "true");
    confided.scene.end().await;
}

#[tokio::test]
async fn the_client_certificate_of_the_controller_is_shown_for_shared_repositories_only() {
    let options = Options {
        transport: Transport::MutualTls,
        ..Options::default()
    };
    let registry = Registry::start(options).await.unwrap();
    let confided = Confided::with(&registry, everywhere()).await;
    let scene = &confided.scene;
    let digest = image(&registry);
    scene.create(built("app", &registry, &digest));
    let reason = scene.reason("app").await;
    for part in [
        "requires a client certificate",
        "registries.shared-credentials",
    ] {
        assert!(reason.contains(part), "{reason}");
    }
    assert_eq!(registry.tags("team/app"), ["v1"]);
    // the pass that wrote the reason has ended, so that the settings wake the run
    let metrics = scene.local.metrics.clone();
    let waits = |_: &Scene| metrics.waiting.get() == 1;
    scene.until("the run waits", waits).await;
    confided
        .share(&format!("default {}/team", registry.host()))
        .await;
    assert_eq!(scene.marked("app").await, "true");
    verify_both(&registry, &digest);
    confided.scene.end().await;
}

#[tokio::test]
async fn a_registry_that_hides_what_it_refuses_leaves_the_setting_named_too() {
    let registry = private().await;
    registry.fail(windlass_sandbox::registry::Fault {
        path_contains: "/v2/team/".to_owned(),
        times: usize::MAX,
        answer: windlass_sandbox::registry::FaultAnswer::Status(404.into()),
        ..Default::default()
    });
    for encoding in ["dsse", "sigstore-bundle"] {
        let mut config = everywhere();
        config["storage.oci.encoding-format"] = json!(encoding);
        let confided = Confided::with(&registry, config).await;
        let digest = image(&registry);
        confided.scene.create(built("app", &registry, &digest));
        let reason = confided.scene.reason("app").await;
        for part in ["registries.shared-credentials", "for the namespace default"] {
            assert!(reason.contains(part), "{reason}");
        }
        confided.scene.end().await;
    }
}
