// How a line is doing: shape, word, colour, and since when.
import type { Line, LineHealth } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import { Badge, type Tone } from '@switchbell/ui';
import {
  CircleCheck,
  CircleDashed,
  CircleHelp,
  CircleSlash,
  TriangleAlert,
  Unplug,
  type LucideIcon,
} from 'lucide-react';

const looks: Record<LineHealth, [Tone, LucideIcon]> = {
  unknown: ['neutral', CircleHelp],
  registering: ['info', CircleDashed],
  ok: ['ok', CircleCheck],
  failing: ['warn', TriangleAlert],
  down: ['danger', Unplug],
  disabled: ['neutral', CircleSlash],
};

export function LineHealthBadge({ line }: { line: Pick<Line, 'enabled' | 'health'> }) {
  const { t } = useTranslation();
  const state = line.enabled ? line.health.state : 'disabled';
  const [tone, Icon] = looks[state];
  return (
    <Badge tone={tone} icon={<Icon size={14} />}>
      {t(`voice.health.${state}`)}
    </Badge>
  );
}
