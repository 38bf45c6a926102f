//! A person's shell: bash in a scratch folder, with the scenario's programs on its path.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::follow::Follow;

/// Runs the line in `$1`; what it exports is there for the next line.
const KEEP_EXPORTS: &str = r#"
if [ -f .exports ]; then . ./.exports; fi
eval "$1"
code=$?
export -p >.exports
exit "$code"
"#;
/// Bound on one line, in seconds.
const LIMIT: &str = "180";

/// What a line left behind.
#[derive(Debug)]
pub struct Output {
    /// The line as typed.
    pub line: String,
    /// Its exit code; 124 when it ran into the time limit, -1 when a signal ended it.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// A shell whose exported variables last from line to line.
#[derive(Debug, Clone)]
pub struct Shell {
    folder: PathBuf,
    path: OsString,
    variables: Vec<(String, String)>,
}

impl Shell {
    /// A shell in `folder` that finds programs in `programs` first.
    pub(crate) fn new(folder: &Path, programs: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut path = programs.as_os_str().to_owned();
        path.push(":");
        path.push(std::env::var_os("PATH").context("PATH is not set")?);
        Ok(Self {
            folder: folder.to_owned(),
            path,
            variables: Vec::new(),
        })
    }

    /// The same shell with one more environment variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same shell, which finds programs in this folder first.
    #[must_use]
    pub fn with_programs(mut self, folder: &Path) -> Self {
        let mut path = folder.as_os_str().to_owned();
        path.push(":");
        path.push(&self.path);
        self.path = path;
        self
    }

    /// A second shell in a folder below this one's, with exports of its own.
    pub fn beside(&self, folder: &str) -> Result<Self> {
        let shell = Self {
            folder: self.folder.join(folder),
            ..self.clone()
        };
        std::fs::create_dir_all(&shell.folder)?;
        Ok(shell)
    }

    /// The folder that lines run in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<()> {
        std::fs::write(self.folder.join(name), content)
            .with_context(|| format!("cannot write {name}"))
    }

    /// Reads a file of the folder.
    pub fn read(&self, name: &str) -> Result<Vec<u8>> {
        std::fs::read(self.folder.join(name)).with_context(|| format!("cannot read {name}"))
    }

    /// Runs one line, whatever comes of it.
    pub fn run(&self, line: &str) -> Result<Output> {
        let output = Command::new("timeout")
            .args([
                "--kill-after=5",
                LIMIT,
                "bash",
                "-c",
                KEEP_EXPORTS,
                "bash",
                line,
            ])
            .current_dir(&self.folder)
            .env("PATH", &self.path)
            .env("HOME", &self.folder)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()
            .context("cannot start bash under timeout")?;
        Ok(Output {
            line: line.to_owned(),
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Starts one program with its arguments, which goes on printing until it is dropped.
    pub fn follow(&self, line: &str) -> Result<Follow> {
        let mut bash = Command::new("bash");
        bash.args(["-c", &format!("exec {line}")])
            .current_dir(&self.folder)
            .env("PATH", &self.path)
            .env("HOME", &self.folder)
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        Follow::start(&mut bash)
    }

    /// Runs one line that must succeed; its standard output.
    pub fn ok(&self, line: &str) -> Result<String> {
        Ok(self.run(line)?.exits(0)?.stdout)
    }
}

impl Output {
    /// This output, if the exit code is `code`.
    pub fn exits(self, code: i32) -> Result<Self> {
        let Self {
            line,
            code: found,
            stdout,
            stderr,
        } = &self;
        ensure!(
            *found == code,
            "$ {line}\nexit {found}, expected {code}\n{stdout}{stderr}"
        );
        Ok(self)
    }

    /// This output, if `text` is in either stream, upper and lower case alike.
    pub fn says(self, text: &str) -> Result<Self> {
        let said = format!("{}{}", self.stdout, self.stderr);
        ensure!(
            said.to_lowercase().contains(&text.to_lowercase()),
            "$ {}\nexpected {text:?} in its output:\n{said}",
            self.line
        );
        Ok(self)
    }
}
