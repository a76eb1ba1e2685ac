// Files go with a message: chosen, pasted or dropped, seen on their way, and had by everybody in the room.
import { deflateSync } from 'node:zlib';
import { ROOM } from '../fixtures/community';
import { lostConnection, refusedWith } from '../fixtures/guard';
import { expectAccessible } from '../fixtures/a11y';
import { expect, test } from '../fixtures/test';
import type { RoomPage } from '../pages/room-page';

test.use({ flags: ['--limit', 'upload_bytes=600000', '--limit', 'message_files=3', '--limit', 'image_pixels=1000000'] });

/** A picture of one colour. */
function png(width: number, height: number): Buffer {
  const chunk = (kind: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const head = Buffer.alloc(4);
    const sum = Buffer.alloc(4);
    head.writeUInt32BE(data.length);
    sum.writeUInt32BE(checksum(body));
    return Buffer.concat([head, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const line = Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, 0x7f)]);
  const data = deflateSync(Buffer.concat(Array.from({ length: height }, () => line)));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

function checksum(bytes: Buffer): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return (sum ^ 0xffffffff) >>> 0;
}

const picture = { name: 'hill.png', mimeType: 'image/png', buffer: png(1280, 640) };
const notes = { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('one\ntwo\n') };

async function attach(room: RoomPage, ...files: (typeof picture)[]): Promise<void> {
  await room.page.getByLabel(room.words.attach).setInputFiles(files);
}

/** All of it is there. */
async function arrived(room: RoomPage, ...names: string[]): Promise<void> {
  for (const name of names) await expect(room.page.locator('.tray li.ready', { hasText: name })).toHaveCount(1);
  await expect(room.page.locator('.tray li')).toHaveCount(names.length);
}

/** Pastes a file, or drags it. */
function give(room: RoomPage, kind: string, target: string, name: string): Promise<void> {
  return room.page.evaluate(
    ([kind, target, name]) => {
      const data = new DataTransfer();
      data.items.add(new File(['text'], name, { type: 'text/plain' }));
      const options = { bubbles: true, cancelable: true };
      const event = kind === 'paste' ? new ClipboardEvent(kind, { ...options, clipboardData: data }) : new DragEvent(kind, { ...options, dataTransfer: data });
      document.querySelector(target)?.dispatchEvent(event);
    },
    [kind, target, name],
  );
}

test('a picture and a text go with a message and are had by the others', async ({ community }) => {
  const [writer, reader] = [await community.newcomer('Painter'), await community.newcomer('Looker')];
  const [here, there] = [await writer.enter(), await reader.enter()];
  await attach(here, picture, notes);
  await arrived(here, 'hill.png', 'notes.txt');
  await here.write('from the hill');
  await there.sees('from the hill');
  const row = there.message('from the hill');
  const image = row.getByRole('img', { name: 'hill.png' });
  await expect(image).toHaveJSProperty('complete', true);
  await expect(image).toHaveJSProperty('naturalWidth', 640);
  await expect(row.getByRole('link', { name: 'hill.png' })).toHaveAttribute('href', /^\/files\/[0-9a-f]{32}$/);
  const waiting = reader.page.waitForEvent('download');
  await row.getByRole('link', { name: /notes\.txt/ }).click();
  expect((await waiting).suggestedFilename()).toBe('notes.txt');
  await expect(here.page.locator('.tray li')).toHaveCount(0);
});

test('a picture alone is a message, and takes its place before it has come', async ({ community }) => {
  const writer = await community.newcomer('Silent Painter');
  const room = await writer.enter();
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await writer.page.route('**/thumb', async (route) => {
    await held;
    await route.continue();
  });
  await attach(room, picture);
  await arrived(room, 'hill.png');
  await room.send.click();
  const image = room.messages.last().getByRole('img');
  await expect(image).toBeVisible();
  const before = await image.boundingBox();
  release();
  await expect(image).toHaveJSProperty('naturalWidth', 640);
  expect(await image.boundingBox()).toEqual(before);
  expect([before?.width, before?.height]).toEqual([320, 160]);
});

test('over a slow line one sees how far a file is', async ({ community }) => {
  const writer = await community.newcomer('Painter of Large Ones');
  const room = await writer.enter();
  const line = await writer.context.newCDPSession(writer.page);
  const throughput = (uploadThroughput: number) =>
    line.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
  await line.send('Network.enable');
  await throughput(100_000);
  await attach(room, { ...notes, name: 'long.txt', buffer: Buffer.alloc(500_000, 'a') });
  const bar = writer.page.locator('.tray').getByRole('progressbar', { name: 'long.txt' });
  const percent = async () => Number(await bar.getAttribute('value'));
  const isUnderWay = (percent: number) => percent >= 1 && percent <= 99;
  await expect.poll(async () => isUnderWay(await percent()), { intervals: [50] }).toBe(true);
  const before = await percent();
  await expect.poll(async () => (await percent()) > before, { intervals: [50] }).toBe(true);
  await throughput(-1);
  await arrived(room, 'long.txt');
  await room.write('it took its time');
  await expect(room.message('it took its time').getByRole('link')).toHaveText(/long\.txt/);
});

test('what is pasted and what is dropped is attached, and can be taken out again', async ({ community }) => {
  const writer = await community.newcomer('Paster');
  const room = await writer.enter();
  await give(room, 'paste', '.composer textarea', 'pasted.txt');
  await give(room, 'dragover', '.scroller', 'dropped.txt');
  await expect(writer.page.locator('.conversation.dropping')).toHaveCount(1);
  await give(room, 'drop', '.scroller', 'dropped.txt');
  await expect(writer.page.locator('.conversation.dropping')).toHaveCount(0);
  await arrived(room, 'pasted.txt', 'dropped.txt');
  await writer.page.getByRole('button', { name: writer.words.detach('pasted.txt') }).click();
  await expect(room.composer).toBeFocused();
  await room.write('only one');
  await expect(room.message('only one').getByRole('link')).toHaveText(/dropped\.txt/);
  await expect(room.message('only one').getByRole('link')).toHaveCount(1);
});

test('what is dropped where nobody takes it leaves the page alone', async ({ community }) => {
  const writer = await community.newcomer('Clumsy');
  const room = await writer.enter();
  const untaken = (name: string | undefined) =>
    writer.page.evaluate((name) => {
      const data = new DataTransfer();
      if (name) data.items.add(new File(['text'], name));
      else data.setData('text/plain', 'text');
      const event = new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: data });
      return document.querySelector('nav')?.dispatchEvent(event);
    }, name);
  expect(await untaken('stray.txt')).toBe(false);
  expect(await untaken(undefined)).toBe(true);
  await expect(room.page.locator('.tray li')).toHaveCount(0);
});

test('what cannot go says why, and nothing is lost', async ({ community, guard }) => {
  guard.intend(...lostConnection, refusedWith(422), /request failed: POST .*files/);
  const writer = await community.newcomer('Unlucky Painter');
  const room = await writer.enter();
  await attach(room, { ...picture, name: 'broken.png', buffer: picture.buffer.subarray(0, 60) });
  await expect(writer.page.getByText(writer.words.brokenImage)).toBeVisible();
  await room.composer.fill('with something');
  await room.send.click();
  await expect(writer.page.getByText(writer.words.uploading)).toBeVisible();
  await expect(room.composer).toHaveValue('with something');
  await writer.page.getByRole('button', { name: writer.words.detach('broken.png') }).click();
  await writer.page.route('**/files?key=**', (route) => route.abort('connectionreset'), { times: 1 });
  await attach(room, notes);
  const again = writer.page.locator('.tray').getByRole('button', { name: writer.words.tryAgain });
  await again.click();
  await arrived(room, 'notes.txt');
  await room.send.click();
  await room.sees('with something');
  await expect(room.message('with something').getByRole('link')).toHaveText(/notes\.txt/);
});

test('limits are told before anything is lost, in either language', async ({ community, guard }) => {
  guard.intend(refusedWith(422));
  for (const language of ['en', 'ko'] as const) {
    const writer = await community.newcomer(`Collector ${language}`, { language });
    const room = await writer.enter();
    await room.composer.fill('stays here');
    const large = { ...notes, name: 'large.txt', buffer: Buffer.alloc(600_001, 'a') };
    const wide = { ...picture, name: 'wide.png', buffer: png(2000, 501) };
    await attach(room, large, wide, notes, { ...notes, name: 'fourth.txt' });
    await expect(writer.page.getByText(writer.words.tooManyFiles)).toBeVisible();
    await expect(writer.page.locator('.tray').getByText(writer.words.fileTooLarge)).toBeVisible();
    await expect(writer.page.locator('.tray').getByText(writer.words.tooManyPixels)).toBeVisible();
    await expect(writer.page.locator('.tray li')).toHaveCount(3);
    await expect(writer.page.locator('.tray').getByRole('button', { name: writer.words.tryAgain })).toHaveCount(0);
    await expect(room.composer).toHaveValue('stays here');
    await expectAccessible(writer.page);
    for (const name of ['large.txt', 'wide.png']) await writer.page.getByRole('button', { name: writer.words.detach(name) }).click();
    await room.send.click();
    await expect(room.message('stays here').last().getByRole('link')).toHaveText(/notes\.txt/);
    await expectAccessible(writer.page);
  }
});

test('an image that takes its time is waited for, and goes then', async ({ community }) => {
  const writer = await community.newcomer('Slow Painter');
  const room = await writer.enter();
  let ready = false;
  const unready = (text: string) => JSON.stringify({ ...JSON.parse(text), state: ready ? 'ready' : 'uploaded' });
  for (const path of ['**/files?key=**', '**/api/v1/files/*']) {
    await writer.page.route(path, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: unready(await answer.text()) });
    });
  }
  await attach(room, picture);
  await expect(writer.page.locator('.tray').getByText(writer.words.preparing)).toBeVisible();
  await room.write('as soon as it can');
  await expect(writer.page.getByText(writer.words.uploading)).toBeVisible();
  await expect(room.composer).toHaveValue('as soon as it can');
  ready = true;
  await arrived(room, 'hill.png');
  await expect(writer.page.getByText(writer.words.uploading)).toHaveCount(0);
  await room.send.click();
  await expect(room.message('as soon as it can').getByRole('img', { name: 'hill.png' })).toBeVisible();
});

test('an image that could not be prepared says so, and is tried again or taken out', async ({ community }) => {
  const writer = await community.newcomer('Thwarted Painter');
  const room = await writer.enter();
  const tray = writer.page.locator('.tray');
  let told = { state: 'uploaded', code: '' };
  for (const path of ['**/files?key=**', '**/api/v1/files/*']) {
    await writer.page.route(path, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: JSON.stringify({ ...JSON.parse(await answer.text()), ...told }) });
    });
  }
  const fails = async () => {
    told = { state: 'uploaded', code: '' };
    await attach(room, picture);
    await expect(tray.getByText(writer.words.preparing)).toBeVisible();
    told = { state: 'refused', code: 'image_failed' };
  };
  await fails();
  await expect(tray.getByText(writer.words.imageFailed)).toBeVisible();
  await expectAccessible(writer.page);
  told = { state: 'ready', code: '' };
  await tray.getByRole('button', { name: writer.words.tryAgain }).click();
  await arrived(room, 'hill.png');
  await writer.page.getByRole('button', { name: writer.words.detach('hill.png') }).click();
  // The browser gives no file back after a reload.
  await fails();
  await writer.page.reload();
  await expect(tray.getByText(writer.words.imageFailed)).toBeVisible();
  await expect(tray.getByRole('button', { name: writer.words.tryAgain })).toHaveCount(0);
  await writer.page.getByRole('button', { name: writer.words.detach('hill.png') }).click();
  await expect(tray.locator('li')).toHaveCount(0);
});

test('a file that comes or goes leaves the others as they are', async ({ community }) => {
  const writer = await community.newcomer('Collector of few');
  const room = await writer.enter();
  await attach(room, notes);
  await arrived(room, 'notes.txt');
  const first = writer.page.locator('.tray li', { hasText: 'notes.txt' });
  await first.evaluate((row) => row.setAttribute('data-kept', ''));
  await attach(room, picture);
  await arrived(room, 'notes.txt', 'hill.png');
  await expect(first).toHaveAttribute('data-kept');
  await writer.page.getByRole('button', { name: writer.words.detach('hill.png') }).click();
  await arrived(room, 'notes.txt');
  await expect(first).toHaveAttribute('data-kept');
});

test('an edit takes no files, and says so', async ({ community }) => {
  const writer = await community.newcomer('Editor with files');
  const room = await writer.enter();
  await room.write('as it stands');
  await room.sees('as it stands');
  await room.edit('as it stands');
  for (const [kind, target] of [['paste', '.composer textarea'], ['drop', '.scroller']] as const) {
    await room.composer.fill('as it will stand');
    await expect(writer.page.getByText(writer.words.editTakesNoFiles)).toHaveCount(0);
    await give(room, kind, target, 'late.txt');
    await expect(writer.page.getByText(writer.words.editTakesNoFiles)).toBeVisible();
    await expect(room.composer).toHaveValue('as it will stand');
    await expect(room.composer).toBeFocused();
  }
  await room.send.click();
  await expect(room.message('as it will stand')).toHaveCount(1);
  await expect(writer.page.locator('.tray li')).toHaveCount(0);
});

test('what is attached stays over another room and over a reload', async ({ community }) => {
  const writer = await community.newcomer('Wanderer');
  const other = await community.room('attic', 'Attic');
  await community.server.admin(['room', 'add', other.slug, 'Wanderer']);
  const room = await writer.enter();
  await attach(room, picture, notes);
  await arrived(room, 'hill.png', 'notes.txt');
  await writer.page.getByRole('link', { name: /Attic/ }).first().click();
  await expect(writer.page.getByRole('heading', { level: 1, name: 'Attic' })).toBeVisible();
  await expect(writer.page.locator('.tray li')).toHaveCount(0);
  await writer.enter();
  await arrived(room, 'hill.png', 'notes.txt');
  await writer.page.getByRole('button', { name: writer.words.detach('notes.txt') }).click();
  await writer.page.reload();
  await arrived(room, 'hill.png');
  await room.write('still there');
  await expect(room.message('still there').getByRole('img', { name: 'hill.png' })).toBeVisible();
  await writer.page.reload();
  await room.live();
  await expect(writer.page.locator('.tray li')).toHaveCount(0);
});

test('whoever is no member gets no file', async ({ community }) => {
  const closed = await community.room('vault', 'Vault', ['--closed']);
  const keeper = await community.newcomer('Keeper', { member: [closed.slug] });
  const stranger = await community.newcomer('Stranger');
  const room = await keeper.enter(closed);
  await attach(room, picture);
  await arrived(room, 'hill.png');
  await room.write('kept safe');
  const address = await room.message('kept safe').getByRole('link', { name: 'hill.png' }).getAttribute('href');
  expect((await keeper.context.request.get(address ?? '')).status()).toBe(200);
  for (const path of [address, `${address}/thumb`]) expect((await stranger.context.request.get(path ?? '')).status()).toBe(404);
});

test('a message with a file waits for the connection like any other, also over a reload', async ({ community, guard }) => {
  guard.intend(...lostConnection);
  const writer = await community.newcomer('Patient Painter');
  const room = await writer.enter();
  await attach(room, notes);
  await arrived(room, 'notes.txt');
  await writer.page.context().setOffline(true);
  await room.write('later');
  await room.sees('later');
  await writer.page.context().setOffline(false);
  await writer.page.goto(`/rooms/${ROOM.slug}`);
  await room.sees('later');
  await expect(room.message('later').getByRole('link')).toHaveText(/notes\.txt/);
  await expect(room.message('later').getByText(writer.words.sending)).toHaveCount(0);
});
