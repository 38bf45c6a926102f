//! Serves an empty registry until Ctrl-C, prints its address, and logs each request:
//! `cargo run -p windlass-sandbox --example registry -- [WORD…]`.
//!
//! The words: `port=5000`; `basic` or `bearer` (user `push` with password `push` or identity token
//! `push-identity` may do all, user `pull` with password `pull` may read, anyone may read
//! `public/…`); `tls` or `mtls` (writes the
//! certificates as `ca.pem`, `client.pem` and `client.key` to the directory of `certs=DIR`);
//! `no-referrers` (404) or `bad-referrers` (400); `immutable` (409 for a tag that moves);
//! `relative-location` or `query-location` (the forms of `Location` that uploads answer).

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use windlass_sandbox::registry::{
    Accounts, Authentication, Fault, FaultAnswer, Grant, Options, Quirk, Referrers, Registry,
    Tokens, Transport, User,
};

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let registry = Registry::start(options(&words)?).await?;
    for word in &words {
        match word.as_str() {
            "relative-location" => always(&registry, FaultAnswer::RelativeLocation),
            "query-location" => always(&registry, FaultAnswer::Quirk(Quirk::LocationWithQuery)),
            _ => {}
        }
    }
    let directory = words.iter().find_map(|word| word.strip_prefix("certs="));
    write_certificates(&registry, Path::new(directory.unwrap_or(".")))?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", registry.host())?;
    loop {
        tokio::select! {
            stop = tokio::signal::ctrl_c() => break stop?,
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
        show_requests(&registry, &mut out)?;
    }
    show_requests(&registry, &mut out)?;
    registry.shutdown().await;
    Ok(())
}

fn always(registry: &Registry, answer: FaultAnswer) {
    registry.fail(Fault {
        path_contains: "/blobs/uploads/".into(),
        times: usize::MAX,
        answer,
        ..Fault::default()
    });
}

fn options(words: &[String]) -> Result<Options, Failure> {
    let mut options = Options::default();
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("port", port) => options.port = Some(port.parse()?),
            ("basic", _) => options.authentication = Authentication::Basic(accounts()),
            ("bearer", _) => {
                options.authentication = Authentication::Bearer(accounts(), Tokens::default());
            }
            ("tls", _) => options.transport = Transport::Tls,
            ("mtls", _) => options.transport = Transport::MutualTls,
            ("no-referrers", _) => options.referrers = Referrers::NotFound,
            ("bad-referrers", _) => options.referrers = Referrers::BadRequest,
            ("immutable", _) => options.immutable_tags = Some(409),
            ("certs" | "relative-location" | "query-location", _) => {}
            _ => return Err(format!("unknown word {word}").into()),
        }
    }
    Ok(options)
}

fn accounts() -> Accounts {
    Accounts {
        users: vec![
            User::new("push", "push", [Grant::all("")]).with_identity_token("push-identity"),
            User::new("pull", "pull", [Grant::pull("")]),
        ],
        anonymous: vec![Grant::pull("public")],
    }
}

fn write_certificates(registry: &Registry, directory: &Path) -> Result<(), Failure> {
    if let Some(ca) = registry.ca_pem() {
        std::fs::write(directory.join("ca.pem"), ca)?;
    }
    if let Some(client) = registry.client_certificate() {
        std::fs::write(directory.join("client.pem"), &client.certificate_pem)?;
        std::fs::write(directory.join("client.key"), &client.key_pem)?;
    }
    Ok(())
}

fn show_requests(registry: &Registry, out: &mut impl Write) -> Result<(), Failure> {
    for seen in registry.take_requests() {
        let query = if seen.query.is_empty() { "" } else { "?" };
        writeln!(
            out,
            "{} {} {}{query}{} [{}] {}",
            seen.status, seen.method, seen.path, seen.query, seen.authorization, seen.user_agent
        )?;
    }
    Ok(())
}
