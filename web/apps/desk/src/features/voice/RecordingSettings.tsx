// How long recordings are kept, with what a choice would remove before it is made.
import { voice } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import { Page } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';

import { Loaded } from '../../shared/Loaded';
import { Guarded } from '../../shared/NoAccess';
import { queryClient } from '../../shared/query';
import { RetentionForm } from '../../shared/RetentionForm';
import { retentionQuery } from './api';

export function RecordingSettings() {
  const { t } = useTranslation();
  const found = useQuery(retentionQuery);
  return (
    <Guarded permission="account.view">
      <Page
        title={t('shell.menu.recordings')}
        documentTitle={t('shell.menu.recordings')}
        subtitle={t('voice.retention.text')}
        width="form"
      >
        <Loaded query={found} what={t('common.loading')}>
          {({ days }) => (
            <RetentionForm
              key={days}
              present={days}
              usual={90}
              name="recordings"
              effect={(wish, signal) => voice.retentionEffect(wish, { signal })}
              save={async (wish) => {
                queryClient.setQueryData(retentionQuery.queryKey, await voice.setRetention(wish));
              }}
              words={{
                howLong: t('voice.retention.how_long'),
                wouldRemove: ({ removed, kept }) =>
                  [
                    t('voice.retention.would_remove', { count: removed }),
                    kept && t('voice.retention.would_keep', { count: kept }),
                  ]
                    .filter(Boolean)
                    .join(' '),
                ask: (count) => t('voice.retention.ask', { count }),
                askText: t('voice.retention.ask_text'),
              }}
            />
          )}
        </Loaded>
      </Page>
    </Guarded>
  );
}
