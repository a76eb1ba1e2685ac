// Long conversations: older pages, reading on, unread counts.
import { lostConnection } from '../fixtures/guard';
import { expect, test } from '../fixtures/test';
import { RoomPage } from '../pages/room-page';
import { Sidebar } from '../pages/sidebar';

test.use({ flags: ['--no-rate-limit'] });

class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((done) => (this.open = done));
}

test('older pages load on scrolling up without a jump', async ({ community }) => {
  const archive = await community.room('archive', 'Archive');
  await community.account('Old Hand', ['archive']);
  const bot = await community.bot('Old Hand');
  for (let line = 1; line <= 150; line += 1) await bot.post(archive.slug, `entry ${line}`);
  const reader = await community.again('Old Hand');
  // Older rows wait at the gate until the reader's place is known.
  const gate = new Gate();
  await reader.page.route(/older_rows/, async (route) => {
    await gate.opened;
    await route.continue();
  });
  const room = await reader.enter(archive);
  await expect(room.message(/entry 150(?!\d)/)).toBeInViewport();
  await expect(room.message(/entry 1(?!\d)/)).toHaveCount(0);

  const loaded = await room.messages.count();
  // The text at the top of the view must stay where it is when rows come in above it.
  const first = await room.messages.first().innerText();
  const watched = room.message(new RegExp(`${first.match(/entry \d+/)![0]}(?!\\d)`));
  await room.scrollUp();
  await expect(watched).toBeInViewport();
  await watched.evaluate((row) => {
    const track: { top: number; rows: number }[] = [];
    Object.assign(window, { track });
    const log = row.closest('[role=log]')!;
    const text = row.querySelector('.said')!;
    const frame = () => {
      track.push({ top: text.getBoundingClientRect().top, rows: log.querySelectorAll('li[data-delivery]').length });
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  gate.open();
  await expect.poll(() => room.messages.count()).toBeGreaterThan(loaded);
  await reader.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const jumps = await reader.page.evaluate(() => {
    const track = (window as unknown as { track: { top: number; rows: number }[] }).track;
    const start = track.findIndex((frame, at) => at > 0 && frame.rows !== track[at - 1]!.rows);
    const before = track[start - 1]!.top;
    return track.slice(start).map((frame) => Math.abs(frame.top - before));
  });
  expect(Math.max(...jumps), 'pixels that the text moved when older rows came').toBeLessThanOrEqual(1.5);

  await test.step('up to the beginning', async () => {
    await expect(async () => {
      await room.scrollUp();
      await expect(reader.page.getByText(reader.words.beginning(archive.name))).toBeVisible({ timeout: 500 });
    }).toPass();
    await expect(room.message(/entry 1(?!\d)/)).toBeVisible();
    const numbers = (await room.texts(/entry \d+/)).map((text) => Number(text.slice(6)));
    expect(numbers.every((number, at) => at === 0 || number === numbers[at - 1]! + 1), 'no row is missing or doubled').toBe(true);
  });
});

test('older pages that cannot be loaded are asked for again by hand', async ({ community, guard }) => {
  guard.intend(/ERR_FAILED/);
  const cellar = await community.room('cellar', 'Cellar');
  await community.account('Vintner', [cellar.slug]);
  const bot = await community.bot('Vintner');
  for (let line = 1; line <= 120; line += 1) await bot.post(cellar.slug, `bottle ${line}`);
  const reader = await community.again('Vintner');
  let failing = true;
  await reader.page.route(/older_rows/, (route) => (failing ? route.abort() : route.continue()));
  const room = await reader.enter(cellar);
  await expect(room.message(/bottle 120/)).toBeInViewport();
  const loaded = await room.messages.count();
  await room.scrollUp();
  await expect(reader.page.getByText(reader.words.olderFailed)).toBeVisible();
  expect(await room.messages.count()).toBe(loaded);
  failing = false;
  await reader.page.getByRole('button', { name: reader.words.tryAgain }).click();
  await expect.poll(() => room.messages.count()).toBeGreaterThan(loaded);
  await expect(reader.page.getByText(reader.words.olderFailed)).toHaveCount(0);
});

test('new messages do not move somebody who reads further up', async ({ community }) => {
  const reading = await community.room('reading', 'Reading');
  await community.account('Slow Reader', ['reading']);
  await community.account('Fast Writer', ['reading']);
  const bot = await community.bot('Fast Writer');
  for (let line = 1; line <= 45; line += 1) await bot.post(reading.slug, `story ${line}`);
  const reader = await community.again('Slow Reader');
  const room = await reader.enter(reading);
  const row = room.message(/story 20(?!\d)/);
  await row.scrollIntoViewIfNeeded();
  const before = (await row.boundingBox())!.y;
  await bot.post(reading.slug, 'news 1');
  await bot.post(reading.slug, 'news 2');
  const button = reader.page.getByRole('button', { name: reader.words.newMessages(2) });
  await expect(button).toBeVisible();
  expect(Math.abs((await row.boundingBox())!.y - before)).toBeLessThanOrEqual(1);
  await button.click();
  await expect(room.message('news 2')).toBeInViewport();
  await expect(button).toBeHidden();
});

test('unread counts and the title follow what was said elsewhere', async ({ community }) => {
  const noise = await community.room('noise', 'Noise');
  const calm = await community.room('calm', 'Calm');
  for (const name of ['Listener', 'Speaker']) await community.account(name, ['noise', 'calm']);
  const bot = await community.bot('Speaker');
  const reader = await community.again('Listener');
  const sidebar = new Sidebar(reader.page, reader.words);
  const own = await community.bot('Listener');
  await reader.enter(calm);
  // From another device of the reader's: nothing that they have not read.
  await own.post(noise.slug, 'none of the count');
  await bot.post(noise.slug, 'one');
  await sidebar.hasUnread('Noise', 1);
  await bot.post(noise.slug, 'two');
  await sidebar.hasUnread('Noise', 2);
  await expect(reader.page).toHaveTitle(/^\(2\)/);

  await test.step('the count survives a reload', async () => {
    await reader.page.reload();
    await sidebar.hasUnread('Noise', 2);
    await expect(reader.page).toHaveTitle(/^\(2\)/);
  });
  await test.step('reading clears it, here and after a reload', async () => {
    await sidebar.room('Noise').click();
    await new RoomPage(reader.page, reader.words, noise.name).sees('two');
    await expect(sidebar.room('Noise')).toHaveAccessibleName(/^Noise$/);
    await expect(reader.page).toHaveTitle(/^[^(]/);
    await reader.page.goto('/rooms/calm');
    await expect(sidebar.room('Noise')).toHaveAccessibleName(/^Noise$/);
  });
  await test.step('more than 99 is 99+', async () => {
    for (let line = 0; line < 105; line += 1) await bot.post(noise.slug, `burst ${line}`);
    await expect(sidebar.room('Noise')).toHaveAccessibleName(/99\+/);
  });
});

test('a return after more than a thousand messages starts from the newest page', async ({ community, guard }) => {
  guard.intend(...lostConnection);
  const busy = await community.room('busy', 'Busy');
  await community.account('Sleeper', ['busy']);
  await community.account('Crowd', ['busy']);
  const bot = await community.bot('Crowd');
  const reader = await community.again('Sleeper');
  await bot.post(busy.slug, 'before the sleep');
  const room = await reader.enter(busy);
  await room.sees('before the sleep');
  await reader.context.setOffline(true);
  const posts = Array.from({ length: 1_100 }, (_, number) => number);
  // Several at a time: the writer commits what has gathered.
  for (let at = 0; at < posts.length; at += 50) await Promise.all(posts.slice(at, at + 50).map((number) => bot.post(busy.slug, `overnight ${number}`)));
  await bot.post(busy.slug, 'good morning');
  await reader.context.setOffline(false);
  await room.sees('good morning');
  expect(await room.messages.count()).toBeLessThanOrEqual(320);
  await bot.post(busy.slug, 'live again');
  await room.sees('live again');
});

test('the page keeps a bounded number of rows', async ({ community }) => {
  const flood = await community.room('flood', 'Flood');
  await community.account('Watcher', ['flood']);
  const bot = await community.bot('Watcher');
  const reader = await community.again('Watcher');
  const room = await reader.enter(flood);
  for (let at = 0; at < 400; at += 40) await Promise.all(Array.from({ length: 40 }, (_, number) => bot.post(flood.slug, `drop ${at + number}`)));
  await bot.post(flood.slug, 'the last drop');
  await room.sees('the last drop');
  await expect(room.message('the last drop')).toBeInViewport();
  expect(await room.messages.count()).toBeLessThanOrEqual(320);
});
