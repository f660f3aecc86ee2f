// J1: from the set-up link to a recording of the demo campaign, without a provider.
import { setUp } from './journey.mjs';

/** A fresh install must be here within this time. */
const LIMIT_MS = 5 * 60_000;

/** Disjoint; their sum is the total. */
const counters = ['callable', 'planning', 'open', 'closed', 'attempted', 'flagged'];

async function load(person) {
  const { page, t } = person;
  await person.press(page.getByRole('button', { name: t('demo.load') }));
  await page.locator('#main').getByText(t('demo.about'), { exact: true }).waitFor();
  await person.look('demo-loaded');
}

async function run(person, origin) {
  const { context, page, t } = person;
  await person.press(page.getByRole('link', { name: t('demo.open_campaign') }));
  await page.getByText(t('campaigns.simulated'), { exact: true }).first().waitFor();
  await person.press(page.getByRole('button', { name: t('campaigns.verbs.start'), exact: true }).first());
  const dialog = page.getByRole('dialog');
  const go = dialog.getByRole('button', { name: t('campaigns.verbs.start'), exact: true });
  await go.waitFor();
  await person.press(go);
  const over = page.getByText(t('campaigns.badges.completed'), { exact: true }).first();
  await over.waitFor({ timeout: LIMIT_MS });
  await person.look('demo-completed');
  const id = new URL(page.url()).pathname.split('/')[2];
  const answer = await context.request.get(`${origin}/api/v1/campaigns/${id}`);
  const found = (await answer.json()).counters;
  const sum = counters.reduce((all, name) => all + found[name], 0);
  if (sum !== 20 || found.total !== 20) throw new Error(`counters: ${JSON.stringify(found)}`);
}

async function listen(person) {
  const { page, t } = person;
  await person.turn(page.getByRole('tab', { name: t('campaigns.tabs.calls') }));
  await person.press(page.getByRole('button', { name: t('campaigns.listen') }).first());
  const dialog = page.getByRole('dialog');
  await person.press(dialog.getByRole('button', { name: t('common.player.play') }));
  await page.waitForFunction(() =>
    [...document.querySelectorAll('audio')].some((sound) => !sound.paused && sound.currentTime > 0.3),
  );
  await person.look('demo-recording');
  await page.keyboard.press('Escape');
}

async function ticked(person) {
  const { page, t } = person;
  await person.press(person.menu('home'));
  const done = page.getByRole('img', { name: t('demo.done') });
  await done.nth(2).waitFor();
  await person.look('demo-ticked');
}

/** The whole journey; returns how long it took, in seconds. */
export async function firstRun(person, server) {
  const start = Date.now();
  await setUp(person, server.link);
  await load(person);
  await run(person, server.origin);
  await listen(person);
  const took = Date.now() - start;
  await ticked(person);
  if (took > LIMIT_MS) throw new Error(`the first run took ${Math.round(took / 1000)} s`);
  return Math.round(took / 1000);
}
