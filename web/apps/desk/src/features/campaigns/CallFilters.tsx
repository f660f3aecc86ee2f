// What the calls of a campaign are filtered by; the address of the page holds it all.
import type { AttemptFilter } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import { Button, Select, TextInput, useDebouncedValue } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';

import { linesQuery } from '../../shared/lookups';
import { useCan } from '../../shared/session';
import { sipWords } from '../../shared/sip';
import { outcomes } from './badges';

/** Everything that can be filtered by, taken away. */
export const noFilter: AttemptFilter = {
  outcome: undefined,
  line: undefined,
  sip_code: undefined,
  answered: undefined,
  recorded: undefined,
  q: undefined,
  from: undefined,
  to: undefined,
};

/** SIP answers that a person may look for. */
const codes = [403, 404, 408, 480, 484, 486, 487, 488, 500, 502, 503, 504, 600, 603, 604, 607, 608];

export function CallFilters({
  filter,
  go,
}: {
  filter: AttemptFilter;
  go: (change: AttemptFilter) => void;
}) {
  const { t } = useTranslation();
  const can = useCan();
  const lines = useQuery({ ...linesQuery, enabled: can('line.view') });
  const [wish, setWish] = useState(filter.q ?? '');
  const [settled] = useDebouncedValue(wish.trim(), 300);
  const latest = useRef(go);
  latest.current = go;
  useEffect(() => {
    if ((filter.q ?? '') !== settled) latest.current({ q: settled || undefined });
    // Only what is typed moves the address; the address moves nothing here.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [settled]);
  const clear = { clearable: true, clearButtonProps: { 'aria-label': t('common.clear') } } as const;
  const sorts = [
    { value: 'answered', label: t('campaigns.only.answered') },
    { value: 'unanswered', label: t('campaigns.only.unanswered') },
    { value: 'recorded', label: t('campaigns.only.recorded') },
  ];
  const sort =
    filter.recorded === 'true'
      ? 'recorded'
      : filter.answered === 'true'
        ? 'answered'
        : filter.answered === 'false'
          ? 'unanswered'
          : null;
  return (
    <>
      <TextInput
        className="toolbar-search"
        aria-label={t('campaigns.find_contact')}
        placeholder={t('campaigns.find_contact')}
        data-search
        value={wish}
        onChange={(event) => setWish(event.currentTarget.value)}
      />
      <Select
        aria-label={t('campaigns.result')}
        placeholder={t('campaigns.any_result')}
        data={outcomes.map((name) => ({ value: name, label: t(`campaigns.outcomes.${name}`) }))}
        value={filter.outcome ?? null}
        {...clear}
        onChange={(value) => go({ outcome: value ?? undefined })}
        w={190}
      />
      <Select
        aria-label={t('campaigns.sip_answer')}
        placeholder={t('campaigns.any_sip_answer')}
        data={codes.map((code) => ({ value: String(code), label: sipWords(code) }))}
        value={filter.sip_code ?? null}
        searchable
        {...clear}
        onChange={(value) => go({ sip_code: value ?? undefined })}
        w={210}
      />
      <Select
        aria-label={t('campaigns.only.title')}
        placeholder={t('campaigns.only.all')}
        data={sorts}
        value={sort}
        {...clear}
        onChange={(value) =>
          go({
            answered: value === 'answered' ? 'true' : value === 'unanswered' ? 'false' : undefined,
            recorded: value === 'recorded' ? 'true' : undefined,
          })
        }
        w={180}
      />
      {lines.data && lines.data.length > 1 && (
        <Select
          aria-label={t('campaigns.line')}
          placeholder={t('campaigns.any_line')}
          data={lines.data.map((line) => ({ value: line.id, label: line.name }))}
          value={filter.line ?? null}
          {...clear}
          onChange={(value) => go({ line: value ?? undefined })}
          w={170}
        />
      )}
      <TextInput
        type="date"
        aria-label={t('campaigns.from_day')}
        title={t('campaigns.from_day')}
        value={filter.from ?? ''}
        max={filter.to}
        onChange={(event) => go({ from: event.currentTarget.value || undefined })}
        w={150}
      />
      <TextInput
        type="date"
        aria-label={t('campaigns.to_day')}
        title={t('campaigns.to_day')}
        value={filter.to ?? ''}
        min={filter.from}
        onChange={(event) => go({ to: event.currentTarget.value || undefined })}
        w={150}
      />
      {Object.values(filter).some(Boolean) && (
        <Button
          size="xs"
          variant="subtle"
          onClick={() => {
            setWish('');
            go(noFilter);
          }}
        >
          {t('common.clear_filters')}
        </Button>
      )}
    </>
  );
}
