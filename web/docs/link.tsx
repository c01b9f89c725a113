/** A link that stays in the page where it leads to another part of it. */
import type { ComponentChildren } from 'preact';
import { go, root } from './state.js';

interface Props {
  href: string;
  children: ComponentChildren;
  'aria-current'?: 'page';
}

export function Link({ href, children, ...rest }: Props) {
  const isHere = href === root || href.startsWith(`${root}/`) || href.startsWith('#');
  return (
    <a
      {...rest}
      href={href}
      {...(isHere ? {} : { target: '_blank', rel: 'noreferrer' })}
      onClick={(event) => {
        if (!isHere || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0)
          return;
        event.preventDefault();
        go(href);
      }}
    >
      {children}
    </a>
  );
}
