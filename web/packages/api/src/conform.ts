// The compiler holds our types against the generated ones: a field that the server renames, drops or
// types otherwise stops the build here. Ours are narrower, because the document says `string` where
// only a few words are possible.
import type { components } from './schema';
import type * as ours from './types';

type Theirs = components['schemas'];

/** What the server may leave out and what it may send as null are one thing to a page. */
type Loose<T> = T extends readonly (infer U)[]
  ? Loose<U>[]
  : T extends object
    ? string extends keyof T
      ? unknown
      : { [K in keyof T]?: Loose<Exclude<T[K], undefined>> | null }
    : T;

/** True when ours has no field that theirs lacks, and each is a case of theirs. */
type Fits<Ours, TheirsOne> = [keyof Ours] extends [keyof TheirsOne]
  ? Loose<Ours> extends Loose<TheirsOne>
    ? true
    : {
        wrong: {
          [K in keyof Ours]: K extends keyof TheirsOne
            ? Loose<Ours>[K & keyof Loose<Ours>] extends Loose<TheirsOne>[K &
                keyof Loose<TheirsOne>]
              ? never
              : K
            : K;
        }[keyof Ours];
      }
  : { unknown: Exclude<keyof Ours, keyof TheirsOne> };

type Held<T extends true> = T;

export type Conformity = [
  Held<Fits<ours.Me, Theirs['Me']>>,
  Held<Fits<ours.Me['user'], Theirs['MyUser']>>,
  Held<Fits<ours.Account, Theirs['Account']>>,
  Held<Fits<ours.User, Theirs['User']>>,
  Held<Fits<ours.Invite, Theirs['Invite']>>,
  Held<Fits<ours.InviteInfo, Theirs['InviteInfo']>>,
  Held<Fits<ours.Role, Theirs['RoleView']>>,
  Held<Fits<ours.Session, Theirs['MySession']>>,
  Held<Fits<ours.SetupForm, Theirs['Setup']>>,
  // The generator writes the tab as a backslash and a t, so delimiters are not compared.
  Held<Fits<Omit<ours.ContactList, 'last_import'>, Theirs['ContactList']>>,
  Held<Fits<ours.ListContact, Theirs['ListContact']>>,
  Held<Fits<ours.Mapping, Theirs['Mapping']>>,
  Held<Fits<Omit<ours.Import, 'delimiter'>, Theirs['Import']>>,
  Held<Fits<ours.DoNotCallEntry, Theirs['DoNotCallEntry']>>,
  Held<Fits<ours.DoNotCallCheck, Theirs['DoNotCallCheck']>>,
  Held<Fits<ours.DoNotCallImport, Theirs['DoNotCallImport']>>,
  Held<Fits<ours.Pull, Theirs['Pull']>>,
  Held<Fits<Omit<ours.Source, 'settings'>, Theirs['Source']>>,
  Held<Fits<Omit<ours.SourceWish, 'settings'>, Theirs['SourceWish']>>,
  Held<Fits<ours.TestLoad, Theirs['TestLoad']>>,
  Held<Fits<ours.Line, Theirs['Line']>>,
  Held<Fits<ours.LineForm, Theirs['LineChange']>>,
  Held<Fits<ours.LineCheck, Theirs['LineCheck']>>,
  Held<Fits<ours.DemoSettings, Theirs['Demo']>>,
  Held<Fits<ours.DemoPhone, Theirs['DemoPhone']>>,
  Held<Fits<ours.DemoNames, Theirs['DemoNames']>>,
  Held<Fits<ours.FirstSteps, Theirs['FirstSteps']>>,
  Held<Fits<ours.Certificate, Theirs['Certificate']>>,
  Held<Fits<ours.Audio, Theirs['Audio']>>,
  Held<Fits<ours.Waveform, Theirs['Waveform']>>,
  Held<Fits<ours.RecordingRetention, Theirs['RecordingRetention']>>,
  Held<Fits<ours.RetentionEffect, Theirs['RetentionEffect']>>,
  Held<Fits<ours.Campaign, Theirs['Campaign']>>,
  Held<Fits<ours.CampaignSettings, Theirs['CampaignChange']>>,
  Held<Fits<ours.Calendar, Theirs['Calendar']>>,
  Held<Fits<ours.AttemptRule, Theirs['AttemptRule']>>,
  Held<Fits<ours.AttemptPreview, Theirs['AttemptPreview']>>,
  Held<Fits<ours.Counters, Theirs['Counters']>>,
  Held<Fits<ours.CampaignCheck, Theirs['Check']>>,
  Held<Fits<ours.CampaignRehearsal, Theirs['CampaignRehearsal']>>,
  Held<Fits<ours.CampaignContact, Theirs['Contact']>>,
  Held<Fits<ours.CampaignContactCard, Theirs['ContactDetail']>>,
  Held<Fits<ours.Attempt, Theirs['CampaignAttempt']>>,
  Held<Fits<ours.Timeline, Theirs['Timeline']>>,
  Held<Fits<ours.CampaignExport, Theirs['CampaignExport']>>,
  Held<Fits<ours.ExportWish['filter'], Theirs['ExportFilter']>>,
  Held<Fits<ours.Week, Theirs['Week']>>,
  Held<Fits<ours.RunAgainCounts, Theirs['RunAgainCounts']>>,
  Held<Fits<Omit<ours.AuditEvent, 'changes'>, Theirs['AuditEvent']>>,
  Held<Fits<ours.BackgroundJob, Theirs['BackgroundJob']>>,
  Held<Fits<ours.JobSchedule, Theirs['JobSchedule']>>,
];
