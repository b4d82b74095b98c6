/**
 * The genesis that the reader trusts: its hash, kept in this browser. It is asked for once; after that a validator that
 * shows another one is told from the network that the reader meant.
 */
import { useEffect, useState } from "preact/hooks";
import { keep, readKept } from "../data/kept.ts";

const STORED = "hexbeacon-genesis";
const FORM = /^0x[0-9a-f]{64}$/;
const watchers = new Set<(pin: string | null) => void>();

function read(): string | null {
  const kept = readKept(STORED);
  return kept !== null && FORM.test(kept) ? kept : null;
}

let pin = read();

/** Pins the network of an id, or null to forget. */
export function setPin(networkId: string | null): void {
  pin = networkId;
  keep(STORED, networkId);
  for (const watcher of watchers) watcher(pin);
}

export function usePin(): string | null {
  const [current, setCurrent] = useState(pin);
  useEffect(() => {
    watchers.add(setCurrent);
    return () => void watchers.delete(setCurrent);
  }, []);
  return current;
}
