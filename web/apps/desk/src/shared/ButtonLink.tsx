// A link that looks like a button, with the router's types.
import { Button, type ButtonProps } from '@switchbell/ui';
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, Ref } from 'react';

type Props = ButtonProps &
  Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof ButtonProps> & {
    ref?: Ref<HTMLAnchorElement>;
  };

function Anchor(props: Props) {
  return <Button component="a" {...props} />;
}

export const ButtonLink = createLink(Anchor);
