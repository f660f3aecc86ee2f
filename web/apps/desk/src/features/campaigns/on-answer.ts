// What may happen when a person picks up. A new action is one entry here and its words.
import type { OnAnswer } from '@switchbell/api';
import { AudioLines, type LucideIcon } from 'lucide-react';

export interface OnAnswerAction {
  kind: OnAnswer['kind'];
  icon: LucideIcon;
  /** The action with nothing chosen: another kind clears the value. */
  blank: OnAnswer;
}

export const onAnswerActions: readonly OnAnswerAction[] = [
  { kind: 'audio', icon: AudioLines, blank: { kind: 'audio', audio_id: null } },
];
