//! What is told best by one case.

use super::*;

fn posts(count: usize) -> History {
    History::of(&vec![Step::Post; count])
}

#[test]
fn a_hole_is_reported_and_nothing_after_it_applied() {
    let history = posts(5);
    let mut timeline = history.snapshot(2);
    let mut events = history.stretch(2, 5, 5);
    events.remove(1);
    assert_eq!(timeline.apply(&events), Applied::Hole);
    assert_eq!(timeline, history.snapshot(3));
}

#[test]
fn unknown_kinds_count_for_density() {
    let history = History::of(&[Step::Post, Step::Foreign, Step::Post]);
    let mut timeline = history.snapshot(1);
    assert_eq!(timeline.apply(&history.stretch(1, 2, 2)), Applied::Nothing);
    assert_eq!(timeline.apply(&history.stretch(2, 3, 3)), Applied::Changed);
    assert_eq!(timeline.rows().len(), 2);
}

#[test]
fn the_window_lets_the_oldest_rows_go_and_fetches_them_again() {
    let history = posts(WINDOW_ROWS + 20);
    let mut timeline = history.snapshot(history.head());
    assert!(!timeline.has_older());
    assert!(timeline.trim());
    assert_eq!(timeline.rows().len(), WINDOW_ROWS);
    assert_eq!((timeline.oldest(), timeline.has_older()), (Some(Seq(21)), true));
    assert!(!timeline.trim());

    let asked = timeline.expect_older();
    assert!(!timeline.trim(), "rows that are being fetched must still meet the first one");
    timeline.prepend(asked, Seq(21), history.page(21, 50, history.head()));
    assert_eq!(timeline, history.snapshot(history.head()));
}

#[test]
fn older_rows_that_do_not_meet_the_first_one_are_dropped() {
    let history = posts(20);
    let mut timeline = Timeline::from_page(history.page(21, 5, 20));
    let asked = timeline.expect_older();
    assert_eq!(timeline.prepend(asked, Seq(12), history.page(12, 5, 20)), Applied::Nothing);
    assert_eq!(timeline.oldest(), Some(Seq(16)));
    assert_eq!(timeline.prepend(asked, Seq(16), history.page(16, 5, 20)), Applied::Nothing, "nobody asked");
}

#[test]
fn a_page_behind_what_was_kept_shows_the_hole() {
    let history = posts(9);
    let mut timeline = history.snapshot(2);
    timeline.expect_newest();
    timeline.apply(&history.stretch(7, 9, 9));
    assert_eq!(timeline.replace(history.page(6, 50, 5)), Applied::Hole);
    assert_eq!(first_generation(timeline), history.snapshot(5));
}

#[test]
fn rows_that_are_read_stay_in_front_of_a_seam_until_it_is_filled() {
    let history = posts(100);
    let mut timeline = history.snapshot(20);
    assert_eq!(timeline.some_way_below(Seq(5)), Seq(20));
    timeline.expect_newest();
    timeline.replace_around(history.page(101, 10, 100), Some(history.page(21, 10, 100)));
    let seqs = |timeline: &Timeline| timeline.rows().map(|row| row.seq.0).collect::<Vec<_>>();
    assert_eq!(seqs(&timeline), (11..=20).chain(91..=100).collect::<Vec<_>>());
    assert_eq!((timeline.seam(), timeline.has_older()), (Some(Seq(91)), true));
    let asked = timeline.expect_older();
    timeline.prepend(asked, Seq(91), history.page(91, 50, 100));
    assert_eq!(timeline.seam(), Some(Seq(41)));
    let asked = timeline.expect_older();
    timeline.prepend(asked, Seq(41), history.page(41, 50, 100));
    assert_eq!((timeline.seam(), seqs(&timeline)), (None, (11..=100).collect()));
}

#[test]
fn pages_for_the_seam_and_above_it_may_be_under_way_at_once() {
    for seam_first in [true, false] {
        let mut history = posts(60);
        for (target, rev) in [(Seq(30), Seq(61)), (Seq(5), Seq(62))] {
            history.log.push(EventKind::Edited { target, rev, body: Some(body_at(target, rev)) });
        }
        let head = history.head();
        let mut timeline = history.snapshot(0);
        timeline.expect_newest();
        timeline.replace_around(history.page(61, 10, 60), Some(history.page(21, 10, 60)));
        let asked = [timeline.expect_older(), timeline.expect_older()];
        let pages = [(Seq(51), history.page(51, 50, 60)), (Seq(11), history.page(11, 50, 60))];
        timeline.apply(&history.stretch(60, head, head));
        for at in if seam_first { [0, 1] } else { [1, 0] } {
            let (before, page) = pages[at].clone();
            assert_eq!(timeline.prepend(asked[at], before, page), Applied::Changed, "{before}");
        }
        assert_eq!(first_generation(timeline), history.snapshot(head));
    }
}

#[test]
fn a_page_from_before_a_gap_is_not_taken_for_one_that_was_asked_for_after_it() {
    let history = posts(30);
    let page = |before: u64| history.page(before, 5, 30);
    for arrives in [true, false] {
        let mut timeline = Timeline::from_page(page(31));
        let stale = timeline.expect_older();
        timeline.expect_newest();
        timeline.replace(page(31));
        let asked = timeline.expect_older();
        if arrives {
            assert_eq!(timeline.prepend(stale, Seq(26), page(26)), Applied::Nothing);
        } else {
            timeline.give_up_older(stale);
        }
        assert_eq!(timeline.prepend(asked, Seq(26), page(26)), Applied::Changed);
        assert_eq!(timeline.oldest(), Some(Seq(21)));
    }
}

#[test]
fn a_seam_leaves_with_the_rows_before_it() {
    let history = posts(2 * WINDOW_ROWS);
    let mut timeline = history.snapshot(10);
    timeline.expect_newest();
    let head = history.head();
    timeline.replace_around(history.page(head + 1, WINDOW_ROWS, head), Some(history.page(11, 5, head)));
    assert!(timeline.seam().is_some() && timeline.trim());
    assert_eq!((timeline.seam(), timeline.has_older()), (None, true));
}
