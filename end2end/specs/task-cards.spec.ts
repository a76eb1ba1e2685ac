// Work that somebody started is a card in the room: everybody sees it move, and how it ended.
import type { Locator } from '@playwright/test';
import { expectAccessible } from '../fixtures/a11y';
import { OWNER, ROOM } from '../fixtures/community';
import { refusedWith } from '../fixtures/guard';
import { expect, test } from '../fixtures/test';
import type { RoomPage } from '../pages/room-page';

/** What there is to be seen of a task while it runs takes longer on a busy machine than the five seconds of the note's. */
const SECONDS = 20;
const MOVING = /^1?[1-9]$/;
const patience = { timeout: (SECONDS + 10) * 1_000 };

/** Starts the task that only takes time, as a program of the owner's would. */
async function start(url: string, token: string): Promise<void> {
  const answer = await fetch(`${url}/api/v1/tasks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ task: 'demo', args: { seconds: SECONDS }, room: ROOM.slug }),
  });
  expect(answer.status).toBe(202);
}

function card(room: RoomPage): Locator {
  return room.conversation.getByRole('listitem').filter({ hasText: room.words.tasks.startedBy(OWNER) }).last();
}

const height = async (card: Locator) => (await card.boundingBox())?.height;

test('a task is seen moving by everybody, after a reload too, and stands still in its place', async ({ community }) => {
  const member = await community.newcomer('Watcher');
  const room = await member.enter();
  const token = await community.server.admin(['token', 'create', OWNER]);
  await start(community.server.url, token);
  const seen = card(room);
  const bar = seen.getByRole('progressbar');
  await expect(seen.getByText(member.words.tasks.demo, { exact: true })).toBeVisible();
  await expect(bar).toHaveAttribute('value', MOVING);
  const whileRunning = await height(seen);
  await expect(seen.getByRole('button')).toHaveCount(0);
  await expectAccessible(member.page);

  await member.page.reload();
  // The page brings how far it is: nothing is waited for.
  await expect(bar).toHaveAttribute('value', MOVING);
  await room.live();
  await expect(seen.getByText(member.words.tasks.succeeded, { exact: true })).toBeVisible(patience);
  await expect(seen.locator('.words')).toHaveText('작업 완료');
  await expect(bar).toHaveCount(0);
  expect(await height(seen)).toBe(whileRunning);
  await expectAccessible(member.page);
});

test('for how long a task runs moves with the clock, and stands once it has ended', async ({ community }) => {
  const member = await community.newcomer('Timekeeper');
  const room = await member.enter();
  const token = await community.server.admin(['token', 'create', OWNER]);
  const begun = async () => {
    const seen = card(room);
    const earlier = (await seen.count()) ? await seen.getAttribute('data-key') : null;
    await start(community.server.url, token);
    await expect(seen).not.toHaveAttribute('data-key', earlier ?? '');
    const it = room.conversation.locator(`[data-key="${await seen.getAttribute('data-key')}"]`);
    const seconds = async () => Number.parseInt((await it.locator('.lasted').textContent()) || '-1', 10);
    return { it, seconds };
  };
  const first = await begun();
  await expect.poll(first.seconds).toBeGreaterThanOrEqual(1);
  const early = await first.seconds();
  await expect.poll(first.seconds).toBeGreaterThan(early);
  await expect(first.it.getByText(member.words.tasks.succeeded, { exact: true })).toBeVisible(patience);
  const whole = await first.seconds();
  expect(whole).toBeGreaterThanOrEqual(SECONDS);
  // Another one tells how time goes by.
  const second = await begun();
  await expect.poll(second.seconds).toBeGreaterThanOrEqual(2);
  expect(await first.seconds()).toBe(whole);
});

test('who started it cancels it and runs it again', async ({ community }) => {
  const owner = await community.owner();
  const member = await community.newcomer('Bystander');
  const there = await member.enter();
  const room = await owner.enter();
  await start(community.server.url, await community.server.admin(['token', 'create', OWNER]));
  const mine = card(room);
  const theirs = card(there);
  await expect(mine.getByText(owner.words.tasks.running, { exact: true })).toBeVisible();
  await mine.getByRole('button', { name: owner.words.tasks.cancel }).click();
  await expect(mine.getByText(owner.words.tasks.cancelled, { exact: true })).toBeVisible();
  await expect(theirs.getByText(member.words.tasks.cancelled, { exact: true })).toBeVisible();
  await expect(theirs.getByRole('button')).toHaveCount(0);
  // The button went with what it did.
  await expect(room.conversation).toBeFocused();
  await mine.getByRole('button', { name: owner.words.tasks.again }).click();
  await expect(theirs.getByText(member.words.tasks.running, { exact: true })).toBeVisible();
  await expect(theirs.getByText(member.words.tasks.succeeded, { exact: true })).toBeVisible(patience);
});

test('a refusal is said at the card, and it can be tried again', async ({ community, guard }) => {
  guard.intend(refusedWith(429));
  const owner = await community.owner();
  const room = await owner.enter();
  await start(community.server.url, await community.server.admin(['token', 'create', OWNER]));
  const cancel = card(room).getByRole('button', { name: owner.words.tasks.cancel });
  await owner.page.route('**/api/cancel_task*', (route) => route.fulfill({ status: 429, json: { code: 'rate_limited', message: '' } }));
  await cancel.click();
  await expect(card(room).getByRole('alert')).toHaveText(owner.words.errors.rateLimited);
  await owner.page.unroute('**/api/cancel_task*');
  await cancel.click();
  await expect(card(room).getByText(owner.words.tasks.cancelled, { exact: true })).toBeVisible();
});

test('a room is exported with a command, and its members fetch the file from the card', async ({ community }) => {
  const member = await community.newcomer('Archivist');
  const room = await member.enter();
  await room.composer.fill('/export');
  await room.composer.press('Enter');
  const seen = room.conversation.getByRole('listitem').filter({ hasText: room.words.tasks.startedBy('Archivist') }).last();
  const link = seen.getByRole('link', { name: member.words.tasks.download });
  await expect(link).toBeVisible({ timeout: 15_000 });
  await expectAccessible(member.page);
  const other = await community.newcomer('Another Reader');
  const there = await other.enter();
  const waiting = other.page.waitForEvent('download');
  await there.conversation.getByRole('link', { name: other.words.tasks.download }).last().click();
  expect((await waiting).suggestedFilename()).toMatch(/\.zip$/);
});
