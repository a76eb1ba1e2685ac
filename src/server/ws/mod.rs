//! The live socket.
