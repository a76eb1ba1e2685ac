// What all pages of the app share.
import { type Page, expect } from '@playwright/test';

/** WASM has taken the page over: from here on it answers without loading anew. */
export async function running(page: Page): Promise<void> {
  await expect(page.locator('[data-live]')).toBeAttached();
}
