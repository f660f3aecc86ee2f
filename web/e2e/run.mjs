// Journeys through the pages in a real browser. Usage: node run.mjs [--all]
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { launch, Person } from './driver.mjs';
import { byCsv } from './by-csv.mjs';
import { firstRun } from './first-run.mjs';
import { journey } from './journey.mjs';
import { startCallee, startServer } from './server.mjs';
import { sweep } from './sweep.mjs';

const all = process.argv.includes('--all');
const shots = process.env.SWITCHBELL_SHOTS ?? join(tmpdir(), 'switchbell-shots');
const zones = { uk: 'Europe/Kyiv', uz: 'Asia/Tashkent', vi: 'Asia/Ho_Chi_Minh' };

const wide = { width: 1440, height: 900 };
const small = { width: 1280, height: 720 };
const runs = all
  ? ['en', 'uk', 'ru', 'uz', 'vi'].flatMap((language) =>
      ['light', 'dark'].flatMap((theme) =>
        [wide, small].map((size) => ({ language, theme, ...size, keyboard: theme === 'dark' })),
      ),
    )
  : [
      { language: 'uk', theme: 'light', ...wide, keyboard: false },
      { language: 'uz', theme: 'dark', ...small, keyboard: true },
    ];

const browser = await launch();
let failed = 0;
try {
  for (const [at, run] of runs.entries()) {
    const { language, theme, width, keyboard } = run;
    const label = `${language}-${theme}-${width}`;
    const server = await startServer();
    const callee = await startCallee(server.dir);
    const person = await Person.sit(browser, {
      ...run,
      zone: zones[language] ?? 'Europe/Kyiv',
      shots,
      label,
    });
    const how = keyboard ? 'keyboard' : 'mouse';
    try {
      const first = await startServer();
      const newcomer = await Person.sit(browser, {
        ...run,
        zone: zones[language] ?? 'Europe/Kyiv',
        shots,
        label: `${label}-demo`,
      });
      try {
        const seconds = await firstRun(newcomer, first);
        newcomer.verdict();
        console.log(`first run ${label} by ${how}: demo campaign of 20 and a recording heard in ${seconds} s`);
      } finally {
        await newcomer.context.close();
        first.stop();
      }
      await journey(person, server, callee);
      const lags = await byCsv(person, server);
      const told = Object.entries(lags).map(([what, ms]) => `${what} ${ms} ms`);
      console.log(`by CSV ${label} by ${how}: the page followed ${told.join(', ')} (goal 1,000)`);
      const pages = at === 0 ? await sweep(person, server, { all }) : 0;
      person.verdict();
      console.log(`journey ${label} by ${how}: from the link to a played recording, 0 faults of axe, console and CSP${pages ? `; sweep of ${pages} pages, 0 faults` : ''}`);
    } catch (error) {
      failed += 1;
      await person.page.screenshot({ path: join(shots, `${label}-FAILED.png`), fullPage: true });
      if (process.env.SWITCHBELL_SHOTS) console.log(await person.page.locator('#main').innerText());
      console.log(`journey ${label} by ${how} FAILED: ${error.message}`);
      for (const fault of person.faults) console.log(`  ${fault}`);
    } finally {
      await person.context.close();
      callee.stop();
      server.stop();
    }
  }
} finally {
  await browser.close();
}
console.log(`screenshots: ${shots}`);
console.log(`${runs.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
