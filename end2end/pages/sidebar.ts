// The list of rooms beside every page.
import { type Locator, type Page, expect } from '@playwright/test';
import type { Words } from '../fixtures/words';

export class Sidebar {
  constructor(
    readonly page: Page,
    private readonly words: Words,
  ) {}

  get list(): Locator {
    // A drawer where there is no room for a column.
    const name = { name: this.words.roomsTitle, exact: true };
    return this.page.getByRole('navigation', name).or(this.page.getByRole('dialog', name));
  }

  room(name: string): Locator {
    return this.list.getByRole('link', { name: new RegExp(`^${name}`) });
  }

  async hasUnread(name: string, count: number): Promise<void> {
    await expect(this.room(name)).toHaveAccessibleName(new RegExp(this.words.unread(count).replace('+', '\\+')));
  }

  async createRoom(name: string, access: 'open' | 'closed'): Promise<void> {
    await this.page.getByRole('button', { name: this.words.newRoom }).click();
    const dialog = this.page.getByRole('dialog');
    await dialog.getByLabel(this.words.roomName).fill(name);
    await dialog.getByRole('radio', { name: new RegExp(`^${this.words[access]}`) }).check();
    await dialog.getByRole('button', { name: this.words.createRoom, exact: true }).click();
    await expect(this.page.getByRole('heading', { level: 1, name })).toBeVisible();
  }
}
