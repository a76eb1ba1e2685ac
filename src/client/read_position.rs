//! How far the reader has seen each room, and what of that the server has not been told. Pure.

use crate::domain::Seq;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadPositions {
    rooms: Vec<(String, Position)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Position {
    seen: Seq,
    told: Seq,
}

impl ReadPositions {
    /// The reader has seen everything up to `seq`. Never moves back. Whether it moved.
    pub fn see(&mut self, room: &str, seq: Seq) -> bool {
        if let Some((_, position)) = self.rooms.iter_mut().find(|(slug, _)| slug == room) {
            let moved = seq > position.seen;
            position.seen = position.seen.max(seq);
            return moved;
        }
        self.rooms.push((room.to_owned(), Position { seen: seq, told: Seq::ZERO }));
        seq > Seq::ZERO
    }

    pub fn seen(&self, room: &str) -> Seq {
        self.rooms.iter().find(|(slug, _)| slug == room).map_or(Seq::ZERO, |(_, position)| position.seen)
    }

    /// What the server should be told now; it counts as told.
    pub fn take_untold(&mut self) -> Vec<(String, Seq)> {
        let untold = self.rooms.iter_mut().filter(|(_, position)| position.told < position.seen);
        untold
            .map(|(room, position)| {
                position.told = position.seen;
                (room.clone(), position.seen)
            })
            .collect()
    }

    /// What was told last may not have arrived: all will be told again.
    pub fn connection_lost(&mut self) {
        self.rooms.iter_mut().for_each(|(_, position)| position.told = Seq::ZERO);
    }

    /// Positions of another history do not compare.
    pub fn forget(&mut self) {
        self.rooms.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_only_moves_forward_and_is_told_once() {
        let mut positions = ReadPositions::default();
        assert!(positions.see("general", Seq(5)));
        assert!(!positions.see("general", Seq(3)));
        assert_eq!(positions.take_untold(), [("general".to_owned(), Seq(5))]);
        assert_eq!(positions.take_untold(), []);
        assert!(positions.see("general", Seq(6)));
        assert_eq!(positions.seen("general"), Seq(6));
        assert_eq!(positions.take_untold(), [("general".to_owned(), Seq(6))]);
    }

    #[test]
    fn a_lost_connection_has_everything_told_again() {
        let mut positions = ReadPositions::default();
        positions.see("general", Seq(5));
        positions.take_untold();
        positions.connection_lost();
        assert_eq!(positions.take_untold(), [("general".to_owned(), Seq(5))]);
    }

    #[test]
    fn an_empty_room_has_nothing_to_tell() {
        let mut positions = ReadPositions::default();
        assert!(!positions.see("general", Seq::ZERO));
        assert_eq!(positions.take_untold(), []);
    }
}
