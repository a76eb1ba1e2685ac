//! The child's side. It confines itself before it looks at its input, and ends with its parent.

use super::line::Line;
use super::progress::Progress;
use super::{Compute, Refused};
use crate::server::cli::Compute as Arguments;
use anyhow::{Context, bail};
use rustix::process::{Resource, Rlimit, nice, setrlimit};
use std::io::{BufRead, copy, sink, stdin, stdout};
use std::thread;
#[cfg(target_os = "linux")]
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
};

/// As low as it goes where there is no idle class of threads, or it is refused.
const NICE: i32 = 19;

/// How a child ends that is [`Unready`].
pub const UNREADY: u8 = 3;

/// The child could not confine itself or watch its parent, and has not looked at its input.
#[derive(Debug, thiserror::Error)]
#[error("the child cannot begin: {0}")]
pub struct Unready(#[from] std::io::Error);

/// One entry of the list of computations.
pub struct Computation {
    name: &'static str,
    run: fn(&[u8], &mut Progress) -> anyhow::Result<()>,
}

impl Computation {
    pub const fn of<C: Compute>() -> Computation {
        Computation { name: C::NAME, run: carry_out::<C> }
    }
}

/// Reads one line of input from stdin, computes, and writes what came of it to stdout. An error is
/// the machine's or the parent's, not the input's; after [`Unready`] the process is to end with [`UNREADY`].
pub fn obey(arguments: &Arguments, computations: &[Computation]) -> anyhow::Result<()> {
    confine(arguments).map_err(Unready)?;
    let Some(computation) = computations.iter().find(|computation| computation.name == arguments.name) else {
        bail!("there is no computation `{}`", arguments.name);
    };
    let mut input = Vec::new();
    stdin().lock().read_until(b'\n', &mut input).context("no input")?;
    end_with_parent().map_err(Unready)?;
    (computation.run)(&input, &mut Progress::new(stdout()))
}

fn confine(arguments: &Arguments) -> std::io::Result<()> {
    give_way();
    for (resource, most) in [
        (Resource::As, arguments.memory_bytes),
        (Resource::Fsize, arguments.file_bytes),
        // A dump would hold what people uploaded.
        (Resource::Core, 0),
    ] {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    if let Some(seconds) = arguments.cpu_seconds {
        // Killed a second after it was told, where it does not listen.
        setrlimit(Resource::Cpu, Rlimit { current: Some(seconds), maximum: Some(seconds.saturating_add(1)) })?;
    }
    Ok(())
}

/// To whoever else wants a core. A thread of the idle class ([sched(7)]) is put off as soon as another wakes; a
/// merely nice one, until its slice is over, and a chat that wakes for a millisecond at a time waits for that.
/// Sandboxes refuse the class, some even the nice value: the child computes with what it is given.
///
/// [sched(7)]: https://man7.org/linux/man-pages/man7/sched.7.html
fn give_way() {
    #[cfg(target_os = "linux")]
    idle();
    let _refused = nice(NICE);
}

/// For this thread and whichever it starts.
#[cfg(target_os = "linux")]
fn idle() {
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    // Tells too that a nice value was not raised again, which no process may and none needs to.
    let _refused = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle);
}

/// The parent holds the other end of stdin as long as it wants the result, and the system closes that however
/// the parent ends. `PR_SET_PDEATHSIG` would follow the thread that started the child, not the process.
fn end_with_parent() -> std::io::Result<()> {
    let watch = || {
        let _ = copy(&mut stdin().lock(), &mut sink());
        std::process::exit(1);
    };
    thread::Builder::new().name("parent".into()).stack_size(64 * 1024).spawn(watch).map(drop)
}

fn carry_out<C: Compute>(input: &[u8], progress: &mut Progress) -> anyhow::Result<()> {
    let input = serde_json::from_slice(input).context("the input is of another shape")?;
    let line = match C::run(input, progress) {
        Ok(output) => Line::Result(output),
        Err(Refused { code }) => Line::Error { code: code.into_owned() },
    };
    progress.say(&line).context("nobody takes the result")
}
