// Choices that several pages offer: time zone, country, language, role.
import type { RoleName } from '@switchbell/api';
import {
  countries,
  fmt,
  isLanguage,
  languageNames,
  languages,
  timeZones,
  useTranslation,
  type Language,
} from '@switchbell/i18n';
import { Select } from '@switchbell/ui';
import { useMemo } from 'react';

interface PickerProps {
  label: string;
  name: string;
  value: string;
  onChange: (value: string) => void;
  error?: string | undefined;
  description?: string;
  disabled?: boolean;
}

export function ZonePicker({ onChange, ...props }: PickerProps) {
  const { t } = useTranslation();
  const data = useMemo(
    () =>
      [...new Set([props.value, ...timeZones(), 'UTC'])].filter(Boolean).map((zone) => ({
        value: zone,
        label: `${zone.replaceAll('_', ' ')} (${fmt.offset(zone)})`,
      })),
    [props.value],
  );
  return (
    <Select
      {...props}
      data={data}
      searchable
      limit={80}
      allowDeselect={false}
      nothingFoundMessage={t('common.nothing_matches')}
      onChange={(zone) => zone && onChange(zone)}
    />
  );
}

export function CountryPicker({ onChange, ...props }: PickerProps) {
  const { t, i18n } = useTranslation();
  const data = useMemo(
    () => countries().map(({ code, name }) => ({ value: code, label: name })),
    // Names follow the language.
    // oxlint-disable-next-line react/exhaustive-deps
    [i18n.language],
  );
  return (
    <Select
      {...props}
      data={data}
      searchable
      limit={250}
      allowDeselect={false}
      nothingFoundMessage={t('common.nothing_matches')}
      onChange={(code) => code && onChange(code)}
    />
  );
}

export function LanguagePicker({
  onChange,
  ...props
}: Omit<PickerProps, 'onChange'> & { onChange: (language: Language) => void }) {
  return (
    <Select
      {...props}
      data={languages.map((language) => ({ value: language, label: languageNames[language] }))}
      allowDeselect={false}
      onChange={(language) => isLanguage(language) && onChange(language)}
    />
  );
}

export const roleNames: readonly RoleName[] = [
  'operator',
  'supervisor',
  'administrator',
  'integrator',
  'analyst',
  'quality_reviewer',
];

export function RolePicker({
  onChange,
  ...props
}: Omit<PickerProps, 'onChange'> & { onChange: (role: RoleName) => void }) {
  const { t } = useTranslation();
  return (
    <Select
      {...props}
      data={roleNames.map((role) => ({ value: role, label: t(`people.role_names.${role}`) }))}
      allowDeselect={false}
      onChange={(value) => {
        const role = roleNames.find((name) => name === value);
        if (role) onChange(role);
      }}
    />
  );
}
