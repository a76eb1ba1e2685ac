// Pages that are whole without scripts: set-up, sign-in, joining, a new password.
import { type Locator, type Page } from '@playwright/test';
import type { Words } from '../fixtures/words';

export class PlainPages {
  constructor(
    readonly page: Page,
    private readonly words: Words,
  ) {}

  /** Why the form came back. */
  get refusal(): Locator {
    return this.page.getByRole('alert');
  }

  heading(text: string): Locator {
    return this.page.getByRole('heading', { level: 1, name: text });
  }

  async setUp(form: { community: string; name: string; password: string; room: string }): Promise<void> {
    await this.page.getByLabel(this.words.community).fill(form.community);
    await this.page.getByLabel(this.words.name, { exact: true }).fill(form.name);
    await this.page.getByLabel(this.words.password, { exact: true }).fill(form.password);
    await this.page.getByLabel(this.words.firstRoom).fill(form.room);
    await this.page.getByRole('button', { name: this.words.setUp, exact: true }).click();
  }

  async join(name: string, password: string): Promise<void> {
    await this.fillAccount(name, password);
    await this.page.getByRole('button', { name: this.words.join, exact: true }).click();
  }

  async signIn(name: string, password: string): Promise<void> {
    await this.fillAccount(name, password);
    await this.page.getByRole('button', { name: this.words.signIn, exact: true }).click();
  }

  async resetPassword(password: string): Promise<void> {
    await this.page.getByLabel(this.words.newPassword).fill(password);
    await this.page.getByRole('button', { name: this.words.reset, exact: true }).click();
  }

  private async fillAccount(name: string, password: string): Promise<void> {
    await this.page.getByLabel(this.words.name, { exact: true }).fill(name);
    await this.page.getByLabel(this.words.password, { exact: true }).fill(password);
  }
}
