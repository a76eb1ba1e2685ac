// Input methods, as browsers report them. Sequences recorded on Chrome for macOS and Windows.
import type { CDPSession } from '@playwright/test';
import { ROOM } from '../fixtures/community';
import { expect, test } from '../fixtures/test';
import type { Person } from '../fixtures/community';

/** An input method driven through the DevTools protocol. */
class Ime {
  private constructor(private readonly session: CDPSession) {}

  static async of(person: Person): Promise<Ime> {
    return new Ime(await person.context.newCDPSession(person.page));
  }

  /** Shows `text` as the composition that is under way. */
  async compose(text: string): Promise<void> {
    await this.session.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
  }

  /** Ends the composition with `text`. */
  async commit(text: string): Promise<void> {
    await this.session.send('Input.insertText', { text });
  }

  /** Enter as it arrives while an input method has the keyboard: key code 229, "Process". */
  async processedEnter(): Promise<void> {
    const key = { key: 'Process', code: 'Enter', windowsVirtualKeyCode: 229 };
    await this.session.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...key });
    await this.session.send('Input.dispatchKeyEvent', { type: 'keyUp', ...key });
  }

  /** Enter with its own name and the composition still open, as on macOS. */
  async composingEnter(): Promise<void> {
    const key = { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 229 };
    await this.session.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...key });
    await this.session.send('Input.dispatchKeyEvent', { type: 'keyUp', ...key });
  }

  /** A plain Enter. */
  async enter(): Promise<void> {
    const key = { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13 };
    await this.session.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...key });
    await this.session.send('Input.dispatchKeyEvent', { type: 'keyUp', ...key });
  }
}

test('macOS: Enter during the last syllable sends once and whole', async ({ community }) => {
  const writer = await community.newcomer('맥', { language: 'ko' });
  const room = await writer.enter();
  const ime = await Ime.of(writer);
  await room.composer.focus();
  for (const step of ['ㅎ', '하', '하ㅇ', '하요']) await ime.compose(step);
  await ime.composingEnter();
  await ime.commit('하요');
  await room.sees('하요');
  await expect(room.composer).toHaveValue('');
  const bot = await community.bot('맥');
  await expect.poll(() => bot.count(ROOM.slug, '하요')).toBe(1);
  expect((await bot.log(ROOM.slug)).filter((event) => event.body === '요' || event.body === '하')).toEqual([]);
});

test('Windows: 229, then a clean Enter before compositionend, sends once and whole', async ({ community }) => {
  const writer = await community.newcomer('윈도', { language: 'ko' });
  const room = await writer.enter();
  const ime = await Ime.of(writer);
  await room.composer.focus();
  for (const step of ['ㅌ', '테', '테ㅅ', '테스', '테스트']) await ime.compose(step);
  await ime.processedEnter();
  await ime.enter();
  await ime.commit('테스트');
  await room.sees('테스트');
  const bot = await community.bot('윈도');
  await expect.poll(() => bot.count(ROOM.slug, '테스트')).toBe(1);
  expect((await bot.log(ROOM.slug)).filter((event) => event.body === '테스' || event.body === '트')).toEqual([]);
});

test('Windows: 229 without a clean Enter sends once and whole', async ({ community }) => {
  const writer = await community.newcomer('한 번', { language: 'ko' });
  const room = await writer.enter();
  const ime = await Ime.of(writer);
  await room.composer.focus();
  for (const step of ['ㄱ', '그', '그ㄹ', '그래']) await ime.compose(step);
  await ime.processedEnter();
  await ime.commit('그래');
  await room.sees('그래');
  await expect(room.composer).toHaveValue('');
  const bot = await community.bot('한 번');
  await expect.poll(() => bot.count(ROOM.slug, '그래')).toBe(1);
});

for (const [device, browser, steps, text] of [
  ['mouse', {}, ['ㅎ', '하', '하ㅇ', '하요'], '누르면 하요'],
  ['finger', { hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } }, ['h', 'he', 'hello'], '누르면 hello'],
] as const) {
  test(`the send button during a composition sends once and whole (${device})`, async ({ community }) => {
    const quiet = await community.room(`button-${device}`, `Button ${device}`);
    const writer = await community.newcomer(device, { language: 'ko', member: [quiet.slug], browser });
    const room = await writer.enter(quiet);
    const ime = await Ime.of(writer);
    await room.composer.focus();
    await room.composer.pressSequentially('누르면 ');
    for (const step of steps) await ime.compose(step);
    await (device === 'finger' ? room.send.tap() : room.send.click());
    await room.sees(text);
    await expect(room.composer).toHaveValue('');
    await expect(room.composer).toBeFocused();
    await room.composer.fill('그다음');
    await room.send.click();
    await room.sees('그다음');
    const bot = await community.bot(device);
    await expect.poll(async () => (await bot.log(quiet.slug)).flatMap((event) => event.body ?? [])).toEqual([text, '그다음']);
  });
}

test('Safari: one more Enter after compositionend sends nothing more', async ({ community }) => {
  const writer = await community.newcomer('사파리', { language: 'ko' });
  const room = await writer.enter();
  const ime = await Ime.of(writer);
  await room.composer.focus();
  await ime.compose('안녕');
  await ime.composingEnter();
  await ime.commit('안녕');
  await ime.enter();
  await room.sees('안녕');
  const bot = await community.bot('사파리');
  await expect.poll(() => bot.count(ROOM.slug, '안녕')).toBe(1);
});

test('text before and after a composition goes out together', async ({ community }) => {
  const writer = await community.newcomer('섞어', { language: 'ko' });
  const room = await writer.enter();
  const ime = await Ime.of(writer);
  await room.composer.focus();
  await room.composer.pressSequentially('PR 42 ');
  await ime.compose('확인');
  await ime.commit('확인');
  await ime.compose('함');
  await ime.composingEnter();
  await ime.commit('함');
  await room.sees('PR 42 확인함');
});

test('a composition ended by a click elsewhere keeps its last syllable', async ({ community }) => {
  const writer = await community.newcomer('클릭', { language: 'ko' });
  const room = await writer.enter();
  const ime = await Ime.of(writer);
  await room.composer.focus();
  for (const step of ['ㅎ', '하', '하ㄱ', '하기']) await ime.compose(step);
  await room.heading.click();
  await expect(room.composer).toHaveValue('하기');
  await room.send.click();
  await room.sees('하기');
});

for (const [script, steps, committed] of [
  ['Kana', ['に', 'にほ', 'にほん'], '日本'],
  ['Pinyin', ['n', 'ni', 'nihao'], '你好'],
] as const) {
  test(`${script}: Enter commits and does not send`, async ({ community }) => {
    const writer = await community.newcomer(script);
    const room = await writer.enter();
    const ime = await Ime.of(writer);
    await room.composer.focus();
    for (const step of steps) await ime.compose(step);
    await ime.composingEnter();
    await ime.commit(committed);
    await expect(room.composer).toHaveValue(committed);
    await ime.enter();
    await room.sees(committed);
    const bot = await community.bot(script);
    expect(await bot.count(ROOM.slug, committed)).toBe(1);
  });
}

test('Shift+Enter makes a line, Enter sends both', async ({ community }) => {
  const writer = await community.newcomer('Liner');
  const room = await writer.enter();
  await room.composer.pressSequentially('first');
  await room.composer.press('Shift+Enter');
  await room.composer.pressSequentially('second');
  await room.composer.press('Enter');
  await room.sees('first');
  const bot = await community.bot('Liner');
  await expect.poll(() => bot.count(ROOM.slug, 'first\nsecond')).toBe(1);
});
