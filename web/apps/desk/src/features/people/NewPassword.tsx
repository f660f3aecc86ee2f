// A new password, with what is asked of it said before it is typed.
import { useTranslation } from '@switchbell/i18n';
import { PasswordInput } from '@switchbell/ui';

export const shortestPassword = 10;

export function NewPassword({
  label,
  name = 'password',
  value,
  onChange,
  error,
}: {
  label: string;
  name?: string;
  value: string;
  onChange: (value: string) => void;
  error: string | undefined;
}) {
  const { t } = useTranslation();
  return (
    <PasswordInput
      label={label}
      name={name}
      description={t('auth.password_rule', { count: shortestPassword })}
      autoComplete="new-password"
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      error={error}
      visibilityToggleButtonProps={{ 'aria-label': t('auth.show_password'), tabIndex: 0 }}
    />
  );
}
