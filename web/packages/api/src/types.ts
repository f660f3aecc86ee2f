// The shapes of /api/v1. Ids are strings, moments RFC 3339 in UTC, durations whole seconds (`_s`).

export type Id = string;
export type Moment = string;
export type Language = 'en' | 'uk' | 'ru' | 'uz' | 'vi';
export type Theme = 'auto' | 'light' | 'dark';
export type RoleName =
  'operator' | 'supervisor' | 'administrator' | 'integrator' | 'analyst' | 'quality_reviewer';
export type Permission =
  | 'campaign.view'
  | 'campaign.edit'
  | 'campaign.start'
  | 'campaign.delete'
  | 'list.view'
  | 'list.edit'
  | 'list.export'
  | 'do_not_call.view'
  | 'do_not_call.edit'
  | 'do_not_call.export'
  | 'audio.view'
  | 'audio.edit'
  | 'line.view'
  | 'line.manage'
  | 'recording.listen'
  | 'user.view'
  | 'user.manage'
  | 'account.view'
  | 'account.manage'
  | 'job.view'
  | 'job.manage'
  | 'audit.view'
  | 'audit.export'
  | 'recording.keep'
  | 'live.connect'
  | 'me';

export interface Page<T> {
  items: T[];
  next?: string | null;
}

/** A code with its parameters; the words are the page's. */
export interface Coded {
  code: string;
  params?: Params | undefined;
}
export type Params = Record<string, string | number | boolean | null>;

// People

export interface Me {
  user: {
    id: Id;
    name: string;
    email: string;
    language: Language;
    theme: Theme;
    /** Its own; the account's where it is absent. */
    time_zone?: string | null;
    role: RoleName;
    owner: boolean;
    install_owner: boolean;
  };
  account: Account;
  permissions: Permission[];
  insecure_http: boolean;
}

export interface Account {
  id: Id;
  name: string;
  country: string;
  time_zone: string;
  language: Language;
}

export interface User {
  id: Id;
  name: string;
  email: string;
  role: RoleName;
  owner: boolean;
  state: 'invited' | 'active' | 'disabled';
  last_seen_at?: Moment | null;
  created_at: Moment;
}

export interface Invite {
  invite_link: string;
  expires_at: Moment;
}

export interface InviteInfo {
  name: string;
  email: string;
  account_name: string;
  /** The person has a password already and chooses a new one. */
  joined: boolean;
}

export interface Role {
  role: RoleName;
  permissions: Permission[];
}

export interface Session {
  id: Id;
  created_at: Moment;
  used_at: Moment;
  agent: string;
  stay: boolean;
  address: string;
  current: boolean;
}

export interface SetupForm {
  token: string;
  language: Language;
  time_zone: string;
  country: string;
  account_name: string;
  name: string;
  email: string;
  password: string;
}

// Contacts

export interface ContactList {
  id: Id;
  name: string;
  contacts: number;
  numbers: number;
  do_not_call: number;
  updated_at: Moment;
  last_import?: Import | null;
}

export interface ListContact {
  id: Id;
  external_id?: string | null;
  name?: string | null;
  numbers: { phone: string; kind: string; do_not_call: boolean }[];
  variables: Record<string, string>;
  zone?: string | null;
  do_not_call: boolean;
  source: string;
}

export type Encoding = 'utf-8' | 'windows-1251' | 'utf-16le' | 'utf-16be';
export type Delimiter = ',' | ';' | '\t';
export type ImportState = 'previewing' | 'ready' | 'running' | 'done' | 'cancelled' | 'failed';

/** Which column, by its name, holds what; variables are keys by column. */
export interface Mapping {
  id?: string | null;
  phone: string[];
  name?: string | null;
  zone?: string | null;
  variables?: Record<string, string>;
}

/** Why a source gave no rows; the words are in the catalogue, under the code. */
export interface SourceFault {
  code: string;
  params: Record<string, unknown>;
}

export type FeedAuth =
  | { scheme: 'none' }
  | { scheme: 'bearer' }
  | { scheme: 'basic'; user: string }
  | { scheme: 'header'; name: string };

export type FeedPaging =
  | { by: 'none' }
  | { by: 'page'; param: string; first: number }
  | { by: 'cursor'; param: string; path: string }
  | { by: 'link' };

export interface FeedSettings {
  kind: 'feed';
  url: string;
  auth: FeedAuth;
  path: string;
  keys: { id: string; phone: string; name: string; zone?: string | null };
  paging: FeedPaging;
  timeout_s: number;
  region: string;
}

export interface SheetSettings {
  kind: 'sheet';
  link: string;
  access: 'link' | 'service_account';
  tab: string;
  mapping: Mapping;
  region: string;
  robot?: string | null;
}

export type SourceSettings = FeedSettings | SheetSettings;

export interface Pull {
  id: Id;
  state: 'fetching' | 'running' | 'done' | 'failed';
  fault?: SourceFault | null;
  import?: Id | null;
  counts: Import['counts'];
  status?: number | null;
  bytes: number;
  started_at: Moment;
  finished_at?: Moment | null;
}

export interface Source {
  id: Id;
  list: Id;
  name: string;
  settings: SourceSettings;
  has_secret: boolean;
  every_min?: number | null;
  enabled: boolean;
  tested: boolean;
  version: number;
  next_at?: Moment | null;
  last_pull?: Pull | null;
}

export interface SourceWish {
  name: string;
  settings: SourceSettings;
  /** Write-only: sent when it was typed. */
  secret?: string;
  every_min: number | null;
  enabled: boolean;
  proof?: string;
}

export interface TestLoad {
  fault?: SourceFault | null;
  url: string;
  headers: { name: string; value: string }[];
  status?: number | null;
  content_type?: string | null;
  took_ms: number;
  bytes: number;
  raw: string;
  rows: number;
  more: boolean;
  sample: {
    line: number;
    id: string;
    name: string;
    phones: string[];
    written: string;
    zone?: string | null;
    variables: Record<string, string>;
    problem?: string | null;
  }[];
  refused: number;
  arrays: { path: string; rows: number }[];
  keys: string[];
  mapping?: Mapping | null;
  robot?: string | null;
  proof?: string | null;
}

export interface Import {
  id: Id;
  list: Id;
  state: ImportState;
  source: string;
  filename: string;
  /** The sheets of a workbook; none of a text. */
  sheets: string[];
  sheet?: string | null;
  encoding: Encoding;
  delimiter: Delimiter;
  has_header: boolean;
  columns: string[];
  sample: string[][];
  mapping: Mapping;
  /** When the suggested mapping was last used; absent when it is a guess. */
  preset_at?: Moment | null;
  region: string;
  counts: {
    rows: number;
    added: number;
    updated: number;
    unchanged: number;
    duplicates: number;
    rejected: number;
  };
  done: number;
  total: number;
  problem?: Coded | null;
  created_at: Moment;
}

export type DoNotCallScope = 'account' | 'campaign' | 'list';

/** What is said of a number that must not be called. */
export interface DoNotCallTerms {
  scope: DoNotCallScope;
  target?: Id;
  reason: string;
  expires_at?: Moment;
}

export interface DoNotCallEntry {
  id: Id;
  phone: string;
  scope: DoNotCallScope;
  target?: Id | null;
  target_name?: string | null;
  source: 'by_hand' | 'contact' | 'file';
  reason: string;
  by?: string | null;
  forbidden_at: Moment;
  expires_at?: Moment | null;
}

export interface DoNotCallCheck {
  phone: string;
  allowed: boolean;
  entries: DoNotCallEntry[];
}

export interface DoNotCallImport {
  rows: number;
  added: number;
  known: number;
  rejected: number;
  problems: { line: number; text: string; code: string; sentence: string }[];
}

// Voice

export type LineHealth = 'unknown' | 'registering' | 'ok' | 'failing' | 'down' | 'disabled';

export interface Line {
  id: Id;
  name: string;
  mode: 'registration' | 'address' | 'demo';
  host: string;
  port: number;
  transport: 'udp';
  user: string | null;
  auth_user: string | null;
  has_password: boolean;
  realm: string | null;
  expires_s: number;
  caller_id: string | null;
  channels: number;
  calls_per_second: number;
  codecs: ('pcma' | 'pcmu')[];
  enabled: boolean;
  /** For a line of the demo carrier, and for no other. */
  demo: DemoSettings | null;
  /** Sent back with a change. */
  version: number;
  health: {
    state: LineHealth;
    since: Moment | null;
    code?: number | null;
    reason?: string | null;
    last_ok_at?: Moment | null;
  };
  in_use: number;
}

export type LineForm = Omit<
  Line,
  'id' | 'transport' | 'has_password' | 'health' | 'in_use' | 'version'
> & {
  /** Write-only: sent when it changes, never read back. */
  password?: string;
};

export type DemoFailure = 'none' | 'line_down' | 'congestion' | 'drops';

export interface DemoSettings {
  /** How many times faster than real delays and ring times pass: 1, 10 or 60. */
  speed: number;
  seed: number;
  failure: DemoFailure;
}

export type DemoBehaviour =
  | 'listens'
  | 'busy'
  | 'no_answer'
  | 'rejects'
  | 'machine'
  | 'hangs_up'
  | 'presses_one'
  | 'presses_two'
  | 'says_yes'
  | 'says_no'
  | 'talks_long'
  | 'silent'
  | 'invalid'
  | 'congested'
  | 'asks_operator';

/** What numbers with one ending do when a line of the demo carrier calls them. */
export interface DemoPhone {
  ending: string;
  behaviour: DemoBehaviour;
  outcome: Outcome;
  /** Drawn by the line's seed. */
  drawn: boolean;
}

// First steps

export type FirstStepId =
  'load_demo' | 'run_demo' | 'listen' | 'connect_line' | 'own_campaign' | 'invite' | 'remove_demo';

export interface FirstStep {
  id: FirstStepId;
  done: boolean;
}

export interface FirstSteps {
  steps: FirstStep[];
  dismissed: boolean;
  demo_loaded: boolean;
  demo_campaign_id: Id | null;
  demo_line_id: Id | null;
}

/** What the parts of the demo are called. */
export interface DemoNames {
  line: string;
  audio: string;
  list: string;
  campaign: string;
  people: string[];
}

export interface LineCheck {
  ok: boolean;
  code: number | null;
  reason: string | null;
  rtt_ms: number | null;
}

export interface Audio {
  id: Id;
  name: string;
  format: string;
  duration_s: number;
  channels: number;
  sample_rate: number;
  bytes: number;
  loudness_db: number | null;
  created_at: Moment;
  used_by_running: boolean;
}

export interface Waveform {
  left: number[];
  right: number[];
  duration_ms: number;
  /** A person keeps the recording, whatever the account's days say. */
  kept: boolean;
}

/** How long recordings are kept; 0 days are for ever. */
export interface RecordingRetention {
  days: number;
}

/** What a choice would do at once. */
export interface RetentionEffect {
  removed: number;
  /** As old, and kept by a person; absent where nobody can. */
  kept?: number;
}

// Campaigns

export type CampaignState = 'draft' | 'running' | 'paused' | 'completed' | 'stopped';
export type CampaignBadge =
  | 'draft'
  | 'scheduled'
  | 'running'
  | 'waiting_for_window'
  | 'paused'
  | 'draining'
  | 'completed'
  | 'stopped'
  | 'needs_attention';
export type Outcome =
  | 'success'
  | 'short_talk'
  | 'no_answer'
  | 'busy'
  | 'rejected'
  | 'failed'
  | 'invalid_number'
  | 'machine'
  | 'abandoned_no_agent'
  | 'cancelled'
  | 'interrupted';
export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';
export type Hours = Record<Weekday, [string, string][]>;

export interface Why extends Coded {
  until?: Moment | null;
  /** Since when, where that says more. */
  since?: Moment | null;
}

export interface Counters {
  total: number;
  callable: number;
  planning: number;
  open: number;
  closed: number;
  attempted: number;
  flagged: number;
  success: number;
  not_success: number;
  excluded: number;
  answered: number;
}

export interface CampaignSettings {
  name: string;
  notes: string;
  line_id: Id | null;
  on_answer: OnAnswer | null;
  lists: Id[];
  period: { from: string | null; to: string | null };
  time_zone: string;
  use_contact_zone: boolean;
  hours: Hours;
  /** Copied from this calendar; null for hours of its own. */
  calendar_id: Id | null;
  exceptions: HoursException[];
  /** Copied from this rule; null for its own. */
  attempt_rule_id: Id | null;
  max_attempts: number;
  concurrency: number;
  calls_per_second: number | null;
  ring_s: number;
  min_talk_s: number;
  delays_s: Delays;
  retry_short_talk: boolean;
  caps: { per_day: number; per_week: number };
  batch: { calls: number; gap_s: number } | null;
  every_number: boolean;
  record: boolean;
  priority: number;
  always_active: boolean;
}

/** A date with other hours than the week's; without any, a holiday. */
export interface HoursException {
  date: string;
  hours: [string, string][];
}

/** The part of a campaign's settings that an attempt rule can give. */
export type AttemptSettings = Pick<
  CampaignSettings,
  | 'max_attempts'
  | 'ring_s'
  | 'min_talk_s'
  | 'delays_s'
  | 'retry_short_talk'
  | 'caps'
  | 'batch'
  | 'every_number'
>;

export interface CalendarForm {
  name: string;
  notes: string;
  time_zone: string;
  hours: Hours;
  exceptions: HoursException[];
}

export interface Calendar extends CalendarForm {
  id: Id;
  version: number;
  updated_at: Moment;
  open: boolean;
  changes_at?: Moment | null;
  used_by: { id: Id; name: string }[];
}

export interface AttemptRule {
  id: Id;
  name: string;
  rule: AttemptSettings;
  version: number;
  updated_at: Moment;
  used_by: { id: Id; name: string }[];
}

export interface AttemptPreview {
  attempts: { at: Moment; number: number; outcome: Outcome; moved?: string | null }[];
  ends: string;
}

export interface OnAnswer {
  kind: 'audio';
  audio_id: Id | null;
}

export interface Delays {
  busy: number;
  no_answer: number;
  failed: number;
  short_talk: number;
  machine: number;
}

export interface Campaign extends CampaignSettings {
  id: Id;
  state: CampaignState;
  badge: CampaignBadge;
  why: Why;
  /** Contacts are being taken up from the lists. */
  preparing: boolean;
  /** It is another one, run again: of its lists it calls only whom that one had. */
  again?: { campaign: Id; all: boolean } | null;
  /** Its line is the demo carrier's: nobody is really called. */
  simulated: boolean;
  version: number;
  counters: Counters;
  active_calls: number;
  created_at: Moment;
  updated_at: Moment;
  started_at: Moment | null;
  completed_at: Moment | null;
  deleted_at: Moment | null;
}

export interface FieldProblem extends Coded {
  field: string;
}

/** How many a run again would call. */
export interface RunAgainCounts {
  all: number;
  unsuccessful: number;
}

/** A number, or a moment, between two others. */
export interface Band<T> {
  low: T;
  likely: T;
  high: T;
}

/** Why a contact is passed over, before anybody is called. */
export type SkipReason =
  | 'do_not_call'
  | 'no_number'
  | 'invalid_number'
  | 'duplicate'
  | 'demo_number'
  | 'real_number'
  | 'never_open'
  | 'excluded'
  | 'done';

/** A campaign run ahead by the dialler itself. */
export interface CampaignRehearsal {
  contacts: number;
  will_call: number;
  skipped: { reason: SkipReason; contacts: number }[];
  /** Whether every contact was looked at. */
  exact: boolean;
  /** Null when some still wait after 60 days. */
  finish: Band<string> | null;
  /** Contacts that still wait after 60 days. */
  left: number;
  calls: Band<number>;
  answered: Band<number>;
  hours: { from: string; calls: Band<number> }[];
  /** Calls of this campaign that it goes by; 0 for the usual mix. */
  earlier_calls: number;
  others_on_line: number;
}

export interface CampaignCheck {
  ready: boolean;
  problems: FieldProblem[];
  warnings: FieldProblem[];
  will_call: number;
}

export type ContactState =
  | 'callable'
  | 'in_attempt'
  | 'in_work'
  | 'success'
  | 'not_success'
  | 'attempted'
  | 'invalid_number'
  | 'no_number'
  | 'do_not_call'
  | 'by_hand'
  | 'source';

export type ContactGroup =
  'callable' | 'in_attempt' | 'in_work' | 'closed' | 'attempted' | 'flagged' | 'excluded';

export interface CampaignContact {
  id: Id;
  external_id?: string | null;
  /** Empty when it has none. */
  name: string;
  /** The number that is called now; empty when the contact has none. */
  phone: string;
  state: ContactGroup;
  detail: ContactState;
  next_at?: Moment | null;
  attempts: number;
  last_outcome: Outcome | null;
  zone?: string | null;
  variables: Record<string, string>;
}

export interface CampaignContactCard extends CampaignContact {
  numbers: { phone: string; kind: string }[];
  attempts_made: Attempt[];
  decisions: Decision[];
}

/** Why the gate did not let a contact be called. */
export interface Decision {
  reason:
    | 'do_not_call'
    | 'demo_number'
    | 'real_number'
    | 'day_cap'
    | 'week_cap'
    | 'shut'
    | 'attempts_spent';
  limit?: number | null;
  until?: Moment | null;
  times: number;
  first_at: Moment;
  last_at: Moment;
}

export interface Attempt {
  id: Id;
  contact: { id: Id; name: string } | null;
  phone: string;
  line: { id: Id; name: string | null };
  ordinal: number;
  claimed_at: Moment;
  invited_at: Moment | null;
  answered_at: Moment | null;
  ended_at: Moment | null;
  outcome: Outcome | null;
  sip_code: number | null;
  q850: number | null;
  local_cause: string | null;
  talk_s: number | null;
  ring_s: number | null;
  recording: boolean;
  settings_version: number;
  test: boolean;
}

export type TimelineSpan = 'hour' | 'day' | 'week' | 'all';

export interface Timeline {
  step_s: number;
  time_zone: string;
  points: { at?: Moment; outcomes: Partial<Record<Outcome, number>>; answered: number }[];
}

export interface Week {
  time_zone: string;
  /** 0 is Monday. */
  hours: { weekday: number; hour: number; calls: number; answered: number }[];
}

export interface CampaignExport {
  id: Id;
  what: 'contacts' | 'attempts';
  format: 'csv' | 'xlsx';
  state: 'running' | 'ready' | 'failed' | 'cancelled';
  done: number;
  total?: number | null;
  bytes?: number | null;
  created_at: Moment;
  expires_at: Moment;
}

export interface ExportWish {
  what: 'contacts' | 'attempts';
  format: 'csv' | 'xlsx';
  filter: {
    state?: string | undefined;
    outcome?: string | undefined;
    q?: string | undefined;
    line?: Id | undefined;
    sip_code?: number | undefined;
    answered?: boolean | undefined;
    recorded?: boolean | undefined;
    from?: Moment | undefined;
    to?: Moment | undefined;
  };
}

export type CallStage = 'claimed' | 'dialling' | 'ringing' | 'playing' | 'ended';

export interface ActiveCall {
  /** Of the campaign contact; absent for a test call. */
  contact: Id | null;
  phone: string;
  line: Id;
  stage: CallStage;
  since: Moment;
  test: boolean;
}

// HTTPS

export interface Certificate {
  mode: 'off' | 'local' | 'acme' | 'files';
  names: string[];
  left_out: string[];
  issuer?: string | null;
  not_before?: Moment | null;
  not_after?: Moment | null;
  renewal?: Moment | null;
  /** It only stands in until the directory gives one. */
  stand_in: boolean;
  directory?: string | null;
  fault?: {
    code: string;
    name?: string | null;
    detail: string;
    at: Moment;
    next_try?: Moment | null;
  } | null;
  authority?: { name: string; fingerprint: string; not_after: Moment } | null;
}

// Live topics

export interface CampaignsTopic {
  campaigns: Record<Id, Campaign>;
  states: Partial<Record<CampaignState, number>>;
}

export interface CampaignTopic {
  campaign: Campaign;
  active: Record<Id, ActiveCall>;
  results: Partial<Record<Outcome, number>>;
  /** By outcome and final SIP status: `failed:503`. */
  causes: Record<string, number>;
}

export type LinesTopic = Record<Id, Line>;

// System

export const jobStates = ['ready', 'retry', 'running', 'done', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

export interface JobAbout {
  what: 'campaign' | 'list';
  id: Id;
}

/** Why a job failed or is tried again: a code with words, and the values of its sentence. */
export interface JobCause {
  code: string;
  params: Record<string, unknown>;
}

export interface BackgroundJob {
  id: Id;
  kind: string;
  about?: JobAbout | null;
  state: JobState;
  attempts: number;
  done: number;
  total?: number | null;
  reason?: string | null;
  cause?: JobCause | null;
  stopping: boolean;
  next_at?: Moment | null;
  created_at: Moment;
  started_at?: Moment | null;
  ended_at?: Moment | null;
  may_retry: boolean;
  may_stop: boolean;
}

/** The topic `jobs`: the newest ones. */
export interface JobsTopic {
  jobs: Record<Id, BackgroundJob>;
}

export interface JobSchedule {
  kind: string;
  key: string;
  about?: JobAbout | null;
  every_s: number;
  next_at: Moment;
}

export interface AuditEvent {
  id: Id;
  at: Moment;
  person?: { id: Id; name?: string | null } | null;
  action: string;
  subject: string;
  address?: string | null;
  changes: { field: string; before?: unknown; after?: unknown }[];
  facts: Record<string, unknown>;
}

export interface AuditFilter {
  person?: Id | undefined;
  action?: string | undefined;
  subject?: string | undefined;
  from?: Moment | undefined;
  to?: Moment | undefined;
}
