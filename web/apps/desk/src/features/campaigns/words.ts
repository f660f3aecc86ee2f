// An attempt rule in plain words.
import type { AttemptSettings } from '@switchbell/api';
import type { TFunction } from '@switchbell/i18n';

/** "10 min", "2 h" */
export function spanWords(seconds: number, t: TFunction): string {
  if (seconds > 0 && seconds % 3600 === 0) return t('common.span.hours', { count: seconds / 3600 });
  if (seconds > 0 && seconds % 60 === 0) return t('common.span.minutes', { count: seconds / 60 });
  return t('common.span.seconds', { count: seconds });
}

export function attemptWords(rule: AttemptSettings, t: TFunction): string[] {
  return [
    t('campaigns.words.attempts', { count: rule.max_attempts }),
    t('campaigns.words.no_answer', { span: spanWords(rule.delays_s.no_answer, t) }),
    t('campaigns.words.busy', { span: spanWords(rule.delays_s.busy, t) }),
    t('campaigns.words.caps', { day: rule.caps.per_day, week: rule.caps.per_week }),
    ...(rule.batch
      ? [
          t('campaigns.words.batch', {
            calls: rule.batch.calls,
            span: spanWords(rule.batch.gap_s, t),
          }),
        ]
      : []),
    ...(rule.every_number ? [t('campaigns.words.every_number')] : []),
  ];
}
