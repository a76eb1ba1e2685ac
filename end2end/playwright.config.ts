import { defineConfig } from '@playwright/test';
import { launchOptions } from './fixtures/browser';

const ci = Boolean(process.env.CI);

export default defineConfig({
  testDir: 'specs',
  outputDir: 'test-results',
  // A file is a server with data of its own; its stories run one after the other.
  fullyParallel: false,
  workers: 2,
  forbidOnly: ci,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: ci ? [['list'], ['html', { open: 'never' }]] : [['list']],
  use: { trace: 'retain-on-failure', launchOptions },
  projects: [
    { name: 'stories', testIgnore: /latency/ },
    // Alone, so that nothing else is measured with it.
    { name: 'latency', testMatch: /latency/, dependencies: ['stories'] },
  ],
});
