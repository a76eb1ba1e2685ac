//! The cap on connections of one address.

use super::super::error::AppError;
use crate::protocol::ErrorCode;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// How many connections an address holds.
pub struct ConnectionCap {
    cap: usize,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection; leaves the count when dropped.
pub struct ConnectionPermit {
    ip: IpAddr,
    held: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl ConnectionCap {
    pub fn new(cap: usize) -> ConnectionCap {
        ConnectionCap { cap, held: Arc::default() }
    }

    pub fn enter(&self, ip: IpAddr) -> Result<ConnectionPermit, AppError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(ip).or_default();
        if *count >= self.cap {
            return Err(AppError::refused(ErrorCode::TooManyConnections));
        }
        *count += 1;
        Ok(ConnectionPermit { ip, held: Arc::clone(&self.held) })
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.ip);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_connection_makes_room() {
        let cap = ConnectionCap::new(1);
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let permit = cap.enter(one).unwrap();
        assert_eq!(cap.enter(one).err().unwrap().code(), ErrorCode::TooManyConnections);
        assert!(cap.enter(other).is_ok());
        drop(permit);
        assert!(cap.enter(one).is_ok());
        assert!(cap.held.lock().unwrap().is_empty());
    }
}
