// What a SIP answer means for a person who has never read an RFC.
import { wordsFor } from '@switchbell/i18n';

/** "486 · Busy"; the code alone stays when it has no words. */
export function sipWords(code: number): string {
  const words = wordsFor(`voice.sip.${code}`) ?? wordsFor(`voice.sip.${Math.floor(code / 100)}xx`);
  return words === null ? String(code) : `${code} · ${words}`;
}

/** "17 · User busy": the network's own cause, which often says more than the SIP answer. */
export function q850Words(cause: number): string {
  const words = wordsFor(`voice.q850.${cause}`);
  return words === null ? `Q.850 ${cause}` : `Q.850 ${cause} · ${words}`;
}

/** Why a line fails: the answer of the far end, or what happened instead of one. */
export function lineTroubleWords(
  code: number | null | undefined,
  reason: string | null | undefined,
): string {
  if (code != null) return sipWords(code);
  return wordsFor(`voice.reasons.${reason ?? 'timed_out'}`) ?? reason ?? '';
}
