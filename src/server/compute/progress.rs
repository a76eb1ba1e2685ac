use super::line::{Line, Step};
use std::io::Write;
use std::time::{Duration, Instant};

/// More often than this nobody looks, and the parent reads only so much.
const EVERY: Duration = Duration::from_millis(100);

/// Where a computation says how far it is.
pub struct Progress {
    output: Box<dyn Write>,
    told: Option<Instant>,
}

impl Progress {
    pub(super) fn new(output: impl Write + 'static) -> Progress {
        Progress { output: Box::new(output), told: None }
    }

    /// Cheap: of what is said within a tenth of a second only the first is passed on.
    pub fn tell(&mut self, current: u64, total: u64) {
        if self.told.is_some_and(|told| told.elapsed() < EVERY) {
            return;
        }
        self.told = Some(Instant::now());
        // Without the parent there is nobody to tell; its end is seen elsewhere.
        let _ = self.say(&Line::<()>::Progress(Step { current, total }));
    }

    pub(super) fn say<T: serde::Serialize>(&mut self, line: &Line<T>) -> std::io::Result<()> {
        serde_json::to_writer(&mut self.output, line)?;
        self.output.write_all(b"\n")?;
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_computation_that_never_stops_talking_is_heard_now_and_then() {
        let lines = Lines::default();
        let mut progress = Progress::new(lines.clone());
        for step in 1..=10_000 {
            progress.tell(step, 10_000);
        }
        let said = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(said.starts_with("{\"progress\":{\"current\":1,\"total\":10000}}\n"), "{said}");
        assert!(said.lines().count() < 1_000);
    }
}
