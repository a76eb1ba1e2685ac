// Work in the background, and files: cards, the list of commands, what is attached, what a message carries.
import { readFileSync } from 'node:fs';
import { OWNER, ROOM } from '../fixtures/community';
import { refusedWith } from '../fixtures/guard';
import { expect, test } from '../fixtures/test';
import { circumstances, looks, picture } from './album';
import { furnish } from './rooms';

const photo = { name: '망원 한강공원.png', mimeType: 'image/png', buffer: readFileSync('../public/icon-512.png') };
const notes = { name: '회의록과 예산안 2026년 11월 최종 수정본.txt', mimeType: 'text/plain', buffer: Buffer.from('회의록\n'.repeat(900)) };

test('tasks in a room and on their page', async ({ community }) => {
  await furnish(community);
  const token = await community.server.admin(['token', 'create', OWNER]);
  const start = (task: string, args: object) =>
    fetch(`${community.server.url}/api/v1/tasks`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ task, args, room: ROOM.slug }),
    });
  const first = await community.owner();
  const there = await first.enter();
  await start('export', { zone: 'Asia/Seoul' });
  await expect(there.conversation.getByRole('link', { name: first.words.tasks.download })).toBeVisible();
  await start('demo', { seconds: 250 });
  for (const look of looks) {
    const owner = await community.owner(circumstances(look));
    const room = await owner.enter();
    await expect(room.conversation.getByRole('progressbar')).toBeVisible();
    await picture(owner.page, 'room-tasks', look);
    await room.composer.pressSequentially('/');
    await picture(owner.page, 'room-commands', look);
    await owner.page.goto('/tasks');
    await picture(owner.page, 'tasks', look);
    await owner.context.close();
  }
});

test('files on their way and in messages', async ({ community, guard }) => {
  guard.intend(refusedWith(422));
  await furnish(community);
  const first = await community.owner();
  const there = await first.enter();
  const attach = async (room: typeof there, ...files: (typeof photo)[]) => {
    await room.page.getByLabel(room.words.attach).setInputFiles(files);
    await expect(room.page.locator('.tray li.ready')).toHaveCount(files.length);
  };
  await attach(there, photo, notes);
  await there.write('사진이랑 회의록이에요.');
  await there.sees('사진이랑 회의록이에요.');
  for (const look of looks) {
    const owner = await community.owner(circumstances(look));
    const room = await owner.enter();
    await attach(room, { ...photo, name: 'hill and river.png' }, notes);
    await room.page.getByLabel(room.words.attach).setInputFiles([{ ...photo, name: 'broken.png', buffer: photo.buffer.subarray(0, 60) }]);
    await expect(owner.page.getByText(owner.words.brokenImage)).toBeVisible();
    await owner.page.route('**/files?key=**', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...(await answer.json()), state: 'refused', code: 'image_failed' } });
    });
    await room.page.getByLabel(room.words.attach).setInputFiles([{ ...photo, name: 'too much at once.png' }]);
    await expect(owner.page.getByText(owner.words.imageFailed)).toBeVisible();
    await picture(owner.page, 'room-files', look);
    await room.edit('사진이랑 회의록이에요.');
    await room.composer.evaluate((box) => {
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File(['text'], 'late.txt', { type: 'text/plain' }));
      box.dispatchEvent(new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData }));
    });
    await expect(owner.page.getByText(owner.words.editTakesNoFiles)).toBeVisible();
    await picture(owner.page, 'room-files-edit', look);
    await owner.context.close();
  }
});
