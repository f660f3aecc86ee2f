// What went wrong with a load of a source, in words; the page must have learnt those of contacts.
import type { SourceFault } from '@switchbell/api';
import { fmt, wordsFor } from '@switchbell/i18n';

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
