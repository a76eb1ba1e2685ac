use pickmate::server::compute::child::Computation;
use pickmate::server::compute::{Compute, Progress, Refused};
use rustix::process::{Resource, getrlimit};
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::io::Write;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;
use thread_priority::thread_schedule_policy;

pub const COMPUTATIONS: &[Computation] = &[
    Computation::of::<Sum>(),
    Computation::of::<Endless>(),
    Computation::of::<Greedy>(),
    Computation::of::<Panicking>(),
    Computation::of::<Chattering>(),
    Computation::of::<Filling>(),
    Computation::of::<Refusing>(),
    Computation::of::<Confined>(),
];

/// Behaves: adds up, and says how far it is.
pub struct Sum;

impl Compute for Sum {
    const NAME: &'static str = "sum";
    type Input = Vec<u64>;
    type Output = u64;

    fn run(numbers: Vec<u64>, progress: &mut Progress) -> Result<u64, Refused> {
        for (done, _) in numbers.iter().enumerate() {
            progress.tell(done as u64 + 1, numbers.len() as u64);
            sleep(Duration::from_millis(110));
        }
        Ok(numbers.iter().sum())
    }
}

/// Writes its process id into a file and never ends.
pub struct Endless;

impl Compute for Endless {
    const NAME: &'static str = "endless";
    type Input = PathBuf;
    type Output = ();

    fn run(note: PathBuf, _progress: &mut Progress) -> Result<(), Refused> {
        std::fs::write(&note, format!("{}\n", std::process::id())).unwrap();
        let mut turns = 0_u64;
        loop {
            turns = black_box(turns.wrapping_add(1));
        }
    }
}

/// Allocates until it is stopped.
pub struct Greedy;

impl Compute for Greedy {
    const NAME: &'static str = "greedy";
    type Input = ();
    type Output = usize;

    fn run((): (), _progress: &mut Progress) -> Result<usize, Refused> {
        let mut hoard = Vec::new();
        loop {
            hoard.push(vec![1_u8; 1024 * 1024]);
            black_box(&hoard);
        }
    }
}

pub struct Panicking;

impl Compute for Panicking {
    const NAME: &'static str = "panicking";
    type Input = ();
    type Output = ();

    fn run((): (), _progress: &mut Progress) -> Result<(), Refused> {
        panic!("as it is meant to");
    }
}

/// Says more than anybody listens to.
pub struct Chattering;

impl Compute for Chattering {
    const NAME: &'static str = "chattering";
    type Input = ();
    type Output = ();

    fn run((): (), _progress: &mut Progress) -> Result<(), Refused> {
        let mut output = std::io::stdout();
        while output.write_all(&[b' '; 64 * 1024]).is_ok() {}
        Ok(())
    }
}

/// Writes more into a file than it may.
pub struct Filling;

impl Compute for Filling {
    const NAME: &'static str = "filling";
    type Input = PathBuf;
    type Output = ();

    fn run(file: PathBuf, _progress: &mut Progress) -> Result<(), Refused> {
        let mut file = std::fs::File::create(file).unwrap();
        while file.write_all(&[0; 64 * 1024]).is_ok() {}
        Ok(())
    }
}

pub struct Refusing;

impl Compute for Refusing {
    const NAME: &'static str = "refusing";
    type Input = ();
    type Output = ();

    fn run((): (), _progress: &mut Progress) -> Result<(), Refused> {
        Err(Refused::new("not_today"))
    }
}

/// Tells what it is confined to.
pub struct Confined;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confinement {
    pub policy: String,
    pub memory: Option<u64>,
    pub file: Option<u64>,
    pub core: Option<u64>,
    pub cpu: Option<u64>,
    pub variables: Vec<String>,
}

impl Compute for Confined {
    const NAME: &'static str = "confined";
    type Input = ();
    type Output = Confinement;

    fn run((): (), _progress: &mut Progress) -> Result<Confinement, Refused> {
        Ok(Confinement {
            policy: format!("{:?}", thread_schedule_policy().unwrap()),
            memory: getrlimit(Resource::As).current,
            file: getrlimit(Resource::Fsize).current,
            core: getrlimit(Resource::Core).current,
            cpu: getrlimit(Resource::Cpu).current,
            variables: std::env::vars().map(|(name, _)| name).collect(),
        })
    }
}
