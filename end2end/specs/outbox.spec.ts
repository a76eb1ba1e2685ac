// What was written is sent: after a reload, after a crash, by one tab, in order, by nobody else.
import { mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from '@playwright/test';
import { launchOptions } from '../fixtures/browser';
import { PASSWORD, ROOM } from '../fixtures/community';
import { lostConnection } from '../fixtures/guard';
import { Socket, listen } from '../fixtures/socket';
import { expect, test } from '../fixtures/test';
import { words } from '../fixtures/words';
import { RoomPage } from '../pages/room-page';
import { running } from '../pages/app';

test('what waits survives a reload and goes out in order', async ({ community, guard }) => {
  guard.intend(...lostConnection);
  const writer = await community.newcomer('Reloader');
  const socket = await Socket.of(writer.page);
  const room = await writer.enter();
  await socket.cut();
  const texts = ['reload 1', 'reload 2', 'reload 3'];
  for (const text of texts) await room.write(text);
  await expect(room.message(/reload \d/).getByText(writer.words.waiting)).toHaveCount(3);
  await writer.page.reload();
  await expect(room.message(/reload \d/)).toHaveCount(3);
  expect(await room.texts(/reload \d/)).toEqual(texts);
  await socket.mend();
  await room.live();
  const bot = await community.bot('Reloader');
  await expect.poll(async () => (await bot.log(ROOM.slug)).flatMap((event) => event.body?.match(/^reload \d$/)?.[0] ?? [])).toEqual(texts);
  await writer.page.reload();
  await room.live();
  await expect(room.message(/reload \d/)).toHaveCount(3);
  for (const text of texts) expect(await bot.count(ROOM.slug, text)).toBe(1);
});

test('what waits survives the death of the browser', async ({ community, server, guard }) => {
  guard.intend(...lostConnection, /Target page, context or browser has been closed/);
  await community.account('Phoenix');
  const profile = mkdtempSync(join(tmpdir(), 'pickmate-profile-'));
  const open = async (): Promise<{ context: BrowserContext; room: RoomPage; socket: Socket }> => {
    const context = await chromium.launchPersistentContext(profile, { ...launchOptions, baseURL: server.url, locale: 'en-US' });
    guard.watch(context, 'Phoenix');
    // A crash takes cookies of the last half minute along.
    await context.request.post('/sign-in', { form: { name: 'Phoenix', password: PASSWORD }, headers: { origin: server.url } });
    const page = await context.newPage();
    const socket = await Socket.of(page);
    return { context, room: new RoomPage(page, words.en, ROOM.name), socket };
  };
  const before = await open();
  await before.room.page.goto(`/rooms/${ROOM.slug}`);
  await before.room.live();
  await before.socket.cut();
  await before.room.write('from the ashes');
  // Said only once it is on disk; killed at once after that.
  await expect(before.room.message('from the ashes').getByText(words.en.waiting)).toBeVisible();
  const gone = new Promise((done) => before.context.once('close', done));
  process.kill(Number(readlinkSync(join(profile, 'SingletonLock')).split('-').at(-1)), 'SIGKILL');
  await gone;

  const after = await open();
  await after.room.page.goto(`/rooms/${ROOM.slug}`);
  await after.room.live();
  await after.room.sees('from the ashes');
  const bot = await community.bot('Phoenix');
  await expect.poll(() => bot.count(ROOM.slug, 'from the ashes')).toBe(1);
  await after.context.close();
  rmSync(profile, { recursive: true, force: true });
});

test('the next command follows the ack of the one before', async ({ community }) => {
  const writer = await community.newcomer('Orderly');
  const heard = listen(writer.page);
  const room = await writer.enter();
  for (const text of ['order 1', 'order 2', 'order 3']) await room.write(text);
  await expect.poll(() => heard.filter((frame) => frame.startsWith('ack')).length).toBe(3);
  expect(heard.map((frame) => frame.split(' ')[0])).toEqual(['post', 'ack', 'post', 'ack', 'post', 'ack']);
});

test('another tab sends what a closed one left behind, and only then', async ({ community, guard }) => {
  guard.intend(...lostConnection);
  const writer = await community.newcomer('Two Tabs');
  const socket = await Socket.of(writer.page);
  const room = await writer.enter();
  await socket.cut();
  for (const text of ['tabs 1', 'tabs 2']) await room.write(text);
  await expect(room.message(/tabs \d/).getByText(writer.words.waiting)).toHaveCount(2);

  const other = await writer.anotherTab();
  const heard = listen(other);
  await other.goto(`/rooms/${ROOM.slug}`);
  const there = new RoomPage(other, writer.words, ROOM.name);
  await there.live();
  await there.say('from the other tab');
  const posts = () => heard.filter((frame) => frame.startsWith('post'));
  expect(posts()).toHaveLength(1);

  await writer.page.close();
  await other.reload();
  await there.sees('tabs 1');
  await there.sees('tabs 2');
  const bot = await community.bot('Two Tabs');
  for (const text of ['tabs 1', 'tabs 2']) await expect.poll(() => bot.count(ROOM.slug, text)).toBe(1);
  await expect.poll(() => posts().length).toBe(3);
  await other.reload();
  await there.live();
  await there.say('nothing is left');
  expect(posts()).toHaveLength(4);
});

test('what is unsent stays with its account, and signing out says so', async ({ community, guard, server }) => {
  guard.intend(...lostConnection, /status of 401/);
  const first = await community.newcomer('First Of Two');
  await community.account('Second Of Two');
  const socket = await Socket.of(first.page);
  const room = await first.enter();
  await socket.cut();
  await room.write('mine alone');
  await expect(room.message('mine alone').getByText(first.words.waiting)).toBeVisible();
  await first.page.goto('/settings');
  await running(first.page);
  await expect(first.page.getByText(first.words.unsentStay)).toBeVisible();
  await first.page.getByRole('button', { name: first.words.signOut }).click();
  await expect(first.page).toHaveURL(/\/sign-in/);
  await socket.mend();
  const signIn = (name: string) => first.context.request.post('/sign-in', { form: { name, password: PASSWORD }, headers: { origin: server.url }, maxRedirects: 0 });

  await signIn('Second Of Two');
  await first.page.goto(`/rooms/${ROOM.slug}`);
  await room.live();
  await room.say('by the second');
  await expect(room.message('mine alone')).toHaveCount(0);
  const bot = await community.bot('First Of Two');
  expect(await bot.count(ROOM.slug, 'mine alone')).toBe(0);

  await signIn('First Of Two');
  await first.page.goto(`/rooms/${ROOM.slug}`);
  await room.live();
  await room.sees('mine alone');
  await expect.poll(() => bot.count(ROOM.slug, 'mine alone')).toBe(1);
});

test('what was never sent can be taken back, and read where its room is gone', async ({ community, guard }) => {
  guard.intend(...lostConnection, /status of 404/);
  const place = await community.room('short-lived', 'Short lived', ['--closed']);
  const writer = await community.newcomer('Second Thought', { member: [place.slug] });
  await community.account('Stays Behind', [place.slug]);
  const elsewhere = await community.again('Second Thought');
  const socket = await Socket.of(writer.page);
  const room = await writer.enter(place);
  await socket.cut();
  await room.write('better not');
  await room.write('never to arrive');
  await expect(room.message(/better not|never to arrive/).getByText(writer.words.waiting)).toHaveCount(2);
  await room.message('better not').getByRole('button', { name: writer.words.edit, exact: true }).click();
  await expect(room.composer).toHaveValue('better not');
  await expect(room.message('better not')).toHaveCount(0);

  const there = await elsewhere.enter(place);
  await there.about.getByRole('button', { name: writer.words.leaveRoom }).click();
  await elsewhere.page.getByRole('dialog').getByRole('button', { name: writer.words.leaveRoom }).click();
  await expect(elsewhere.page).toHaveURL(/\/rooms$/);
  await socket.mend();
  await expect(writer.page.getByText(writer.words.revokedTitle)).toBeVisible();
  await expect(writer.page.getByText('never to arrive')).toBeVisible();
  await expect(writer.page.getByRole('link', { name: writer.words.unsent(1) })).toBeVisible();
  await writer.page.getByRole('main').getByRole('button', { name: writer.words.discard }).click();
  await expect(writer.page.getByText('never to arrive')).toHaveCount(0);
});
