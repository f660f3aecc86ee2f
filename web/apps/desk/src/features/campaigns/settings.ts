// The settings of a campaign as the form edits them.
import type { Campaign, CampaignSettings, Hours } from '@switchbell/api';

export const usualHours: Hours = {
  mon: [['09:00', '20:00']],
  tue: [['09:00', '20:00']],
  wed: [['09:00', '20:00']],
  thu: [['09:00', '20:00']],
  fri: [['09:00', '20:00']],
  sat: [['10:00', '18:00']],
  sun: [],
};

/** What a new campaign starts with; every value is visible and changeable. */
export function blankSettings(zone: string): CampaignSettings {
  return {
    name: '',
    notes: '',
    line_id: null,
    on_answer: { kind: 'audio', audio_id: null },
    lists: [],
    period: { from: null, to: null },
    time_zone: zone,
    use_contact_zone: false,
    hours: usualHours,
    calendar_id: null,
    exceptions: [],
    attempt_rule_id: null,
    max_attempts: 3,
    concurrency: 5,
    calls_per_second: null,
    ring_s: 30,
    min_talk_s: 0,
    delays_s: { busy: 600, no_answer: 7_200, failed: 1_800, short_talk: 7_200, machine: 14_400 },
    retry_short_talk: true,
    caps: { per_day: 3, per_week: 7 },
    batch: null,
    every_number: false,
    record: false,
    priority: 0,
    always_active: false,
  };
}

export function settingsOf(campaign: Campaign): CampaignSettings {
  return {
    name: campaign.name,
    notes: campaign.notes,
    line_id: campaign.line_id,
    on_answer: campaign.on_answer,
    lists: campaign.lists,
    period: campaign.period,
    time_zone: campaign.time_zone,
    use_contact_zone: campaign.use_contact_zone,
    hours: campaign.hours,
    calendar_id: campaign.calendar_id,
    exceptions: campaign.exceptions,
    attempt_rule_id: campaign.attempt_rule_id,
    max_attempts: campaign.max_attempts,
    concurrency: campaign.concurrency,
    calls_per_second: campaign.calls_per_second,
    ring_s: campaign.ring_s,
    min_talk_s: campaign.min_talk_s,
    delays_s: campaign.delays_s,
    retry_short_talk: campaign.retry_short_talk,
    caps: campaign.caps,
    batch: campaign.batch,
    every_number: campaign.every_number,
    record: campaign.record,
    priority: campaign.priority,
    always_active: campaign.always_active,
  };
}

/** The fields in which two settings differ, with the values of the second. */
export function changedFields(
  before: CampaignSettings,
  after: CampaignSettings,
): Partial<CampaignSettings> {
  const entries = (Object.keys(after) as (keyof CampaignSettings)[])
    .filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
    .map((key) => [key, after[key]]);
  return Object.fromEntries(entries) as Partial<CampaignSettings>;
}
