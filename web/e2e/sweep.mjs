// Every page, in every language and theme, as it stands: axe, console, sideways scrolling, words.

/** Visits the pages of a signed-in person; returns how many. */
export async function sweep(person, server, { all }) {
  const { context, page } = person;
  const api = async (path, options) => {
    const answer = await context.request.fetch(`${server.origin}/api/v1/${path}`, {
      headers: { origin: server.origin },
      ...options,
    });
    if (!answer.ok()) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
    return answer.headers()['content-type']?.includes('json') ? answer.json() : null;
  };
  const rows = (answer) => answer.items ?? answer;
  const campaign = rows(await api('campaigns'))[0].id;
  const list = rows(await api('lists'))[0].id;
  const line = rows(await api('lines'))[0].id;
  const pages = {
    home: '/',
    campaigns: '/campaigns',
    deleted: '/campaigns?deleted=true',
    new: '/campaigns/new',
    run: `/campaigns/${campaign}`,
    calls: `/campaigns/${campaign}/calls`,
    contacts: `/campaigns/${campaign}/contacts`,
    setup: `/campaigns/${campaign}/setup`,
    lists: '/campaigns/lists',
    list: `/campaigns/lists/${list}`,
    source: `/campaigns/lists/${list}/sources/new?kind=feed`,
    sheet: `/campaigns/lists/${list}/sources/new?kind=sheet`,
    import: `/campaigns/lists/${list}/import`,
    dnc: '/campaigns/do-not-call',
    attempt_rules: '/campaigns/attempt-rules',
    new_attempt_rule: '/campaigns/attempt-rules/new',
    calendars: '/settings/calendars',
    new_calendar: '/settings/calendars/new',
    audio: '/settings/audio-library',
    lines: '/settings/lines',
    line: `/settings/lines/${line}`,
    users: '/settings/users',
    roles: '/settings/roles',
    https: '/settings/https',
    account: '/settings/general',
    recordings: '/settings/recordings',
    jobs: '/settings/jobs',
    audit: '/settings/audit',
    profile: '/me/profile',
    security: '/me/security',
  };
  const languages = ['en', 'uk', 'ru', 'uz', 'vi'];
  const widths = all ? [360, 1280, 1920] : [1440];
  // The schemes that the page was painted in: one, or somebody sees a flash.
  await page.addInitScript(() => {
    const name = 'data-mantine-color-scheme';
    globalThis.schemes = new Set();
    new MutationObserver(() =>
      globalThis.schemes.add(document.documentElement.getAttribute(name)),
    ).observe(document, { attributes: true, subtree: true, attributeFilter: [name] });
  });
  let seen = 0;
  for (const language of languages) {
    for (const theme of ['light', 'dark']) {
      await api('me', { method: 'PATCH', data: { language, theme } });
      // The browser learns the new theme from the first page that it opens.
      await page.goto(server.origin + pages.profile);
      await page.locator(`html[data-mantine-color-scheme=${theme}]`).waitFor();
      for (const width of widths) {
        await page.setViewportSize({ width, height: 900 });
        for (const [name, path] of Object.entries(pages)) {
          await page.goto(server.origin + path);
          await page.getByRole('heading', { level: 1 }).first().waitFor();
          await page.locator('html:not([aria-busy=true])').waitFor();
          const schemes = await page.evaluate(() => [...globalThis.schemes]);
          if (schemes.join() !== theme) {
            person.faults.push(`${name} in ${theme} was painted in ${schemes.join(', then ')}`);
          }
          const raw = await page.evaluate(
            () =>
              document.body.innerText.match(
                /\b(auth|campaigns|common|demo|https|shell|system|voice|contacts|people|errors|why)\.(?!csv)[a-z_]+[a-z_.]*\b|\{\{/g,
              ) ?? [],
          );
          if (raw.length > 0) person.faults.push(`${name} in ${language} shows ${raw.join(' ')}`);
          const shot = `sweep-${name}-${language}-${theme}-${width}`;
          // What axe judges is the same in every language: it looks at one, with `--all` at each.
          if (all || language === languages[0]) await person.look(shot);
          else await person.glance(shot);
          seen += 1;
        }
      }
    }
  }
  return seen;
}
