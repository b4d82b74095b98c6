/** Values that occur on every page: amounts, times, and keys with their names, as links. */
import type { ComponentChildren } from "preact";
import {
  formatAmount,
  formatBriefAmount,
  formatIsoTime,
  formatTime,
  shortenHash,
  shortenKey,
} from "./format.ts";

/** An amount of base units as tokens; the exact base units are told on request. `brief` keeps two decimals. */
export function Amount({ value, brief = false }: { readonly value: string; readonly brief?: boolean }) {
  return (
    <data class="amount" value={value} title={`${value} base units`}>
      {brief ? formatBriefAmount(value) : formatAmount(value)}
    </data>
  );
}

export function Time({ timeMs }: { readonly timeMs: number }) {
  const iso = formatIsoTime(timeMs);
  return iso === null ? <span>{formatTime(timeMs)}</span> : <time dateTime={iso}>{formatTime(timeMs)}</time>;
}

/** A name with its value, in a list of them. */
export function Fact({ label, children }: { readonly label: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

type KeyProps = {
  readonly kind: "hotspots" | "accounts" | "validators";
  readonly id: string;
  /** Three words; without them the end of the key stands alone. */
  readonly name?: string;
};

/** A link to whom a key belongs to. Two keys may share a name, so the end of the key is always there. */
export function KeyLink({ kind, id, name }: KeyProps) {
  return (
    <a class="key" href={`/${kind}/${encodeURIComponent(id)}`} title={id}>
      {name === undefined ? null : <span class="name">{name}</span>} <code class="dim">{shortenKey(id)}</code>
    </a>
  );
}

/** A hash by its beginning; the whole is told on request. */
export function Hash({ value }: { readonly value: string }) {
  return <code title={value}>{shortenHash(value)}</code>;
}

/** A link to a cell. The digits of finer resolutions, which it does not have, are left out. @param query of its page. */
export function CellLink({ cell, query = "" }: { readonly cell: string; readonly query?: string }) {
  return (
    <a href={`/cells/${cell}${query}`} title={cell}>
      <code>{cell.replace(/f+$/, "")}</code>
    </a>
  );
}
