// Who is in the community, and the links that bring new people.
import { type Page, expect } from '@playwright/test';
import type { Words } from '../fixtures/words';
import { running } from './app';

export class PeoplePage {
  constructor(
    readonly page: Page,
    private readonly words: Words,
  ) {}

  async open(): Promise<void> {
    await this.page.goto('/people');
    await expect(this.page.getByRole('heading', { level: 1, name: this.words.peopleTitle })).toBeVisible();
    await running(this.page);
  }

  /** Makes an invite link and gives back its address. */
  async invite(): Promise<string> {
    await this.page.getByRole('button', { name: this.words.makeInvite }).click();
    return await this.shownLink(/\/join\//);
  }

  /** The address that is shown this once. */
  async shownLink(address: RegExp): Promise<string> {
    const field = this.page.getByRole('textbox', { name: this.words.invites });
    await expect(field).toHaveValue(address);
    return await field.inputValue();
  }

  /** Takes back the newest link. */
  async revokeInvite(): Promise<void> {
    await this.page.getByRole('button', { name: this.words.revoke, exact: true }).first().click();
    await expect(this.page.getByText(new RegExp(`^${this.words.revoked} · `))).toBeVisible();
  }
}
