//! The machine that the server runs on, as far as it can be made to fail: a small disk and a wrong
//! clock. Neither outlives the run: the disk is mounted in a namespace of this process.

use anyhow::{Context, Result, ensure};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Set in the process that has mounts of its own.
const OWN_MOUNTS: &str = "PICKMATE_CHAOS_OWN_MOUNTS";

/// Room for a long run's database with its log, and quickly filled.
const DISK_BYTES: usize = 96 << 20;

/// Starts this program again where it may mount a disk. Returns in the process that can.
pub fn with_own_mounts() -> Result<()> {
    if std::env::var_os(OWN_MOUNTS).is_some() {
        return Ok(());
    }
    let mut flags = vec!["--mount"];
    if fs::metadata("/proc/self")?.uid() != 0 {
        flags.extend(["--user", "--map-root-user"]);
    }
    let unshare = || {
        let mut unshare = Command::new("unshare");
        unshare.args(&flags);
        unshare
    };
    let may = unshare().arg("true").status().is_ok_and(|status| status.success());
    ensure!(may, "the faults need `unshare` (util-linux) and the right to make mount namespaces");
    let program = std::env::current_exe()?;
    let error = unshare().arg(program).args(std::env::args_os().skip(1)).env(OWN_MOUNTS, "1").exec();
    Err(error.into())
}

/// The disk of the data directory.
pub struct Disk {
    pub data: PathBuf,
}

impl Disk {
    pub fn mount(folder: &Path) -> Result<Disk> {
        let data = folder.join("data");
        fs::create_dir(&data)?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={DISK_BYTES}"), "pickmate-chaos"]).arg(&data);
        ensure!(mount.status()?.success(), "the full disk needs the right to mount a tmpfs");
        Ok(Disk { data })
    }

    /// Leaves not one block.
    pub fn fill(&self) -> Result<()> {
        let mut ballast = File::create(self.ballast())?;
        let mut block = 1 << 20;
        let zeros = vec![0; block];
        while block > 0 {
            if ballast.write_all(&zeros[..block]).is_err() {
                block /= 2;
            }
        }
        Ok(())
    }

    pub fn free(&self) -> Result<()> {
        Ok(fs::remove_file(self.ballast())?)
    }

    fn ballast(&self) -> PathBuf {
        self.data.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Another run of this process mounts its own.
        let _ = Command::new("umount").arg("--lazy").arg(&self.data).status();
    }
}

/// The wall clock of the processes that were started with its environment.
pub struct Clock {
    library: PathBuf,
    offset: PathBuf,
}

impl Clock {
    pub fn build(folder: &Path) -> Result<Clock> {
        let (library, offset) = (folder.join("clock.so"), folder.join("clock"));
        // Cargo runs tests in the package's folder; the one it was compiled in may be another clone.
        let source = Path::new("tests/chaos/one/clock.c");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl");
        ensure!(cc.status().context("clock jumps need a C compiler, `cc`")?.success(), "clock.c does not compile");
        let clock = Clock { library, offset };
        clock.show(0)?;
        Ok(clock)
    }

    /// The clock is off by so many seconds from now on.
    pub fn show(&self, seconds: i64) -> Result<()> {
        // Overwritten in place: the server has the file mapped.
        let mut file = File::options().write(true).create(true).truncate(false).open(&self.offset)?;
        Ok(file.write_all(&seconds.to_ne_bytes())?)
    }

    pub fn environment(&self) -> [(&'static str, &Path); 2] {
        [("LD_PRELOAD", &self.library), ("PICKMATE_CHAOS_CLOCK", &self.offset)]
    }
}
