//! In-process channel layer.
pub struct MemoryLayer;
