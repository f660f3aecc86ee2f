// One call to one number, to hear what customers will hear; its end is shown here.
import { asProblem, campaigns, type Campaign, type Id, type Problem } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import { Button, FailureBox, Modal, Note, TextInput } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { PhoneOutgoing } from 'lucide-react';
import { useState, type FormEvent } from 'react';

import { useNow } from '../../shared/live';
import { useCampaignTopic } from './api';
import { causeWords } from './AttemptCard';
import { OutcomeBadge } from './badges';

export function TestCallDialog({ campaign, onClose }: { campaign: Campaign; onClose: () => void }) {
  const { t } = useTranslation();
  const [phone, setPhone] = useState('');
  const [busy, setBusy] = useState(false);
  const [attempt, setAttempt] = useState<Id | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    setAttempt(null);
    try {
      setAttempt((await campaigns.testCall(campaign.id, phone.trim())).attempt);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('campaigns.test_title')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <p className="muted">{t('campaigns.test_text')}</p>
        <TextInput
          label={t('campaigns.test_phone')}
          description={t('campaigns.test_phone_help')}
          type="tel"
          inputMode="tel"
          autoComplete="tel"
          value={phone}
          onChange={(event) => setPhone(event.currentTarget.value)}
          error={problem?.errors[0] ? t('campaigns.test_phone_wrong') : undefined}
          data-autofocus
        />
        {problem && problem.errors.length === 0 && (
          <FailureBox failure={problem} title={t('campaigns.test_failed')} />
        )}
        <div role="status">{attempt && <Progress campaign={campaign.id} attempt={attempt} />}</div>
        <div className="row actions-end">
          <Button variant="default" onClick={onClose}>
            {t('common.close')}
          </Button>
          <Button
            type="submit"
            leftSection={<PhoneOutgoing size={16} />}
            loading={busy}
            disabled={!/\d{3}/.test(phone)}
          >
            {t('campaigns.test_call')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function Progress({ campaign, attempt }: { campaign: Id; attempt: Id }) {
  const { t } = useTranslation();
  const now = useNow();
  const call = useCampaignTopic(campaign)?.active?.[attempt];
  const ended = useQuery({
    queryKey: ['campaigns', 'attempts', campaign, 'test', attempt],
    queryFn: async ({ signal }) => {
      const page = await campaigns.attempts(campaign, {}, { signal });
      return page.items.find((entry) => entry.id === attempt) ?? null;
    },
    refetchInterval: (query) => (query.state.data?.outcome ? false : 2_000),
  });
  if (ended.data?.outcome) {
    return (
      <Note tone="neutral" title={<OutcomeBadge outcome={ended.data.outcome} />}>
        {[
          causeWords(ended.data),
          ended.data.talk_s
            ? t('campaigns.talked', { time: fmt.duration(ended.data.talk_s) })
            : null,
        ]
          .filter(Boolean)
          .join(' · ')}
      </Note>
    );
  }
  return (
    <Note tone="info" icon={<PhoneOutgoing size={18} />}>
      {t(`campaigns.stages.${call?.stage ?? 'claimed'}`)}
      {call && (
        <span className="num muted">
          {' '}
          {fmt.duration((now - new Date(call.since).getTime()) / 1000)}
        </span>
      )}
    </Note>
  );
}
