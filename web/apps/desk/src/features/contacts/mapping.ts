// Which column of a file holds what.
import type { Mapping } from '@switchbell/api';

export type Meaning = 'skip' | 'phone' | 'name' | 'id' | 'zone' | 'variable';

export function meaningOf(mapping: Mapping, column: string): Meaning {
  if (mapping.phone.includes(column)) return 'phone';
  if (mapping.name === column) return 'name';
  if (mapping.id === column) return 'id';
  if (mapping.zone === column) return 'zone';
  if (mapping.variables?.[column] !== undefined) return 'variable';
  return 'skip';
}

/**
 * The mapping with a new meaning for one column; a meaning that only one column can have moves.
 * Phones keep the order of the file's `columns`, which is the order of calling.
 */
export function withMeaning(
  mapping: Mapping,
  column: string,
  meaning: Meaning,
  columns: readonly string[],
): Mapping {
  const { [column]: _, ...variables } = mapping.variables ?? {};
  const without = (value: string | null | undefined) => (value === column ? null : (value ?? null));
  const next: Mapping = {
    id: without(mapping.id),
    name: without(mapping.name),
    zone: without(mapping.zone),
    phone: mapping.phone.filter((other) => other !== column),
    variables,
  };
  switch (meaning) {
    case 'phone':
      return {
        ...next,
        phone: [...next.phone, column].toSorted((a, b) => columns.indexOf(a) - columns.indexOf(b)),
      };
    case 'name':
    case 'id':
    case 'zone':
      return { ...next, [meaning]: column };
    case 'variable':
      return { ...next, variables: { ...variables, [column]: column } };
    case 'skip':
      return next;
  }
}
