/** What every page has: a title in the document and as its heading, to which the focus goes after navigation. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useLocation } from "../routing/location.ts";
import { announce } from "./announce.ts";

type PageProps = {
  readonly title: string;
  /** What the title names, in a line. */
  readonly lead?: ComponentChildren;
  readonly children: ComponentChildren;
  readonly className?: string;
};

export function Page({ title, lead, children, className }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { visit } = useLocation();
  // Before it is painted: who sees or hears the heading finds title and focus there already.
  useLayoutEffect(() => {
    document.title = `${title} · Hexbeacon`;
  }, [title]);
  // Once for each navigation, and not again when a title gets its name.
  useLayoutEffect(() => {
    // The reader who has just come starts at the top, like with any document.
    if (visit === 0) return;
    heading.current?.focus({ preventScroll: true });
    announce(title);
  }, [visit]);
  return (
    <article class={className ?? "page"}>
      <header class="page-head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {lead === undefined ? null : <p class="lead">{lead}</p>}
      </header>
      {children}
    </article>
  );
}
