/// Why the server closes a live socket, and whether the client should come back (RFC 6455 §7.4;
/// 4000–4999 are ours). One table for server, browser and `docs/protocol.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseCode {
    /// 1000: the client left, or the server has nothing more to say.
    Normal,
    /// 1007: a text frame was not JSON.
    NotJson,
    /// 1009: a frame over `limits.frame_bytes`.
    FrameTooLarge,
    /// 1011: the server failed; the log is safe.
    Internal,
    /// 1012: this node is going down for a restart.
    Restarting,
    /// 1003: a binary frame; the protocol has none.
    Binary,
    /// 4401: no valid session, or it ended (sign-out, reset).
    Unauthenticated,
    /// 4408: nothing heard for too long.
    Silent,
    /// 4409: the peer does not read what it is sent.
    Stalled,
    /// 4429: too many connections of this user or address, or opened too fast.
    TooManyConnections,
}

impl CloseCode {
    pub const ALL: [CloseCode; 10] = [
        CloseCode::Normal,
        CloseCode::NotJson,
        CloseCode::FrameTooLarge,
        CloseCode::Internal,
        CloseCode::Restarting,
        CloseCode::Binary,
        CloseCode::Unauthenticated,
        CloseCode::Silent,
        CloseCode::Stalled,
        CloseCode::TooManyConnections,
    ];

    pub fn code(self) -> u16 {
        match self {
            CloseCode::Normal => 1000,
            CloseCode::Binary => 1003,
            CloseCode::NotJson => 1007,
            CloseCode::FrameTooLarge => 1009,
            CloseCode::Internal => 1011,
            CloseCode::Restarting => 1012,
            CloseCode::Unauthenticated => 4401,
            CloseCode::Silent => 4408,
            CloseCode::Stalled => 4409,
            CloseCode::TooManyConnections => 4429,
        }
    }

    /// Codes that are not in the table (1006 above all: the network went) mean: come back.
    pub fn reconnect(code: u16) -> bool {
        !Self::ALL.iter().any(|known| known.code() == code && !known.comes_back())
    }

    fn comes_back(self) -> bool {
        match self {
            // A client that sent such a frame would send it again.
            CloseCode::NotJson | CloseCode::Binary | CloseCode::FrameTooLarge => false,
            CloseCode::Unauthenticated => false,
            CloseCode::Normal
            | CloseCode::Internal
            | CloseCode::Restarting
            | CloseCode::Silent
            | CloseCode::Stalled
            | CloseCode::TooManyConnections => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_session_stays_away_and_a_lost_network_comes_back() {
        assert!(!CloseCode::reconnect(4401));
        assert!(CloseCode::reconnect(1006));
        assert!(CloseCode::reconnect(1012));
    }
}
