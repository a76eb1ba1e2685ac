//! Who is present and who is typing in the rooms that this connection follows. Pure: the caller brings
//! the time.

use crate::protocol::Author;

#[derive(Debug, Default)]
pub struct Company {
    rooms: Vec<Room>,
}

#[derive(Debug, Default)]
struct Room {
    slug: String,
    /// By id, as far as they are named.
    present: Vec<i64>,
    /// How many are present; `None` while that is not known.
    count: Option<u32>,
    /// Each with the Unix milliseconds until which it is shown, the last who began at the end.
    typing: Vec<(Author, i64)>,
}

/// What a `presence` frame says.
#[derive(Debug, Default)]
pub struct Presence {
    pub present: Option<Vec<Author>>,
    pub came: Vec<Author>,
    pub left: Vec<Author>,
    pub count: Option<u32>,
}

impl Company {
    pub fn changed(&mut self, slug: &str, Presence { present, came, left, count }: Presence) {
        let room = self.room(slug);
        if present.is_some() || count.is_some() {
            room.present.clear();
        }
        let came = present.into_iter().flatten().chain(came);
        room.present.extend(came.map(|author| author.id));
        room.present.retain(|id| left.iter().all(|author| author.id != *id));
        room.count = Some(count.unwrap_or(room.present.len() as u32));
    }

    pub fn types(&mut self, slug: &str, user: Author, until: i64) {
        let typing = &mut self.room(slug).typing;
        match typing.iter_mut().find(|(other, _)| other.id == user.id) {
            Some((_, shown)) => *shown = until,
            None => typing.push((user, until)),
        }
    }

    /// Those who have not gone on typing are not shown any more, nor is whoever `wrote` has. Whether anybody is not.
    pub fn let_go(&mut self, now: i64, wrote: impl Fn(&str, i64) -> bool) -> bool {
        let mut gone = false;
        for Room { slug, typing, .. } in &mut self.rooms {
            let before = typing.len();
            typing.retain(|(user, until)| *until > now && !wrote(slug, user.id));
            gone |= typing.len() < before;
        }
        gone
    }

    pub fn count(&self, slug: &str) -> Option<u32> {
        self.find(slug)?.count
    }

    pub fn is_present(&self, slug: &str, user: i64) -> bool {
        self.find(slug).is_some_and(|room| room.present.contains(&user))
    }

    /// The names of those who are typing.
    pub fn typing(&self, slug: &str) -> Vec<&str> {
        let typing = self.find(slug).into_iter().flat_map(|room| &room.typing);
        typing.map(|(user, _)| user.name.as_str()).collect()
    }

    fn find(&self, slug: &str) -> Option<&Room> {
        self.rooms.iter().find(|room| room.slug == slug)
    }

    fn room(&mut self, slug: &str) -> &mut Room {
        let at = self.rooms.iter().position(|room| room.slug == slug).unwrap_or_else(|| {
            self.rooms.push(Room { slug: slug.to_owned(), ..Room::default() });
            self.rooms.len() - 1
        });
        &mut self.rooms[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authors(ids: &[i64]) -> Vec<Author> {
        ids.iter().map(|id| Author { id: *id, name: format!("u{id}") }).collect()
    }

    fn whole(ids: &[i64]) -> Presence {
        Presence { present: Some(authors(ids)), ..Presence::default() }
    }

    #[test]
    fn people_come_and_go_and_are_only_counted_when_they_are_many() {
        let mut company = Company::default();
        assert_eq!(company.count("a"), None);
        company.changed("a", whole(&[1, 2]));
        company.changed("b", whole(&[]));
        company.changed("a", Presence { came: authors(&[3]), left: authors(&[1]), ..Presence::default() });
        let here = |company: &Company| [1, 2, 3].map(|user| company.is_present("a", user));
        assert_eq!((company.count("a"), company.count("b"), here(&company)), (Some(2), Some(0), [false, true, true]));
        company.changed("a", Presence { count: Some(101), ..Presence::default() });
        assert_eq!((company.count("a"), here(&company)), (Some(101), [false; 3]));
        company.changed("a", whole(&[1]));
        assert_eq!((company.count("a"), here(&company)), (Some(1), [true, false, false]));
    }

    #[test]
    fn typing_is_shown_until_its_time_or_until_something_was_written() {
        let [one, other] = [1, 2].map(|id| Author { id, name: format!("u{id}") });
        let mut company = Company::default();
        company.types("a", one.clone(), 10);
        company.types("a", other.clone(), 10);
        company.types("a", one, 20);
        company.types("b", other, 30);
        assert_eq!(company.typing("a"), ["u1", "u2"]);
        assert!(company.let_go(10, |_, _| false) && !company.let_go(10, |_, _| false));
        assert_eq!((company.typing("a"), company.typing("b")), (vec!["u1"], vec!["u2"]));
        assert!(company.let_go(10, |slug, user| slug == "a" && user == 1));
        assert_eq!((company.typing("a"), company.typing("b")), (vec![], vec!["u2"]));
    }
}
