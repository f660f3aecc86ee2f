// What pages of calendars and of attempt rules share.
import { asProblem, type Id, type Problem } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import { ConfirmDialog, Panel } from '@switchbell/ui';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';

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

export function RemovePreset({
  title,
  text,
  remove,
  onClose,
}: {
  title: string;
  text: string;
  remove: () => Promise<void>;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const run = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await remove();
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  return (
    <ConfirmDialog
      opened
      danger
      onClose={onClose}
      title={title}
      confirm={t('common.delete')}
      busy={busy}
      failure={problem}
      onConfirm={() => void run()}
    >
      {text}
    </ConfirmDialog>
  );
}
