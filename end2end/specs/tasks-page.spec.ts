// What runs in the background, for owners: seen, filtered, run again and cancelled.
import { expectAccessible } from '../fixtures/a11y';
import { type Community, OWNER, ROOM } from '../fixtures/community';
import { refusedWith } from '../fixtures/guard';
import { expect, test } from '../fixtures/test';
import type { Words } from '../fixtures/words';
import type { Page } from '@playwright/test';

// No room is so small that it could be exported.
test.use({ flags: ['--limit', 'export_bytes=1024'] });

async function start(community: Community, seconds: number): Promise<void> {
  const token = await community.server.admin(['token', 'create', OWNER]);
  const answer = await fetch(`${community.server.url}/api/v1/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ task: 'demo', args: { seconds }, room: ROOM.slug }),
  });
  expect(answer.status).toBe(202);
}

const lines = (page: Page, words: Words) => page.getByRole('main').getByRole('listitem').filter({ hasText: words.tasks.demo });

test('an owner sees tasks run and end, cancels one and runs it again', async ({ community }) => {
  const owner = await community.owner();
  const { page, words } = owner;
  await owner.enter();
  await page.getByRole('navigation').getByRole('link', { name: words.tasks.title }).click();
  await expect(page.getByText(words.tasks.none)).toBeVisible();
  await start(community, 60);
  const running = page.getByRole('link', { name: new RegExp(`^${words.tasks.lists.running}`) });
  const ended = page.getByRole('link', { name: new RegExp(`^${words.tasks.lists.ended}`) });
  // Nobody reloads.
  await expect(lines(page, words)).toHaveCount(1, { timeout: 10_000 });
  await expect(running).toHaveAttribute('aria-current', 'page');
  await expect(running).toContainText('1');
  await expectAccessible(page);
  await lines(page, words).getByRole('button', { name: words.tasks.cancel }).click();
  await expect(page.getByText(words.tasks.none)).toBeVisible({ timeout: 10_000 });
  await ended.click();
  await expect(page).toHaveURL(/list=ended/);
  await expect(lines(page, words).getByText(words.tasks.cancelled)).toBeVisible();
  await lines(page, words).getByRole('button', { name: words.tasks.again }).click();
  await expect(lines(page, words)).toHaveCount(0, { timeout: 10_000 });
  await running.click();
  await expect(lines(page, words).getByText(words.tasks.running)).toBeVisible({ timeout: 10_000 });
  await page.getByRole('link', { name: new RegExp(`^${words.tasks.lists.cpu}`) }).click();
  await expect(lines(page, words)).toHaveCount(0);
  await page.goBack();
  await expect(lines(page, words)).toHaveCount(1);
  await lines(page, words).getByRole('button', { name: words.tasks.cancel }).click();
});

test('it reads without scripts', async ({ community }) => {
  await start(community, 60);
  const plain = await community.owner({ browser: { javaScriptEnabled: false } });
  await expect(async () => {
    await plain.page.goto('/tasks');
    await expect(lines(plain.page, plain.words).first()).toBeVisible({ timeout: 500 });
  }).toPass();
  await plain.page.getByRole('link', { name: new RegExp(`^${plain.words.tasks.lists.failed}`) }).click();
  await expect(plain.page.getByText(plain.words.tasks.none)).toBeVisible();
});

test('it is looked at while somebody sees it, and not otherwise', async ({ community }) => {
  const owner = await community.owner();
  let asked = 0;
  owner.page.on('request', (request) => (asked += Number(/\/api\/tasks/.test(request.url()))));
  await start(community, 60);
  await owner.page.goto('/tasks');
  await expect.poll(() => asked, { timeout: 10_000 }).toBeGreaterThan(1);
  await owner.page.evaluate(() => Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true }));
  // What somebody looks at meanwhile tells how time goes by.
  let seen = 0;
  const other = await owner.anotherTab();
  other.on('request', (request) => (seen += Number(/\/api\/tasks/.test(request.url()))));
  await other.goto('/tasks');
  await expect.poll(() => seen, { timeout: 10_000 }).toBeGreaterThan(1);
  const before = asked;
  const then = seen;
  await expect.poll(() => seen, { timeout: 10_000 }).toBeGreaterThan(then + 2);
  expect(asked).toBe(before);
});

test('it is for owners', async ({ community, guard }) => {
  guard.intend(refusedWith(403));
  const member = await community.newcomer('Curious');
  await member.page.goto('/tasks');
  await expect(member.page.getByText(member.words.errors.forbidden)).toBeVisible();
  await expect(member.page.getByRole('link', { name: member.words.tasks.title })).toHaveCount(0);
});

test('an owner runs a failed task again', async ({ community }) => {
  const owner = await community.owner();
  const { page, words } = owner;
  await owner.enter();
  const headers = { authorization: `Bearer ${await community.server.admin(['token', 'create', OWNER])}` };
  const url = `${community.server.url}/api/v1/tasks`;
  const body = JSON.stringify({ task: 'export', room: ROOM.slug });
  const started = await fetch(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body });
  expect(started.status).toBe(202);
  const { id } = await started.json();
  const runs = async () => {
    const { state, attempts } = await (await fetch(`${url}/${id}`, { headers })).json();
    return `${state} ${attempts}`;
  };
  await expect.poll(runs).toBe('failed 1');
  await page.goto('/tasks?list=failed');
  const failed = page.getByRole('main').getByRole('listitem').filter({ hasText: words.tasks.export });
  await expect(failed).toHaveCount(1);
  await failed.getByRole('button', { name: words.tasks.again }).click();
  await expect.poll(runs, { timeout: 10_000 }).toBe('failed 2');
  await expect(failed).toHaveCount(1, { timeout: 10_000 });
});
