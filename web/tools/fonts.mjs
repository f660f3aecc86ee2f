// Cuts the two Inter subsets that the pages embed; run by hand when Inter is updated.
// Usage: npm run fonts
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import subsetFont from 'subset-font';

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, '../node_modules/inter-ui');
const target = join(here, '../packages/ui/src/fonts');

const range = (from, to) =>
  Array.from({ length: to - from + 1 }, (_, index) => String.fromCodePoint(from + index)).join('');

// Latin with Vietnamese, Uzbek apostrophes, punctuation, currencies and arrows.
const core =
  range(0x20, 0x7e) +
  range(0xa0, 0xff) +
  'ĂăĐđĨĩŨũƠơƯưŒœʻʼˈ' +
  '\u0300\u0301\u0303\u0309\u0323' +
  range(0x1ea0, 0x1ef9) +
  range(0x2010, 0x2027) +
  '\u202f‰′″‹›⁄₫€₴₽₸−×÷≤≥≈∞←↑→↓↔⌘⇧⌥⏎✓…';
// Cyrillic with the Ukrainian, Russian and Uzbek Cyrillic letters.
const cyrillic = range(0x400, 0x45f) + 'ҐґҒғҚқҲҳ№';

const axes = { opsz: 14, wght: { min: 400, max: 700 } };
const font = readFileSync(join(source, 'variable/InterVariable.woff2'));
mkdirSync(target, { recursive: true });
for (const [name, text] of Object.entries({ core, cyrillic })) {
  const bytes = await subsetFont(font, text, { targetFormat: 'woff2', variationAxes: axes });
  writeFileSync(join(target, `inter-${name}.woff2`), bytes);
  console.log(`inter-${name}.woff2 ${(bytes.length / 1024).toFixed(1)} kB`);
}
copyFileSync(join(source, 'LICENSE.txt'), join(target, 'LICENSE.txt'));
