//! Files of the built site.

use pickmate::server::config::Config;
use pickmate::server::node::{Duty, Node};
use reqwest::{Response, StatusCode};
use tempfile::TempDir;

/// A node with a site of its own, whose script is there as it is and compressed.
async fn node(folder: &TempDir, hash_files: bool) -> Node {
    let package = folder.path().join("site/pkg");
    std::fs::create_dir_all(&package).unwrap();
    std::fs::write(package.join("pickmate.h4sh.js"), "plain").unwrap();
    std::fs::write(package.join("pickmate.h4sh.js.br"), "brotli").unwrap();
    let options = leptos::config::LeptosOptions::builder()
        .output_name("pickmate")
        .site_root(folder.path().join("site").to_str().unwrap())
        .hash_files(hash_files)
        .build();
    let listen = "127.0.0.1:0".parse().unwrap();
    Node::start(Config { listen, data: folder.path().join("data"), ..Config::default() }, options, Duty::Serve)
        .await
        .unwrap()
}

async fn get(node: &Node, path: &str, accepted: &str) -> Response {
    let request = reqwest::Client::builder().no_gzip().build().unwrap().get(format!("http://{}{path}", node.addr()));
    request.header("accept-encoding", accepted).send().await.unwrap()
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_hashed_file_is_kept_for_ever_and_comes_compressed() {
    let folder = TempDir::new().unwrap();
    let node = node(&folder, true).await;
    let response = get(&node, "/pkg/pickmate.h4sh.js", "br, gzip").await;
    assert_eq!(header(&response, "cache-control").as_deref(), Some("public, max-age=31536000, immutable"));
    assert_eq!(header(&response, "content-encoding").as_deref(), Some("br"));
    assert_eq!(header(&response, "content-type").as_deref(), Some("text/javascript"));
    assert_eq!(response.bytes().await.unwrap(), "brotli");
    let plain = get(&node, "/pkg/pickmate.h4sh.js", "identity").await;
    assert_eq!(
        (header(&plain, "vary").as_deref(), plain.text().await.unwrap().as_str()),
        (Some("accept-encoding"), "plain")
    );
}

#[tokio::test]
async fn a_file_without_a_hash_is_asked_for_again() {
    let folder = TempDir::new().unwrap();
    let node = node(&folder, false).await;
    let response = get(&node, "/pkg/pickmate.h4sh.js", "identity").await;
    assert_eq!(header(&response, "cache-control").as_deref(), Some("no-cache"));
}

#[tokio::test]
async fn what_is_missing_is_not_kept_and_nothing_else_is_served() {
    let folder = TempDir::new().unwrap();
    let node = node(&folder, true).await;
    for path in
        ["/pkg/other.js", "/pkg/../../data/pickmate.sqlite3", "/pkg/%2e%2e/%2e%2e/data/pickmate.sqlite3", "/pkg/"]
    {
        let response = get(&node, path, "identity").await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        let kept = header(&response, "cache-control").is_some_and(|lifetime| lifetime.contains("max-age"));
        assert!(!kept, "{path}");
    }
}
