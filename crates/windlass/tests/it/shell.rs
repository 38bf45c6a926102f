//! A folder to type commands in.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What a command did.
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A scratch folder, with the environment that every command gets.
pub struct Shell {
    folder: tempfile::TempDir,
    pub password: Option<String>,
    pub kubeconfig: Option<String>,
    /// The Docker configuration; none if there is none, whatever this machine has.
    pub docker_config: Option<String>,
    /// `HTTP_PROXY`: the proxy for plain HTTP.
    pub http_proxy: Option<String>,
}

impl Shell {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            folder,
            password: Some(String::new()),
            kubeconfig: None,
            docker_config: None,
            http_proxy: None,
        }
    }

    /// `COSIGN_PASSWORD`, or no such variable.
    pub fn password(mut self, password: Option<&str>) -> Self {
        self.password = password.map(str::to_owned);
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    /// Runs `windlass` with the words of `line`; nothing on standard input.
    pub fn run(&self, line: &str) -> Outcome {
        self.pipe(b"", line)
    }

    /// Runs `windlass` with the words of `line` and `input` on standard input.
    pub fn pipe(&self, input: &[u8], line: &str) -> Outcome {
        let words: Vec<&str> = line.split_whitespace().collect();
        self.start(input, &words)
    }

    /// Runs `windlass` with these words, which may contain blanks.
    pub fn words(&self, words: &[&str]) -> Outcome {
        self.start(b"", words)
    }

    /// Runs `windlass` with these words and more variables of the environment.
    pub fn with(&self, variables: &[(&str, &str)], words: &[&str]) -> Outcome {
        self.start_with(b"", words, variables)
    }

    fn start(&self, input: &[u8], words: &[&str]) -> Outcome {
        self.start_with(input, words, &[])
    }

    fn start_with(&self, input: &[u8], words: &[&str], variables: &[(&str, &str)]) -> Outcome {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windlass"));
        command.args(words).current_dir(self.folder.path());
        // nothing of this machine but its programs
        command
            .env_clear()
            .env("PATH", self.programs())
            .env("HOME", self.path("home"))
            .env("DOCKER_CONFIG", self.path("docker"))
            .env("KUBECONFIG", "no-kubeconfig");
        if let Some(config) = &self.docker_config {
            fs::create_dir_all(self.path("docker")).unwrap();
            fs::write(self.path("docker/config.json"), config).unwrap();
        }
        if let Some(proxy) = &self.http_proxy {
            command.env("HTTP_PROXY", proxy);
        }
        if let Some(password) = &self.password {
            command.env("COSIGN_PASSWORD", password);
        }
        if let Some(kubeconfig) = &self.kubeconfig {
            fs::write(self.path("kubeconfig"), kubeconfig).unwrap();
            command.env("KUBECONFIG", self.path("kubeconfig"));
        }
        command
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // a command that does not read its input closes it
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        Outcome {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The programs of the folder's own `bin`, then those of this machine.
    fn programs(&self) -> std::ffi::OsString {
        let mut programs = self.path("bin").into_os_string();
        programs.push(":");
        programs.push(std::env::var_os("PATH").unwrap_or_default());
        programs
    }

    /// Runs a command that has to succeed; gives its standard output.
    pub fn succeed(&self, line: &str) -> String {
        let outcome = self.run(line);
        assert_eq!(outcome.code, 0, "{line}: {}", outcome.stderr);
        outcome.stdout
    }

    /// Runs a command that has to end with `code`; its standard error must contain `text`.
    #[track_caller]
    pub fn fail(&self, code: i32, line: &str, text: &str) {
        let outcome = self.run(line);
        assert_eq!(outcome.code, code, "{line}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(text), "{line}: {}", outcome.stderr);
    }

    /// Copies a file of the core's fixtures here.
    pub fn fixture(&self, path: &str, name: &str) {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/tests/fixtures");
        fs::copy(PathBuf::from(folder).join(path), self.path(name)).unwrap();
    }
}
