// A backup is put back while people have the room open: everybody goes on from the same past.
import { OWNER, ROOM } from '../fixtures/community';
import { lostConnection } from '../fixtures/guard';
import { expect, test } from '../fixtures/test';

test.use({ flags: ['--limit', 'posts_burst=100000'] });

test('after a restore every page shows the restored log, and what was not acknowledged is sent', async ({ community, server, guard }) => {
  guard.intend(...lostConnection);
  const people = [await community.newcomer('Writes On'), await community.newcomer('Looks On')];
  const [writer, reader] = [await people[0].enter(), await people[1].enter()];
  const bot = await community.bot(OWNER);
  const backup = server.file('backup');

  for (let n = 0; n < 10; n += 1) await bot.post(ROOM.slug, `before ${n}`);
  let copying = true;
  const load = async () => {
    for (let n = 0; copying; n += 1) await bot.post(ROOM.slug, `load ${n}`);
  };
  const [posted] = await Promise.allSettled([load(), server.run(['backup', backup]).finally(() => (copying = false))]);
  expect(posted.status).toBe('fulfilled');
  await writer.say('acknowledged after the backup');
  for (let n = 0; n < 3; n += 1) await bot.post(ROOM.slug, `gone ${n}`);
  await reader.sees('gone 2');

  await server.halt('SIGKILL');
  for (const text of ['waits 1', 'waits 2']) await writer.write(text);
  await expect(writer.message(/waits \d/).getByText(writer.words.waiting)).toHaveCount(2);
  await server.run(['restore', '--keep-sessions', backup]);
  await server.resume();

  for (const room of [writer, reader]) {
    await room.live();
    await room.sees('waits 2');
    const log = (await bot.log(ROOM.slug)).flatMap((event) => event.body ?? []);
    expect(log.slice(-2)).toEqual(['waits 1', 'waits 2']);
    expect(log.filter((text) => /gone|after the backup/.test(text))).toEqual([]);
    const shown = () => room.messages.locator('.body').allTextContents();
    await expect.poll(async () => (await shown()).length).toBeGreaterThan(10);
    const rows = await shown();
    expect(rows).toEqual(log.slice(-rows.length));
  }
});
