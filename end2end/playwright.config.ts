import { defineConfig } from '@playwright/test';
import { launchOptions } from './fixtures/browser';
import { NOT_YET } from './not-yet';

const ci = Boolean(process.env.CI);
const left = process.env.NOT_YET ? [] : NOT_YET;
for (const title of left) console.log(`NOT HOLDING YET: ${title}`);

export default defineConfig({
  testDir: 'specs',
  outputDir: 'test-results',
  // A file is a server with data of its own; its stories run one after the other.
  fullyParallel: false,
  workers: 2,
  forbidOnly: ci,
  grepInvert: left.map((title) => new RegExp(`${title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`)),
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
