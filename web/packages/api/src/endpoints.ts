// Every call of the API that the pages make, typed; grouped by the feature that serves it.
import { http } from './client';
import type {
  Account,
  Attempt,
  AttemptPreview,
  AttemptRule,
  AttemptSettings,
  Audio,
  AuditEvent,
  AuditFilter,
  BackgroundJob,
  Calendar,
  CalendarForm,
  Campaign,
  CampaignCheck,
  CampaignRehearsal,
  CampaignContact,
  CampaignContactCard,
  CampaignExport,
  CampaignSettings,
  Certificate,
  ContactList,
  Delimiter,
  DemoNames,
  DemoPhone,
  DoNotCallCheck,
  DoNotCallEntry,
  DoNotCallImport,
  DoNotCallScope,
  DoNotCallTerms,
  Encoding,
  ExportWish,
  FirstSteps,
  Id,
  Import,
  Invite,
  InviteInfo,
  JobSchedule,
  JobState,
  Language,
  Line,
  LineCheck,
  LineForm,
  ListContact,
  Mapping,
  Me,
  Outcome,
  Page,
  RecordingRetention,
  RetentionEffect,
  Role,
  RoleName,
  RunAgainCounts,
  Session,
  SetupForm,
  Source,
  SourceSettings,
  SourceWish,
  Pull,
  TestLoad,
  Theme,
  Timeline,
  TimelineSpan,
  User,
  Waveform,
  Week,
} from './types';

type Signal = { signal?: AbortSignal | undefined };

export const people = {
  setup: (o?: Signal) => http.get<{ needed: boolean }>('setup', o),
  finishSetup: (body: SetupForm) => http.post<Me>('setup', { body, signingIn: true }),
  session: (o?: Signal) => http.get<Me>('session', { ...o, signingIn: true }),
  /** The same, where a refusal means that the session has ended under the page. */
  stillSignedIn: () => http.get<Me>('session'),
  signIn: (body: { email: string; password: string; stay: boolean }) =>
    http.post<Me>('session', { body, signingIn: true }),
  signOut: () => http.delete<void>('session'),
  users: (o?: Signal) => http.get<Page<User> | User[]>('users', o).then(itemsOf),
  invite: (body: { name: string; email: string; role: RoleName }) =>
    http.post<{ user: User } & Invite>('users', { body }),
  changeUser: (id: Id, body: { name?: string; role?: RoleName; disabled?: boolean }) =>
    http.patch<User>(`users/${id}`, { body }),
  inviteAgain: (id: Id) => http.post<Invite>(`users/${id}/invite`),
  checkInvite: (token: string) =>
    http.post<InviteInfo>('invites/check', {
      body: { token },
      signingIn: true,
    }),
  acceptInvite: (body: { token: string; name: string; password: string; language: Language }) =>
    http.post<Me>('invites/accept', { body, signingIn: true }),
  roles: (o?: Signal) => http.get<Role[]>('roles', o),
  changeMe: (body: { name?: string; language?: Language; theme?: Theme; time_zone?: string }) =>
    http.patch<Me>('me', { body }),
  changePassword: (body: { current: string; new: string }) =>
    http.post<void>('me/password', { body }),
  sessions: (o?: Signal) => http.get<Page<Session> | Session[]>('me/sessions', o).then(itemsOf),
  endSession: (id: Id) => http.delete<void>(`me/sessions/${id}`),
  account: (o?: Signal) => http.get<Account>('account', o),
  changeAccount: (body: Partial<Omit<Account, 'id'>>) => http.patch<Account>('account', { body }),
};

export const contacts = {
  lists: (o?: Signal) =>
    http
      .get<Page<ContactList> | ContactList[]>('lists', { ...o, query: { limit: 200 } })
      .then(itemsOf),
  list: (id: Id, o?: Signal) => http.get<ContactList>(`lists/${id}`, o),
  createList: (name: string) => http.post<ContactList>('lists', { body: { name } }),
  renameList: (id: Id, name: string) => http.patch<ContactList>(`lists/${id}`, { body: { name } }),
  deleteList: (id: Id) => http.delete<void>(`lists/${id}`),
  contacts: (id: Id, query: { cursor?: string | undefined; q?: string | undefined }, o?: Signal) =>
    http.get<Page<ListContact>>(`lists/${id}/contacts`, { query: { ...query, limit: 100 }, ...o }),
  imports: (id: Id, o?: Signal) =>
    http.get<Page<Import> | Import[]>(`lists/${id}/imports`, o).then(itemsOf),
  upload: (id: Id, file: File, o: { signal?: AbortSignal; progress?: (part: number) => void }) =>
    http.upload<Import>(`lists/${id}/imports`, file, { ...o, query: { filename: file.name } }),
  import: (id: Id, o?: Signal) => http.get<Import>(`imports/${id}`, o),
  previewAgain: (
    id: Id,
    body: {
      encoding?: Encoding;
      delimiter?: Delimiter;
      has_header?: boolean;
      sheet?: string;
      preset?: boolean;
    },
  ) => http.patch<Import>(`imports/${id}`, { body }),
  startImport: (id: Id, body: { mapping: Mapping; region: string }) =>
    http.post<Import>(`imports/${id}/start`, { body }),
  cancelImport: (id: Id) => http.post<Import>(`imports/${id}/cancel`),
  sources: (list: Id, o?: Signal) => http.get<Source[]>(`lists/${list}/sources`, o),
  source: (id: Id, o?: Signal) => http.get<Source>(`sources/${id}`, o),
  createSource: (list: Id, body: SourceWish) =>
    http.post<Source>(`lists/${list}/sources`, { body }),
  changeSource: (id: Id, body: SourceWish) => http.put<Source>(`sources/${id}`, { body }),
  deleteSource: (id: Id) => http.delete<void>(`sources/${id}`),
  testSource: (
    list: Id,
    body: { settings: SourceSettings; secret?: string; source?: Id },
    o?: Signal,
  ) => http.post<TestLoad>(`lists/${list}/sources/test`, { body, ...o }),
  pullSource: (id: Id) => http.post<Source>(`sources/${id}/pull`),
  pulls: (id: Id, o?: Signal) =>
    http.get<Page<Pull>>(`sources/${id}/pulls`, { query: { limit: 50 }, ...o }).then(itemsOf),
  pullRaw: (id: Id, pull: Id, o?: Signal) =>
    http.get<{ raw?: string | null }>(`sources/${id}/pulls/${pull}/raw`, o),
  doNotCall: (phone: string, reason?: string) =>
    http.put<void>(`do-not-call/${encodeURIComponent(phone)}`, { body: reason ? { reason } : {} }),
  allowCalls: (phone: string) => http.delete<void>(`do-not-call/${encodeURIComponent(phone)}`),
  doNotCallEntries: (
    query: {
      q?: string | undefined;
      scope?: DoNotCallScope | undefined;
      cursor?: string | undefined;
    },
    o?: Signal,
  ) => http.get<Page<DoNotCallEntry>>('do-not-call', { query: { ...query }, ...o }),
  addDoNotCall: (body: DoNotCallTerms & { phone: string }) =>
    http.post<DoNotCallEntry>('do-not-call', { body }),
  removeDoNotCall: (id: Id) => http.delete<void>(`do-not-call/entries/${id}`),
  checkDoNotCall: (phone: string, o?: Signal) =>
    http.get<DoNotCallCheck>('do-not-call/check', { query: { phone }, ...o }),
  loadDoNotCall: (file: File, terms: DoNotCallTerms) =>
    http.upload<DoNotCallImport>('do-not-call/import', file, { query: { ...terms } }),
};

export const voice = {
  lines: (o?: Signal) => http.get<Page<Line> | Line[]>('lines', o).then(itemsOf),
  line: (id: Id, o?: Signal) => http.get<Line>(`lines/${id}`, o),
  createLine: (body: Partial<LineForm>) => http.post<Line>('lines', { body }),
  changeLine: (id: Id, body: Partial<LineForm> & { version?: number }) =>
    http.patch<Line>(`lines/${id}`, { body }),
  deleteLine: (id: Id) => http.delete<void>(`lines/${id}`),
  checkLine: (id: Id) => http.post<LineCheck>(`lines/${id}/check`),
  audio: (o?: Signal) => http.get<Page<Audio> | Audio[]>('audio', o).then(itemsOf),
  uploadAudio: (
    name: string,
    file: File,
    o: { signal?: AbortSignal; progress?: (part: number) => void },
  ) => http.upload<Audio>('audio', file, { ...o, query: { name } }),
  renameAudio: (id: Id, name: string) => http.patch<Audio>(`audio/${id}`, { body: { name } }),
  deleteAudio: (id: Id) => http.delete<void>(`audio/${id}`),
  waveform: (attempt: Id, o?: Signal) => http.get<Waveform>(`recordings/${attempt}/waveform`, o),
  keepRecording: (attempt: Id, kept: boolean) =>
    http.put<void>(`recordings/${attempt}/kept`, { body: { kept } }),
  retention: (o?: Signal) => http.get<RecordingRetention>('recording-retention', o),
  retentionEffect: (days: number, o?: Signal) =>
    http.get<RetentionEffect>('recording-retention/effect', { query: { days }, ...o }),
  setRetention: (days: number) =>
    http.put<RecordingRetention>('recording-retention', { body: { days } }),
};

export const demo = {
  steps: (o?: Signal) => http.get<FirstSteps>('first-steps', o),
  dismiss: (dismissed: boolean) => http.put<FirstSteps>('first-steps', { body: { dismissed } }),
  load: (body: DemoNames) => http.post<FirstSteps>('demo', { body }),
  remove: () => http.delete<FirstSteps>('demo'),
  phones: (seed: number, o?: Signal) =>
    http.get<DemoPhone[]>('demo/phones', { ...o, query: { seed } }),
};

export interface CampaignFilter {
  status?: string | undefined;
  q?: string | undefined;
  deleted?: boolean | undefined;
  cursor?: string | undefined;
}

export interface AttemptFilter {
  outcome?: string | undefined;
  line?: Id | undefined;
  sip_code?: string | undefined;
  answered?: string | undefined;
  recorded?: string | undefined;
  q?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

export const campaigns = {
  list: (query: CampaignFilter, o?: Signal) =>
    http.get<Page<Campaign>>('campaigns', { query: { ...query }, ...o }),
  get: (id: Id, o?: Signal) => http.get<Campaign>(`campaigns/${id}`, o),
  create: (body: Partial<CampaignSettings> & { name: string; copy_of?: string }, once: string) =>
    http.post<Campaign>('campaigns', { body, once }),
  change: (id: Id, body: Partial<CampaignSettings> & { version?: number }) =>
    http.patch<Campaign>(`campaigns/${id}`, { body }),
  delete: (id: Id) => http.delete<void>(`campaigns/${id}`),
  restore: (id: Id) => http.post<Campaign>(`campaigns/${id}/restore`),
  runAgainCounts: (id: Id, o?: Signal) => http.get<RunAgainCounts>(`campaigns/${id}/run-again`, o),
  runAgain: (id: Id, body: { name: string; contacts: 'all' | 'unsuccessful' }, once: string) =>
    http.post<Campaign>(`campaigns/${id}/run-again`, { body, once }),
  check: (id: Id, o?: Signal) => http.get<CampaignCheck>(`campaigns/${id}/check`, o),
  rehearsal: (id: Id, o?: Signal) => http.get<CampaignRehearsal>(`campaigns/${id}/rehearsal`, o),
  command: (id: Id, verb: 'start' | 'pause' | 'resume' | 'stop', once: string) =>
    http.post<Campaign>(`campaigns/${id}/${verb}`, { once }),
  testCall: (id: Id, phone: string) =>
    http.post<{ attempt: Id }>(`campaigns/${id}/test-call`, { body: { phone } }),
  contacts: (
    id: Id,
    query: {
      state?: string | undefined;
      outcome?: string | undefined;
      q?: string | undefined;
      cursor?: string | undefined;
    },
    o?: Signal,
  ) => http.get<Page<CampaignContact>>(`campaigns/${id}/contacts`, { query: { ...query }, ...o }),
  contact: (id: Id, contact: Id, o?: Signal) =>
    http.get<CampaignContactCard>(`campaigns/${id}/contacts/${contact}`, o),
  exclude: (id: Id, contact: Id) => http.post<void>(`campaigns/${id}/contacts/${contact}/exclude`),
  timeline: (id: Id, span: TimelineSpan, o?: Signal) =>
    http.get<Timeline>(`campaigns/${id}/timeline`, { query: { span }, ...o }),
  exports: (id: Id, o?: Signal) => http.get<CampaignExport[]>(`campaigns/${id}/exports`, o),
  export: (id: Id, body: ExportWish) =>
    http.post<CampaignExport>(`campaigns/${id}/exports`, { body }),
  deleteExport: (id: Id, file: Id) => http.delete<void>(`campaigns/${id}/exports/${file}`),
  week: (id: Id, o?: Signal) => http.get<Week>(`campaigns/${id}/week`, o),
  attempts: (id: Id, query: AttemptFilter & { cursor?: string | undefined }, o?: Signal) =>
    http.get<Page<Attempt>>(`campaigns/${id}/attempts`, { query: { ...query }, ...o }),
};

export const presets = {
  calendars: (o?: Signal) => http.get<Calendar[]>('calendars', o),
  createCalendar: (body: CalendarForm) => http.post<Calendar>('calendars', { body }),
  changeCalendar: (id: Id, body: CalendarForm & { version: number }) =>
    http.put<Calendar>(`calendars/${id}`, { body }),
  deleteCalendar: (id: Id) => http.delete<void>(`calendars/${id}`),
  rules: (o?: Signal) => http.get<AttemptRule[]>('attempt-rules', o),
  createRule: (body: { name: string; rule: AttemptSettings }) =>
    http.post<AttemptRule>('attempt-rules', { body }),
  changeRule: (id: Id, body: { name: string; rule: AttemptSettings; version: number }) =>
    http.put<AttemptRule>(`attempt-rules/${id}`, { body }),
  deleteRule: (id: Id) => http.delete<void>(`attempt-rules/${id}`),
  preview: (
    body: Pick<CalendarForm, 'time_zone' | 'hours' | 'exceptions'> & {
      rule: AttemptSettings;
      numbers: number;
      outcomes: Outcome[];
    },
    o?: Signal,
  ) => http.post<AttemptPreview>('attempt-rules/preview', { body, ...o }),
};

export const certificate = {
  get: (o?: Signal) => http.get<Certificate>('https', o),
  renew: () => http.post<Certificate>('https/renew'),
};

export const system = {
  audit: (query: AuditFilter & { cursor?: string | undefined }, o?: Signal) =>
    http.get<Page<AuditEvent>>('audit', { query: { ...query }, ...o }),
  auditRetention: (o?: Signal) => http.get<{ days: number }>('audit/retention', o),
  auditRetentionEffect: (days: number, o?: Signal) =>
    http.get<RetentionEffect>('audit/retention/effect', { query: { days }, ...o }),
  setAuditRetention: (days: number) =>
    http.put<{ days: number }>('audit/retention', { body: { days } }),
  jobs: (query: { state?: JobState | undefined; cursor?: string | undefined }, o?: Signal) =>
    http.get<Page<BackgroundJob>>('jobs', { query: { ...query }, ...o }),
  retryJob: (id: Id) => http.post<BackgroundJob>(`jobs/${id}/retry`),
  stopJob: (id: Id) => http.post<BackgroundJob>(`jobs/${id}/stop`),
  schedules: (query: { cursor?: string | undefined }, o?: Signal) =>
    http.get<Page<JobSchedule>>('job-schedules', { query: { ...query, limit: 100 }, ...o }),
  runSchedule: (schedule: Pick<JobSchedule, 'kind' | 'key'>) =>
    http.post<void>('job-schedules/run', { body: { kind: schedule.kind, key: schedule.key } }),
};

/** Short collections come whole, with or without the envelope of a page. */
function itemsOf<T>(answer: Page<T> | T[]): T[] {
  return Array.isArray(answer) ? answer : answer.items;
}
