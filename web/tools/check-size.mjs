// Weighs web/dist: what the first page of a signed-in person loads, the languages, every lazy chunk.
// Exits with 1 when a limit is exceeded. Sizes are gzip -9, in kB of 1000 bytes.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = join(dirname(fileURLToPath(import.meta.url)), '../dist');
const limits = { js: 250, css: 40, fonts: 110, language: 25, chunk: 200 };
const assets = readdirSync(join(dist, 'assets'));
const weigh = (name) =>
  gzipSync(readFileSync(join(dist, 'assets', name)), { level: 9 }).length / 1000;
const languages = assets.filter((name) => /^(en|uk|ru|uz|vi)-[\w-]+\.js$/.test(name));

/** The chunk and everything that it imports at once, style sheets included. */
function closure(names, seen = new Set()) {
  for (const name of names) {
    if (seen.has(name) || !assets.includes(name)) continue;
    seen.add(name);
    if (!name.endsWith('.js')) continue;
    const code = readFileSync(join(dist, 'assets', name), 'utf8');
    closure(
      [...code.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)].map((match) => match[1]),
      seen,
    );
  }
  return seen;
}

const page = readFileSync(join(dist, 'index.html'), 'utf8');
const entry = [...page.matchAll(/(?:src|href)="\/assets\/([^"]+)"/g)].map((match) => match[1]);
const list = assets.filter((name) => /^CampaignList-.*\.(js|css)$/.test(name));
// The page of campaigns comes with the styles of the chunks that it shares.
const main = readFileSync(
  join(
    dist,
    'assets',
    entry.find((name) => name.endsWith('.js')),
  ),
  'utf8',
);
const wanted =
  /import\("\.\/CampaignList[^"]*"\)[^[]*\[([\d,]*)\]/.exec(main)?.[1]?.split(',') ?? [];
const table = /m\.f=(\[[^\]]*\])/.exec(main)?.[1] ?? '[]';
const styles = JSON.parse(table.replaceAll("'", '"'));
const shared = wanted
  .map((index) => styles[Number(index)]?.replace(/^.*assets\//, '').replace(/^\.\//, ''))
  .filter(Boolean);
const biggest = languages.toSorted((a, b) => weigh(b) - weigh(a))[0];
const first = closure([...entry, ...list, ...shared, biggest]);

const sum = (names) => names.reduce((total, name) => total + weigh(name), 0);
const js = sum([...first].filter((name) => name.endsWith('.js')));
const css = sum([...first].filter((name) => name.endsWith('.css')));
const fonts = assets
  .filter((name) => name.endsWith('.woff2'))
  .reduce((total, name) => total + readFileSync(join(dist, 'assets', name)).length / 1000, 0);
const chunks = assets.filter((name) => name.endsWith('.js') && !first.has(name));
const heaviest = Math.max(...chunks.map(weigh));
const language = Math.max(...languages.map(weigh));

if (process.argv.includes('--list'))
  for (const name of first) console.log(weigh(name).toFixed(1).padStart(8), name);

const rows = [
  ['first load, scripts', js, limits.js],
  ['first load, styles', css, limits.css],
  ['fonts', fonts, limits.fonts],
  ['biggest language', language, limits.language],
  ['heaviest lazy chunk', heaviest, limits.chunk],
];
let over = 0;
for (const [name, size, limit] of rows) {
  if (size > limit) over += 1;
  console.log(
    `${name.padEnd(22)} ${size.toFixed(1).padStart(7)} kB of ${limit}${size > limit ? '  OVER' : ''}`,
  );
}
process.exit(over > 0 ? 1 : 0);
