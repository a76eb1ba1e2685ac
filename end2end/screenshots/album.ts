// How pictures are taken and named: out/PAGE/WIDTHxHEIGHT-SCHEME-LANGUAGE.png.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';
import type { Circumstances } from '../fixtures/community';
import type { Language } from '../fixtures/words';

const out = join(dirname(fileURLToPath(import.meta.url)), 'out');

export interface Look {
  language: Language;
  colorScheme: 'light' | 'dark';
  viewport: { width: number; height: number };
}

export const looks: Look[] = (['ko', 'en'] as Language[]).flatMap((language) =>
  (['light', 'dark'] as const).flatMap((colorScheme) =>
    [
      { width: 390, height: 844 },
      { width: 820, height: 1180 },
      { width: 1440, height: 900 },
    ].map((viewport) => ({ language, colorScheme, viewport })),
  ),
);

export function nameOf({ language, colorScheme, viewport }: Look): string {
  return `${viewport.width}x${viewport.height}-${colorScheme}-${language}`;
}

export function circumstances({ language, colorScheme, viewport }: Look): Circumstances {
  const phone = viewport.width < 720;
  return { language, browser: { colorScheme, viewport, hasTouch: phone, deviceScaleFactor: phone ? 2 : 1, reducedMotion: 'reduce' } };
}

export async function picture(page: Page, name: string, look: Look): Promise<void> {
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: join(out, name, `${nameOf(look)}.png`), caret: 'initial' });
}
