//! The `pickmate` command as an operator runs it: a process of its own, with nothing of this
//! process's environment.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// A machine with a working directory of its own and a site that looks built. Clones are the same one.
#[derive(Clone)]
pub struct Machine {
    folder: Arc<TempDir>,
    variables: Vec<(&'static str, String)>,
}

/// What a finished command said.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Machine {
    pub fn new() -> Machine {
        let machine = Machine { folder: Arc::new(TempDir::new().unwrap()), variables: Vec::new() };
        std::fs::create_dir_all(machine.path("target/site/pkg")).unwrap();
        std::fs::write(machine.path("target/site/pkg/pickmate.js"), "").unwrap();
        machine
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn set(&mut self, name: &'static str, value: &str) {
        self.variables.push((name, value.to_owned()));
    }

    /// What was [set](Machine::set).
    pub fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Runs to the end with `input` as stdin; arguments are separated by blanks.
    pub fn run(&self, arguments: &str, input: &str) -> Said {
        let mut child = self.start(arguments);
        // A command that does not read it has closed the pipe.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        said(child.wait_with_output().unwrap())
    }

    pub fn start(&self, arguments: &str) -> Child {
        Command::new(env!("CARGO_BIN_EXE_pickmate"))
            .args(arguments.split(' '))
            .env_clear()
            .envs(self.variables())
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

fn said(output: Output) -> Said {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}
