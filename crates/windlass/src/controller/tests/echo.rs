//! A registry that says whatever it is sent: nothing of it gets to where others read.

use std::sync::Arc;

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use windlass_registry::{Clock, Lookup};

use super::planted::Planted;
use super::registries::{account, docker_secret, everywhere};
use super::*;
use crate::telemetry::recorded::{EVERYTHING, Log};

const SECRET: &str = "w1ne-dark/sea+?";
const TOKEN: &str = "eyJplanted.access/token+for=all";
const REFRESH: &str = "planted+refresh/token==";

/// How a server says what it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// In the error of a request with a token.
    Error(u16),
    /// In text that is no error body of the protocol.
    Text(u16),
    /// In the reason that a tag may not be moved.
    Immutable,
    /// In the host, path and query of a redirect.
    Redirect,
    /// In the name and host of an upload's `Location`.
    Location,
    /// In the digest of the content.
    Digest,
    /// In the manifest under a tag.
    Manifest,
    /// In the manifest itself, which is none.
    Content,
    /// In the link to the next page.
    Link,
    /// In the error of the token endpoint.
    TokenError(u16),
    /// In a token that cannot be one.
    BadToken,
    /// In the realm of the challenge.
    Realm,
    /// In a challenge that is none.
    Challenge,
}

const WAYS: [Way; 22] = [
    Way::Error(400),
    Way::Error(401),
    Way::Error(403),
    Way::Error(404),
    Way::Error(409),
    Way::Error(429),
    Way::Error(500),
    Way::Text(400),
    Way::Text(403),
    Way::Text(502),
    Way::Immutable,
    Way::Redirect,
    Way::Location,
    Way::Digest,
    Way::Manifest,
    Way::Content,
    Way::Link,
    Way::TokenError(400),
    Way::TokenError(503),
    Way::BadToken,
    Way::Realm,
    Way::Challenge,
];

/// A request, as far as it matters.
struct Heard {
    method: String,
    path: String,
    authorization: String,
    body: String,
}

impl Heard {
    async fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let head = loop {
            let mut piece = [0; 4096];
            let read = stream
                .read(&mut piece)
                .await
                .ok()
                .filter(|read| *read > 0)?;
            bytes.extend_from_slice(&piece[..read]);
            // a client that speaks TLS first
            if bytes[0] == 0x16 {
                return None;
            }
            let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                break end + 4;
            }
        };
        let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
        let header = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(": "));
            lines
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.to_owned())
        };
        let length: usize = header("content-length")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        while bytes.len() < head + length {
            let mut piece = [0; 4096];
            let read = stream
                .read(&mut piece)
                .await
                .ok()
                .filter(|read| *read > 0)?;
            bytes.extend_from_slice(&piece[..read]);
        }
        let mut words = text.split(' ').map(str::to_owned);
        Some(Self {
            method: words.next()?,
            path: words.next()?,
            authorization: header("authorization").unwrap_or_default(),
            body: String::from_utf8_lossy(&bytes[head..]).into_owned(),
        })
    }

    /// What was sent, decoded and encoded in every way.
    fn secrets(&self) -> Vec<String> {
        let credential = self
            .authorization
            .split(' ')
            .next_back()
            .unwrap_or_default();
        let plain = STANDARD.decode(credential).ok();
        let plain = plain
            .and_then(|plain| String::from_utf8(plain).ok())
            .unwrap_or_default();
        let password = plain.split_once(':').map_or("", |(_, password)| password);
        // what the token endpoint was sent, and what it gave
        let known = [SECRET, TOKEN, REFRESH];
        let all = [credential, &plain, password, &self.body];
        all.into_iter()
            .chain(known)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn echo(&self) -> String {
        let each = self.secrets().into_iter().flat_map(|text| {
            [
                form_encoded(&form_encoded(&text)),
                form_encoded(&text),
                STANDARD.encode(&text),
                form_encoded(&STANDARD.encode(&text)),
                STANDARD.encode(format!("x{text}")),
                URL_SAFE_NO_PAD.encode(format!("xy{text}")),
                text.to_uppercase(),
                hex(&text),
                text.replace('/', "\\/"),
                text,
            ]
        });
        each.collect::<Vec<_>>().join(" ")
    }
}

fn form_encoded(text: &str) -> String {
    let each = text.bytes().map(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    each.collect::<Vec<_>>().concat()
}

fn hex(text: &str) -> String {
    let each = text.bytes().map(|byte| format!("{byte:02x}"));
    each.collect::<Vec<_>>().concat()
}

/// A digest of the right form that is a secret.
fn digest(secret: &str) -> String {
    let hex = hex(secret).repeat(8);
    format!("sha256:{}", &hex[..64])
}

/// A registry and token endpoint that responds in one way.
struct Echo {
    host: String,
    way: Way,
}

impl Echo {
    async fn start(way: Way) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let echo = Arc::new(Self {
            host: host.clone(),
            way,
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(Arc::clone(&echo).serve(stream));
            }
        });
        host
    }

    async fn serve(self: Arc<Self>, mut stream: TcpStream) {
        while let Some(heard) = Heard::read(&mut stream).await {
            let (status, headers, body) = self.respond(&heard);
            let length = body.len();
            let head = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\n\r\n");
            let body = if heard.method == "HEAD" { "" } else { &body };
            if stream
                .write_all(format!("{head}{body}").as_bytes())
                .await
                .is_err()
            {
                return;
            }
        }
    }

    fn respond(&self, heard: &Heard) -> (u16, String, String) {
        if heard.path.starts_with("/token") {
            return self.token(heard);
        }
        if heard.authorization.is_empty() {
            let challenge = self.challenge(heard);
            return (
                401,
                format!("WWW-Authenticate: {challenge}\r\n"),
                String::new(),
            );
        }
        let echo = heard.echo();
        let line = echo.replace(['\r', '\n'], " ");
        let error = |code: &str| {
            json!({ "errors": [{ "code": code, "message": echo, "detail": echo }] }).to_string()
        };
        let with = |header: String| format!("{header}\r\n");
        match self.way {
            Way::Error(status) => (status, with(format!("Warning: {line}")), error(&echo)),
            Way::Text(status) => (status, String::new(), format!("you sent {echo}")),
            Way::Immutable if heard.method == "GET" || heard.method == "HEAD" => {
                (404, String::new(), error("NAME_UNKNOWN"))
            }
            Way::Immutable => (409, String::new(), error("the tag is immutable")),
            Way::Redirect => {
                let to = format!(
                    "https://{}.example/{}",
                    &hex(SECRET)[..24],
                    form_encoded(&line)
                );
                (307, with(format!("Location: {to}")), String::new())
            }
            Way::Location if heard.method == "POST" => {
                let secret = form_encoded(SECRET);
                let to = format!("https://x:{secret}@{}.example/{secret}", hex(SECRET));
                (202, with(format!("Location: {to}")), String::new())
            }
            Way::Location => (404, String::new(), String::new()),
            Way::Digest => {
                let stated = digest(SECRET);
                (
                    200,
                    with(format!("Docker-Content-Digest: {stated}")),
                    "{}".to_owned(),
                )
            }
            Way::Manifest => (200, String::new(), manifest(&echo)),
            Way::Content => (
                200,
                String::new(),
                format!("{{\"schemaVersion\": \"{SECRET}\"}}"),
            ),
            Way::Link => {
                let to = format!(
                    "<https://{}.example/?{}>; rel=next",
                    hex(SECRET),
                    form_encoded(&line)
                );
                let page = json!({ "schemaVersion": 2, "manifests": [] }).to_string();
                (200, with(format!("Link: {to}")), page)
            }
            Way::TokenError(_) | Way::BadToken | Way::Realm | Way::Challenge => {
                (403, String::new(), error("DENIED"))
            }
        }
    }

    fn token(&self, heard: &Heard) -> (u16, String, String) {
        let echo = heard.echo();
        match self.way {
            Way::TokenError(status) => {
                let body = json!({ "error": echo, "error_description": echo });
                (status, String::new(), body.to_string())
            }
            Way::BadToken => (
                200,
                String::new(),
                json!({ "token": format!("\u{1}{echo}") }).to_string(),
            ),
            _ => (
                200,
                String::new(),
                json!({ "token": TOKEN, "expires_in": 60 }).to_string(),
            ),
        }
    }

    fn challenge(&self, heard: &Heard) -> String {
        match self.way {
            Way::Realm => {
                let secret = form_encoded(&heard.echo().replace(['\r', '\n'], " "));
                let host = hex(SECRET);
                format!("Bearer realm=\"https://{host}.example/token?{secret}\"")
            }
            Way::Challenge => format!("{SECRET} {TOKEN}=\"{REFRESH}"),
            _ => format!("Bearer realm=\"http://{}/token\",service=\"s\"", self.host),
        }
    }
}

/// A manifest whose every member is a secret.
fn manifest(echo: &str) -> String {
    let layer = json!({
        "mediaType": echo, "size": 3, "digest": digest(SECRET), "annotations": { echo: echo },
    });
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": layer,
        "layers": [layer],
        "annotations": { "a": echo },
    })
    .to_string()
}

/// A finished run that built an image there.
fn built_at(name: &str, host: &str) -> Value {
    let mut run = finished(name);
    run["spec"]["serviceAccountName"] = json!("builder");
    run["status"]["results"] = json!([
        { "name": "IMAGE_URL", "value": format!("{host}/team/app:v1") },
        { "name": "IMAGE_DIGEST", "value": format!("sha256:{}", "cd".repeat(32)) },
    ]);
    run
}

#[tokio::test]
async fn no_secret_is_written_down_whatever_a_registry_does() {
    let log = Log::default();
    let _logging = log.record(EVERYTHING);
    let mut options = options();
    options.pauses = (Duration::from_millis(10), Duration::from_millis(50));
    options.registries.clock = Clock::manual();
    options.registries.lookup = Lookup::scripted(|_| Vec::new());
    let scene = Scene::with_options(options).await;
    let scene = scene.configured(everywhere()).await;
    let mut planted = Planted::of(&scene);
    for (name, secret) in [
        ("the password", SECRET),
        ("the token", TOKEN),
        ("the refresh token", REFRESH),
    ] {
        planted.add(name, secret);
    }
    planted.add("name and password", &format!("pusher:{SECRET}"));
    let mut auths = serde_json::Map::new();
    let mut tokens = serde_json::Map::new();
    let mut runs = Vec::new();
    for (number, way) in WAYS.into_iter().enumerate() {
        let host = Echo::start(way).await;
        let auth = STANDARD.encode(format!("pusher:{SECRET}"));
        auths.insert(host.clone(), json!({ "auth": auth }));
        tokens.insert(host.clone(), json!({ "identitytoken": REFRESH }));
        runs.push((format!("app-{number}"), way, host));
    }
    docker_secret(&scene, "password", &json!({ "auths": auths }).to_string());
    docker_secret(&scene, "refresh", &json!({ "auths": tokens }).to_string());
    account(
        &scene,
        &json!({ "secrets": [{ "name": "password" }, { "name": "refresh" }] }),
    );
    for (name, way, host) in runs {
        scene.create(built_at(&name, &host));
        let reason = scene.reason(&name).await;
        assert!(reason.contains(&host), "{way:?}: {reason}");
        let text = log.text();
        planted.search_everywhere(&scene, &text);
    }
    let text = log.text();
    // the log has what the registries said all the same
    assert!(text.contains("you sent"), "it is not in the log");
    assert!(text.contains("[redacted]"));
    scene.end().await;
}
