// A campaign by a Windows-1251 file with bad rows: mapped, checked, started, paused, resumed, stopped;
// and how soon the page follows.
import { readFileSync } from 'node:fs';

import { file } from './server.mjs';
import { draft, importList, saved } from './steps.mjs';

const people = 12;
const bad = ['101;нема;Без номера', '102;+12;Закороткий', '103;;Порожній'];

/** Cyrillic letters as Windows-1251 has them: enough for names. */
function windows1251(text) {
  const bytes = [...text].map((letter) => {
    const code = letter.codePointAt(0);
    if (code < 128) return code;
    if (code >= 0x410 && code <= 0x44f) return code - 0x410 + 0xc0;
    const rest = { і: 0xb3, І: 0xb2, ї: 0xbf, Ї: 0xaf, є: 0xba, Є: 0xaa, ґ: 0xb4, Ґ: 0xa5 };
    if (rest[letter] === undefined) throw new Error(`${letter} is not in Windows-1251 here`);
    return rest[letter];
  });
  return Buffer.from(bytes);
}

function csv(dir) {
  const rows = ['номер клієнта;телефон;ім`я'];
  for (let n = 0; n < people; n += 1) rows.push(`${n};+3809320${10 + n}001;Їжак Олена ${n}`);
  rows.splice(4, 0, ...bad);
  return file(dir, 'клієнти.csv', windows1251(`${rows.join('\r\n')}\r\n`));
}

async function list(person, dir) {
  const { page, t } = person;
  // The encoding was found out: the names are letters, not noise.
  const seen = { known: 'Їжак Олена 0', look: 'csv-mapping' };
  await importList(person, 'Windows-1251', csv(dir), seen);
  const link = page.getByRole('link', { name: t('contacts.download_rejected') });
  const waiting = page.waitForEvent('download');
  await person.press(link);
  const rejected = readFileSync(await (await waiting).path(), 'utf8').trim().split('\r\n');
  if (rejected.length !== 1 + bad.length) {
    throw new Error(`${rejected.length - 1} rejected rows, not ${bad.length}: ${rejected.join(' | ')}`);
  }
  await person.look('csv-imported');
}

async function campaign(person) {
  const { page, t } = person;
  await draft(person, 'By CSV', 'Windows-1251');
  await person.write(page.getByLabel(t('campaigns.concurrency'), { exact: true }), '2');
  await saved(person);
  await person.press(page.getByRole('button', { name: t('campaigns.check'), exact: true }));
  await page.getByText(new RegExp(t('campaigns.ready_other').split('{{')[0])).first().waitFor();
  await person.look('csv-checked');
  return page.url().split('/campaigns/')[1].split('/')[0];
}

/** Notes in the page when a text changes, by the page's own clock. */
const watch = (page) =>
  page.evaluate(() => {
    window.seen = { closed: {}, why: [], pressed: 0 };
    document.addEventListener('click', () => (window.seen.pressed = Date.now()), true);
    const note = () => {
      const now = Date.now();
      const closed = document.querySelector('[data-counter=closed]')?.textContent?.replace(/\D/g, '');
      if (closed && window.seen.closed[closed] === undefined) window.seen.closed[closed] = now;
      const why = document.querySelector('[data-why]')?.getAttribute('data-why');
      if (why && window.seen.why.at(-1)?.[0] !== why) window.seen.why.push([why, now]);
    };
    note();
    new MutationObserver(note).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true,
    });
  });

/** Presses a button and tells how many milliseconds the Why panel took to follow. */
async function follows(person, button, code) {
  const { page } = person;
  await person.press(button);
  await page.waitForFunction((wanted) => window.seen.why.at(-1)?.[0].match(wanted), code);
  // From the press itself: who works by keyboard may take long to reach the button.
  return page.evaluate(() => window.seen.why.at(-1)[1] - window.seen.pressed);
}

/** The whole way; what was measured, in milliseconds. */
export async function byCsv(person, server) {
  const { page, context, t } = person;
  await list(person, server.dir);
  const id = await campaign(person);
  const attempts = async () => {
    const answer = await context.request.get(
      `${server.origin}/api/v1/campaigns/${id}/attempts?limit=200`,
    );
    return (await answer.json()).items;
  };
  const button = (verb) =>
    page.getByRole('button', { name: t(`campaigns.verbs.${verb}`), exact: true }).first();
  await person.press(button('start'));
  const go = page.getByRole('dialog').getByRole('button', { name: t('campaigns.verbs.start'), exact: true });
  await go.waitFor();
  await person.look('csv-start');
  await person.press(go);
  await person.turn(page.getByRole('tab', { name: t('campaigns.tabs.live') }));
  await watch(page);
  await page.waitForFunction(() => Object.keys(window.seen.closed).some((n) => Number(n) >= 3));

  const pause = await follows(person, button('pause'), 'paused|draining');
  const pausedAt = Date.now();
  await page.getByText(t('campaigns.badges.paused'), { exact: true }).first().waitFor();
  const ended = (await attempts()).every((attempt) => attempt.outcome === 'success');
  if (!ended) throw new Error('a call that was up when the campaign was paused did not end well');
  // Three seconds of the server's own clock without a new call.
  await page.waitForTimeout(Math.max(0, 3_000 - (Date.now() - pausedAt)));
  const late = (await attempts()).filter((one) => Date.parse(one.claimed_at) > pausedAt);
  if (late.length > 0) throw new Error(`${late.length} calls began after the pause`);
  await person.look('csv-paused');

  const before = Object.keys(await page.evaluate(() => window.seen.closed)).length;
  const resume = await follows(person, button('resume'), '^(?!paused|draining)');
  await page.waitForFunction((n) => Object.keys(window.seen.closed).length > n, before + 1);
  await person.press(button('stop'));
  const stop = page.getByRole('dialog').getByRole('button', { name: t('campaigns.verbs.stop'), exact: true });
  await stop.waitFor();
  const stopped = await follows(person, stop, 'stopped|draining');
  await page.getByText(t('campaigns.badges.stopped'), { exact: true }).first().waitFor();

  // The n-th end on the server against the moment at which the page showed n.
  const ends = (await attempts())
    .filter((attempt) => attempt.outcome === 'success')
    .map((attempt) => Date.parse(attempt.ended_at))
    .toSorted((a, b) => a - b);
  const seen = await page.evaluate(() => window.seen.closed);
  const lags = Object.entries(seen)
    .filter(([n]) => Number(n) > 0 && ends[Number(n) - 1] !== undefined)
    .map(([n, at]) => at - ends[Number(n) - 1])
    .toSorted((a, b) => a - b);
  const most = lags.at(-1) ?? Infinity;
  await person.look('csv-stopped');
  if (lags.length < 3) throw new Error(`only ${lags.length} changes of the counter were seen`);
  // Figures for people: how busy this computer is must fail nobody.
  return { counters: most, pause, resume, stop: stopped };
}
