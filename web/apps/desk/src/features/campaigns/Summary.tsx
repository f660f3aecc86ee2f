// The settings said in plain words, and what the check found.
import type { Campaign, CampaignCheck, CampaignSettings, Problem } from '@switchbell/api';
import { fmt, useTranslation, type TFunction } from '@switchbell/i18n';
import { Button, FailureBox, Note } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { CircleCheck, ListChecks, TriangleAlert } from 'lucide-react';

import { audioQuery, linesQuery, listsQuery } from '../../shared/lookups';
import { useCan } from '../../shared/session';
import { Ahead } from './Ahead';
import { hoursWords } from './hours';
import { problemWords, sectionOf, type Section } from './problems';
import css from './Summary.module.css';
import { spanWords } from './words';

function sentences(
  values: CampaignSettings,
  t: TFunction,
  names: { line: string | undefined; audio: string | undefined; contacts: number | undefined },
): string[] {
  const { period } = values;
  const day = (date: string) => fmt.date(date, 'medium', 'UTC');
  return [
    // What is chosen but may not be seen is passed over.
    values.lists.length === 0
      ? t('campaigns.say.no_contacts')
      : names.contacts !== undefined && t('campaigns.say.contacts', { count: names.contacts }),
    t('campaigns.say.hours', { hours: hoursWords(values.hours, t), zone: values.time_zone }),
    values.use_contact_zone && t('campaigns.say.contact_zone'),
    period.from && period.to
      ? t('campaigns.say.period', { from: day(period.from), to: day(period.to) })
      : period.from
        ? t('campaigns.say.from', { from: day(period.from) })
        : period.to && t('campaigns.say.to', { to: day(period.to) }),
    names.line
      ? t('campaigns.say.line', { line: names.line, count: values.concurrency })
      : values.line_id === null && t('campaigns.say.no_line'),
    t('campaigns.say.attempts', {
      count: values.max_attempts,
      delay: spanWords(values.delays_s.no_answer, t),
    }),
    names.audio
      ? t('campaigns.say.audio', { audio: names.audio })
      : !values.on_answer?.audio_id && t('campaigns.say.no_audio'),
    values.min_talk_s > 0
      ? t('campaigns.say.success_after', { count: values.min_talk_s })
      : t('campaigns.say.success_answered'),
    values.record && t('campaigns.say.record'),
  ].filter((sentence): sentence is string => typeof sentence === 'string' && sentence !== '');
}

export function Summary({
  values,
  campaign,
  check,
  problem,
  checking,
  onCheck,
  onSection,
}: {
  values: CampaignSettings;
  campaign: Campaign | null;
  check: CampaignCheck | null;
  problem: Problem | null;
  checking: boolean;
  onCheck: (() => void) | null;
  onSection: (section: Section) => void;
}) {
  const { t } = useTranslation();
  const can = useCan();
  const lines = useQuery({ ...linesQuery, enabled: can('line.view') });
  const audio = useQuery({ ...audioQuery, enabled: can('audio.view') });
  const lists = useQuery({ ...listsQuery, enabled: can('list.view') });
  const chosen = lists.data?.filter((list) => values.lists.includes(list.id));
  const said = sentences(values, t, {
    line: lines.data?.find((line) => line.id === values.line_id)?.name,
    audio: audio.data?.find((entry) => entry.id === (values.on_answer?.audio_id ?? null))?.name,
    contacts: chosen?.reduce((sum, list) => sum + list.contacts, 0),
  });
  const found = (list: CampaignCheck['problems']) => (
    <ul>
      {list.map((entry) => (
        <li key={`${entry.field} ${entry.code}`}>
          <button
            type="button"
            className="link-button"
            onClick={() => onSection(sectionOf(entry.field))}
          >
            {problemWords(entry)}
          </button>
        </li>
      ))}
    </ul>
  );
  return (
    <div className={css.summary}>
      <h2 className={css.title}>{t('campaigns.summary')}</h2>
      <ul className={css.said}>
        {said.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      {onCheck && (campaign?.state === 'draft' || check) && (
        <Button
          variant="default"
          leftSection={<ListChecks size={16} />}
          loading={checking}
          onClick={onCheck}
          fullWidth
        >
          {t('campaigns.check')}
        </Button>
      )}
      <div role="status" className="stack gap-2">
        {problem && <FailureBox failure={problem} />}
        {check?.ready && (
          <Note tone="ok" icon={<CircleCheck size={18} />}>
            {t('campaigns.ready', { count: check.will_call })}
          </Note>
        )}
        {check?.ready && campaign && <Ahead campaign={campaign} />}
        {check && check.problems.length > 0 && (
          <Note
            tone="danger"
            icon={<TriangleAlert size={18} />}
            title={t('campaigns.not_ready', { count: check.problems.length })}
          >
            {found(check.problems)}
          </Note>
        )}
        {check && check.warnings.length > 0 && (
          <Note tone="warn" icon={<TriangleAlert size={18} />} title={t('campaigns.warnings')}>
            {found(check.warnings)}
          </Note>
        )}
      </div>
    </div>
  );
}
