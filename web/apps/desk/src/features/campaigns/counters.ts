// The counters of a campaign: disjoint, and their sum is the total.
import type { Counters } from '@switchbell/api';
import type { TFunction } from '@switchbell/i18n';
import type { Part } from '@switchbell/ui';

/** In the order of the columns, with the narrowest table that still shows each. */
export const counterNames: readonly (readonly [keyof Counters, 'sm' | 'md' | 'lg'])[] = [
  ['total', 'sm'],
  ['callable', 'md'],
  ['planning', 'lg'],
  ['open', 'lg'],
  ['closed', 'sm'],
  ['attempted', 'lg'],
  ['flagged', 'lg'],
];

export function progressParts(counters: Counters, t: TFunction): Part[] {
  const part = (id: keyof Counters, tone: Part['tone'], label: string): Part => ({
    id,
    tone,
    label,
    value: counters[id],
  });
  return [
    part('success', 'ok', t('campaigns.contact_states.success')),
    part('not_success', 'warn', t('campaigns.contact_states.not_success')),
    part('attempted', 'neutral', t('campaigns.counters.attempted')),
    part('flagged', 'danger', t('campaigns.counters.flagged')),
    part('open', 'accent', t('campaigns.counters.open')),
    part('planning', 'info', t('campaigns.counters.planning')),
  ];
}
