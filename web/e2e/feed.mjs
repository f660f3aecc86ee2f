// A list that loads itself from somebody's system: from a wrong path to a second load (J3).
import { createServer } from 'node:http';

const token = 'tell-nobody-7';

/** A system with a list of people behind a token; `people` may be changed between two loads. */
export async function startFeed() {
  const feed = { people: [], heard: [] };
  const server = createServer((request, answer) => {
    feed.heard.push(request.headers.authorization ?? '');
    const known = request.headers.authorization === `Bearer ${token}`;
    // Without a token the shape is told, as some systems do, and nobody in it.
    const list = known || !feed.guarded ? feed.people : null;
    answer.writeHead(list ? 200 : 401, { 'content-type': 'application/json' });
    answer.end(JSON.stringify(list ? { ok: true, result: { list } } : { error: 'token' }));
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  feed.port = server.address().port;
  feed.stop = () => server.close();
  return feed;
}

const somebody = (n, phone) => ({
  id: n,
  phone: phone ?? `+3809355500${10 + n}`,
  name: `Client ${n}`,
  debt: n * 10,
});

/** The list that is open gets a source. */
export async function sources(person) {
  const { page, t } = person;
  const feed = await startFeed();
  try {
    feed.people = [1, 2, 3].map((n) => somebody(n));
    await person.press(page.getByRole('button', { name: t('contacts.add_source') }));
    await person.take(page.getByRole('menuitem', { name: t('contacts.source_kinds.feed') }));
    await page.getByRole('heading', { level: 1, name: t('contacts.new_source.feed') }).waitFor();
    await person.write(page.getByLabel(t('contacts.source_name'), { exact: true }), 'CRM');
    const url = page.getByLabel(t('contacts.feed.url'), { exact: true });
    const test = page.getByRole('button', { name: t('contacts.test_load') });
    // This computer by its number is refused, in words.
    await person.write(url, `http://127.0.0.1:${feed.port}/people`);
    await person.press(test);
    await page.getByText('allowed_hosts').waitFor();
    await person.look('feed-refused');
    if (feed.heard.length > 0) throw new Error('the refused address was asked');
    // A wrong path is told with the list that there is, which one press takes.
    await person.write(url, `http://localhost:${feed.port}/people`);
    await person.write(page.getByLabel(t('contacts.feed.path'), { exact: true }), 'data.items');
    await person.press(test);
    const fix = page.getByRole('button', { name: /result\.list.*\(3\)/ });
    await fix.waitFor();
    await person.look('feed-wrong-path');
    await person.press(fix);
    await page.getByRole('cell', { name: 'Client 3' }).waitFor();
    // The system begins to ask who asks.
    feed.guarded = true;
    await person.press(test);
    await page.getByText(t('contacts.fault.status_401')).waitFor();
    await person.pick(page.getByRole('combobox', { name: t('contacts.feed.auth') }), /Bearer/);
    await person.write(page.getByLabel(t('contacts.feed.secrets.bearer'), { exact: true }), token);
    await person.press(test);
    await page.getByRole('cell', { name: 'Client 3' }).waitFor();
    await person.look('feed-preview');
    await person.press(page.getByRole('button', { name: t('contacts.save_source') }));
    await page.getByRole('heading', { level: 1, name: 'CRM' }).waitFor();
    const loads = page.locator('tr[data-pull="done"]');
    await loads.first().waitFor();
    if ((await page.content()).includes(token)) throw new Error('the token is on the page');
    // The second load adds two and changes one.
    feed.people = [somebody(1, '+380935550099'), ...[2, 3, 4, 5].map((n) => somebody(n))];
    await person.press(page.getByRole('button', { name: t('contacts.load_now') }));
    await loads.nth(1).waitFor();
    const line = t('contacts.import_line', { added: 2, updated: 1, rejected: 0 });
    await loads.first().getByText(line).waitFor();
    await person.look('feed-history');
  } finally {
    feed.stop();
  }
}
