// The state of a load of a source.
import type { Pull } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import { Badge, type Tone } from '@switchbell/ui';
import { CircleCheck, CircleX, CloudDownload, LoaderCircle, type LucideIcon } from 'lucide-react';

const looks: Record<Pull['state'], [Tone, LucideIcon]> = {
  fetching: ['info', CloudDownload],
  running: ['accent', LoaderCircle],
  done: ['ok', CircleCheck],
  failed: ['danger', CircleX],
};

export function PullBadge({ state }: { state: Pull['state'] }) {
  const { t } = useTranslation();
  const [tone, Icon] = looks[state];
  return (
    <Badge tone={tone} icon={<Icon size={14} />}>
      {t(`contacts.pull_states.${state}`)}
    </Badge>
  );
}
