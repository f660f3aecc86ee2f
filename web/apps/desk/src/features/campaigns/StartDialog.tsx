// The last look before phones ring: who is called, when, on what line, and what stands in the way.
import type { Campaign, Problem } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import { Button, Facts, FailureBox, Loading, Modal, Note } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { CircleCheck, Play, TriangleAlert } from 'lucide-react';

import { audioQuery, linesQuery } from '../../shared/lookups';
import { Ahead } from './Ahead';
import { checkQuery } from './api';
import { CheckList } from './CheckList';
import { hoursWords } from './hours';

export function StartDialog({
  campaign,
  busy,
  problem,
  onStart,
  onClose,
}: {
  campaign: Campaign;
  busy: boolean;
  problem: Problem | null;
  onStart: () => void;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const check = useQuery(checkQuery(campaign.id));
  const lines = useQuery(linesQuery);
  const audio = useQuery(audioQuery);
  const line = lines.data?.find((entry) => entry.id === campaign.line_id);
  const file = audio.data?.find((entry) => entry.id === campaign.on_answer?.audio_id);
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('campaigns.start_title', { name: campaign.name })}
      size={560}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <div className="stack">
        {check.isPending && <Loading what={t('campaigns.checking')} rows={3} />}
        {check.isError && <FailureBox failure={check.error} retry={() => void check.refetch()} />}
        {check.data && (
          <>
            {check.data.problems.length > 0 ? (
              <Note
                tone="danger"
                icon={<TriangleAlert size={18} />}
                title={t('campaigns.not_ready', { count: check.data.problems.length })}
              >
                <CheckList campaign={campaign.id} problems={check.data.problems} onGo={onClose} />
              </Note>
            ) : (
              <Note tone="ok" icon={<CircleCheck size={18} />}>
                {t('campaigns.ready', { count: check.data.will_call })}
              </Note>
            )}
            {check.data.warnings.length > 0 && (
              <Note tone="warn" icon={<TriangleAlert size={18} />} title={t('campaigns.warnings')}>
                <CheckList campaign={campaign.id} problems={check.data.warnings} onGo={onClose} />
              </Note>
            )}
            <Facts
              items={[
                [t('campaigns.hours'), hoursWords(campaign.hours, t)],
                [t('campaigns.zone'), campaign.time_zone],
                [t('campaigns.line'), line?.name ?? '—'],
                [t('campaigns.at_once'), fmt.number(campaign.concurrency)],
                [t('campaigns.plays'), file?.name ?? '—'],
              ]}
            />
            {check.data.ready && <Ahead campaign={campaign} />}
          </>
        )}
        {problem && <FailureBox failure={problem} title={t('campaigns.not_started')} />}
        <div className="row actions-end">
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button
            leftSection={<Play size={16} />}
            disabled={!check.data?.ready}
            loading={busy}
            onClick={onStart}
            data-autofocus
          >
            {t('campaigns.verbs.start')}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
