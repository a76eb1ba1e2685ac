use percent_encoding::percent_decode_str;
use reqwest::Url;
use rusty_s3::{Bucket, Credentials, UrlStyle};
use std::fmt;

/// Where none is named: what stores that have no regions answer to.
const REGION: &str = "us-east-1";

/// A store that speaks S3, and how to come in: `s3+https://KEY:SECRET@HOST/BUCKET?region=REGION`, or `s3+http://…`
/// on a network of one's own. A `/` in the secret and the like is percent-encoded. Printing it leaves the
/// credentials out.
#[derive(Clone)]
pub struct Address {
    pub(super) bucket: Bucket,
    pub(super) credentials: Credentials,
    shown: String,
}

impl Address {
    /// `None`: it is no address of this kind.
    pub fn parse(text: &str) -> Option<Address> {
        let mut url = Url::parse(text.strip_prefix("s3+")?).ok()?;
        let decoded = |part: &str| percent_decode_str(part).decode_utf8().ok().map(|part| part.into_owned());
        let credentials = Credentials::new(decoded(url.username())?, decoded(url.password()?)?);
        let name = url.path().strip_prefix('/').filter(|name| !name.is_empty() && !name.contains('/'))?.to_owned();
        let region = url.query_pairs().find(|(name, _)| name == "region").map(|(_, region)| region.into_owned());
        if credentials.key().is_empty() || !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        url.set_query(None);
        url.set_path("");
        let shown = format!("s3+{url}{name}");
        let bucket = Bucket::new(url, UrlStyle::Path, name, region.unwrap_or_else(|| REGION.to_owned())).ok()?;
        Some(Address { bucket, credentials, shown })
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Address) -> bool {
        let region = self.bucket.region() == other.bucket.region();
        self.shown == other.shown && region && self.credentials == other.credentials
    }
}

impl Eq for Address {}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_everything_and_shows_no_secret() {
        let address = Address::parse("s3+https://key:se%2Fcret@s3.example.org:9000/chat?region=eu-west-1").unwrap();
        assert_eq!((address.bucket.name(), address.bucket.region()), ("chat", "eu-west-1"));
        assert_eq!((address.credentials.key(), address.credentials.secret()), ("key", "se/cret"));
        assert_eq!(address.bucket.object_url("a").unwrap().as_str(), "https://s3.example.org:9000/chat/a");
        for shown in [address.to_string(), format!("{address:?}")] {
            assert!(shown.contains("s3+https://s3.example.org:9000/chat") && !shown.contains("cret"), "{shown}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let wrong = [
            "",
            "https://key:secret@host/chat",
            "s3+https://host/chat",
            "s3+https://key@host/chat",
            "s3+https://:secret@host/chat",
            "s3+https://key:secret@host",
            "s3+https://key:secret@host/chat/deeper",
            "s3+ftp://key:secret@host/chat",
        ];
        for text in wrong {
            assert!(Address::parse(text).is_none(), "{text}");
        }
    }
}
