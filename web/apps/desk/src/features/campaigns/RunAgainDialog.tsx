// A campaign that is over, once more: over everybody or over those whom it did not reach.
import { asProblem, campaigns, idempotencyKey, type Campaign, type Problem } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import { Button, FailureBox, Loading, Modal, Radio, TextInput, toast } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Repeat } from 'lucide-react';
import { useRef, useState, type FormEvent } from 'react';

import { keepCampaign, runAgainQuery } from './api';

type Whom = 'all' | 'unsuccessful';

export function RunAgainDialog({ campaign, onClose }: { campaign: Campaign; onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const counts = useQuery(runAgainQuery(campaign.id));
  const [name, setName] = useState(
    t('campaigns.again.name', { name: campaign.name }).slice(0, 120),
  );
  const [whom, setWhom] = useState<Whom>('unsuccessful');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  // One key for one wish: a second press, or a lost answer, makes no second campaign.
  const once = useRef({ wish: '', key: '' });

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const wish = `${whom} ${name}`;
    if (once.current.wish !== wish) once.current = { wish, key: idempotencyKey() };
    setBusy(true);
    setProblem(null);
    try {
      const made = await campaigns.runAgain(
        campaign.id,
        { name, contacts: whom },
        once.current.key,
      );
      keepCampaign(made);
      onClose();
      await navigate({ to: '/campaigns/$id/$tab', params: { id: made.id, tab: 'setup' } });
      toast(t('campaigns.copied', { name: made.name }));
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };

  const count = counts.data?.[whom] ?? 0;
  return (
    <Modal
      opened
      onClose={onClose}
      size={500}
      title={t('campaigns.again.title', { name: campaign.name })}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form onSubmit={(event) => void submit(event)} className="stack gap-3">
        <p>{t('campaigns.again.text')}</p>
        {counts.isError && (
          <FailureBox failure={counts.error} retry={() => void counts.refetch()} />
        )}
        {counts.isPending && <Loading what={t('common.loading')} rows={2} />}
        {counts.data && (
          <Radio.Group
            label={t('campaigns.again.whom')}
            value={whom}
            onChange={(value) => setWhom(value === 'all' ? 'all' : 'unsuccessful')}
          >
            <div className="stack gap-2">
              <Radio
                value="unsuccessful"
                label={t('campaigns.again.unsuccessful', { count: counts.data.unsuccessful })}
              />
              <Radio value="all" label={t('campaigns.again.all', { count: counts.data.all })} />
            </div>
          </Radio.Group>
        )}
        <TextInput
          label={t('campaigns.name')}
          required
          maxLength={200}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {problem && <FailureBox failure={problem} />}
        <div className="row actions-end">
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button
            type="submit"
            leftSection={<Repeat size={16} />}
            loading={busy}
            disabled={count === 0 || name.trim() === ''}
          >
            {t('campaigns.again.make')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
