// A source as its form holds it, and as the API takes it.
import type { FeedPaging, Mapping, Source, SourceSettings, SourceWish } from '@switchbell/api';

export interface SourceValues {
  kind: 'feed' | 'sheet';
  name: string;
  secret: string;
  region: string;
  enabled: boolean;
  scheduled: boolean;
  every_min: number;
  url: string;
  scheme: 'none' | 'bearer' | 'basic' | 'header';
  user: string;
  header: string;
  path: string;
  key_id: string;
  key_phone: string;
  key_name: string;
  key_zone: string;
  paging: FeedPaging['by'];
  param: string;
  first: number;
  cursor: string;
  timeout_s: number;
  link: string;
  access: 'link' | 'service_account';
  tab: string;
  mapping: Mapping;
  robot: string | null;
}

export const blankSource = (kind: 'feed' | 'sheet', region: string): SourceValues => ({
  kind,
  name: '',
  secret: '',
  region,
  enabled: true,
  scheduled: true,
  every_min: 15,
  url: '',
  scheme: 'none',
  user: '',
  header: 'X-Api-Key',
  path: '',
  key_id: 'id',
  key_phone: 'phone',
  key_name: 'name',
  key_zone: '',
  paging: 'none',
  param: 'page',
  first: 1,
  cursor: 'next',
  timeout_s: 30,
  link: '',
  access: 'link',
  tab: '',
  mapping: { phone: [] },
  robot: null,
});

export function valuesOf(source: Source): SourceValues {
  const { settings } = source;
  const values: SourceValues = {
    ...blankSource(settings.kind, settings.region),
    name: source.name,
    enabled: source.enabled,
    scheduled: source.every_min != null,
    every_min: source.every_min ?? 15,
  };
  if (settings.kind === 'sheet')
    return {
      ...values,
      link: settings.link,
      access: settings.access,
      tab: settings.tab,
      mapping: settings.mapping,
      robot: settings.robot ?? null,
    };
  const { auth, keys, paging } = settings;
  return {
    ...values,
    url: settings.url,
    scheme: auth.scheme,
    ...(auth.scheme === 'basic' ? { user: auth.user } : {}),
    ...(auth.scheme === 'header' ? { header: auth.name } : {}),
    path: settings.path,
    key_id: keys.id,
    key_phone: keys.phone,
    key_name: keys.name,
    key_zone: keys.zone ?? '',
    paging: paging.by,
    ...(paging.by === 'page' ? { param: paging.param, first: paging.first } : {}),
    ...(paging.by === 'cursor' ? { param: paging.param, cursor: paging.path } : {}),
    timeout_s: settings.timeout_s,
  };
}

export function settingsOf(values: SourceValues): SourceSettings {
  if (values.kind === 'sheet')
    return {
      kind: 'sheet',
      link: values.link,
      access: values.access,
      tab: values.access === 'link' ? '' : values.tab,
      mapping: values.mapping,
      region: values.region,
    };
  return {
    kind: 'feed',
    url: values.url,
    auth:
      values.scheme === 'basic'
        ? { scheme: 'basic', user: values.user }
        : values.scheme === 'header'
          ? { scheme: 'header', name: values.header }
          : { scheme: values.scheme },
    path: values.path,
    keys: {
      id: values.key_id,
      phone: values.key_phone,
      name: values.key_name,
      ...(values.key_zone.trim() ? { zone: values.key_zone } : {}),
    },
    paging:
      values.paging === 'page'
        ? { by: 'page', param: values.param, first: values.first }
        : values.paging === 'cursor'
          ? { by: 'cursor', param: values.param, path: values.cursor }
          : { by: values.paging },
    timeout_s: values.timeout_s,
    region: values.region,
  };
}

/** A secret goes only when it was typed. */
export const bodyOf = (values: SourceValues): SourceWish => ({
  name: values.name.trim(),
  settings: settingsOf(values),
  ...(values.secret ? { secret: values.secret } : {}),
  every_min: values.scheduled ? values.every_min : null,
  enabled: values.enabled,
});
