//! Files of the built site, compressed when it was built.

use super::state::AppState;
use axum::Router;
use axum::http::{HeaderValue, header};
use leptos::config::LeptosOptions;
use std::path::Path;
use tower::ServiceBuilder;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// Names under `pkg` carry a hash of their content, so they never change.
const HASHED: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const NAMED: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// `/pkg/*`, and the files of `public/` under their own names.
pub fn router(options: &LeptosOptions) -> Router<AppState> {
    let root = Path::new(options.site_root.as_ref());
    let package = ServeDir::new(root.join(options.site_pkg_dir.as_ref())).precompressed_br().precompressed_gzip();
    let cached = |value: HeaderValue| SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, value);
    let lasting = if options.hash_files { HASHED } else { HeaderValue::from_static("no-cache") };
    let mut router = Router::new().nest_service(
        &format!("/{}", options.site_pkg_dir),
        ServiceBuilder::new().layer(cached(lasting)).service(package),
    );
    for name in PUBLIC_FILES {
        let file = tower_http::services::ServeFile::new(root.join(name));
        let service = ServiceBuilder::new().layer(cached(NAMED)).service(file);
        router = router.route_service(&format!("/{name}"), service);
    }
    router
}

/// What `public/` holds. A list, so that the route table knows every path.
const PUBLIC_FILES: [&str; 5] = ["favicon.ico", "favicon.svg", "icon-180.png", "manifest.webmanifest", "robots.txt"];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_public_file_is_served_and_every_served_file_is_there() {
        let there = std::fs::read_dir("public").unwrap();
        let there: BTreeSet<_> = there.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let served: BTreeSet<_> = PUBLIC_FILES.iter().map(|name| name.to_string()).collect();
        assert_eq!(there, served);
    }
}
