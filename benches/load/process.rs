//! A server as a process: started with data of its own on the first core, its processor time and
//! memory read from `/proc`.

use crate::dialect::Dialect;
use crate::services;
use anyhow::{Context, Result, bail, ensure};
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Linux counts processor time in hundredths of a second, and memory in pages.
const TICKS_PER_SECOND: f64 = 100.0;
const PAGE_BYTES: u64 = 4_096;

const PATIENCE: Duration = Duration::from_secs(30);
const PASSWORD: &str = "correct horse battery";

/// Accounts that the connections belong to.
const ACCOUNTS: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    PickMate,
    /// PickMate with every core of the machine, which it shares with the load, and room to compute on each.
    Everywhere,
    /// So many nodes of PickMate on one Postgres and one Redis.
    Nodes(usize),
    Bare,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::PickMate | Kind::Everywhere | Kind::Nodes(_) => "pickmate",
            Kind::Bare => "axum",
        }
    }
}

/// One process, or several that are one installation.
pub struct Server {
    pub addrs: Vec<SocketAddr>,
    pub dialect: Dialect,
    pub folder: TempDir,
    processes: Vec<Child>,
}

impl Server {
    /// Starts it with so many rooms, `room0`, `room1` …
    pub fn start(kind: Kind, pickmate: &Path, rooms: usize) -> Result<Server> {
        let folder = TempDir::new()?;
        let mut server = match kind {
            Kind::PickMate => Server::of_nodes(vec![pinned(pickmate)], pickmate, folder, Vec::new(), rooms)?,
            Kind::Everywhere => Server::of_nodes(vec![everywhere(pickmate)?], pickmate, folder, Vec::new(), rooms)?,
            Kind::Nodes(nodes) => {
                let shared = services::between_nodes()?;
                let nodes = (0..nodes).map(|_| pinned(pickmate)).collect();
                Server::of_nodes(nodes, pickmate, folder, shared, rooms)?
            }
            Kind::Bare => {
                let addr = free_address()?;
                let mut command = pinned(&std::env::current_exe()?);
                command.args(["--bare", &addr.port().to_string()]);
                let processes = vec![spawn(command, folder.path())?];
                Server { addrs: vec![addr], dialect: Dialect::Bare, folder, processes }
            }
        };
        server.await_ports()?;
        Ok(server)
    }

    fn of_nodes(
        nodes: Vec<Command>,
        program: &Path,
        folder: TempDir,
        environment: Vec<(&'static str, String)>,
        rooms: usize,
    ) -> Result<Server> {
        let operator = Operator { program, data: folder.path(), environment: &environment };
        let tokens = operator.accounts()?;
        (0..rooms).try_for_each(|room| operator.room(&format!("room{room}")))?;
        let (mut addrs, mut processes) = (Vec::new(), Vec::new());
        for mut command in nodes {
            let addr = free_address()?;
            command.args(["serve", "--no-rate-limit", "--listen", &addr.to_string(), "--data"]).arg(folder.path());
            command.envs(environment.iter().cloned());
            processes.push(spawn(command, folder.path())?);
            addrs.push(addr);
        }
        Ok(Server { addrs, dialect: Dialect::PickMate { tokens }, folder, processes })
    }

    fn await_ports(&mut self) -> Result<()> {
        let begun = Instant::now();
        for (addr, process) in self.addrs.iter().zip(&mut self.processes) {
            while TcpStream::connect(addr).is_err() {
                if let Some(status) = process.try_wait()? {
                    let said = std::fs::read_to_string(self.folder.path().join("server.log"))?;
                    bail!("the server ended: {status}: {said}");
                }
                ensure!(begun.elapsed() < PATIENCE, "the server does not listen");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        Ok(())
    }

    /// Seconds of processor time that it has used, all of its processes together.
    pub fn cpu_seconds(&self) -> Result<f64> {
        self.processes.iter().map(cpu_seconds).sum()
    }

    /// Of all processes together.
    pub fn resident_bytes(&self) -> Result<u64> {
        self.processes.iter().map(resident_bytes).sum()
    }

    /// Ends it; its data directory.
    pub fn stop(&mut self) -> Result<&Path> {
        for process in &mut self.processes {
            process.kill()?;
            process.wait()?;
        }
        Ok(self.folder.path())
    }

    /// Starts a task of this kind, as an owner; `args` is JSON.
    pub fn start_task(&self, task: &str, args: &str) -> Result<()> {
        let Dialect::PickMate { tokens } = &self.dialect else { bail!("it has no tasks") };
        let body = format!(r#"{{"task":"{task}","args":{args}}}"#);
        let length = body.len();
        let mut stream = TcpStream::connect(self.addrs[0])?;
        write!(
            stream,
            "POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}",
            tokens[0]
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure!(answer.starts_with("HTTP/1.1 202"), "{answer}");
        Ok(())
    }

    /// A counter of `/metrics`, of the first process.
    pub fn counter(&self, name: &str) -> Result<f64> {
        counter(self.addrs[0], name)
    }

    /// A counter of `/metrics`, of each process.
    pub fn counters(&self, name: &str) -> Result<Vec<f64>> {
        self.addrs.iter().map(|addr| counter(*addr, name)).collect()
    }
}

fn counter(addr: SocketAddr, name: &str) -> Result<f64> {
    let text = get(addr, "/metrics", "")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    Ok(line.with_context(|| format!("/metrics has no {name}"))?.trim().parse()?)
}

/// The whole answer to a request, head and body.
fn get(addr: SocketAddr, path: &str, headers: &str) -> Result<String> {
    let mut stream = TcpStream::connect(addr)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing it has is wanted any more.
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn cpu_seconds(process: &Child) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id()))?;
    // After the name, which may have spaces in it: utime and stime are the 14th and 15th field.
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3).and_then(|ticks| ticks.parse::<f64>().ok());
    Ok((ticks(14).context("utime")? + ticks(15).context("stime")?) / TICKS_PER_SECOND)
}

fn resident_bytes(process: &Child) -> Result<u64> {
    let statm = std::fs::read_to_string(format!("/proc/{}/statm", process.id()))?;
    let pages: u64 = statm.split_whitespace().nth(1).context("resident pages")?.parse()?;
    Ok(pages * PAGE_BYTES)
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn spawn(mut command: Command, folder: &Path) -> Result<Child> {
    let log = File::options().create(true).append(true).open(folder.join("server.log"))?;
    Ok(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?)
}

/// On the first core, where there is the choice.
pub fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0"]).arg(program);
    command
}

/// On all cores, wherever the load is.
fn everywhere(program: &Path) -> Result<Command> {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0-1023"]).arg(program).env("PICKMATE_LIMIT", format!("task_cpu={}", cores()?));
    Ok(command)
}

/// Of the machine, whatever this process may use.
pub fn cores() -> Result<usize> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    Ok(stat.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu ")).count())
}

/// The commands of `pickmate admin` on one data directory.
struct Operator<'a> {
    program: &'a Path,
    data: &'a Path,
    environment: &'a [(&'static str, String)],
}

impl Operator<'_> {
    /// Makes the accounts; a token of each.
    fn accounts(&self) -> Result<Vec<String>> {
        let account = |number: usize| {
            let name = format!("user{number}");
            let owner: &[&str] = if number == 0 { &["--owner"] } else { &[] };
            self.admin(&[&["user", "create", &name, "--password-stdin"], owner].concat())?;
            self.admin(&["token", "create", &name])
        };
        (0..ACCOUNTS).map(account).collect()
    }

    fn room(&self, slug: &str) -> Result<()> {
        self.admin(&["room", "create", slug]).map(drop)
    }

    fn admin(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(self.program);
        command.arg("admin").args(arguments).arg("--data").arg(self.data).envs(self.environment.iter().cloned());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read it has closed the pipe.
            let _ = writeln!(stdin, "{PASSWORD}");
        }
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "pickmate admin {}", arguments.join(" "));
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}
