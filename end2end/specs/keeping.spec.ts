// Where browsers keep what is not sent, and where they do not; whose it is when a page comes back.
import type { Page } from '@playwright/test';
import { PASSWORD, ROOM } from '../fixtures/community';
import { lostConnection } from '../fixtures/guard';
import { Shelf } from '../fixtures/shelf';
import { Socket, answering, listen } from '../fixtures/socket';
import { refusals, refuseStorage } from '../fixtures/storage';
import { expect, test } from '../fixtures/test';
import { words } from '../fixtures/words';
import { PlainPages } from '../pages/plain-pages';
import { RoomPage } from '../pages/room-page';

const DAY_MS = 24 * 60 * 60 * 1_000;

for (const how of refusals) {
  test(`where the storage ${how} one writes and sends all the same, and is told`, async ({ community, guard }) => {
    guard.intend(...lostConnection);
    // So long may it take until the page waits for no answer any more.
    test.slow(how === 'hangs');
    const patience = { timeout: 20_000 };
    const writer = await community.newcomer(`Storage ${how}`);
    await refuseStorage(writer.page, how);
    const socket = await Socket.of(writer.page);
    const room = await writer.enter();
    const note = writer.page.getByText(writer.words.notKept);
    await room.write(`before, it ${how}`);
    await room.sees(`before, it ${how}`);
    await expect(room.message(`before, it ${how}`).getByText(writer.words.sending)).toHaveCount(0, patience);
    await expect(note).toHaveCount(0);
    await socket.cut();
    const texts = [1, 2].map((n) => `meanwhile ${n}, it ${how}`);
    for (const text of texts) await room.write(text);
    await expect(note).toBeVisible(patience);
    await expect(room.message(/meanwhile/).getByText(writer.words.waiting)).toHaveCount(2);
    await expect(room.composer).toBeEditable();
    await socket.mend();
    await room.live();
    await expect(note).toHaveCount(0);
    const bot = await community.bot(writer.name);
    await expect.poll(async () => (await bot.log(ROOM.slug)).flatMap((event) => event.body?.match(/^meanwhile \d/) && event.body.endsWith(how) ? [event.body] : [])).toEqual(texts);

    await socket.cut();
    await room.write(`gone with the page, it ${how}`);
    await room.sees(`gone with the page, it ${how}`);
    await expect(note).toBeVisible(patience);
    await writer.page.reload();
    await expect(room.message(`before, it ${how}`)).toBeVisible();
    await socket.mend();
    await room.live();
    await room.write(`after, it ${how}`);
    await room.sees(`after, it ${how}`);
    await expect(room.message(`after, it ${how}`).getByText(writer.words.sending)).toHaveCount(0, patience);
    await expect(room.message(`gone with the page, it ${how}`)).toHaveCount(0);
  });
}

test('over plain http, where browsers have no locks, one tab sends what another left behind', async ({ community, server, browser, guard }) => {
  guard.intend(...lostConnection, /Cross-Origin-Opener-Policy header has been ignored/);
  await community.account('Plain');
  const plain = server.url.replace('127.0.0.1', 'pickmate.test');
  const context = await browser.newContext({ baseURL: plain, locale: 'en-US' });
  guard.watch(context, 'Plain');
  const page = await context.newPage();
  await page.goto('/sign-in');
  await new PlainPages(page, words.en).signIn('Plain', PASSWORD);
  await expect(page).toHaveURL(/\/rooms/);
  const socket = await Socket.of(page);
  const room = new RoomPage(page, words.en, ROOM.name);
  await page.goto(`/rooms/${ROOM.slug}`);
  await room.live();
  expect(await page.evaluate(() => [window.isSecureContext, 'locks' in navigator])).toEqual([false, false]);
  await socket.cut();
  for (const text of ['plain 1', 'plain 2']) await room.write(text);
  await expect(room.message(/plain \d/).getByText(words.en.waiting)).toHaveCount(2);

  const other = await context.newPage();
  const heard = listen(other);
  const there = new RoomPage(other, words.en, ROOM.name);
  const posts = () => heard.filter((frame) => frame.startsWith('post'));
  await other.goto(`/rooms/${ROOM.slug}`);
  await there.live();
  await there.say('from the other tab');
  expect(posts()).toHaveLength(1);
  await expect(there.message(/plain \d/)).toHaveCount(0);

  await page.close();
  await other.reload();
  const bot = await community.bot('Plain');
  for (const text of ['plain 1', 'plain 2']) {
    await there.sees(text);
    await expect.poll(() => bot.count(ROOM.slug, text)).toBe(1);
  }
  expect(posts()).toHaveLength(3);
  await context.close();
});

test('what is older than a week asks before it goes', async ({ community, guard }) => {
  guard.intend(...lostConnection);
  const writer = await community.newcomer('Long Away');
  const socket = await Socket.of(writer.page);
  const room = await writer.enter();
  await socket.cut();
  for (const text of ['old, still true', 'old, not true any more']) await room.write(text);
  await expect(room.message(/^.*old,/).getByText(writer.words.waiting)).toHaveCount(2);
  await writer.page.clock.setSystemTime(Date.now() + 8 * DAY_MS);
  await socket.mend();
  await writer.page.reload();
  await room.live();
  const [still, no] = [room.message('old, still true'), room.message('old, not true any more')];
  await expect(still.getByText(writer.words.undecided)).toBeVisible();
  await expect(no.getByText(writer.words.undecided)).toBeVisible();
  await room.say('new and not held up');
  const bot = await community.bot('Long Away');
  const old = async () => (await bot.log(ROOM.slug)).flatMap((event) => event.body?.match(/^old, .*/) ?? []);
  expect(await old()).toEqual([]);

  await no.getByRole('button', { name: writer.words.discard }).click();
  await still.getByRole('button', { name: writer.words.sendAgain }).click();
  await expect(no).toHaveCount(0);
  await expect.poll(old).toEqual(['old, still true']);
  await writer.page.reload();
  await room.live();
  await room.say('all that there is');
  await expect(writer.page.getByText(writer.words.undecided)).toHaveCount(0);
  expect(await old()).toEqual(['old, still true']);
});

test('a page that comes back from being put aside leaves what another tab took over', async ({ community, guard }) => {
  guard.intend(...lostConnection);
  const writer = await community.newcomer('Put Aside');
  const open = async (page: Page) => {
    const socket = await Socket.of(page);
    await socket.cut();
    const room = new RoomPage(page, writer.words, ROOM.name);
    await page.goto(`/rooms/${ROOM.slug}`);
    // Nothing that is written from here on has ever been sent.
    await expect(page.getByText(writer.words.reconnecting)).toBeVisible();
    return { socket, room };
  };
  const shelf = await Shelf.of(writer.page);
  const here = await open(writer.page);
  for (const text of ['aside, to be sent', 'aside, to be thrown away']) await here.room.write(text);
  await expect(here.room.message(/aside,/).getByText(writer.words.waiting)).toHaveCount(2);
  await shelf.putAside();

  const there = await open(await writer.anotherTab());
  await expect(there.room.message(/aside,/).getByText(writer.words.waiting)).toHaveCount(2);
  await there.room.message('to be thrown away').getByRole('button', { name: writer.words.discard }).click();
  await expect(there.room.message(/aside,/)).toHaveCount(1);

  await shelf.takeBack();
  await here.socket.mend();
  await here.room.live();
  await here.room.say('said by the page that came back');
  await expect(here.room.message(/aside,/)).toHaveCount(0);
  await there.socket.mend();
  await there.room.live();
  const bot = await community.bot('Put Aside');
  await expect.poll(() => bot.count(ROOM.slug, 'aside, to be sent')).toBe(1);
  await here.room.sees('aside, to be sent');
  await there.room.say('said by the other one');
  expect(await bot.count(ROOM.slug, 'aside, to be thrown away')).toBe(0);
});

test('what failed in a page that was put aside, and was settled in another tab, is gone when it comes back', async ({ community, guard }) => {
  guard.intend(...lostConnection);
  const writer = await community.newcomer('Put Aside Twice');
  const shelf = await Shelf.of(writer.page);
  let refusing = true;
  await answering(writer.page, (command) => refusing && command.type === 'post' && { type: 'refused', key: command.key, code: 'forbidden' });
  const here = await writer.enter();
  await here.write('refused here');
  await expect(here.message('refused here').getByText(writer.words.notSent)).toBeVisible();
  await shelf.putAside();
  const other = await writer.anotherTab();
  const there = new RoomPage(other, writer.words, ROOM.name);
  await other.goto(`/rooms/${ROOM.slug}`);
  await there.message('refused here').getByRole('button', { name: writer.words.discard }).click();
  await expect(there.message('refused here')).toHaveCount(0);
  refusing = false;
  await shelf.takeBack();
  await here.live();
  await expect(here.message('refused here')).toHaveCount(0);
});
