// A choice of how long things are kept, with what it would remove before it is made.
import { asProblem, type Problem, type RetentionEffect } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import {
  Button,
  ConfirmDialog,
  FailureBox,
  Note,
  NumberInput,
  Panel,
  Radio,
  toast,
  useDebouncedValue,
} from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';

import { useCan } from './session';

/** How long something is kept: for ever, or for a number of days. */
export function RetentionForm({
  present,
  usual,
  title,
  words,
  name,
  effect: look,
  save: keep,
}: {
  /** What is kept, for the cache. */
  name: string;
  /** Days; 0 is for ever. */
  present: number;
  /** Days that are offered first. */
  usual: number;
  /** The heading of the choice; without it the page's own says enough. */
  title?: string;
  words: {
    howLong: string;
    wouldRemove: (effect: RetentionEffect) => string;
    ask: (count: number) => string;
    askText: string;
  };
  /** What keeping for so many days would remove at once. */
  effect: (days: number, signal: AbortSignal) => Promise<RetentionEffect>;
  /** Saves the days and shows them. */
  save: (days: number) => Promise<void>;
}) {
  const { t } = useTranslation();
  const may = useCan()('account.manage');
  const [limited, setLimited] = useState(present > 0);
  const [days, setDays] = useState(present || usual);
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const wish = limited ? days : 0;
  const [settled] = useDebouncedValue(wish, 300);
  const effect = useQuery({
    queryKey: ['retention', name, settled],
    queryFn: ({ signal }) => look(settled, signal),
    staleTime: 0,
    enabled: settled > 0,
  });
  const known = settled === wish ? effect.data : undefined;
  const changed = wish !== present;

  const save = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await keep(wish);
      setAsking(false);
      toast(t('common.saved'));
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // What is removed cannot be brought back: the number is named once more.
    if (wish > 0 && known?.removed !== 0) setAsking(true);
    else void save();
  };

  return (
    <form onSubmit={submit}>
      <Panel title={title}>
        <Radio.Group
          label={words.howLong}
          value={limited ? 'days' : 'ever'}
          onChange={(value) => setLimited(value === 'days')}
        >
          <div className="stack gap-2">
            <Radio value="ever" disabled={!may} label={t('common.retention.ever')} />
            <Radio value="days" disabled={!may} label={t('common.retention.days')} />
          </div>
        </Radio.Group>
        {limited && (
          <NumberInput
            label={t('common.retention.number')}
            name="days"
            min={1}
            max={36_500}
            allowDecimal={false}
            readOnly={!may}
            value={days}
            onChange={(value) => setDays(Math.max(1, Number(value || 1)))}
          />
        )}
        {effect.isError && (
          <FailureBox failure={effect.error} retry={() => void effect.refetch()} />
        )}
        <div role="status">
          {limited && known && (
            <Note tone={known.removed > 0 ? 'warn' : 'info'}>{words.wouldRemove(known)}</Note>
          )}
        </div>
        {problem && !asking && <FailureBox failure={problem} />}
        {may && (
          <div className="row actions-end">
            <Button type="submit" loading={busy} disabled={!changed || (limited && !known)}>
              {t('common.save')}
            </Button>
          </div>
        )}
      </Panel>
      <ConfirmDialog
        opened={asking}
        danger
        onClose={() => setAsking(false)}
        title={words.ask(known?.removed ?? 0)}
        confirm={t('common.delete')}
        busy={busy}
        failure={problem}
        typedNumber={known?.removed}
        onConfirm={() => void save()}
      >
        {words.askText}
      </ConfirmDialog>
    </form>
  );
}
