use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use std::borrow::Cow;

/// Arrays and objects inside each other. What the server sends is less than ten deep; the reader
/// and serde recurse, and a browser's stack is small.
const MAX_DEPTH: u32 = 32;

/// Not JSON, or not of the wanted type. Which of them matters to nobody: both come from the same
/// build, so it is a network that cut something off, or a server of another version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unreadable JSON")]
pub struct Unreadable;

/// The value that is `text` (RFC 8259), whole. Integers only: a number with a fraction or an
/// exponent is read over in a field that nobody asked for, and unreadable elsewhere. Unknown fields
/// are ignored.
pub fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, Unreadable> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let value = T::deserialize(&mut reader)?;
    match reader.peek() {
        Err(Unreadable) => Ok(value),
        Ok(_) => Err(Unreadable),
    }
}

pub(super) struct Reader<'de> {
    text: &'de str,
    /// In bytes; always between two characters.
    at: usize,
    depth: u32,
}

impl<'de> Reader<'de> {
    /// The next byte that means something, without taking it; an error at the end.
    pub(super) fn peek(&mut self) -> Result<u8, Unreadable> {
        let rest = &self.text.as_bytes()[self.at..];
        let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.at += blank;
        rest.get(blank).copied().ok_or(Unreadable)
    }

    fn take(&mut self, wanted: u8) -> Result<(), Unreadable> {
        if self.peek()? != wanted {
            return Err(Unreadable);
        }
        self.at += 1;
        Ok(())
    }

    /// What stands here up to the next punctuation: a number, `true`, `false` or `null`.
    pub(super) fn word(&mut self) -> Result<&'de str, Unreadable> {
        self.peek()?;
        let rest = &self.text[self.at..];
        let end = rest.find([',', ']', '}', ' ', '\t', '\n', '\r']).unwrap_or(rest.len());
        self.at += end;
        Ok(&rest[..end])
    }

    /// A word that is an integer by its look: no sign but a minus, no zero in front.
    pub(super) fn integer(&mut self) -> Result<&'de str, Unreadable> {
        let word = self.word()?;
        match word.strip_prefix('-').unwrap_or(word).as_bytes() {
            [b'0'] | [b'1'..=b'9', ..] => Ok(word),
            _ => Err(Unreadable),
        }
    }

    pub(super) fn null(&mut self) -> Result<(), Unreadable> {
        if self.word()? == "null" { Ok(()) } else { Err(Unreadable) }
    }

    pub(super) fn string(&mut self) -> Result<Cow<'de, str>, Unreadable> {
        self.take(b'"')?;
        let mut text = Cow::Borrowed("");
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\').ok_or(Unreadable)?;
            text += &rest[..plain];
            self.at += plain + 1;
            match rest.as_bytes()[plain] {
                b'"' => return Ok(text),
                b'\\' => text.to_mut().push(self.escaped()?),
                _ => return Err(Unreadable),
            }
        }
    }

    /// The character behind a backslash.
    fn escaped(&mut self) -> Result<char, Unreadable> {
        let kind = *self.text.as_bytes().get(self.at).ok_or(Unreadable)?;
        self.at += 1;
        Ok(match kind {
            b'"' | b'\\' | b'/' => kind.into(),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.code_point()?,
            _ => return Err(Unreadable),
        })
    }

    /// Four hexadecimal digits, or twice four for a character beyond the basic plane.
    fn code_point(&mut self) -> Result<char, Unreadable> {
        let first = self.code_unit()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or(Unreadable);
        }
        if !self.text[self.at..].starts_with("\\u") {
            return Err(Unreadable);
        }
        self.at += 2;
        match self.code_unit()? {
            second @ 0xdc00..0xe000 => {
                char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)).ok_or(Unreadable)
            }
            _ => Err(Unreadable),
        }
    }

    fn code_unit(&mut self) -> Result<u32, Unreadable> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(Unreadable)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Unreadable);
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| Unreadable)
    }

    /// Takes the bracket that opens an array or object.
    pub(super) fn enter(&mut self, open: u8) -> Result<(), Unreadable> {
        self.take(open)?;
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(Unreadable) } else { Ok(()) }
    }

    pub(super) fn leave(&mut self, close: u8) -> Result<(), Unreadable> {
        self.depth -= 1;
        self.take(close)
    }

    pub(super) fn skip(&mut self) -> Result<(), Unreadable> {
        match self.peek()? {
            b'"' => self.string().map(drop),
            b'[' => {
                self.enter(b'[')?;
                let mut items = Items::new(self, b']');
                while items.next()? {
                    items.reader.skip()?;
                }
                self.leave(b']')
            }
            b'{' => {
                self.enter(b'{')?;
                let mut items = Items::new(self, b'}');
                while items.next()? {
                    items.reader.string()?;
                    items.reader.take(b':')?;
                    items.reader.skip()?;
                }
                self.leave(b'}')
            }
            _ => match self.word()? {
                "true" | "false" | "null" => Ok(()),
                word if is_number(word) => Ok(()),
                _ => Err(Unreadable),
            },
        }
    }
}

/// RFC 8259 §6.
fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parted = |text, at: &[char]| str::split_once(text, at).map_or((text, None), |(text, rest)| (text, Some(rest)));
    let (rest, exponent) = parted(word, &['e', 'E']);
    let (rest, fraction) = parted(rest, &['.']);
    let whole = rest.strip_prefix('-').unwrap_or(rest);
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

/// What an array or object holds, one after the other.
pub(super) struct Items<'a, 'de> {
    reader: &'a mut Reader<'de>,
    close: u8,
    first: bool,
}

impl<'a, 'de> Items<'a, 'de> {
    pub(super) fn new(reader: &'a mut Reader<'de>, close: u8) -> Items<'a, 'de> {
        Items { reader, close, first: true }
    }

    /// Whether there is one more; stops before it, or before the closing bracket.
    pub(super) fn next(&mut self) -> Result<bool, Unreadable> {
        if self.reader.peek()? == self.close {
            return Ok(false);
        }
        if !self.first {
            self.reader.take(b',')?;
            if self.reader.peek()? == self.close {
                return Err(Unreadable);
            }
        }
        self.first = false;
        Ok(true)
    }
}

impl<'de> de::SeqAccess<'de> for Items<'_, 'de> {
    type Error = Unreadable;

    fn next_element_seed<T: de::DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unreadable> {
        if self.next()? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
}

impl<'de> de::MapAccess<'de> for Items<'_, 'de> {
    type Error = Unreadable;

    fn next_key_seed<K: de::DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Unreadable> {
        if self.next()? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }

    fn next_value_seed<V: de::DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unreadable> {
        self.reader.take(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

/// `"variant"`, or `{"variant": value}`.
pub(super) struct Variant<'a, 'de>(pub(super) &'a mut Reader<'de>);

impl<'de> de::EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Unreadable;
    type Variant = Self;

    fn variant_seed<V: de::DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Unreadable> {
        Ok((seed.deserialize(&mut *self.0)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Unreadable;

    fn unit_variant(self) -> Result<(), Unreadable> {
        Ok(())
    }

    fn newtype_variant_seed<T: de::DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Unreadable> {
        self.0.take(b':')?;
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unreadable> {
        self.0.take(b':')?;
        self.0.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Unreadable> {
        self.0.take(b':')?;
        self.0.deserialize_map(visitor)
    }
}
