// What can be done with several campaigns at once; each keeps its own rules.
import {
  asProblem,
  campaigns,
  idempotencyKey,
  type Campaign,
  type Permission,
  type Problem,
} from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import { Button, ConfirmDialog, toast } from '@switchbell/ui';
import { Pause, Square, Trash2, X, type LucideIcon } from 'lucide-react';
import { useState } from 'react';

import { queryClient } from '../../shared/query';
import { useCan } from '../../shared/session';

type Deed = 'pause' | 'stop' | 'delete';

const deeds: Record<
  Deed,
  { icon: LucideIcon; permission: Permission; states: readonly Campaign['state'][] }
> = {
  pause: { icon: Pause, permission: 'campaign.start', states: ['running'] },
  stop: { icon: Square, permission: 'campaign.start', states: ['running', 'paused'] },
  delete: {
    icon: Trash2,
    permission: 'campaign.delete',
    states: ['draft', 'completed', 'stopped'],
  },
};

export function Bulk({ chosen, onClear }: { chosen: Campaign[]; onClear: () => void }) {
  const { t } = useTranslation();
  const can = useCan();
  const [asked, setAsked] = useState<Deed | null>(null);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const fit = (deed: Deed) =>
    chosen.filter((row) => row.deleted_at === null && deeds[deed].states.includes(row.state));

  const run = async (deed: Deed) => {
    setBusy(true);
    setProblem(null);
    let done = 0;
    let first: Problem | null = null;
    // One after the other: what one of them refuses does not keep the others back.
    for (const campaign of fit(deed)) {
      try {
        if (deed === 'delete') await campaigns.delete(campaign.id);
        else await campaigns.command(campaign.id, deed, idempotencyKey());
        done += 1;
      } catch (error) {
        first ??= asProblem(error);
      }
    }
    setBusy(false);
    await queryClient.invalidateQueries({ queryKey: ['campaigns'] });
    if (done > 0) toast(t(`campaigns.bulk.done_${deed}`, { count: done }));
    setProblem(first);
    if (first === null) {
      setAsked(null);
      onClear();
    }
  };

  return (
    <div className="toolbar" role="group" aria-label={t('campaigns.bulk.label')}>
      <span role="status">{t('campaigns.bulk.chosen', { count: chosen.length })}</span>
      {(['pause', 'stop', 'delete'] as const)
        .filter((deed) => can(deeds[deed].permission))
        .map((deed) => {
          const Icon = deeds[deed].icon;
          const count = fit(deed).length;
          return (
            <Button
              key={deed}
              size="xs"
              variant="default"
              color={deed === 'delete' ? 'red' : 'blue'}
              leftSection={<Icon size={14} />}
              disabled={count === 0}
              onClick={() => {
                setProblem(null);
                setAsked(deed);
              }}
            >
              {t(`campaigns.verbs.${deed}`)} ({fmt.number(count)})
            </Button>
          );
        })}
      <Button size="xs" variant="subtle" leftSection={<X size={14} />} onClick={onClear}>
        {t('common.clear')}
      </Button>
      <ConfirmDialog
        opened={asked !== null}
        danger={asked !== 'pause'}
        onClose={() => setAsked(null)}
        title={asked ? t(`campaigns.bulk.ask_${asked}`, { count: fit(asked).length }) : ''}
        confirm={asked ? t(`campaigns.verbs.${asked}`) : ''}
        busy={busy}
        failure={problem}
        typedNumber={asked && asked !== 'pause' ? fit(asked).length : undefined}
        onConfirm={() => asked && void run(asked)}
      >
        {asked && t(`campaigns.bulk.text_${asked}`)}
      </ConfirmDialog>
    </div>
  );
}
