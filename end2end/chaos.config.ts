// The browser of tests/chaos, which starts it and tells it when to end. Not part of the stories.
import { defineConfig } from '@playwright/test';
import { launchOptions } from './fixtures/browser';

export default defineConfig({
  testDir: 'chaos',
  outputDir: 'test-results/chaos',
  workers: 1,
  retries: 0,
  timeout: 0,
  reporter: 'line',
  // The composer is there whatever happens to the network.
  use: { launchOptions, actionTimeout: 30_000 },
});
