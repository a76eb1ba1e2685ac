use sqlx::postgres::PgConnectOptions;
use std::fmt;
use std::str::FromStr;

/// Where a Postgres database is and how to come in: `postgres://user:password@host:port/database`, with
/// `?sslmode=verify-full` and the like. It shows itself without what is secret in it.
#[derive(Clone)]
pub struct Address {
    text: String,
    options: PgConnectOptions,
}

impl Address {
    /// `None`: it is no address of this kind.
    pub fn parse(text: &str) -> Option<Address> {
        let scheme = text.starts_with("postgres://") || text.starts_with("postgresql://");
        let options = PgConnectOptions::from_str(text).ok().filter(|_| scheme)?;
        Some(Address { text: text.to_owned(), options })
    }

    pub(super) fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// What may be shown of a text that is or was meant to be an address: no password, and nothing after
    /// a question mark, where one may stand too.
    pub fn shown(text: &str) -> String {
        let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
        let separator = if scheme.is_empty() { "" } else { "://" };
        match rest.rsplit_once('@') {
            None => format!("{scheme}{separator}{}", before_question(rest)),
            Some((account, place)) => {
                // Whether the question mark is in a password or before one cannot be told.
                let place = if account.contains('?') { "***" } else { before_question(place) };
                let (user, secret) = account.split_once(':').map_or((account, ""), |(user, _)| (user, ":***"));
                format!("{scheme}{separator}{user}{secret}@{place}")
            }
        }
    }
}

fn before_question(text: &str) -> &str {
    text.split('?').next().unwrap_or_default()
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Address::shown(&self.text))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Address) -> bool {
        self.text == other.text
    }
}

impl Eq for Address {}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn an_address_shows_no_secret() {
        for (text, shown) in [
            ("postgres://mina:se:cr@et@db:5433/chat?sslmode=require&password=x", "postgres://mina:***@db:5433/chat"),
            ("postgres://mina:se?cret@db/chat", "postgres://mina:***@***"),
            ("postgres://mina:secret@db/chat?password=x@y", "postgres://mina:***@***"),
            ("postgres://db/chat?password=x", "postgres://db/chat"),
            ("postgres://mina@db/chat", "postgres://mina@db/chat"),
            ("postgresql://db/chat", "postgresql://db/chat"),
            ("mina:secret@db", "mina:***@db"),
            ("postgres:/mina:secret@db", "postgres:***@db"),
        ] {
            assert_eq!(Address::shown(text), shown);
        }
        let address = Address::parse("postgres://mina:secret@db/chat?password=other").unwrap();
        let said = format!("{address} {address:?}");
        assert!(!said.contains("secret") && !said.contains("other") && said.contains("mina:***@db/chat"), "{said}");
    }

    #[test]
    fn other_addresses_are_refused() {
        for text in ["", "chat", "mysql://db/chat", "postgres", "postgres://db:port/chat"] {
            assert!(Address::parse(text).is_none(), "{text}");
        }
    }
}
