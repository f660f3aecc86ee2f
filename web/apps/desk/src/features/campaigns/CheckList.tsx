// Problems as links to where they are mended.
import type { FieldProblem, Id } from '@switchbell/api';
import { Link } from '@tanstack/react-router';

import { problemWords, sectionOf } from './problems';

export function CheckList({
  campaign,
  problems,
  onGo,
}: {
  campaign: Id;
  problems: readonly FieldProblem[];
  onGo?: () => void;
}) {
  return (
    <ul>
      {problems.map((problem) => (
        <li key={`${problem.field} ${problem.code}`}>
          <Link
            to="/campaigns/$id/$tab"
            params={{ id: campaign, tab: 'setup' }}
            hash={`section-${sectionOf(problem.field)}`}
            onClick={() => onGo?.()}
          >
            {problemWords(problem)}
          </Link>
        </li>
      ))}
    </ul>
  );
}
