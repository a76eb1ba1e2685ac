//! Messages that are to be said later, by several nodes and workers of which some die: each is said once.

use super::{Place, SAID, many};
use crate::app::PATIENCE;
use crate::command::Machine;
use crate::tasks::Process;
use pickmate::domain::{Slug, TaskState};
use pickmate::server::queue::Say;
use std::collections::BTreeMap;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_and_two_workers_say_a_message_once() {
    let place = Place::new().await;
    let data = place.app.state().config.data.display().to_string();
    let machine = Machine::new();
    let _workers = [(); 2].map(|()| Process::start(&machine, &format!("worker --data {data}")));
    let serve = format!("serve --listen 127.0.0.1:0 --data {data}");
    let _nodes = [(); 2].map(|()| Process::start(&machine, &serve));
    let say = |number| Say { room: Slug::parse("general").unwrap(), body: format!("said {number}") };
    let ids = place.enqueue(many(SAID, say)).await;
    for id in &ids {
        let task = timeout(PATIENCE * 3, place.end(id)).await.expect("it ends");
        assert_eq!(task.state, TaskState::Succeeded);
    }
    let expected: BTreeMap<_, _> = (0..SAID).map(|number| (format!("said {number}"), 1)).collect();
    assert_eq!(place.said().await, expected);
}
