// Every page and state, both languages, light and dark, desktop and phone: nothing that keeps somebody out.
import type { WebSocketRoute } from '@playwright/test';
import { OWNER, ROOM, type Person } from '../fixtures/community';
import { expectAccessible } from '../fixtures/a11y';
import { type Look, looks } from '../fixtures/looks';
import { expect, test } from '../fixtures/test';
import { PeoplePage } from '../pages/people-page';
import { PlainPages } from '../pages/plain-pages';
import { running } from '../pages/app';
import { RoomPage } from '../pages/room-page';

test.describe.configure({ timeout: 180_000 });

/** The room list and what is known about the room are drawers on a phone. */
async function showRooms({ page, words }: Person, look: Look): Promise<void> {
  if (look.phone) await page.getByRole('link', { name: words.showRooms }).click();
}

async function showAbout({ page, words }: Person, look: Look): Promise<void> {
  if (look.phone) await page.getByRole('link', { name: words.aboutRoom }).click();
}

for (const look of looks) {
  test(`a room and its dialogs (${look.name})`, async ({ community }) => {
    const owner = await community.owner(look);
    const bot = await community.bot(OWNER);
    await bot.post(ROOM.slug, '링크도 봐요 https://example.org/a?b=c and some English');
    const { page, words } = owner;
    await owner.enter();
    await expectAccessible(page);
    if (look.phone) {
      for (const show of [showRooms, showAbout]) {
        await show(owner, look);
        await expect(page.getByRole('dialog')).toBeVisible();
        await expectAccessible(page);
        await page.goBack();
        await expect(page.getByRole('dialog')).toHaveCount(0);
      }
    }
    await showRooms(owner, look);
    await page.getByRole('button', { name: words.newRoom }).click();
    await expect(page.locator('dialog[open]')).toBeVisible();
    await expectAccessible(page);
    await owner.enter();
    await showAbout(owner, look);
    for (const deed of [words.addPeople, words.rename, words.makeClosed, words.leaveRoom]) {
      await page.locator('#about').getByRole('button', { name: deed }).click();
      await expect(page.locator('dialog[open]')).toBeVisible();
      await expectAccessible(page);
      await page.locator('dialog[open]').getByRole('button', { name: words.close, exact: true }).click();
      await expect(page.locator('dialog[open]')).toHaveCount(0);
    }
  });

  test(`pages of a member (${look.name})`, async ({ community, guard }) => {
    guard.intend(/status of 404/);
    const owner = await community.owner(look);
    const people = new PeoplePage(owner.page, owner.words);
    await people.open();
    await people.invite();
    await expectAccessible(owner.page);
    for (const address of ['/', '/rooms', '/settings', '/rooms/no-such-room']) {
      await owner.page.goto(address);
      await running(owner.page);
      await expectAccessible(owner.page);
    }
  });

  test(`a room that is not one's own, refuses, or ends (${look.name})`, async ({ community }) => {
    const slug = `hall-${looks.indexOf(look)}`;
    const hall = await community.room(slug, `Hall ${looks.indexOf(look)}`);
    const guest = await community.newcomer(`Guest ${looks.indexOf(look)}`, { ...look, member: [] });
    let live: WebSocketRoute | undefined;
    await guest.page.routeWebSocket(/\/live$/, (socket) => {
      live = socket;
      const server = socket.connectToServer();
      socket.onMessage((frame) => {
        const command = JSON.parse(frame.toString()) as { type: string; key?: string; body?: string };
        if (command.body?.startsWith('waiting')) return;
        if (command.type === 'post') socket.send(JSON.stringify({ type: 'refused', key: command.key, code: 'forbidden' }));
        else server.send(frame);
      });
    });
    const room = await guest.enter(hall);
    await expect(guest.page.getByText(guest.words.notMember)).toBeVisible();
    await expectAccessible(guest.page);
    await room.composer.fill('not taken');
    await room.send.click();
    await expect(room.message('not taken').getByText(guest.words.notSent)).toBeVisible();
    await expectAccessible(guest.page);
    await room.composer.fill('waiting, with a link: https://example.org/');
    await room.send.click();
    await expect(room.message('waiting').getByText(guest.words.sending)).toBeAttached();
    await expectAccessible(guest.page);
    live!.send(JSON.stringify({ type: 'revoked', room: slug }));
    await expect(guest.page.getByRole('heading', { name: guest.words.revokedTitle })).toBeVisible();
    await expectAccessible(guest.page);
  });

  test(`pages of a visitor (${look.name})`, async ({ community, server, guard }) => {
    guard.intend(/status of 4\d\d/);
    const owner = await community.owner(look);
    const people = new PeoplePage(owner.page, owner.words);
    await people.open();
    const invite = await people.invite();
    const forgetful = `Forgetful ${looks.indexOf(look)}`;
    await community.account(forgetful);
    const reset = (await server.admin(['user', 'reset', forgetful])).match(/https?:\/\/\S+/)![0];
    const visitor = await community.visitor(look);
    const addresses = ['/sign-in', invite, new URL(reset).pathname, '/join/no-such-link', '/reset/no-such-link', '/no-such-page'];
    for (const address of addresses) {
      await visitor.page.goto(address);
      await expect(visitor.page.getByRole('heading', { level: 1 })).toBeVisible();
      await expectAccessible(visitor.page);
    }
  });

  test(`a plain post that is refused (${look.name})`, async ({ community, guard }) => {
    guard.intend(/status of 4\d\d/, /ERR_FAILED|ERR_BLOCKED|Failed to fetch|preload/);
    const writer = await community.newcomer(`Plain ${looks.indexOf(look)}`, look);
    await writer.context.route(/\.wasm$/, (route) => route.abort());
    await writer.page.goto(`/rooms/${ROOM.slug}`);
    const room = new RoomPage(writer.page, writer.words, ROOM.name);
    await room.composer.fill('a bell \u0007');
    await room.send.click();
    await expect(new PlainPages(writer.page, writer.words).heading(writer.words.refusedTitle)).toBeVisible();
    await expectAccessible(writer.page);
  });
}

test('a room at 200 % zoom on a phone needs no sideways scrolling', async ({ community }) => {
  const reader = await community.newcomer('Zoom', { browser: { viewport: { width: 320, height: 640 } } });
  const room = await reader.enter();
  await room.say(`Unbreakable${'x'.repeat(300)} https://example.org/${'long'.repeat(60)}`);
  for (const place of [room.conversation, reader.page.getByRole('main'), reader.page.locator('html')]) {
    const overflow = await place.evaluate((element) => element.scrollWidth - element.clientWidth);
    expect(overflow, `${place}`).toBe(0);
  }
});
