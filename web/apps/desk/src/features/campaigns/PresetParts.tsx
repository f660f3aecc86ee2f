// What pages of calendars and of attempt rules share.
import type { Id } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import { Panel } from '@switchbell/ui';
import { Link } from '@tanstack/react-router';

export function UsedBy({
  campaigns,
  text,
}: {
  campaigns: readonly { id: Id; name: string }[];
  text: string;
}) {
  const { t } = useTranslation();
  return (
    <Panel title={t('campaigns.used_by')} hint={text}>
      {campaigns.length === 0 ? (
        <p className="muted">{t('campaigns.used_by_none')}</p>
      ) : (
        <ul>
          {campaigns.map(({ id, name }) => (
            <li key={id}>
              <Link to="/campaigns/$id" params={{ id }}>
                {name}
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
