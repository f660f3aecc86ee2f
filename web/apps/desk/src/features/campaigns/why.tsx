// Why it is, or is not, dialling: one sentence, made from the server's code.
import type { Campaign, CampaignBadge, Why } from '@switchbell/api';
import { fmt, useTranslation, wordsFor } from '@switchbell/i18n';
import { CircleHelp } from 'lucide-react';

import { useNow } from '../../shared/live';
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

export function WhyPanel({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const now = useNow();
  return (
    <section className={css.why} data-tone={tones[campaign.badge]} aria-label={t('campaigns.why')}>
      <CircleHelp size={18} aria-hidden="true" className={css.icon} />
      <p className={css.text}>
        <span className={css.title}>{t('campaigns.why')}</span>{' '}
        <span>{whyWords(campaign.why, campaign.time_zone, now)}</span>
      </p>
      <p className={css.zone}>
        {t('campaigns.zone_now', {
          time: fmt.time(now, { zone: campaign.time_zone }),
          zone: campaign.time_zone,
        })}
      </p>
    </section>
  );
}
