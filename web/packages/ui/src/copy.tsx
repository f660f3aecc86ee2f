// Copying, also on plain http addresses, where the clipboard interface does not exist.
import { ActionIcon, TextInput, Tooltip } from '@mantine/core';
import { useTranslation } from '@switchbell/i18n';
import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';

async function copyText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = document.createElement('textarea');
  field.value = text;
  field.setAttribute('readonly', '');
  field.className = 'hidden-visually';
  // Inside an open dialog, because its focus trap takes the focus from anywhere else.
  const host = document.querySelector('[role="dialog"]') ?? document.body;
  host.append(field);
  const before = document.activeElement;
  field.select();
  document.execCommand('copy');
  field.remove();
  if (before instanceof HTMLElement) before.focus();
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const { t } = useTranslation();
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return undefined;
    const timer = window.setTimeout(() => setDone(false), 2_000);
    return () => window.clearTimeout(timer);
  }, [done]);
  const words = done ? t('common.copied') : label;
  return (
    <Tooltip label={words}>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={words}
        onClick={() => void copyText(text).then(() => setDone(true))}
      >
        {done ? <Check size={16} /> : <Copy size={16} />}
      </ActionIcon>
    </Tooltip>
  );
}

export function CopyField({
  label,
  text,
  description,
}: {
  label: string;
  text: string;
  description?: string;
}) {
  const { t } = useTranslation();
  return (
    <TextInput
      label={label}
      description={description}
      value={text}
      readOnly
      onFocus={(event) => event.currentTarget.select()}
      rightSection={<CopyButton text={text} label={t('common.copy')} />}
    />
  );
}
