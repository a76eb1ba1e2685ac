// Whatever is wrong gets a designed answer.
import type { Page } from '@playwright/test';
import { OWNER, PASSWORD, ROOM } from '../fixtures/community';
import { refusedWith } from '../fixtures/guard';
import { answering } from '../fixtures/socket';
import { expect, test } from '../fixtures/test';
import { PeoplePage } from '../pages/people-page';
import { PlainPages } from '../pages/plain-pages';
import { RoomPage } from '../pages/room-page';
import { Sidebar } from '../pages/sidebar';

test('a message that is too long stays in the composer and says by how much', async ({ community }) => {
  const writer = await community.newcomer('Novelist');
  const room = await writer.enter();
  const long = '가'.repeat(6_000);
  await room.composer.fill(long);
  await expect(writer.page.getByText(writer.words.tooLong)).toBeVisible();
  await room.composer.press('Enter');
  await expect(room.composer).toHaveValue(long);
  await expect(room.messages.filter({ hasText: '가가가' })).toHaveCount(0);
  await room.composer.fill('shorter');
  await expect(writer.page.getByText(writer.words.tooLong)).toBeHidden();
  await room.composer.press('Enter');
  await room.sees('shorter');
});

test('nothing is sent when nothing is written', async ({ community }) => {
  const writer = await community.newcomer('Silent');
  const room = await writer.enter();
  const bot = await community.bot('Silent');
  const before = (await bot.log(ROOM.slug)).length;
  for (const blank of ['', '   ', '\n\n']) {
    await room.composer.fill(blank);
    await room.composer.press('Enter');
  }
  await room.say('something');
  expect((await bot.log(ROOM.slug)).length).toBe(before + 1);
});

test('a control character is refused in words and the text is kept', async ({ community }) => {
  const writer = await community.newcomer('Paster');
  const room = await writer.enter();
  await room.composer.fill('pasted \u0007 bell');
  await room.composer.press('Enter');
  await expect(writer.page.getByText(writer.words.errors.controlCharacter)).toBeVisible();
  await expect(room.composer).toHaveValue('pasted \u0007 bell');
});

test('markup is text', async ({ community }) => {
  const writer = await community.newcomer('Tinkerer');
  const room = await writer.enter();
  await room.say('<img src=x onerror=alert(1)> <b>bold?</b> javascript:alert(1)');
  await expect(room.message('bold?').locator('img, b')).toHaveCount(0);
  await expect(room.message('bold?').getByRole('link')).toHaveCount(0);
});

test('links open elsewhere and tell nothing', async ({ community }) => {
  const writer = await community.newcomer('Linker');
  const room = await writer.enter();
  await room.say('see https://example.org/a?b=c.');
  const link = room.message('see https').getByRole('link');
  await expect(link).toHaveAttribute('href', 'https://example.org/a?b=c');
  await expect(link).toHaveAttribute('rel', /noopener/);
});

test('an unknown room and an unknown page are designed', async ({ community, guard }) => {
  guard.intend(refusedWith(404));
  for (const language of ['en', 'ko'] as const) {
    const reader = await community.again(OWNER, { language });
    for (const address of ['/rooms/no-such-room', '/no/such/page']) {
      const answer = await reader.page.goto(address);
      expect(answer?.status(), address).toBe(404);
      await expect(reader.page.getByRole('heading', { name: reader.words.notFoundTitle })).toBeVisible();
    }
  }
});

test('a closed room does not exist for others', async ({ community, guard }) => {
  guard.intend(refusedWith(404));
  const secret = await community.room('secret', 'Secret plans', ['--closed']);
  await community.account('Insider', ['secret', ROOM.slug]);
  const insider = await community.again('Insider');
  const room = await insider.enter(secret);
  await room.say('for members only');
  const outsider = await community.newcomer('Outsider');
  await outsider.enter();
  await expect(new Sidebar(outsider.page, outsider.words).room('Secret plans')).toHaveCount(0);
  const closed = await outsider.page.goto('/rooms/secret');
  const closedText = await outsider.page.getByRole('main').innerText();
  const absent = await outsider.page.goto('/rooms/never-was');
  const absentText = await outsider.page.getByRole('main').innerText();
  expect(closed?.status()).toBe(absent?.status());
  expect(closedText).toBe(absentText);
});

test('closing a room ends it for those who are not members', async ({ community }) => {
  const salon = await community.room('salon', 'Salon');
  const owner = await community.again(OWNER);
  const guest = await community.newcomer('Passer-by');
  const there = await guest.enter(salon);
  await expect(there.composer).toBeVisible();
  const here = await owner.enter(salon);
  await here.about.getByRole('button', { name: owner.words.makeClosed }).click();
  await owner.page.getByRole('dialog').getByRole('button', { name: owner.words.makeClosed }).click();
  await expect(guest.page.getByText(guest.words.revokedTitle)).toBeVisible();
  await expect(new Sidebar(guest.page, guest.words).room('Salon')).toHaveCount(0);

  await test.step('opening it again brings it back', async () => {
    await here.about.getByRole('button', { name: owner.words.makeOpen }).click();
    await owner.page.getByRole('dialog').getByRole('button', { name: owner.words.makeOpen }).click();
    await new Sidebar(guest.page, guest.words).room('Salon').click();
    await expect(there.composer).toBeVisible();
    await there.say('open again');
    await here.sees('open again');
  });
});

test('a revoked invite says so', async ({ community, guard }) => {
  guard.intend(/status of 4\d\d/);
  const owner = await community.owner();
  const people = new PeoplePage(owner.page, owner.words);
  await people.open();
  const invite = await people.invite();
  const early = await community.visitor();
  await early.page.goto(invite);
  await people.open();
  await people.revokeInvite();
  await test.step('to whoever opens it now', async () => {
    const late = await community.visitor();
    await late.page.goto(invite);
    await expect(new PlainPages(late.page, late.words).heading(late.words.expiredTitle)).toBeVisible();
  });
  await test.step('and to whoever had it open', async () => {
    const form = new PlainPages(early.page, early.words);
    await form.join('Too Late', PASSWORD);
    await expect(form.heading(early.words.expiredTitle)).toBeVisible();
  });
});

test('a name that is taken and a short password are answered in the form', async ({ community, guard }) => {
  guard.intend(/status of 4\d\d/);
  const owner = await community.owner();
  const people = new PeoplePage(owner.page, owner.words);
  await people.open();
  const invite = await people.invite();
  const guest = await community.visitor();
  await guest.page.goto(invite);
  const form = new PlainPages(guest.page, guest.words);
  await form.join(OWNER, PASSWORD);
  await expect(form.refusal).toContainText(guest.words.errors.nameTaken);
  await form.join('n'.repeat(41), PASSWORD);
  await expect(form.refusal).toContainText(guest.words.errors.nameTooLong);
  // The server decides, whatever the browser would have checked.
  await guest.page.locator('form').first().evaluate((element: HTMLFormElement) => (element.noValidate = true));
  await form.join('Fine Name', 'short');
  await expect(form.refusal).toContainText(guest.words.errors.passwordTooShort);
  await expect(guest.page.getByLabel(guest.words.name, { exact: true })).toHaveValue('Fine Name');
});

test('a form from another site is not taken', async ({ community }) => {
  const person = await community.newcomer('Victim');
  const form = { key: 'foreign-1', body: 'not written by me' };
  for (const origin of ['https://evil.example', 'null']) {
    const answer = await person.context.request.post(`/rooms/${ROOM.slug}`, { form, headers: { origin }, maxRedirects: 0 });
    expect(answer.status(), origin).toBe(403);
  }
  const bot = await community.bot('Victim');
  expect(await bot.count(ROOM.slug, 'not written by me')).toBe(0);
});

test('a socket from another site is not opened', async ({ community, server, guard }) => {
  guard.intend(/WebSocket connection to/);
  const person = await community.newcomer('Socket Victim');
  // Another port is another origin, and the cookie is sent there too.
  const foreign = await import('node:http').then(({ createServer }) => createServer((_, answer) => answer.end('<title>elsewhere</title>')));
  await new Promise<void>((done) => foreign.listen(0, '127.0.0.1', done));
  const address = foreign.address() as { port: number };
  await person.page.goto(`http://127.0.0.1:${address.port}/`);
  const opened = await person.page.evaluate(
    (url) =>
      new Promise((done) => {
        const socket = new WebSocket(url, 'pickmate.v1');
        socket.onopen = () => done(true);
        socket.onclose = () => done(false);
      }),
    `${server.url.replace('http', 'ws')}/live`,
  );
  foreign.close();
  expect(opened).toBe(false);
});

/** Opens a socket of its own and sends after the greeting; closes after so many answers. How it was closed, and what came. */
async function socketStory(page: Page, frames: (string | number)[], answers = Infinity): Promise<{ code: number; heard: string[] }> {
  return await page.evaluate(
    ([toSend, enough]) =>
      new Promise<{ code: number; heard: string[] }>((done) => {
        const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/live`, 'pickmate.v1');
        const heard: string[] = [];
        socket.onmessage = (message) => {
          heard.push(String(message.data));
          if (heard.length === 1) for (const frame of toSend) socket.send(typeof frame === 'number' ? 'x'.repeat(frame) : frame);
          if (heard.length > enough) socket.close(1000);
        };
        socket.onclose = (event) => done({ code: event.code, heard });
      }),
    [frames, answers] as const,
  );
}

test('frames that are not JSON or too large close the socket with their code', async ({ community }) => {
  const person = await community.newcomer('Framer');
  await person.enter();
  expect((await socketStory(person.page, ['this is not JSON'])).code).toBe(1007);
  expect((await socketStory(person.page, [70 * 1024])).code).toBe(1009);
});

test('unknown and forbidden frames are refused and the socket goes on', async ({ community }) => {
  const person = await community.newcomer('Explorer');
  await person.enter();
  const frames = [
    { type: 'dance' },
    { type: 'join', room: 'never-was', after: 0 },
    { type: 'post', room: 'never-was', key: 'k1', body: 'hello?' },
    { type: 'post', room: ROOM.slug, key: 'not a key', body: 'hello?' },
    { type: 'post', room: ROOM.slug, key: 'k2', body: '   ' },
    { type: 'ping' },
  ];
  const { code, heard } = await socketStory(
    person.page,
    frames.map((frame) => JSON.stringify(frame)),
    frames.length,
  );
  const codes = heard.flatMap((text) => (JSON.parse(text) as { type: string; code?: string }).code ?? []);
  expect(code).toBe(1000);
  expect(codes.toSorted()).toEqual(['bad_key', 'body_empty', 'not_found', 'not_found', 'unknown_type']);
});

test('a socket without a session is closed for good', async ({ community }) => {
  const visitor = await community.visitor();
  await visitor.page.goto('/sign-in');
  const code = await visitor.page.evaluate(
    () =>
      new Promise((done) => {
        const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/live`, 'pickmate.v1');
        socket.onclose = (event) => done(event.code);
      }),
  );
  expect(code).toBe(4401);
});

test('a message that the server refuses can be sent again or taken back', async ({ community }) => {
  const writer = await community.newcomer('Refused');
  let refusing = true;
  await answering(writer.page, (command) => refusing && command.type === 'post' && { type: 'refused', key: command.key, code: 'forbidden' });
  const room = await writer.enter();
  await room.write('to be sent again');
  await expect(room.message('to be sent again').getByText(writer.words.notSent)).toBeVisible();
  await expect(room.message('to be sent again').getByText(writer.words.errors.forbidden)).toBeVisible();
  await room.write('to be taken back');
  const second = room.message('to be taken back');
  await expect(second.getByText(writer.words.notSent)).toBeVisible();
  await second.getByRole('button', { name: writer.words.discard }).click();
  await expect(second).toHaveCount(0);
  await room.write('to be writen better');
  const third = room.message('to be writen better');
  await third.getByRole('button', { name: writer.words.edit }).click();
  await expect(third).toHaveCount(0);
  await expect(room.composer).toHaveValue('to be writen better');
  await expect(room.composer).toBeFocused();
  refusing = false;
  await room.say('to be written better');
  await room.message('to be sent again').getByRole('button', { name: writer.words.sendAgain }).click();
  await expect(room.message('to be sent again').getByText(writer.words.notSent)).toHaveCount(0);
  const bot = await community.bot('Refused');
  await expect.poll(() => bot.count(ROOM.slug, 'to be sent again')).toBe(1);
  expect(await bot.count(ROOM.slug, 'to be taken back')).toBe(0);
});

test('posting very quickly is slowed down and everything still arrives once', async ({ community }) => {
  const writer = await community.newcomer('Quick');
  const room = await writer.enter();
  for (let line = 0; line < 33; line += 1) await room.write(`quick ${line};`);
  const bot = await community.bot('Quick');
  await expect
    .poll(async () => (await bot.log(ROOM.slug)).flatMap((event) => event.body?.match(/^quick (\d+);$/)?.[1] ?? []).map(Number), { timeout: 30_000 })
    .toEqual(Array.from({ length: 33 }, (_, line) => line));
  await expect(room.message(/quick \d+;/)).toHaveCount(33);
});

test('the composer shows where the conversation can be joined', async ({ community }) => {
  const lounge = await community.room('lounge', 'Lounge');
  const guest = await community.newcomer('Guest', { member: [] });
  const room = await guest.enter(lounge);
  await expect(guest.page.getByText(guest.words.notMember)).toBeVisible();
  await room.say('hello, I am new here');
  await expect(guest.page.getByText(guest.words.notMember)).toBeHidden();
  await expect(new RoomPage(guest.page, guest.words, lounge.name).conversation.getByText(guest.words.memberJoined('Guest'))).toBeVisible();
});
