// A server that asks for patience is obeyed, and the reader is told.
import { OWNER, ROOM } from '../fixtures/community';
import { lostConnection } from '../fixtures/guard';
import { Socket } from '../fixtures/socket';
import { expect, test } from '../fixtures/test';
import { RoomPage } from '../pages/room-page';

test.use({ flags: ['--limit', 'posts_burst=2', '--limit', 'posts_per_minute=30', '--limit', 'connections_per_user=1'] });

test('who posts too fast is told when it goes on, and it does, in order', async ({ community }) => {
  const writer = await community.newcomer('Hasty');
  const room = await writer.enter();
  const texts = ['haste 1', 'haste 2', 'haste 3', 'haste 4'];
  for (const text of texts) await room.write(text);
  await expect(writer.page.getByText(writer.words.heldFor).first()).toBeVisible();
  await expect(room.composer).toBeEnabled();
  const bot = await community.bot(OWNER);
  await expect.poll(async () => (await bot.log(ROOM.slug)).flatMap((event) => event.body?.match(/^haste \d$/)?.[0] ?? []), { timeout: 20_000 }).toEqual(texts);
  await expect(writer.page.getByText(writer.words.heldFor)).toHaveCount(0);
});

test('a wait that ends while the connection is gone leaves the page alive', async ({ community, guard }) => {
  guard.intend(...lostConnection);
  const writer = await community.newcomer('Unlucky');
  const socket = await Socket.of(writer.page);
  const room = await writer.enter();
  const texts = ['alas 1', 'alas 2', 'alas 3'];
  for (const text of texts) await room.write(text);
  await expect(writer.page.getByText(writer.words.heldFor).first()).toBeVisible();
  await socket.cut();
  await expect(writer.page.getByText(writer.words.heldFor)).toHaveCount(0);
  // The wait has ended, and not by sending.
  await expect(room.message(/alas \d/).getByText(writer.words.waiting).first()).toBeVisible();
  await room.composer.fill('still here');
  await socket.mend();
  const bot = await community.bot(OWNER);
  await expect.poll(async () => (await bot.log(ROOM.slug)).flatMap((event) => event.body?.match(/^alas \d$/)?.[0] ?? []), { timeout: 20_000 }).toEqual(texts);
});

test('one window too many says so, and comes in when another has gone', async ({ community, guard }) => {
  guard.intend(...lostConnection);
  const reader = await community.newcomer('Many Windows');
  await reader.enter();
  const second = await reader.anotherTab();
  await second.goto(`/rooms/${ROOM.slug}`);
  await expect(second.getByText(reader.words.crowded)).toBeVisible();
  await reader.page.close();
  await expect(second.getByText(reader.words.crowded)).toHaveCount(0, { timeout: 20_000 });
  await new RoomPage(second, reader.words, ROOM.name).live();
});
