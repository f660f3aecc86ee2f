// The state of a load of a source, and what went wrong, in words.
import type { Pull, SourceFault } from '@switchbell/api';
import { fmt, useTranslation, wordsFor } from '@switchbell/i18n';
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

/** A fault in a sentence, with the redirect that led to it. */
export function faultWords(fault: SourceFault): string {
  const params: Record<string, unknown> = { ...fault.params };
  if (typeof params['bytes'] === 'number') params['bytes'] = fmt.bytes(params['bytes']);
  if (typeof params['network'] === 'string')
    params['network'] = wordsFor(`contacts.network.${params['network']}`) ?? params['network'];
  const words = wordsFor(`contacts.fault.${fault.code}`, params) ?? fault.code;
  const to = params['redirected_to'];
  return typeof to === 'string'
    ? `${wordsFor('contacts.fault.redirected', { to })} ${words}`
    : words;
}
