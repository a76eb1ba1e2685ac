//! How far the tasks are whose cards a room shows: what was told last of each. Pure.

use crate::domain::{Progress, TaskId};
use crate::protocol::TaskProgress;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgressBoard(Vec<TaskProgress>);

impl ProgressBoard {
    pub fn note(&mut self, told: impl IntoIterator<Item = TaskProgress>) {
        for told in told {
            self.forget(&told.task);
            self.0.push(told);
        }
    }

    /// What the run before said is nothing about another one.
    pub fn forget(&mut self, task: &TaskId) {
        self.0.retain(|known| known.task != *task);
    }

    pub fn of(&self, task: &TaskId) -> Option<&Progress> {
        self.0.iter().find(|known| known.task == *task).map(|known| &known.progress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(task: &str, current: u64) -> TaskProgress {
        let progress = Progress { current, total: Some(5), message: None };
        TaskProgress { task: TaskId::parse(task).unwrap(), progress }
    }

    #[test]
    fn what_was_told_last_counts() {
        let mut board = ProgressBoard::default();
        board.note([told("a", 1), told("b", 1)]);
        board.note([told("a", 2)]);
        let current = |board: &ProgressBoard, task| board.of(&TaskId::parse(task).unwrap()).map(|told| told.current);
        assert_eq!((current(&board, "a"), current(&board, "b")), (Some(2), Some(1)));
        board.forget(&TaskId::parse("a").unwrap());
        assert_eq!((current(&board, "a"), current(&board, "b")), (None, Some(1)));
    }
}
