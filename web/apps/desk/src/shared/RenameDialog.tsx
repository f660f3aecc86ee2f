// Another name for something that has one.
import { asProblem, type Problem } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import { Button, FailureBox, Modal, TextInput } from '@switchbell/ui';
import { useState, type FormEvent } from 'react';

export function RenameDialog({
  title,
  label,
  name: before,
  save,
  onClose,
}: {
  title: string;
  label: string;
  name: string;
  /** Gets the name without the spaces around it; what it throws is shown. */
  save: (name: string) => Promise<unknown>;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const [name, setName] = useState(before);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await save(name.trim());
      onClose();
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={title}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <TextInput
          label={label}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          maxLength={120}
          data-autofocus
        />
        {problem && <FailureBox failure={problem} />}
        <div className="row actions-end">
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={busy} disabled={!name.trim()}>
            {t('common.save')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
