// So much was said while one was away that the log cannot be followed: the page starts anew and the reader stays.
import { OWNER, ROOM } from '../fixtures/community';
import { lostConnection } from '../fixtures/guard';
import { Socket } from '../fixtures/socket';
import { expect, test } from '../fixtures/test';

test.use({ flags: ['--limit', 'catch_up_events=20', '--limit', 'posts_burst=300'] });

test('at the end one stays at the end, and the draft stays', async ({ community, guard }) => {
  guard.intend(...lostConnection);
  const reader = await community.newcomer('At The End');
  const socket = await Socket.of(reader.page);
  const room = await reader.enter();
  const bot = await community.bot(OWNER);
  await room.composer.fill('a draft');
  await socket.cut();
  for (let n = 1; n <= 60; n += 1) await bot.post(ROOM.slug, `end ${n} of 60`);
  await socket.mend();
  await room.sees('end 60 of 60');
  expect(socket.heard).toContain('gap');
  await expect(room.message('end 60 of 60')).toBeInViewport();
  await expect(room.composer).toHaveValue('a draft');
  await expect(reader.page.getByText(reader.words.missing)).toHaveCount(0);
});

test('above the end one stays on one’s row, and what is missing can be loaded', async ({ community, guard }) => {
  guard.intend(...lostConnection, /ERR_FAILED/);
  const reader = await community.newcomer('Above The End');
  const bot = await community.bot(OWNER);
  for (let n = 1; n <= 40; n += 1) await bot.post(ROOM.slug, `before ${n} of 40`);
  const socket = await Socket.of(reader.page);
  const room = await reader.enter();
  await room.sees('before 40 of 40');
  await room.conversation.evaluate((log) => (log.scrollTop = -700));
  const visible = () => room.conversation.evaluate((log) => {
    const top = log.getBoundingClientRect().top;
    const row = [...log.querySelectorAll('li[data-delivery]')].find((item) => item.getBoundingClientRect().bottom > top);
    return { text: row?.querySelector('.body')?.textContent, below: Math.round((row?.getBoundingClientRect().bottom ?? 0) - top) };
  });
  const before = await visible();
  await room.composer.fill('a draft');
  await room.composer.focus();
  await socket.cut();
  for (let n = 1; n <= 130; n += 1) await bot.post(ROOM.slug, `after ${n} of 130`);
  await socket.mend();
  await room.live();
  await expect(reader.page.getByText(reader.words.missing)).toBeAttached();
  expect(socket.heard).toContain('gap');
  await expect.poll(visible).toEqual(before);
  await expect(room.composer).toHaveValue('a draft');
  await expect(room.composer).toBeFocused();

  const load = reader.page.getByRole('button', { name: reader.words.loadMissing });
  await test.step('it says that it loads them, and offers them again when they cannot be loaded', async () => {
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((done) => (answer = done));
    await reader.page.route(/older_rows/, async (route) => {
      await answered;
      await route.abort();
    });
    const said = reader.page.getByText(reader.words.missing);
    await said.evaluate((row) => row.scrollIntoView({ block: 'center' }));
    const places = () =>
      said.evaluate((row) => {
        const box = (item?: Element | null) => item?.getBoundingClientRect().toJSON() as unknown;
        const item = row.closest('li');
        return [row, item, item?.nextElementSibling, item?.previousElementSibling].map(box);
      });
    const before = await places();
    await load.click();
    await expect(load).toBeHidden();
    expect(await places(), 'nothing moves').toEqual(before);
    const loading = said.locator('xpath=..').getByText(reader.words.loading);
    await expect.poll(() => loading.evaluate((words) => getComputedStyle(words).opacity)).toBe('1');
    expect(await places(), 'nothing moves').toEqual(before);
    await expect(reader.page.getByText(reader.words.olderFailed)).toHaveCount(0);
    answer();
    await expect(reader.page.getByText(reader.words.olderFailed)).toBeVisible();
    await reader.page.unroute(/older_rows/);
    await reader.page.getByRole('button', { name: reader.words.tryAgain }).click();
    await expect(reader.page.getByText(reader.words.olderFailed)).toHaveCount(0);
  });
  await expect(async () => {
    if (await load.count()) await load.click({ timeout: 1_000 });
    // The button alone is gone while they are being loaded, too.
    await expect(reader.page.getByText(reader.words.missing)).toHaveCount(0, { timeout: 1_000 });
  }).toPass();
  const after = (await room.texts(/after \d+ of 130/)).map((text) => Number(text.split(' ')[1]));
  expect(after).toEqual(Array.from({ length: 130 }, (_, n) => n + 1));
});
