//! Files of the built site, compressed when it was built.

use super::state::AppState;
use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::Response;
use leptos::config::LeptosOptions;
use std::path::Path;
use tower_http::services::{ServeDir, ServeFile};

/// Names under `pkg` carry a hash of their content, so they never change.
const HASHED: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Without a hash the browser has to ask.
const UNHASHED: HeaderValue = HeaderValue::from_static("no-cache");
const NAMED: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// `/pkg/*`, and the files of `public/` under their own names.
pub fn router(options: &LeptosOptions) -> Router<AppState> {
    let root = Path::new(options.site_root.as_ref());
    let package = ServeDir::new(root.join(options.site_pkg_dir.as_ref())).append_index_html_on_directories(false);
    let package = Router::new()
        .nest_service(&format!("/{}", options.site_pkg_dir), package.precompressed_br().precompressed_gzip())
        .layer(map_response(cached_for(if options.hash_files { HASHED } else { UNHASHED })));
    let mut named = Router::new();
    for name in PUBLIC_FILES {
        named = named.route_service(&format!("/{name}"), ServeFile::new(root.join(name)));
    }
    package.merge(named.layer(map_response(cached_for(NAMED))))
}

/// A file that is not there now may be there after the next deploy, so only what was found is kept.
fn cached_for(lifetime: HeaderValue) -> impl Fn(Response) -> std::future::Ready<Response> + Clone {
    move |mut response| {
        if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
            let headers = response.headers_mut();
            headers.insert(header::CACHE_CONTROL, lifetime.clone());
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        std::future::ready(response)
    }
}

/// What `public/` holds. A list, so that the route table knows every path.
const PUBLIC_FILES: [&str; 6] =
    ["favicon.ico", "favicon.svg", "icon-180.png", "icon-512.png", "robots.txt", "site.webmanifest"];

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
