use super::group::group;
use crate::domain::CivilTime;

group! {
    /// Messages that are sent later.
    Later {
        title,
        /// Label of the button.
        open,
        date,
        time,
        repeat,
        once,
        daily,
        workdays,
        schedule,
        /// The composer is empty.
        no_text,
        without_files,
        /// What is scheduled in the room.
        list,
        none,
        cancel,
    } {
        weekly(CivilTime),
        /// How the words of a command are understood.
        planned(&str),
        scheduled(&str),
        /// Day and time.
        when(&str, &str),
        /// How often, and the next time.
        repeats(&str, &str),
    }
}
