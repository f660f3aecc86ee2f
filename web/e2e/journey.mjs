// From the set-up link to a recording that plays.
import { sources } from './feed.mjs';
import { file, tone } from './server.mjs';

const monday = (date) => (date.getDay() + 6) % 7;

/** Opens the hours of today and tomorrow, so that the journey can be made at any hour. */
export async function openHours(person) {
  const { page, t } = person;
  const days = page.getByRole('group', { name: t('campaigns.hours') }).locator('> div');
  const today = monday(new Date());
  for (const index of [today, (today + 1) % 7]) {
    const day = days.nth(index);
    if ((await day.locator('input').count()) === 0) await person.press(day.locator('button').last());
    for (const [at, time] of [
      [0, '00:00'],
      [1, '24:00'],
    ]) {
      await person.write(day.locator('input').nth(at), time);
      await page.keyboard.press('Tab');
    }
  }
}

/** Five rows in Windows-1251 with semicolons, the last without a number. */
function people(dir) {
  const rows = ['id;phone;name'];
  for (let n = 0; n < 4; n += 1) rows.push(`${n};+3809312345${n}${n === 3 ? 2 : 1};Olena ${n}`);
  rows.push('9;abc;Nobody');
  return file(dir, 'people.csv', Buffer.from(`${rows.join('\r\n')}\r\n`, 'latin1'));
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
  await person.press(person.menu('lists'));
  await person.press(page.getByRole('button', { name: t('contacts.new_list') }).first());
  await person.write(page.getByLabel(t('contacts.list_name')), 'Patients');
  await person.press(page.getByRole('button', { name: t('contacts.create_and_import') }));
  await person.give(page.getByRole('button', { name: t('contacts.choose_file') }), people(dir));
  const start = page.getByRole('button', { name: new RegExp(`^${t('contacts.start_import')}`) });
  await start.waitFor();
  await person.look('preview');
  await person.press(start);
  await page.getByText(t('contacts.import_done')).waitFor();
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
  await person.press(person.menu('campaigns'));
  await page.getByRole('heading', { level: 1, name: t('shell.menu.campaigns') }).waitFor();
  if (person.keyboard) await page.keyboard.press('n');
  else await person.press(page.getByRole('button', { name: t('campaigns.new') }).first());
  await person.write(page.getByLabel(t('campaigns.name_field')), 'Reminder');
  await person.press(page.getByRole('button', { name: t('campaigns.create_draft') }));
  await page.getByText(t('campaigns.badges.draft'), { exact: true }).first().waitFor();
  await openHours(person);
  await person.pick(page.getByRole('combobox', { name: t('campaigns.line'), exact: true }), /Trunk/);
  await person.pick(page.getByRole('combobox', { name: t('campaigns.audio'), exact: true }), /tone/);
  await person.pick(page.getByRole('combobox', { name: t('campaigns.lists'), exact: true }), /Patients/);
  await page.keyboard.press('Escape');
  await person.press(page.getByRole('switch', { name: t('campaigns.record') }), 'Space');
  await person.write(page.getByLabel(t('campaigns.max_attempts'), { exact: true }), '1');
  await page.keyboard.press('Tab');
  const saved = t('campaigns.saved_at').split('{{')[0];
  await page.getByText(saved).first().waitFor();
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
