//! Objects put straight into the storage of an API server: tens of thousands, in seconds.
//!
//! etcd is asked in JSON, by the gateway that it serves beside gRPC. Copies of an object that the API
//! server has made itself are what it would have stored.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Writes of one transaction; etcd takes 128.
const AT_ONCE: usize = 100;
/// Bound on one request.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The storage of a cluster.
#[derive(Debug, Clone)]
pub struct Etcd {
    /// Host and port.
    pub(crate) address: String,
}

impl Etcd {
    /// Copies an object, named by its key below `/registry/`, as often as there are changes: each
    /// gives the key of a copy and what is different in it.
    pub fn copy(&self, key: &str, copies: impl Iterator<Item = (String, Change)>) -> Result<()> {
        let found = self.ask("range", &json!({ "key": encoded(&full(key)) }))?;
        let value = found["kvs"][0]["value"].as_str();
        let value = STANDARD.decode(value.with_context(|| format!("no object at {key}"))?)?;
        let object: Value = serde_json::from_slice(&value)?;
        let mut writes = Vec::new();
        for (key, change) in copies {
            let mut copy = object.clone();
            change.apply(&mut copy);
            let value = encoded(&copy.to_string());
            writes.push(json!({ "requestPut": { "key": encoded(&full(&key)), "value": value } }));
            if writes.len() == AT_ONCE {
                self.write(&mut writes)?;
            }
        }
        self.write(&mut writes)
    }

    fn write(&self, writes: &mut Vec<Value>) -> Result<()> {
        if writes.is_empty() {
            return Ok(());
        }
        let outcome = self.ask("txn", &json!({ "success": writes }))?;
        writes.clear();
        ensure!(
            outcome["succeeded"] == true,
            "etcd has not written: {outcome}"
        );
        Ok(())
    }

    fn ask(&self, what: &str, body: &Value) -> Result<Value> {
        let (address, body) = (&self.address, body.to_string());
        let mut connection = TcpStream::connect(address)?;
        connection.set_read_timeout(Some(TIMEOUT))?;
        let length = body.len();
        write!(
            connection,
            "POST /v3/kv/{what} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        )?;
        let mut response = String::new();
        connection.read_to_string(&mut response)?;
        let (begin, end) = (response.find('{'), response.rfind('}'));
        let json = begin
            .zip(end)
            .and_then(|(begin, end)| response.get(begin..=end));
        let json = json.with_context(|| format!("not a response of etcd: {response}"))?;
        Ok(serde_json::from_str(json)?)
    }
}

/// What is different in a copy of a task run.
#[derive(Debug)]
pub struct Change {
    /// Its name, which its only parameter is too.
    pub name: String,
    /// Its number, which its uid is made of.
    pub number: usize,
}

impl Change {
    fn apply(&self, run: &mut Value) {
        run["metadata"]["name"] = json!(self.name);
        run["metadata"]["uid"] = json!(format!("5eed0000-0000-4000-8000-{:012x}", self.number));
        run["spec"]["params"][0]["value"] = json!(self.name);
    }
}

fn full(key: &str) -> String {
    format!("/registry/{key}")
}

fn encoded(text: &str) -> String {
    STANDARD.encode(text)
}
