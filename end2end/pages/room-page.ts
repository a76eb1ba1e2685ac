// A room as its readers know it: the conversation, the composer, the connection.
import { type Locator, type Page, expect } from '@playwright/test';
import type { Words } from '../fixtures/words';

export class RoomPage {
  constructor(
    readonly page: Page,
    readonly words: Words,
    readonly name: string,
  ) {}

  get conversation(): Locator {
    return this.page.getByRole('log', { name: this.words.conversation(this.name) });
  }

  get composer(): Locator {
    return this.page.getByRole('textbox', { name: this.words.writeTo(this.name) });
  }

  get send(): Locator {
    return this.page.getByRole('button', { name: this.words.send, exact: true });
  }

  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: this.name });
  }

  /** What can be done with the room, beside the conversation. */
  get about(): Locator {
    return this.page.getByRole('complementary', { name: this.words.aboutRoom });
  }

  /** Rows with this text in them. */
  message(text: string | RegExp): Locator {
    return this.messages.filter({ hasText: text });
  }

  /** Rows that are messages; days and notices are rows too. */
  get messages(): Locator {
    return this.conversation.locator('li[data-delivery]');
  }

  /** The page runs and its socket is connected. */
  async live(): Promise<void> {
    await expect(this.page.getByText(this.words.live, { exact: true })).toBeAttached();
  }

  /** With Enter, or where that breaks the line with the button. */
  async write(text: string): Promise<void> {
    await this.composer.fill(text);
    const touch = await this.page.evaluate(() => matchMedia('(hover: none) and (pointer: coarse)').matches);
    if (touch) await this.send.click();
    else await this.composer.press('Enter');
  }

  /** Writes and waits until the server has it. */
  async say(text: string): Promise<void> {
    await this.write(text);
    await this.sees(text);
    await expect(this.message(text).getByText(this.words.sending)).toHaveCount(0);
  }

  /** The text is there, once. */
  async sees(text: string): Promise<void> {
    await expect(this.message(text)).toHaveCount(1);
    await expect(this.message(text)).toBeVisible();
  }

  /** The texts of all rows that match, in order. */
  async texts(pattern: RegExp): Promise<string[]> {
    const found = await this.messages.allInnerTexts();
    return found.flatMap((text) => text.match(pattern)?.[0] ?? []);
  }

  /** Scrolls all the way up, with the wheel. */
  async scrollUp(): Promise<void> {
    await this.conversation.hover();
    await this.page.mouse.wheel(0, -100_000);
  }

  /** A tool of one's own message, in sight when the row is pointed at; with a finger, behind a button. */
  async tool(text: string | RegExp, label: string): Promise<void> {
    const row = this.message(text);
    await row.hover();
    const more = row.getByRole('button', { name: this.words.messageTools });
    if (await more.isVisible()) await more.click();
    await row.getByRole('button', { name: label, exact: true }).click();
  }

  /** Opens a message for editing. */
  async edit(text: string): Promise<void> {
    await this.tool(text, this.words.editMessage);
    await expect(this.composer).toHaveValue(text);
  }

  /** Says yes to the question whether a message is to be erased. */
  async confirmErasing(): Promise<void> {
    await this.page.getByRole('dialog').getByRole('button', { name: this.words.eraseMessage, exact: true }).click();
  }

  /** Erases a message, after the question. */
  async erase(text: string): Promise<void> {
    await this.tool(text, this.words.eraseMessage);
    await this.confirmErasing();
  }
}
