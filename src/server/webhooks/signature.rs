use crate::server::store::SigningSecret;
use data_encoding::HEXLOWER;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The value of `X-PickMate-Signature` for a body that is sent at `seconds` (Unix): with the time in it, what was
/// overheard cannot be sent again later.
pub fn signature(secret: &SigningSecret, seconds: i64, body: &str) -> String {
    // A key of any length will do: this never fails.
    let digest = Hmac::<Sha256>::new_from_slice(secret.0.as_bytes()).map(|mac| {
        let mac = mac.chain_update(seconds.to_string()).chain_update(".").chain_update(body);
        HEXLOWER.encode(&mac.finalize().into_bytes())
    });
    format!("t={seconds},v1={}", digest.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Python's `hmac` has it.
    #[test]
    fn a_signature_is_an_hmac_of_time_and_body() {
        let secret = SigningSecret("pmwh_secret".into());
        let expected = "t=1763800000,v1=6121be595eed6d75f3a41c6e72339fe018364661fcc1cf4d06e4cd9ff92a37d2";
        assert_eq!(signature(&secret, 1_763_800_000, r#"{"room":"점심"}"#), expected);
        assert_ne!(signature(&secret, 1_763_800_001, r#"{"room":"점심"}"#)[13..], expected[13..]);
    }
}
