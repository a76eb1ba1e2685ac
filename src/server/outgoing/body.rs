//! Reading a body: so many bytes of what it says, however it is sent.

use super::OutgoingError;
use axum::body::Body;
use flate2::write::GzDecoder;
use futures_util::TryStreamExt;
use std::io::{self, Write};

/// How a body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Plain,
    Gzip,
}

impl Coding {
    /// Of the header `Content-Encoding`. Nothing else was asked for.
    pub fn parse(header: Option<&str>) -> Result<Coding, OutgoingError> {
        match header.map(|value| value.trim().to_ascii_lowercase()).as_deref() {
            None | Some("" | "identity") => Ok(Coding::Plain),
            Some("gzip" | "x-gzip") => Ok(Coding::Gzip),
            Some(_) => Err(OutgoingError::BadAnswer),
        }
    }
}

/// Bytes around compressed ones: what does not shrink grows by five bytes in some ten thousand, beside a head and an end.
const PACKING_BYTES: usize = 4_096;

/// The first bytes of a body, and whether there were more. What comes after them is not read, nor inflated; and of
/// bytes that say nothing, as a compressed body may have without end, no more are read than of those that do.
pub(super) async fn read(body: Body, coding: Coding, max_bytes: usize) -> Result<(Vec<u8>, bool), OutgoingError> {
    let mut chunks = body.into_data_stream();
    let mut sink = Sink::new(coding, max_bytes);
    let mut left = max_bytes.saturating_add(max_bytes / 1_024).saturating_add(PACKING_BYTES);
    while let Some(chunk) = chunks.try_next().await.map_err(|_| OutgoingError::BadAnswer)? {
        let taken = &chunk[..chunk.len().min(left)];
        left -= taken.len();
        if sink.take(taken)? == Taken::Full || taken.len() < chunk.len() {
            return Ok((sink.into_bytes(), true));
        }
    }
    sink.end()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    All,
    Full,
}

/// Takes a body as it is sent, and keeps what it says.
enum Sink {
    Plain(Bounded),
    Gzip(Box<GzDecoder<Bounded>>),
}

impl Sink {
    fn new(coding: Coding, max_bytes: usize) -> Sink {
        let bounded = Bounded { bytes: Vec::new(), max_bytes, full: false };
        match coding {
            Coding::Plain => Sink::Plain(bounded),
            Coding::Gzip => Sink::Gzip(Box::new(GzDecoder::new(bounded))),
        }
    }

    fn take(&mut self, chunk: &[u8]) -> Result<Taken, OutgoingError> {
        let (written, full) = match self {
            Sink::Plain(bounded) => (bounded.write_all(chunk), bounded.full),
            Sink::Gzip(decoder) => (decoder.write_all(chunk), decoder.get_ref().full),
        };
        match (written, full) {
            (_, true) => Ok(Taken::Full),
            (Ok(()), false) => Ok(Taken::All),
            (Err(_), false) => Err(OutgoingError::BadAnswer),
        }
    }

    /// What was kept, when no more comes. What is compressed must be whole.
    fn end(self) -> Result<(Vec<u8>, bool), OutgoingError> {
        let bounded = match self {
            Sink::Plain(bounded) => bounded,
            Sink::Gzip(mut decoder) => {
                let ended = decoder.try_finish();
                let full = decoder.get_ref().full;
                if ended.is_err() && !full {
                    return Err(OutgoingError::BadAnswer);
                }
                std::mem::take(decoder.get_mut())
            }
        };
        Ok((bounded.bytes, bounded.full))
    }

    fn into_bytes(self) -> Vec<u8> {
        match self {
            Sink::Plain(bounded) => bounded.bytes,
            Sink::Gzip(mut decoder) => std::mem::take(decoder.get_mut()).bytes,
        }
    }
}

/// Keeps the first bytes, and fails when there are more: an inflater stops then.
#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    max_bytes: usize,
    full: bool,
}

impl Write for Bounded {
    fn write(&mut self, chunk: &[u8]) -> io::Result<usize> {
        let room = self.max_bytes - self.bytes.len();
        if !chunk.is_empty() && room == 0 {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let taken = chunk.len().min(room);
        self.bytes.extend_from_slice(&chunk[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    async fn read_all(bytes: Vec<u8>, coding: Coding, max_bytes: usize) -> Result<(Vec<u8>, bool), OutgoingError> {
        read(Body::from(bytes), coding, max_bytes).await
    }

    #[tokio::test]
    async fn a_body_that_fits_is_whole_and_a_byte_more_is_cut() {
        for coding in [Coding::Plain, Coding::Gzip] {
            let sent = |bytes: &[u8]| if coding == Coding::Gzip { gzip(bytes) } else { bytes.to_vec() };
            let fits = vec![b'a'; 1_000];
            assert_eq!(read_all(sent(&fits), coding, 1_000).await, Ok((fits.clone(), false)), "{coding:?}");
            assert_eq!(
                read_all(sent(&[&fits[..], b"b"].concat()), coding, 1_000).await,
                Ok((fits, true)),
                "{coding:?}"
            );
            assert_eq!(read_all(sent(b""), coding, 1_000).await, Ok((Vec::new(), false)), "{coding:?}");
        }
    }

    #[tokio::test]
    async fn a_bomb_is_inflated_as_far_as_it_is_read() {
        let bomb = gzip(&vec![0; 64 * 1_024 * 1_024]);
        assert!(bomb.len() < 100_000, "{}", bomb.len());
        let (bytes, cut) = read_all(bomb, Coding::Gzip, 10_000).await.unwrap();
        assert_eq!((bytes.len(), bytes.capacity() < 64 * 1_024, cut), (10_000, true, true));
    }

    #[tokio::test]
    async fn what_does_not_shrink_is_read_whole_all_the_same() {
        let noise: Vec<u8> = (0..100_000).map(|_| rand::random()).collect();
        let sent = gzip(&noise);
        assert!(sent.len() > noise.len());
        assert_eq!(read_all(sent, Coding::Gzip, noise.len()).await, Ok((noise, false)));
    }

    #[tokio::test]
    async fn bytes_that_say_nothing_are_not_read_without_end() {
        // A name of a file, and after some text blocks without content.
        let head = [0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 255];
        let empty_block = [0, 0, 0, 0xff, 0xff];
        let text = [&[0, 4, 0, 0xfb, 0xff][..], b"text"].concat();
        let plain_head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        for (name, beginning, filler, expected) in [
            ("a name", head.to_vec(), b"aaaaa".to_vec(), &b""[..]),
            ("blocks", [&plain_head[..], &text].concat(), empty_block.to_vec(), b"text"),
        ] {
            let sent = std::sync::atomic::AtomicUsize::new(0);
            let sent = std::sync::Arc::new(sent);
            let count = std::sync::Arc::clone(&sent);
            let first = futures_util::stream::iter([Ok::<_, std::io::Error>(beginning)]);
            let rest = futures_util::stream::repeat_with(move || {
                let chunk = filler.repeat(200);
                let so_far = count.fetch_add(chunk.len(), std::sync::atomic::Ordering::Relaxed);
                assert!(so_far < 1_000_000, "it is read for ever");
                Ok(chunk)
            });
            let body = Body::from_stream(futures_util::StreamExt::chain(first, rest));
            assert_eq!(read(body, Coding::Gzip, 10_000).await, Ok((expected.to_vec(), true)), "{name}");
            let sent = sent.load(std::sync::atomic::Ordering::Relaxed);
            assert!(sent < 20_000, "{name}: {sent}");
        }
    }

    #[tokio::test]
    async fn what_is_no_gzip_or_ends_early_is_broken() {
        let whole = gzip(b"some text that is long enough to be cut");
        for sent in [b"not gzip at all".to_vec(), whole[..whole.len() - 9].to_vec(), whole[..5].to_vec()] {
            assert_eq!(read_all(sent, Coding::Gzip, 1_000).await, Err(OutgoingError::BadAnswer));
        }
    }

    #[test]
    fn no_other_coding_is_taken() {
        assert_eq!(Coding::parse(Some(" GZip ")), Ok(Coding::Gzip));
        for other in ["br", "deflate", "gzip, gzip", "zstd"] {
            assert_eq!(Coding::parse(Some(other)), Err(OutgoingError::BadAnswer), "{other}");
        }
    }
}
