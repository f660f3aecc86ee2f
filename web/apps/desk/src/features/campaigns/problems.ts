// What a check found, in words, and where in the form it is mended.
import type { FieldProblem } from '@switchbell/api';
import { failureWords } from '@switchbell/ui';

export const sections = [
  'basics',
  'line',
  'attempts',
  'on_answer',
  'contacts',
  'recording',
] as const;
export type Section = (typeof sections)[number];

const fields: Record<string, Section> = {
  name: 'basics',
  notes: 'basics',
  period: 'basics',
  time_zone: 'basics',
  hours: 'basics',
  calendar_id: 'basics',
  exceptions: 'basics',
  use_contact_zone: 'basics',
  line_id: 'line',
  line: 'line',
  concurrency: 'line',
  calls_per_second: 'line',
  priority: 'line',
  max_attempts: 'attempts',
  delays_s: 'attempts',
  ring_s: 'attempts',
  min_talk_s: 'attempts',
  caps: 'attempts',
  attempt_rule_id: 'attempts',
  batch: 'attempts',
  every_number: 'attempts',
  retry_short_talk: 'attempts',
  on_answer: 'on_answer',
  lists: 'contacts',
  contacts: 'contacts',
  always_active: 'contacts',
  record: 'recording',
};

export function sectionOf(field: string): Section {
  return fields[field.split(/[.[]/)[0] ?? ''] ?? 'basics';
}

export const problemWords = (problem: FieldProblem) =>
  failureWords({
    code: problem.code,
    params: problem.params ?? {},
    detail: (problem as { detail?: string }).detail ?? problem.code,
  });
