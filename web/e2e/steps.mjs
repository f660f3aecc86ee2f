// Steps that several journeys take.

const monday = (date) => (date.getDay() + 6) % 7;

/** Opens the hours of today and tomorrow, so that the journey can be made at any hour. */
async function openHours(person) {
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

/** Makes a list, gives it a file, and looks at what was understood of it before the import. */
export async function importList(person, name, path, { known, look }) {
  const { page, t } = person;
  await person.press(person.menu('lists'));
  await person.press(page.getByRole('button', { name: t('contacts.new_list') }).first());
  await person.write(page.getByLabel(t('contacts.list_name')), name);
  await person.press(page.getByRole('button', { name: t('contacts.create_and_import') }));
  await person.give(page.getByRole('button', { name: t('contacts.choose_file') }), path);
  const start = page.getByRole('button', { name: new RegExp(`^${t('contacts.start_import')}`) });
  await start.waitFor();
  await page.getByText(known).first().waitFor();
  await person.look(look);
  await person.press(start);
  await page.getByText(t('contacts.import_done')).waitFor();
}

/** Makes a draft that calls a list over the trunk and plays the tone; its form is open. */
export async function draft(person, name, list) {
  const { page, t } = person;
  await person.press(person.menu('campaigns'));
  await page.getByRole('heading', { level: 1, name: t('shell.menu.campaigns') }).waitFor();
  if (person.keyboard) await page.keyboard.press('n');
  else await person.press(page.getByRole('button', { name: t('campaigns.new') }).first());
  await person.write(page.getByLabel(t('campaigns.name_field')), name);
  await person.press(page.getByRole('button', { name: t('campaigns.create_draft') }));
  await page.getByText(t('campaigns.badges.draft'), { exact: true }).first().waitFor();
  await openHours(person);
  for (const [field, value] of [
    ['line', /Trunk/],
    ['audio', /tone/],
    ['lists', new RegExp(list)],
  ]) {
    await person.pick(page.getByRole('combobox', { name: t(`campaigns.${field}`), exact: true }), value);
  }
  await page.keyboard.press('Escape');
}

/** Waits until the form says that everything is saved. */
export async function saved(person) {
  await person.page.keyboard.press('Tab');
  await person.page.getByText(person.t('campaigns.saved_at').split('{{')[0]).first().waitFor();
}
