// Addresses of every screen; each screen is its own chunk.
import { home, jobStates, type JobState } from '@switchbell/api';
import { learn, type Area } from '@switchbell/i18n';
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';

import { queryClient } from '../shared/query';
import { sessionQuery } from '../shared/session';
import { people } from '@switchbell/api';
import { menus } from './navigation';
import { ScreenFailed, ScreenMissing, ScreenPending } from './screens';
import { Shell } from './shell/Shell';

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

/** Every parameter is text: ids have more digits than a number can hold. */
const parseSearch = (search: string) => Object.fromEntries(new URLSearchParams(search));

function stringifySearch(search: Record<string, unknown>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (typeof value === 'string' && value !== '') parameters.set(name, value);
    else if (value === true) parameters.set(name, 'true');
  }
  const all = parameters.toString();
  return all === '' ? '' : `?${all}`;
}

/** A page, once the words are here that only pages of its kind need. */
async function worded<T>(area: Area, page: Promise<T>): Promise<T> {
  await learn(area);
  return page;
}

const root = createRootRoute({
  component: Outlet,
  notFoundComponent: ScreenMissing,
  errorComponent: ScreenFailed,
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (search: Record<string, unknown>): { next?: string | undefined } => ({
    next: text(search['next']),
  }),
  beforeLoad: async () => {
    if (await queryClient.ensureQueryData(sessionQuery)) throw redirect({ to: '/' });
  },
  component: lazyRouteComponent(() => import('../features/people/SignIn'), 'SignIn'),
});

const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  component: lazyRouteComponent(() => import('../features/people/Setup'), 'Setup'),
});

const invite = createRoute({
  getParentRoute: () => root,
  path: '/invite',
  component: lazyRouteComponent(() => import('../features/people/AcceptInvite'), 'AcceptInvite'),
});

const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  beforeLoad: async ({ location }) => {
    const me = await queryClient.ensureQueryData(sessionQuery);
    if (me) return;
    const { needed } = await people.setup().catch(() => ({ needed: false }));
    if (needed) throw redirect({ to: '/setup' });
    const next = location.pathname === '/' ? undefined : location.href;
    throw redirect({ to: '/sign-in', search: { next } });
  },
});

const index = createRoute({
  getParentRoute: () => shell,
  path: '/',
  beforeLoad: () => {
    const me = queryClient.getQueryData(sessionQuery.queryKey);
    const first = menus.find((menu) => me?.permissions.includes(menu.permission));
    if (first?.to !== '/') throw redirect({ to: first?.to ?? '/me/profile' });
  },
  component: lazyRouteComponent(() => import('../features/demo/Home'), 'Home'),
});

const campaigns = createRoute({
  getParentRoute: () => shell,
  path: '/campaigns',
  validateSearch: (
    search: Record<string, unknown>,
  ): { status?: string | undefined; q?: string | undefined; deleted?: true | undefined } => ({
    status: text(search['status']),
    q: text(search['q']),
    deleted: search['deleted'] === true || search['deleted'] === 'true' ? true : undefined,
  }),
  component: lazyRouteComponent(() => import('../features/campaigns/CampaignList'), 'CampaignList'),
});

const newCampaign = createRoute({
  getParentRoute: () => shell,
  path: '/campaigns/new',
  component: lazyRouteComponent(() => import('../features/campaigns/NewCampaign'), 'NewCampaign'),
});

const campaignSearch = (
  search: Record<string, unknown>,
): {
  state?: string | undefined;
  outcome?: string | undefined;
  q?: string | undefined;
  peek?: string | undefined;
  line?: string | undefined;
  sip_code?: string | undefined;
  answered?: string | undefined;
  recorded?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  span?: string | undefined;
} => ({
  state: text(search['state']),
  outcome: text(search['outcome']),
  q: text(search['q']),
  peek: text(search['peek']),
  line: text(search['line']),
  sip_code: text(search['sip_code']),
  answered: text(search['answered']),
  recorded: text(search['recorded']),
  from: text(search['from']),
  to: text(search['to']),
  span: text(search['span']),
});

const campaign = createRoute({
  getParentRoute: () => shell,
  path: '/campaigns/$id',
  validateSearch: campaignSearch,
  component: lazyRouteComponent(() => import('../features/campaigns/CampaignPage'), 'CampaignPage'),
});

const campaignTab = createRoute({
  getParentRoute: () => shell,
  path: '/campaigns/$id/$tab',
  validateSearch: campaignSearch,
  component: lazyRouteComponent(() => import('../features/campaigns/CampaignPage'), 'CampaignPage'),
});

const lists = createRoute({
  getParentRoute: () => shell,
  path: '/campaigns/lists',
  component: lazyRouteComponent(
    () => worded('contacts', import('../features/contacts/Lists')),
    'Lists',
  ),
});

const list = createRoute({
  getParentRoute: () => shell,
  path: '/campaigns/lists/$id',
  validateSearch: (search: Record<string, unknown>): { q?: string | undefined } => ({
    q: text(search['q']),
  }),
  component: lazyRouteComponent(
    () => worded('contacts', import('../features/contacts/ListPage')),
    'ListPage',
  ),
});

const importWizard = createRoute({
  getParentRoute: () => shell,
  path: '/campaigns/lists/$id/import',
  validateSearch: (
    search: Record<string, unknown>,
  ): { import?: string | undefined; back?: string | undefined } => ({
    import: text(search['import']),
    back: text(search['back']),
  }),
  component: lazyRouteComponent(
    () => worded('contacts', import('../features/contacts/ImportWizard')),
    'ImportWizard',
  ),
});

const doNotCall = createRoute({
  getParentRoute: () => shell,
  path: '/campaigns/do-not-call',
  validateSearch: (
    search: Record<string, unknown>,
  ): { q?: string | undefined; scope?: 'account' | 'campaign' | 'list' | undefined } => {
    const scope = text(search['scope']);
    const known = scope === 'account' || scope === 'campaign' || scope === 'list';
    return { q: text(search['q']), scope: known ? scope : undefined };
  },
  component: lazyRouteComponent(
    () => worded('contacts', import('../features/contacts/DoNotCallPage')),
    'DoNotCallPage',
  ),
});

const attemptRules = createRoute({
  getParentRoute: () => shell,
  path: '/campaigns/attempt-rules',
  component: lazyRouteComponent(() => import('../features/campaigns/AttemptRules'), 'AttemptRules'),
});

const attemptRule = createRoute({
  getParentRoute: () => shell,
  path: '/campaigns/attempt-rules/$id',
  component: lazyRouteComponent(
    () => import('../features/campaigns/AttemptRulePage'),
    'AttemptRulePage',
  ),
});

const calendars = createRoute({
  getParentRoute: () => shell,
  path: '/settings/calendars',
  component: lazyRouteComponent(() => import('../features/campaigns/Calendars'), 'Calendars'),
});

const calendar = createRoute({
  getParentRoute: () => shell,
  path: '/settings/calendars/$id',
  component: lazyRouteComponent(() => import('../features/campaigns/CalendarPage'), 'CalendarPage'),
});

const source = createRoute({
  getParentRoute: () => shell,
  path: '/campaigns/lists/$id/sources/$source',
  validateSearch: (search: Record<string, unknown>): { kind?: string | undefined } => ({
    kind: text(search['kind']),
  }),
  component: lazyRouteComponent(
    () => worded('contacts', import('../features/contacts/SourcePage')),
    'SourcePage',
  ),
});

const audio = createRoute({
  getParentRoute: () => shell,
  path: '/settings/audio-library',
  component: lazyRouteComponent(() => import('../features/voice/AudioLibrary'), 'AudioLibrary'),
});

const lines = createRoute({
  getParentRoute: () => shell,
  path: '/settings/lines',
  component: lazyRouteComponent(() => import('../features/voice/Lines'), 'Lines'),
});

const line = createRoute({
  getParentRoute: () => shell,
  path: '/settings/lines/$id',
  component: lazyRouteComponent(() => import('../features/voice/LinePage'), 'LinePage'),
});

const users = createRoute({
  getParentRoute: () => shell,
  path: '/settings/users',
  component: lazyRouteComponent(() => import('../features/people/Users'), 'Users'),
});

const roles = createRoute({
  getParentRoute: () => shell,
  path: '/settings/roles',
  component: lazyRouteComponent(() => import('../features/people/Roles'), 'Roles'),
});

const https = createRoute({
  getParentRoute: () => shell,
  path: '/settings/https',
  component: lazyRouteComponent(
    () => worded('https', import('../features/https/HttpsPage')),
    'HttpsPage',
  ),
});

const account = createRoute({
  getParentRoute: () => shell,
  path: '/settings/general',
  component: lazyRouteComponent(() => import('../features/people/AccountPage'), 'AccountPage'),
});

const recordings = createRoute({
  getParentRoute: () => shell,
  path: '/settings/recordings',
  component: lazyRouteComponent(
    () => import('../features/voice/RecordingSettings'),
    'RecordingSettings',
  ),
});

const jobs = createRoute({
  getParentRoute: () => shell,
  path: '/settings/jobs',
  validateSearch: (search: Record<string, unknown>): { state?: JobState | undefined } => ({
    state: jobStates.find((state) => state === search['state']),
  }),
  component: lazyRouteComponent(
    () => worded('contacts', worded('system', import('../features/system/Jobs'))),
    'Jobs',
  ),
});

const audit = createRoute({
  getParentRoute: () => shell,
  path: '/settings/audit',
  validateSearch: (
    search: Record<string, unknown>,
  ): {
    person?: string | undefined;
    action?: string | undefined;
    subject?: string | undefined;
    from?: string | undefined;
    to?: string | undefined;
  } => ({
    person: text(search['person']),
    action: text(search['action']),
    subject: text(search['subject']),
    from: text(search['from']),
    to: text(search['to']),
  }),
  component: lazyRouteComponent(
    () => worded('contacts', worded('system', import('../features/system/Audit'))),
    'Audit',
  ),
});

const profile = createRoute({
  getParentRoute: () => shell,
  path: '/me/profile',
  component: lazyRouteComponent(() => import('../features/people/Profile'), 'Profile'),
});

const security = createRoute({
  getParentRoute: () => shell,
  path: '/me/security',
  component: lazyRouteComponent(() => import('../features/people/Security'), 'Security'),
});

const routeTree = root.addChildren([
  signIn,
  setup,
  invite,
  shell.addChildren([
    index,
    campaigns,
    newCampaign,
    lists,
    list,
    importWizard,
    doNotCall,
    attemptRules,
    attemptRule,
    source,
    campaign,
    campaignTab,
    calendars,
    calendar,
    audio,
    lines,
    line,
    users,
    roles,
    https,
    account,
    recordings,
    jobs,
    audit,
    profile,
    security,
  ]),
]);

export const router = createRouter({
  routeTree,
  basepath: home.pathname,
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  defaultPreloadStaleTime: 0,
  scrollRestoration: false,
  defaultPendingComponent: ScreenPending,
  defaultPendingMs: 300,
  defaultPendingMinMs: 0,
  defaultNotFoundComponent: ScreenMissing,
  defaultErrorComponent: ScreenFailed,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
