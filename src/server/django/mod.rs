//! The study note.
