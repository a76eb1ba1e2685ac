import { defineConfig } from '@playwright/test';
import { launchOptions } from './fixtures/browser';

// Pictures for people to look at: scripts/screenshots.sh. Nothing is compared.
export default defineConfig({
  testDir: 'screenshots',
  outputDir: 'test-results',
  workers: 2,
  timeout: 180_000,
  expect: { timeout: 10_000 },
  reporter: [['list']],
  use: { launchOptions },
});
