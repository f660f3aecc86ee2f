// The state of an import: shape, word, colour.
import type { ImportState } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import { Badge, type Tone } from '@switchbell/ui';
import {
  CircleCheck,
  CircleX,
  FileSearch,
  LoaderCircle,
  Square,
  type LucideIcon,
} from 'lucide-react';

const looks: Record<ImportState, [Tone, LucideIcon]> = {
  previewing: ['info', FileSearch],
  ready: ['info', FileSearch],
  running: ['accent', LoaderCircle],
  done: ['ok', CircleCheck],
  cancelled: ['neutral', Square],
  failed: ['danger', CircleX],
};

export function ImportBadge({ state }: { state: ImportState }) {
  const { t } = useTranslation();
  const [tone, Icon] = looks[state];
  return (
    <Badge tone={tone} icon={<Icon size={14} />}>
      {t(`contacts.import_states.${state}`)}
    </Badge>
  );
}
