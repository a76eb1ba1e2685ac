//! One socket from its first join to the end: it follows its rooms, is sent away, comes back when it
//! was told to, as the browser does, and checks that it gets every event once and in order.

use crate::line::{Heard, Line};
use crate::record::{Acked, Record};
use anyhow::{Context, Result, bail, ensure};
use pickmate::client::backoff::{Backoff, Jitter, after_asked_ms};
use pickmate::domain::{Seq, Slug};
use pickmate::protocol::{ClientFrame, CloseCode, Event, ServerFrame};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

/// What is asked of all members.
#[derive(Clone, Debug)]
pub enum Cue {
    Listen,
    /// Those who have something to post do it now.
    Speak,
    /// Leave once the log of each room is known up to here.
    End(Arc<[Seq]>),
}

/// What a member has come to.
#[derive(Clone, Copy, Debug)]
pub enum News {
    /// Joined to all its rooms and caught up.
    Arrived,
    /// Its command is on the way.
    Spoke,
    SentAway {
        retry_after_ms: u32,
    },
    /// Joined and caught up again, after so many attempts.
    Back {
        attempts: u32,
        at: Instant,
    },
}

pub struct Member {
    pub addr: SocketAddr,
    pub cookie: String,
    pub followed: Vec<Followed>,
    /// A post for the first of its rooms.
    pub speech: Option<Speech>,
    pub record: Arc<Record>,
    pub news: mpsc::UnboundedSender<News>,
    pub cues: watch::Receiver<Cue>,
    /// The history that its cursors are of.
    pub epoch: Option<String>,
}

pub struct Followed {
    pub room: usize,
    pub slug: Slug,
    pub cursor: Option<Seq>,
    /// Of this connection, by `joined`.
    pub head: Option<Seq>,
}

pub struct Speech {
    pub key: String,
    pub acked: Option<Seq>,
    /// Acks and refusals of this connection.
    pub answers: u32,
}

impl Member {
    /// Until the cue to end. `delay`: before it first comes.
    pub async fn live(mut self, delay: Duration) -> Result<Option<Acked>> {
        sleep(delay).await;
        let (mut line, epoch) = Line::open(self.addr, &self.cookie).await?;
        self.epoch = Some(epoch);
        self.join(&mut line).await?;
        self.tell(News::Arrived);
        let retry_after_ms = self.follow(&mut line).await?;
        line.hang_up().await;
        self.tell(News::SentAway { retry_after_ms });
        sleep(Duration::from_millis(after_asked_ms(retry_after_ms, jitter()).into())).await;
        let (mut line, attempts) = self.come_back().await?;
        self.join(&mut line).await.context("after it came back")?;
        let at = Instant::now();
        self.speak_again(&mut line).await?;
        self.tell(News::Back { attempts, at });
        self.follow_to_the_end(&mut line).await
    }

    fn tell(&self, news: News) {
        // Nobody listens any more when the run has failed.
        let _ = self.news.send(news);
    }

    /// Knocks until somebody opens.
    async fn come_back(&mut self) -> Result<(Line, u32)> {
        let mut backoff = Backoff::default();
        for attempts in 1.. {
            match Line::open(self.addr, &self.cookie).await {
                Ok((line, epoch)) => {
                    ensure!(self.epoch.as_ref() == Some(&epoch), "another history: {epoch}");
                    return Ok((line, attempts));
                }
                Err(_) => sleep(Duration::from_millis(backoff.next_ms(jitter()).into())).await,
            }
        }
        bail!("nobody opens")
    }

    async fn join(&mut self, line: &mut Line) -> Result<()> {
        for followed in &mut self.followed {
            followed.head = None;
            let room = followed.slug.to_string();
            line.say(&ClientFrame::Join { room, after: followed.cursor, epoch: self.epoch.clone() }).await?;
        }
        while !self.followed.iter().all(|followed| followed.head.is_some() && followed.cursor >= followed.head) {
            self.listen(line).await?;
        }
        Ok(())
    }

    /// Until it is sent away: for how long.
    async fn follow(&mut self, line: &mut Line) -> Result<u32> {
        let mut told = None;
        loop {
            tokio::select! {
                heard = line.hear() => match heard? {
                    Heard::Frame(ServerFrame::Draining { retry_after_ms }) => told = Some(retry_after_ms),
                    Heard::Frame(frame) => self.fold(frame)?,
                    Heard::Closed(code) => {
                        ensure!(code == Some(CloseCode::Restarting.code()), "closed with {code:?}");
                        let unheard = self.speech.as_ref().is_some_and(|speech| speech.answers == 0);
                        ensure!(!unheard, "a command that was under way was not answered");
                        return told.context("closed without `draining`");
                    }
                },
                cue = self.cues.changed() => {
                    cue?;
                    self.speak(line).await?;
                }
            }
        }
    }

    async fn speak(&mut self, line: &mut Line) -> Result<()> {
        let Some(speech) = &mut self.speech else { return Ok(()) };
        speech.answers = 0;
        let (room, key) = (self.followed[0].slug.to_string(), speech.key.clone());
        line.say(&ClientFrame::Post { room, key, body: "said at the last moment".into(), files: vec![] }).await?;
        self.tell(News::Spoke);
        Ok(())
    }

    /// What it said once it says again, so that an ack that was had already comes again.
    async fn speak_again(&mut self, line: &mut Line) -> Result<()> {
        self.speak(line).await?;
        while self.speech.as_ref().is_some_and(|speech| speech.answers == 0) {
            self.listen(line).await?;
        }
        let settled = self.speech.as_ref().is_none_or(|speech| speech.acked.is_some());
        ensure!(settled, "a command that was sent again was not acked");
        Ok(())
    }

    async fn follow_to_the_end(mut self, line: &mut Line) -> Result<Option<Acked>> {
        while !self.has_all()? {
            tokio::select! {
                heard = line.hear() => match heard? {
                    Heard::Frame(frame) => self.fold(frame)?,
                    Heard::Closed(code) => bail!("closed with {code:?} before the end"),
                },
                cue = self.cues.changed() => cue?,
            }
        }
        let room = self.followed[0].room;
        Ok(self.speech.and_then(|speech| Some(Acked { room, key: speech.key, seq: speech.acked? })))
    }

    /// To the next frame.
    async fn listen(&mut self, line: &mut Line) -> Result<()> {
        match line.hear().await? {
            Heard::Frame(frame) => self.fold(frame),
            Heard::Closed(code) => bail!("closed with {code:?}"),
        }
    }

    fn has_all(&self) -> Result<bool> {
        let Cue::End(heads) = &*self.cues.borrow() else { return Ok(false) };
        for Followed { room, cursor, .. } in &self.followed {
            ensure!(*cursor <= Some(heads[*room]), "room {room} ends at {}; got {cursor:?}", heads[*room]);
        }
        Ok(self.followed.iter().all(|followed| followed.cursor == Some(heads[followed.room])))
    }

    fn fold(&mut self, frame: ServerFrame) -> Result<()> {
        match frame {
            ServerFrame::Joined { room, head, epoch } => {
                self.is_of_this_history(&epoch)?;
                let followed = self.named(&room)?;
                followed.head = Some(head);
                followed.cursor.get_or_insert(head);
            }
            ServerFrame::Events { room, epoch, list } => {
                self.is_of_this_history(&epoch)?;
                list.into_iter().try_for_each(|event| self.apply(&room, event))?;
            }
            ServerFrame::Ack { key, seq } => self.acked(&key, seq)?,
            ServerFrame::Refused(refused) => {
                let speech = self.speech.as_mut().filter(|speech| refused.key.as_ref() == Some(&speech.key));
                speech.with_context(|| format!("refused: {refused:?}"))?.answers += 1;
            }
            ServerFrame::Gap { .. } | ServerFrame::Revoked { .. } | ServerFrame::Draining { .. } => bail!("{frame:?}"),
            _ => {}
        }
        Ok(())
    }

    fn is_of_this_history(&self, epoch: &str) -> Result<()> {
        ensure!(self.epoch.as_deref() == Some(epoch), "another history: {epoch}");
        Ok(())
    }

    fn apply(&mut self, room: &str, event: Event) -> Result<()> {
        let followed = self.named(room)?;
        let cursor = followed.cursor.context("events before `joined`")?;
        ensure!(event.seq == cursor.next(), "{room}: {} came after {cursor}", event.seq);
        followed.cursor = Some(event.seq);
        let room = followed.room;
        self.record.saw(room, event)
    }

    fn acked(&mut self, key: &str, seq: Seq) -> Result<()> {
        let speech = self.speech.as_mut().filter(|speech| speech.key == key).context("the ack of another key")?;
        let first = *speech.acked.get_or_insert(seq);
        ensure!(first == seq, "{key} was acked at {first} and at {seq}");
        speech.answers += 1;
        Ok(())
    }

    fn named(&mut self, room: &str) -> Result<&mut Followed> {
        let mut followed = self.followed.iter_mut();
        followed.find(|followed| followed.slug.as_str() == room).with_context(|| format!("{room} is not followed"))
    }
}

fn jitter() -> Jitter {
    Jitter(rand::random())
}
