// From the set-up link to a recording that plays.
import { sources } from './feed.mjs';
import { file, tone } from './server.mjs';
import { draft, importList, saved } from './steps.mjs';
import { workbook } from './workbook.mjs';

/** Five rows, the last without a number: a workbook for one person, a CSV with semicolons for another. */
function people(dir, asWorkbook) {
  const rows = [['id', 'phone', 'name']];
  for (let n = 0; n < 4; n += 1) rows.push([n, Number(`3809312345${n}${n === 3 ? 2 : 1}`), `Olena ${n}`]);
  rows.push([9, 'abc', 'Nobody']);
  if (asWorkbook) return file(dir, 'people.xlsx', workbook(rows));
  return file(dir, 'people.csv', rows.map((row) => `${row.join(';')}\r\n`).join(''));
}

/** Makes the owner and lands on the campaigns. */
export async function setUp(person, link) {
  const { page, t } = person;
  await page.goto(link);
  await page.getByLabel(t('auth.account_name')).waitFor();
  await person.look('set-up');
  await person.write(page.getByLabel(t('auth.account_name')), 'Denta');
  await person.write(page.getByLabel(t('auth.your_name')), 'Olena Koval');
  await person.write(page.getByLabel(t('auth.email')), 'olena@example.org');
  await person.write(page.getByLabel(t('auth.password'), { exact: true }), 'korova bily snih');
  await person.press(page.getByRole('button', { name: t('auth.setup.finish') }));
  await page.getByRole('heading', { level: 2, name: t('demo.home.steps') }).waitFor();
  await person.look('first-page');
}

async function line(person, port) {
  const { page, t } = person;
  await person.press(person.menu('lines'));
  await person.press(page.getByRole('button', { name: t('voice.line.new') }).first());
  await person.write(page.getByLabel(t('voice.line.name'), { exact: true }), 'Trunk');
  await person.choose(page.getByRole('radio', { name: t('voice.modes.address') }));
  await person.write(page.getByLabel(t('voice.line.host'), { exact: true }), '127.0.0.1');
  await person.write(page.getByLabel(t('voice.line.port'), { exact: true }), String(port));
  await person.write(page.getByLabel(t('voice.line.channels'), { exact: true }), '5');
  await person.press(page.getByRole('button', { name: t('voice.line.create') }));
  await person.press(page.getByRole('button', { name: t('voice.line.check') }));
  await page.getByText(t('voice.line.check_ok'), { exact: true }).first().waitFor();
  await person.look('line');
}

async function audio(person, dir) {
  const { page, t } = person;
  await person.press(person.menu('audio'));
  await person.give(page.getByRole('button', { name: t('voice.audio.upload') }).first(), file(dir, 'tone.wav', tone()));
  await page.getByText('tone', { exact: true }).waitFor();
  await person.look('audio');
}

async function list(person, dir) {
  const { page, t } = person;
  const path = people(dir, person.keyboard);
  await importList(person, 'Patients', path, { known: 'Olena 0', look: 'preview' });
  await page.getByRole('link', { name: t('contacts.download_rejected') }).waitFor();
  await person.look('imported');
  await person.press(page.getByRole('link', { name: t('contacts.open_list') }));
  await page.getByText('Olena 3').waitFor();
  await person.look('list');
}

async function openList(person) {
  const { page, t } = person;
  await person.press(page.getByRole('button', { name: t('common.close') }).first());
  await person.press(person.menu('lists'));
  await person.press(page.getByRole('link', { name: 'Patients' }).first());
  await page.getByText('Olena 3').waitFor();
}

async function campaign(person) {
  const { page, t } = person;
  await draft(person, 'Reminder', 'Patients');
  await person.press(page.getByRole('switch', { name: t('campaigns.record') }), 'Space');
  await person.write(page.getByLabel(t('campaigns.max_attempts'), { exact: true }), '1');
  await saved(person);
  await person.look('form');
  await person.press(page.getByRole('button', { name: t('campaigns.verbs.start'), exact: true }).first());
  const dialog = page.getByRole('dialog');
  const go = dialog.getByRole('button', { name: t('campaigns.verbs.start'), exact: true });
  await go.waitFor();
  await person.look('start');
  await person.press(go);
}

async function results(person) {
  const { page, t } = person;
  await page.getByText(t('campaigns.badges.completed'), { exact: true }).first().waitFor({ timeout: 60_000 });
  await person.look('completed');
  await person.turn(page.getByRole('tab', { name: t('campaigns.tabs.contacts') }));
  await page.getByText('Olena 3').waitFor();
  await person.look('contacts');
  await person.turn(page.getByRole('tab', { name: t('campaigns.tabs.calls') }));
  await person.press(page.getByRole('button', { name: t('campaigns.listen') }).first());
  const dialog = page.getByRole('dialog');
  await person.press(dialog.getByRole('button', { name: t('common.player.play') }));
  await page.waitForFunction(() =>
    [...document.querySelectorAll('audio')].some((sound) => !sound.paused && sound.currentTime > 0.3),
  );
  await person.look('recording');
}

/** The whole journey. */
export async function journey(person, server, callee) {
  await setUp(person, server.link);
  await line(person, callee.port);
  await audio(person, server.dir);
  await list(person, server.dir);
  await campaign(person);
  await results(person);
  await openList(person);
  await sources(person);
}
