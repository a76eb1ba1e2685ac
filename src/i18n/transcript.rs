//! Words of exported rooms, which only the server writes.

use super::Locale;
use super::group::group;

group! {
    /// A room's conversation as files.
    TranscriptWords
    { contents, earlier, later, not_kept }
    { exported(&str, &str), clock(&str), part(u32), entries(u32) }
}

impl Locale {
    pub fn transcript(self) -> &'static TranscriptWords {
        match self {
            Locale::Ko => &KO,
            Locale::En => &EN,
        }
    }
}

static KO: TranscriptWords = TranscriptWords {
    contents: "차례",
    earlier: "이전",
    later: "다음",
    not_kept: "파일이 더는 없어요",
    exported: |by, when| format!("{by} 님이 {when}에 내보냈어요."),
    clock: |zone| format!("시간은 {zone} 기준이에요."),
    part: |number| format!("{number}쪽"),
    entries: |count| format!("{count}개"),
};

static EN: TranscriptWords = TranscriptWords {
    contents: "Contents",
    earlier: "Earlier",
    later: "Later",
    not_kept: "The file is no longer kept",
    exported: |by, when| format!("Exported by {by} on {when}."),
    clock: |zone| format!("Times are those of {zone}."),
    part: |number| format!("Page {number}"),
    entries: |count| if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") },
};
