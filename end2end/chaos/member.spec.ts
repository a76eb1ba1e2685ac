// A member of a room whose network and server fail all the time. Writes now and then, and keeps what the
// page shows; tests/chaos compares that with the log.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { type BrowserContext, type Page, expect, test } from '@playwright/test';
import { words } from '../fixtures/words';
import { RoomPage } from '../pages/room-page';

interface Circumstances {
  url: string;
  room: string;
  name: string;
  password: string;
  /** Where the record goes: a line for each thing that was done or seen. */
  record: string;
  /** A file that says `write`, `settle` or `end`. */
  phase: string;
  /** Between two posts, in milliseconds. */
  pace: number;
}

const PATIENCE = 10_000;

class Member {
  private posts = 0;
  private lastRows = '';

  constructor(
    private readonly now: Circumstances,
    private readonly page: Page,
    private readonly room: RoomPage,
  ) {
    page.on('pageerror', (error) => this.note('broke', { text: error.message }));
    page.on('console', (message) => message.text().includes('panicked') && this.note('broke', { text: message.text() }));
  }

  phase(): string {
    return existsSync(this.now.phase) ? readFileSync(this.now.phase, 'utf8').trim() : 'write';
  }

  async say(): Promise<void> {
    const text = `${this.now.name} #${this.posts++} 밥 먹자`;
    await this.room.composer.fill(text);
    await this.room.composer.press('Enter');
    this.note('wrote', { text });
  }

  /** Comes back to the page, however often that takes. */
  async enter(): Promise<void> {
    for (;;) {
      try {
        await this.page.goto(`/rooms/${this.now.room}`, { timeout: PATIENCE });
        await expect(this.page.getByText(this.room.words.live, { exact: true })).toBeAttached({ timeout: PATIENCE });
        return;
      } catch {
        await pause(200);
      }
    }
  }

  /** What the page shows, into the record. */
  async look(): Promise<void> {
    const rows = await this.room.messages.evaluateAll((items) =>
      items.map((item) => ({
        key: item.getAttribute('data-key') ?? '',
        delivery: item.getAttribute('data-delivery') ?? '',
        text: item.querySelector('.said')?.textContent ?? '',
      })),
    );
    const settled = rows.every((row) => row.delivery === 'sent');
    const now = JSON.stringify(rows);
    this.note('looked', now === this.lastRows ? { settled } : { rows, settled });
    this.lastRows = now;
  }

  private note(what: string, more: object): void {
    appendFileSync(this.now.record, `${JSON.stringify({ what, ...more })}\n`);
  }
}

test('a member under faults', async ({ browser }) => {
  const now = JSON.parse(process.env.PICKMATE_CHAOS_MEMBER ?? '{}') as Circumstances;
  const context = await browser.newContext({ baseURL: now.url, locale: 'en-US' });
  await signIn(context, now);
  const page = await context.newPage();
  const member = new Member(now, page, new RoomPage(page, words.en, now.room));
  await member.enter();
  while (member.phase() === 'write') {
    await member.say();
    await pause(now.pace);
    await member.look();
  }
  while (member.phase() !== 'end') {
    await pause(300);
    await member.look();
  }
  await context.close();
});

async function signIn(context: BrowserContext, now: Circumstances): Promise<void> {
  for (;;) {
    const form = { name: now.name, password: now.password };
    const asked = context.request.post('/sign-in', { form, headers: { origin: now.url }, maxRedirects: 0, timeout: PATIENCE });
    const answer = await asked.catch(() => undefined);
    if (answer?.status() === 303) return;
    await pause(200);
  }
}

async function pause(ms: number): Promise<void> {
  await new Promise((done) => setTimeout(done, ms));
}
