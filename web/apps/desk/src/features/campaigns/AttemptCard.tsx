// One attempt in full: what happened, why, and its recording.
import { apiUrl, asProblem, voice, type Attempt, type Problem } from '@switchbell/api';
import { fmt, useTranslation, wordsFor } from '@switchbell/i18n';
import { AudioPlayer, Badge, Facts, FailureBox, Loading, Switch } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { queryClient } from '../../shared/query';
import { useCan } from '../../shared/session';
import { q850Words, sipWords } from '../../shared/sip';
import { OutcomeBadge } from './badges';
import css from './AttemptCard.module.css';

/** Why it ended, in plain words: the far end's answer, else our own cause. */
export function causeWords(attempt: Attempt): string | null {
  // That it was answered is said by the result itself.
  if (attempt.sip_code !== null && attempt.sip_code < 300) return null;
  if (attempt.sip_code !== null) return sipWords(attempt.sip_code);
  if (attempt.local_cause !== null)
    return wordsFor(`campaigns.local_causes.${attempt.local_cause}`) ?? attempt.local_cause;
  return null;
}

export function AttemptCard({ attempt }: { attempt: Attempt }) {
  const { t } = useTranslation();
  const can = useCan();
  const cause = causeWords(attempt);
  return (
    <article className={css.card}>
      <header className="spread gap-2">
        <span className="row gap-2">
          <strong>{t('campaigns.attempt_number', { number: fmt.number(attempt.ordinal) })}</strong>
          <OutcomeBadge outcome={attempt.outcome} />
          {attempt.test && <Badge tone="info">{t('campaigns.test')}</Badge>}
        </span>
        <span className="muted small num">
          {fmt.dateTime(attempt.invited_at ?? attempt.claimed_at)}
        </span>
      </header>
      {cause && <p className="muted">{cause}</p>}
      <Facts
        items={[
          [t('campaigns.number'), fmt.phone(attempt.phone)],
          [t('campaigns.line'), attempt.line.name ?? '—'],
          [t('campaigns.rang'), attempt.ring_s === null ? '—' : fmt.duration(attempt.ring_s)],
          [t('campaigns.talk'), attempt.talk_s === null ? '—' : fmt.duration(attempt.talk_s)],
          [t('campaigns.sip_answer'), attempt.sip_code === null ? '—' : sipWords(attempt.sip_code)],
          [t('campaigns.network_cause'), attempt.q850 === null ? '—' : q850Words(attempt.q850)],
          [t('campaigns.settings_version'), fmt.number(attempt.settings_version)],
        ]}
      />
      {attempt.recording && can('recording.listen') && <Recording attempt={attempt} />}
    </article>
  );
}

function Recording({ attempt }: { attempt: Attempt }) {
  const { t } = useTranslation();
  const can = useCan();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const keep = async (kept: boolean) => {
    setBusy(true);
    setProblem(null);
    try {
      await voice.keepRecording(attempt.id, kept);
      await queryClient.invalidateQueries({ queryKey: ['recordings', attempt.id] });
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  const waveform = useQuery({
    queryKey: ['recordings', attempt.id],
    queryFn: ({ signal }) => voice.waveform(attempt.id, { signal }),
    staleTime: Infinity,
  });
  if (waveform.isPending) return <Loading what={t('campaigns.loading_recording')} rows={1} />;
  return (
    <div className="stack gap-2">
      {waveform.isError && (
        <FailureBox failure={waveform.error} retry={() => void waveform.refetch()} />
      )}
      <AudioPlayer
        src={apiUrl(`recordings/${attempt.id}/file`)}
        duration={waveform.data ? waveform.data.duration_ms / 1000 : attempt.talk_s}
        waves={waveform.data}
        label={t('campaigns.recording_of', { phone: fmt.phone(attempt.phone) })}
        download={`${attempt.id}.wav`}
      />
      {waveform.data && (
        <p className={css.sides}>
          <span data-side="left">{t('campaigns.customer_side')}</span>
          <span data-side="right">{t('campaigns.our_side')}</span>
        </p>
      )}
      {problem && <FailureBox failure={problem} />}
      {waveform.data && (
        <Switch
          label={t('campaigns.keep_recording')}
          description={t('campaigns.keep_recording_help')}
          checked={waveform.data.kept}
          disabled={busy || !can('recording.keep')}
          onChange={(event) => void keep(event.currentTarget.checked)}
        />
      )}
    </div>
  );
}
