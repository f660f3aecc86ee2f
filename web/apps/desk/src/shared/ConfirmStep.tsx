// A step that cannot be taken back: asked about, taken, and the dialog stays when it is refused.
import { asProblem, type Problem } from '@switchbell/api';
import { ConfirmDialog } from '@switchbell/ui';
import { useState, type ReactNode } from 'react';

export function ConfirmStep({
  step,
  ...asked
}: {
  title: string;
  confirm: string;
  children: ReactNode;
  /** How many things go; above a hundred the number must be typed. */
  typedNumber?: number | undefined;
  /** Takes the step, and closes the dialog or leaves the page. */
  step: () => Promise<unknown>;
  onClose: () => void;
}) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const run = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await step();
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <ConfirmDialog
      opened
      danger
      busy={busy}
      failure={problem}
      onConfirm={() => void run()}
      {...asked}
    />
  );
}
