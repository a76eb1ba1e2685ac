// Everything essential works as plain forms, before WASM has loaded and without scripts at all.
import { PASSWORD, ROOM } from '../fixtures/community';
import { expect, test } from '../fixtures/test';
import { PeoplePage } from '../pages/people-page';
import { PlainPages } from '../pages/plain-pages';
import { RoomPage } from '../pages/room-page';

const noScripts = { browser: { javaScriptEnabled: false } };

test('joining and posting without scripts', async ({ community }) => {
  const owner = await community.owner();
  const people = new PeoplePage(owner.page, owner.words);
  await people.open();
  const invite = await people.invite();
  const here = await owner.enter();

  const plain = await community.visitor(noScripts);
  await plain.page.goto(invite);
  await new PlainPages(plain.page, plain.words).join('Plain Jane', PASSWORD);
  await plain.page.goto(`/rooms/${ROOM.slug}`);
  const there = new RoomPage(plain.page, plain.words, ROOM.name);
  await there.composer.fill('from a form\nwith two lines');
  await there.send.click();
  await expect(plain.page).toHaveURL(new RegExp(`/rooms/${ROOM.slug}`));
  await there.sees('from a form');
  await here.sees('from a form');
  await expect(there.composer).toHaveValue('');
});

test('signing in and out without scripts', async ({ community }) => {
  await community.account('Old Browser');
  const plain = await community.visitor(noScripts);
  await plain.page.goto('/sign-in');
  await new PlainPages(plain.page, plain.words).signIn('Old Browser', PASSWORD);
  await expect(plain.page).toHaveURL(/\/rooms/);
  await plain.page.goto('/settings');
  await plain.page.getByRole('button', { name: plain.words.signOut }).click();
  await expect(plain.page).toHaveURL(/\/sign-in/);
});

test('a blank message is answered', async ({ community, guard }) => {
  guard.intend(/status of 4\d\d/);
  const plain = await community.newcomer('Blank', noScripts);
  await plain.page.goto(`/rooms/${ROOM.slug}`);
  const room = new RoomPage(plain.page, plain.words, ROOM.name);
  await room.composer.fill('   ');
  await room.send.click();
  await expect(new PlainPages(plain.page, plain.words).refusal).toContainText(plain.words.errors.bodyEmpty);
  await plain.page.getByRole('textbox').fill('now with words');
  await plain.page.getByRole('button', { name: plain.words.send, exact: true }).click();
  await room.sees('now with words');
});

test('changing the password and the language without scripts', async ({ community, guard }) => {
  guard.intend(/status of 4\d\d/);
  const plain = await community.newcomer('No Scripts', noScripts);
  const change = async (current: string) => {
    await plain.page.goto('/settings');
    await plain.page.getByLabel(plain.words.currentPassword).fill(current);
    await plain.page.getByLabel(plain.words.newPassword).fill('a better password');
    await plain.page.getByRole('button', { name: plain.words.changePassword }).click();
  };
  await change('not the password');
  await expect(plain.page.getByText(plain.words.wrongPassword)).toBeVisible();
  await change(PASSWORD);
  await expect(plain.page.getByText(plain.words.passwordChanged)).toBeVisible();
  await plain.page.getByRole('link', { name: plain.words.settingsTitle }).click();
  await plain.page.getByRole('radio', { name: '한국어' }).check();
  await plain.page.getByRole('button', { name: plain.words.save }).click();
  await expect(plain.page.locator('html')).toHaveAttribute('lang', 'ko');
});

test('sending the same form twice posts once', async ({ community }) => {
  const plain = await community.newcomer('Twice', noScripts);
  await plain.page.goto(`/rooms/${ROOM.slug}`);
  const room = new RoomPage(plain.page, plain.words, ROOM.name);
  await room.composer.fill('only once please');
  const [sent] = await Promise.all([plain.page.waitForRequest((request) => request.method() === 'POST'), room.send.click()]);
  await room.sees('only once please');
  const again = await plain.context.request.post(sent.url(), {
    data: sent.postData() ?? '',
    headers: { origin: community.server.url, 'content-type': 'application/x-www-form-urlencoded' },
  });
  expect(again.ok()).toBe(true);
  const bot = await community.bot('Twice');
  expect(await bot.count(ROOM.slug, 'only once please')).toBe(1);
});

test('a room can be read and posted to before WASM has loaded', async ({ community, guard }) => {
  guard.intend(/ERR_FAILED|ERR_BLOCKED|Failed to fetch|preload/);
  const bot = await community.bot((await community.newcomer('Early')).name);
  await bot.post(ROOM.slug, 'to be read early');
  const reader = await community.again('Early');
  await reader.context.route(/\.wasm$/, (route) => route.abort());
  await reader.page.goto(`/rooms/${ROOM.slug}`);
  const room = new RoomPage(reader.page, reader.words, ROOM.name);
  await room.sees('to be read early');
  await room.composer.fill('written before the scripts came');
  await room.send.click();
  await room.sees('written before the scripts came');
  expect(await bot.count(ROOM.slug, 'written before the scripts came')).toBe(1);
});

test('what is written and where one is stay when WASM takes over', async ({ community, guard }) => {
  guard.intend(/preload/);
  const writer = await community.newcomer('Quick Start');
  const room = await writer.enter();
  await room.composer.fill('the draft of last time');
  await writer.page.goto('/settings');
  let come: () => void = () => undefined;
  let coming = new Promise<void>((done) => (come = done));
  await writer.page.route(/\.wasm$/, async (route) => {
    await coming;
    await route.continue();
  });

  await test.step('a draft and what was typed before', async () => {
    await writer.page.goto(`/rooms/${ROOM.slug}`, { waitUntil: 'domcontentloaded' });
    await room.composer.pressSequentially('and this');
    come();
    await room.live();
    await expect(room.composer).toHaveValue('the draft of last time\nand this');
    await expect(room.composer).toBeFocused();
  });
  await test.step('the focus', async () => {
    coming = new Promise<void>((done) => (come = done));
    await writer.page.goto(`/rooms/${ROOM.slug}`, { waitUntil: 'domcontentloaded' });
    const settings = writer.page.getByRole('link', { name: writer.words.settingsTitle });
    await settings.focus();
    come();
    await room.live();
    await expect(settings).toBeFocused();
  });
});

test('a plain form that is refused brings the text back', async ({ community, guard }) => {
  guard.intend(/status of 4\d\d/);
  const plain = await community.newcomer('Verbose', noScripts);
  await plain.page.goto(`/rooms/${ROOM.slug}`);
  const room = new RoomPage(plain.page, plain.words, ROOM.name);
  const long = '가나다라 '.repeat(2_000);
  await room.composer.fill(long);
  await room.send.click();
  const page = new PlainPages(plain.page, plain.words);
  await expect(page.heading(plain.words.refusedTitle)).toBeVisible();
  await expect(page.refusal).toContainText(plain.words.errors.bodyTooLong);
  await expect(plain.page.getByRole('textbox')).toHaveValue(long);
});
