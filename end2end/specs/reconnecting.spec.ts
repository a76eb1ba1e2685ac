// The socket goes and comes back; nothing is lost and nothing is doubled.
import type { WebSocketRoute } from '@playwright/test';
import { OWNER, ROOM } from '../fixtures/community';
import { lostConnection } from '../fixtures/guard';
import type { Command } from '../fixtures/socket';
import { expect, test } from '../fixtures/test';
import { RoomPage } from '../pages/room-page';
import { Sidebar } from '../pages/sidebar';
import { running } from '../pages/app';

test('what was said while the socket was cut arrives once, in order', async ({ community, guard }) => {
  guard.intend(...lostConnection);
  const reader = await community.newcomer('Tunnel');
  let cut = false;
  const open = new Set<WebSocketRoute>();
  await reader.page.routeWebSocket(/\/live$/, (socket) => {
    if (cut) return void socket.close({ code: 1012, reason: 'cut' });
    socket.connectToServer();
    open.add(socket);
  });
  const room = await reader.enter();
  const bot = await community.bot(OWNER);
  await bot.post(ROOM.slug, 'cut 1');
  await room.sees('cut 1');

  cut = true;
  for (const socket of open) await socket.close({ code: 1012, reason: 'cut' });
  await expect(reader.page.getByText(reader.words.reconnecting)).toBeVisible();
  for (const text of ['cut 2', 'cut 3', 'cut 4']) await bot.post(ROOM.slug, text);
  await room.write('written in the tunnel');
  await expect(room.message('written in the tunnel')).toBeVisible();
  expect(await bot.count(ROOM.slug, 'written in the tunnel')).toBe(0);

  cut = false;
  await room.live();
  await room.sees('cut 4');
  await expect(room.message('written in the tunnel').getByText(reader.words.sending)).toHaveCount(0);
  expect(await room.texts(/cut \d|written in the tunnel/)).toEqual(['cut 1', 'cut 2', 'cut 3', 'cut 4', 'written in the tunnel']);
  expect(await bot.count(ROOM.slug, 'written in the tunnel')).toBe(1);
});

test('without a network the page says so, and sends when it is back', async ({ community, guard }) => {
  guard.intend(...lostConnection);
  const writer = await community.newcomer('Train');
  const room = await writer.enter();
  await writer.context.setOffline(true);
  await expect(writer.page.getByText(writer.words.offline)).toBeVisible();
  for (const text of ['offline 1', 'offline 2', 'offline 3']) await room.write(text);
  await expect(room.message(/offline \d/)).toHaveCount(3);
  await writer.context.setOffline(false);
  await room.live();
  const bot = await community.bot('Train');
  await expect.poll(async () => (await bot.log(ROOM.slug)).flatMap((event) => event.body?.match(/^offline \d$/)?.[0] ?? [])).toEqual(['offline 1', 'offline 2', 'offline 3']);
  expect(await room.texts(/offline \d/)).toEqual(['offline 1', 'offline 2', 'offline 3']);
});

test('a message whose ack was lost is not posted twice', async ({ community, guard }) => {
  guard.intend(...lostConnection);
  const writer = await community.newcomer('Lost Ack');
  let swallowed = false;
  await writer.page.routeWebSocket(/\/live$/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((frame) => {
      const text = frame.toString();
      // The server has it; the browser never hears so on this connection.
      if (!swallowed && (text.includes('"ack"') || text.includes('sent twice'))) {
        swallowed = true;
        void socket.close({ code: 1012, reason: 'cut' });
        void server.close();
        return;
      }
      socket.send(frame);
    });
  });
  const room = await writer.enter();
  await room.say('sent twice?');
  expect(swallowed).toBe(true);
  await room.live();
  await expect(room.message('sent twice?')).toHaveCount(1);
  const bot = await community.bot('Lost Ack');
  expect(await bot.count(ROOM.slug, 'sent twice?')).toBe(1);
});

test('the server restarts under two people who go on talking', async ({ community, server, guard }) => {
  guard.intend(...lostConnection);
  const one = await community.newcomer('One');
  const two = await community.newcomer('Two');
  const here = await one.enter();
  const there = await two.enter();
  await here.say('before the deploy');
  await server.halt('SIGTERM');
  await here.write('during the deploy');
  await server.resume();
  await there.sees('during the deploy');
  await there.say('after the deploy');
  await here.sees('after the deploy');
  expect(await there.texts(/(before|during|after) the deploy/)).toEqual(['before the deploy', 'during the deploy', 'after the deploy']);
});

test('a post that a stopping server did not take goes out once, by itself', async ({ community, server, guard }) => {
  // The held post below may come too late for its socket: both ends are right.
  guard.intend(...lostConnection, /WebSocket is already in CLOSING or CLOSED state/);
  const writer = await community.newcomer('Last Minute');
  const frames: string[] = [];
  let isDraining: () => void = () => undefined;
  const draining = new Promise<void>((done) => (isDraining = done));
  await writer.page.routeWebSocket(/\/live$/, (socket) => {
    const above = socket.connectToServer();
    above.onMessage((frame) => {
      const { type } = JSON.parse(frame.toString()) as Command;
      frames.push(type);
      if (type === 'draining') isDraining();
      socket.send(frame);
    });
    socket.onMessage(async (frame) => {
      const command = JSON.parse(frame.toString()) as Command;
      if (command.type !== 'post') return above.send(frame);
      frames.push(`post ${command.key}`);
      // Arrives when the server has begun to stop.
      await draining;
      above.send(frame);
    });
  });
  const room = await writer.enter();
  await room.write('in the last minute');
  await expect(room.message('in the last minute').getByText(writer.words.sending)).toBeAttached();
  await expect.poll(() => frames.filter((frame) => frame.startsWith('post'))).toHaveLength(1);
  await server.halt('SIGTERM');
  await expect.poll(() => frames).toContain('draining');
  await expect(room.message('in the last minute').getByText(writer.words.waiting)).toBeVisible();
  await server.resume();
  await room.live();
  await expect(room.message('in the last minute').getByText(writer.words.waiting)).toHaveCount(0);
  const bot = await community.bot('Last Minute');
  await expect.poll(() => bot.count(ROOM.slug, 'in the last minute')).toBe(1);
  await room.sees('in the last minute');
  const posts = frames.filter((frame) => frame.startsWith('post'));
  expect(new Set(posts).size, 'one key for all tries').toBe(1);
  expect(posts.length).toBeGreaterThan(1);
});

test('back from another page the room has what was said meanwhile', async ({ community }) => {
  const reader = await community.newcomer('Wanderer');
  const room = await reader.enter();
  const bot = await community.bot(OWNER);
  await reader.page.goto('/settings');
  await bot.post(ROOM.slug, 'said meanwhile');
  await reader.page.goBack();
  await new RoomPage(reader.page, reader.words, ROOM.name).live();
  await room.sees('said meanwhile');
});

test('a room made between the page and its first greeting is in the list', async ({ community }) => {
  const reader = await community.newcomer('Early Bird');
  const owner = await community.owner();
  let greet: () => void = () => undefined;
  const greeted = new Promise<void>((done) => (greet = done));
  await reader.page.routeWebSocket(/\/live$/, async (socket) => {
    await greeted;
    socket.connectToServer();
  });
  await owner.enter();
  await reader.page.goto(`/rooms/${ROOM.slug}`);
  await running(reader.page);
  await new Sidebar(owner.page, owner.words).createRoom('Born between', 'open');
  const list = new Sidebar(reader.page, reader.words);
  await expect(list.room('Born between')).toHaveCount(0);
  greet();
  await expect(list.room('Born between')).toBeVisible();
});

test('a page that the server refuses says so and can be loaded anew', async ({ community }) => {
  const reader = await community.newcomer('Outdated');
  let refusing = true;
  await reader.page.routeWebSocket(/\/live$/, (socket) => {
    if (refusing) return void socket.close({ code: 1007, reason: 'not JSON' });
    socket.connectToServer();
  });
  await reader.page.goto(`/rooms/${ROOM.slug}`);
  await expect(reader.page.getByText(reader.words.stopped)).toBeVisible();
  await expect(reader.page.getByText(reader.words.reconnecting)).toHaveCount(0);
  refusing = false;
  await reader.page.getByRole('button', { name: reader.words.reload }).click();
  const room = new RoomPage(reader.page, reader.words, ROOM.name);
  await room.live();
  await room.say('understood again');
});
