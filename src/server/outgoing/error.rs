/// Why a request was not made, or has no answer. `Display` names no address: it may be shown to members.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingError {
    #[error("this is no web address")]
    BadUrl,
    #[error("only http and https addresses are asked")]
    BadScheme,
    #[error("the address has a user name or a password in it")]
    UserInfo,
    #[error("the number of a host is written in an unusual way")]
    OddAddress,
    #[error("the port is not one of the web")]
    PortRefused,
    #[error("the host is in a private or reserved network")]
    AddressRefused,
    #[error("the host's name cannot be looked up")]
    Unresolved,
    #[error("the host cannot be reached")]
    Unreachable,
    #[error("the host's encryption cannot be trusted")]
    Tls,
    #[error("the host took too long")]
    Timeout,
    #[error("too many redirects")]
    TooManyRedirects,
    #[error("a redirect that leads nowhere")]
    BadRedirect,
    #[error("a redirect from https to http")]
    Downgrade,
    #[error("the host's answer is broken")]
    BadAnswer,
}

impl OutgoingError {
    /// Stable: it is stored, and shown by programs.
    pub fn code(self) -> &'static str {
        match self {
            OutgoingError::BadUrl => "bad_url",
            OutgoingError::BadScheme => "bad_scheme",
            OutgoingError::UserInfo => "user_info",
            OutgoingError::OddAddress => "odd_address",
            OutgoingError::PortRefused => "port_refused",
            OutgoingError::AddressRefused => "address_refused",
            OutgoingError::Unresolved => "unresolved",
            OutgoingError::Unreachable => "unreachable",
            OutgoingError::Tls => "tls",
            OutgoingError::Timeout => "timeout",
            OutgoingError::TooManyRedirects => "too_many_redirects",
            OutgoingError::BadRedirect => "bad_redirect",
            OutgoingError::Downgrade => "downgrade",
            OutgoingError::BadAnswer => "bad_answer",
        }
    }

    /// Whether the same request may succeed later. What the rules refuse they refuse again.
    pub fn passes(self) -> bool {
        use OutgoingError::{BadAnswer, Timeout, Tls, Unreachable, Unresolved};
        matches!(self, Unresolved | Unreachable | Tls | Timeout | BadAnswer)
    }
}
