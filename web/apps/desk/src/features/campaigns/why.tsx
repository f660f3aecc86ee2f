// Why it is, or is not, dialling: one sentence, made from the server's code.
import type { Campaign, CampaignBadge, Why } from '@switchbell/api';
import { fmt, useTranslation, wordsFor } from '@switchbell/i18n';
import { Button } from '@switchbell/ui';
import { CircleHelp } from 'lucide-react';

import { ButtonLink } from '../../shared/ButtonLink';
import { useNow } from '../../shared/live';
import { useCan } from '../../shared/session';
import type { CampaignAction, Verb } from './actions';
import type { Section } from './problems';
import css from './why.module.css';

/** Short waits count down; longer ones name the moment, in the campaign's zone. */
export function whyWords(why: Why, zone: string, now: number): string {
  const params: Record<string, unknown> = { ...why.params };
  if (why.until) {
    const left = Math.ceil((new Date(why.until).getTime() - now) / 1000);
    params['until'] = left < 3600 ? fmt.duration(left) : fmt.brief(why.until, now, zone);
    const short = left < 3600 ? wordsFor(`why.${why.code}_in`, params) : null;
    if (short !== null) return short;
  }
  if (why.since) params['since'] = fmt.brief(why.since, now, zone);
  // Plural forms go by the one number that the sentence has.
  const count = ['calls', 'limit', 'channels']
    .map((name) => why.params?.[name])
    .find((value) => typeof value === 'number');
  if (count !== undefined) params['count'] = count;
  return wordsFor(`why.${why.code}`, params) ?? why.code;
}

const tones: Record<CampaignBadge, 'ok' | 'info' | 'warn' | 'danger' | 'neutral'> = {
  draft: 'neutral',
  scheduled: 'info',
  running: 'ok',
  waiting_for_window: 'info',
  paused: 'warn',
  draining: 'warn',
  completed: 'neutral',
  stopped: 'neutral',
  needs_attention: 'danger',
};

type Remedy =
  | { verb: Verb }
  | { section: Section; words: 'hours' | 'line' | 'limits' | 'attempts' | 'contacts' | 'recording' }
  | { line: true };

/** What a person can press to change that. What passes by itself has none. */
const remedies: Record<string, Remedy> = {
  not_started: { verb: 'start' },
  paused: { verb: 'resume' },
  completed: { verb: 'run_again' },
  stopped: { verb: 'run_again' },
  scheduled: { section: 'basics', words: 'hours' },
  period_over: { section: 'basics', words: 'hours' },
  window_shut: { section: 'basics', words: 'hours' },
  never_opens: { section: 'basics', words: 'hours' },
  nobody_callable: { section: 'basics', words: 'hours' },
  line_missing: { section: 'line', words: 'line' },
  line_disabled: { line: true },
  line_unregistered: { line: true },
  line_down: { line: true },
  line_paused: { line: true },
  line_full: { line: true },
  line_rate: { line: true },
  concurrency: { section: 'line', words: 'limits' },
  campaign_rate: { section: 'line', words: 'limits' },
  batch_gap: { section: 'attempts', words: 'attempts' },
  all_wait: { section: 'attempts', words: 'attempts' },
  list_finished: { section: 'contacts', words: 'contacts' },
  disk_low: { section: 'recording', words: 'recording' },
};

function RemedyButton({
  campaign,
  actions,
}: {
  campaign: Campaign;
  actions: readonly CampaignAction[];
}) {
  const { t } = useTranslation();
  const can = useCan();
  const remedy = remedies[campaign.why.code];
  if (!remedy) return null;
  if ('verb' in remedy) {
    const action = actions.find(({ verb }) => verb === remedy.verb);
    return action ? (
      <Button size="xs" variant="default" onClick={() => void action.run()}>
        {action.title}
      </Button>
    ) : null;
  }
  if ('line' in remedy) {
    return campaign.line_id !== null && can('line.view') ? (
      <ButtonLink
        size="xs"
        variant="default"
        to="/settings/lines/$id"
        params={{ id: campaign.line_id }}
      >
        {t('campaigns.remedies.open_line')}
      </ButtonLink>
    ) : null;
  }
  return can('campaign.edit') ? (
    <ButtonLink
      size="xs"
      variant="default"
      to="/campaigns/$id/$tab"
      params={{ id: campaign.id, tab: 'setup' }}
      hash={`section-${remedy.section}`}
    >
      {t(`campaigns.remedies.${remedy.words}`)}
    </ButtonLink>
  ) : null;
}

export function WhyPanel({
  campaign,
  actions,
}: {
  campaign: Campaign;
  actions: readonly CampaignAction[];
}) {
  const { t } = useTranslation();
  const now = useNow();
  return (
    <section
      className={css.why}
      data-tone={tones[campaign.badge]}
      data-why={campaign.why.code}
      aria-label={t('campaigns.why')}
    >
      <CircleHelp size={18} aria-hidden="true" className={css.icon} />
      <p className={css.text}>
        <span className={css.title}>{t('campaigns.why')}</span>{' '}
        <span>{whyWords(campaign.why, campaign.time_zone, now)}</span>
      </p>
      <RemedyButton campaign={campaign} actions={actions} />
      <p className={css.zone}>
        {t('campaigns.zone_now', {
          time: fmt.time(now, { zone: campaign.time_zone }),
          zone: campaign.time_zone,
        })}
      </p>
    </section>
  );
}
