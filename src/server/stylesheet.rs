//! Where the stylesheet is: plain pages are rendered without Leptos' `HashedStylesheet`.

use leptos::config::LeptosOptions;

/// The address of the stylesheet, with its hash where cargo-leptos has written one beside the
/// binary (`hash-files`).
pub async fn stylesheet_href(options: &LeptosOptions) -> String {
    let hash = if options.hash_files { hash(options).await } else { None };
    let hash = hash.map(|hash| format!(".{hash}")).unwrap_or_default();
    format!("/{}/{}{hash}.css", options.site_pkg_dir, options.output_name)
}

/// A missing file means that nothing was hashed, as when the server runs without cargo-leptos.
async fn hash(options: &LeptosOptions) -> Option<String> {
    let beside = std::env::current_exe().ok()?.parent()?.join(options.hash_file.as_ref());
    css_hash(&tokio::fs::read_to_string(beside).await.ok()?)
}

/// From lines of `kind: hash`.
fn css_hash(hashes: &str) -> Option<String> {
    let mut pairs = hashes.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(kind, _)| kind.trim() == "css").map(|(_, hash)| hash.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_the_stylesheet_is_found() {
        assert_eq!(css_hash("js: aBc\nwasm: dEf\ncss: 1_-2\n").as_deref(), Some("1_-2"));
        assert_eq!(css_hash("js: aBc"), None);
    }

    #[tokio::test]
    async fn without_hashed_files_the_name_is_plain() {
        let options = LeptosOptions::builder().output_name("pickmate").site_pkg_dir("pkg").build();
        assert_eq!(stylesheet_href(&options).await, "/pkg/pickmate.css");
    }
}
