// The history of a source: every load, what it changed, and what came.
import { apiUrl, contacts, type Pull, type Source } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import { Button, Empty, FailureBox, Modal, Panel } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { useCan } from '../../shared/session';
import { pullsQuery } from './api';
import { faultWords } from '../../shared/faultWords';
import { PullBadge } from './PullBadge';
import css from './SourcePage.module.css';

export function Pulls({ source }: { source: Source }) {
  const { t } = useTranslation();
  const pulls = useQuery(pullsQuery(source.id));
  const may = useCan();
  const [shown, setShown] = useState<Pull | null>(null);
  const rows = pulls.data ?? [];
  return (
    <Panel
      title={t('contacts.history')}
      hint={
        source.next_at ? t('contacts.next_load', { when: fmt.brief(source.next_at) }) : undefined
      }
      flush
    >
      {pulls.isError && <FailureBox failure={pulls.error} retry={() => void pulls.refetch()} />}
      {pulls.data && rows.length === 0 && <Empty compact title={t('contacts.no_pulls')} />}
      {rows.length > 0 && (
        <div className={css.frame} role="region" aria-label={t('contacts.history')} tabIndex={0}>
          <table className={css.table}>
            <thead>
              <tr>
                <th scope="col">{t('contacts.pull_when')}</th>
                <th scope="col">{t('contacts.pull_state')}</th>
                <th scope="col">{t('contacts.pull_result')}</th>
                <th scope="col">{t('contacts.raw_answer')}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((pull) => (
                <tr key={pull.id} data-pull={pull.state}>
                  <td className="nowrap">{fmt.brief(pull.started_at)}</td>
                  <td>
                    <PullBadge state={pull.state} />
                  </td>
                  <td>
                    {pull.fault
                      ? faultWords(pull.fault)
                      : pull.import && (
                          <>
                            {t('contacts.import_line', {
                              added: pull.counts.added,
                              updated: pull.counts.updated,
                              rejected: pull.counts.rejected + pull.counts.duplicates,
                            })}{' '}
                            {may('list.export') && pull.counts.rejected > 0 && (
                              <a href={apiUrl(`imports/${pull.import}/rejected.csv`)} download>
                                {t('contacts.download_rejected')}
                              </a>
                            )}
                          </>
                        )}
                  </td>
                  <td>
                    {may('list.edit') && pull.state !== 'fetching' && (
                      <Button size="xs" variant="subtle" onClick={() => setShown(pull)}>
                        {t('contacts.raw_answer')}
                      </Button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {shown && <Raw source={source} pull={shown} onClose={() => setShown(null)} />}
    </Panel>
  );
}

function Raw({ source, pull, onClose }: { source: Source; pull: Pull; onClose: () => void }) {
  const { t } = useTranslation();
  const raw = useQuery({
    queryKey: ['sources', source.id, 'pulls', pull.id, 'raw'],
    queryFn: ({ signal }) => contacts.pullRaw(source.id, pull.id, { signal }),
  });
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={t('contacts.raw_answer')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      {raw.isError && <FailureBox failure={raw.error} retry={() => void raw.refetch()} />}
      {raw.data && (
        <pre className={css.raw} tabIndex={0}>
          {raw.data.raw ?? t('contacts.raw_gone')}
        </pre>
      )}
    </Modal>
  );
}
