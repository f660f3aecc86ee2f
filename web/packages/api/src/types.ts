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
  | 'audio.view'
  | 'audio.edit'
  | 'line.view'
  | 'line.manage'
  | 'recording.listen'
  | 'user.view'
  | 'user.manage'
  | 'account.view'
  | 'account.manage'
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

export type Encoding = 'utf-8' | 'windows-1251';
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

export interface Import {
  id: Id;
  list: Id;
  state: ImportState;
  filename: string;
  encoding: Encoding;
  delimiter: Delimiter;
  has_header: boolean;
  columns: string[];
  sample: string[][];
  mapping: Mapping;
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

// Voice

export type LineHealth = 'unknown' | 'registering' | 'ok' | 'failing' | 'down' | 'disabled';

export interface Line {
  id: Id;
  name: string;
  mode: 'registration' | 'address';
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
  max_attempts: number;
  concurrency: number;
  calls_per_second: number | null;
  ring_s: number;
  min_talk_s: number;
  delays_s: Delays;
  retry_short_talk: boolean;
  caps: { per_day: number; per_week: number };
  record: boolean;
  priority: number;
  always_active: boolean;
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
  reason: 'do_not_call' | 'demo_number' | 'day_cap' | 'week_cap' | 'shut' | 'attempts_spent';
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

// Live topics

export interface CampaignsTopic {
  campaigns: Record<Id, Campaign>;
  states: Partial<Record<CampaignState, number>>;
}

export interface CampaignTopic {
  campaign: Campaign;
  active: Record<Id, ActiveCall>;
  results: Partial<Record<Outcome, number>>;
}

export type LinesTopic = Record<Id, Line>;
