// From the terminal's link to a conversation of three.
import { COMMUNITY, OWNER, PASSWORD, ROOM } from '../fixtures/community';
import { refusedWith } from '../fixtures/guard';
import { expect, test } from '../fixtures/test';
import { PeoplePage } from '../pages/people-page';
import { PlainPages } from '../pages/plain-pages';
import { RoomPage } from '../pages/room-page';

test('set up, invite, join, and talk both ways', async ({ place, server, guard }) => {
  guard.intend(refusedWith(404), refusedWith(410));
  const owner = await place.visitor();
  const link = await server.setUpLink();

  await test.step('before set-up every address says where the link is', async () => {
    await owner.page.goto('/');
    await expect(new PlainPages(owner.page, owner.words).heading(owner.words.notSetUpTitle)).toBeVisible();
  });

  await test.step('the first visitor becomes the owner', async () => {
    await owner.page.goto(link);
    const form = new PlainPages(owner.page, owner.words);
    await expect(form.heading(owner.words.setUpTitle)).toBeVisible();
    await form.setUp({ community: COMMUNITY, name: OWNER, password: PASSWORD, room: ROOM.name });
    await expect(owner.page).toHaveURL(/\/rooms\/general$/);
  });

  await test.step('the link works once', async () => {
    const late = await place.visitor();
    await late.page.goto(link);
    await expect(new PlainPages(late.page, late.words).heading(late.words.expiredTitle)).toBeVisible();
  });

  const people = new PeoplePage(owner.page, owner.words);
  await people.open();
  const invite = await people.invite();

  const second = await place.visitor({ language: 'ko' });
  await test.step('whoever has the invite link joins', async () => {
    await second.page.goto(invite);
    await expect(second.page.getByText(OWNER)).toBeVisible();
    await new PlainPages(second.page, second.words).join('준호', PASSWORD);
    await expect(second.page).toHaveURL(/\/rooms/);
  });

  const here = await owner.enter();
  const there = await second.enter();
  await test.step('they talk both ways', async () => {
    await here.say('Hello 준호');
    await there.sees('Hello 준호');
    await there.say('안녕하세요, 민아 님');
    await here.sees('안녕하세요, 민아 님');
  });

  await test.step('a third person joins and is heard by all', async () => {
    await people.open();
    const another = await people.invite();
    const third = await place.visitor();
    await third.page.goto(another);
    await new PlainPages(third.page, third.words).join('Sam', PASSWORD);
    const everywhere = await third.enter();
    await everywhere.sees('Hello 준호');
    await everywhere.say('Hi all');
    await there.sees('Hi all');
    await owner.enter();
    await here.sees('Hi all');
    expect(await there.texts(/Hello 준호|안녕하세요, 민아 님|Hi all/)).toEqual(['Hello 준호', '안녕하세요, 민아 님', 'Hi all']);
  });
});

test('a link with several uses lets several people in', async ({ community }) => {
  const owner = await community.owner();
  const people = new PeoplePage(owner.page, owner.words);
  await people.open();
  const invite = await people.invite();
  for (const name of ['Ada', 'Bea']) {
    const guest = await community.visitor();
    await guest.page.goto(invite);
    await new PlainPages(guest.page, guest.words).join(name, PASSWORD);
    await expect(guest.page).toHaveURL(/\/rooms/);
    await expect(guest.page.getByRole('link', { name: new RegExp(`^${ROOM.name}`) }).first()).toBeVisible();
  }
});

test('reloading keeps the history', async ({ community }) => {
  const owner = await community.owner();
  const room = await owner.enter();
  await room.say('written before the reload');
  await owner.page.reload();
  await room.live();
  await room.sees('written before the reload');
});

test('a message is there after the server was killed right after its ack', async ({ community, server, guard }) => {
  guard.intend(/WebSocket|ERR_/);
  const owner = await community.owner();
  const room = await owner.enter();
  await room.say('survives a crash');
  await server.halt('SIGKILL');
  await server.resume();
  await room.live();
  const fresh = await community.again(OWNER);
  await (await fresh.enter()).sees('survives a crash');
  await room.say('and life goes on');
  await new RoomPage(fresh.page, fresh.words, ROOM.name).sees('and life goes on');
});
