/** Who to ask for a batch that is missing (rule A4). */
import type { ValidatorSets } from "../certificates.ts";
import { type AvailabilityCert, decodeBitmap } from "../rounds.ts";

/**
 * Those who signed a certificate: each holds the batch and all of its lane between the last cut and it (A3). None where
 * the certificate's set is not known any more.
 */
export function listHolders(
  { bitmap, epoch }: Pick<AvailabilityCert, "bitmap" | "epoch">,
  sets: ValidatorSets,
): Uint8Array[] {
  const keys = sets.setOf(epoch)?.keys ?? [];
  return (decodeBitmap(bitmap, keys.length) ?? []).map((position) => keys[position]!);
}

/**
 * A4 the order in which validators are asked: first who sent what needs the batch, then those who hold it by its
 * certificate, then everybody else, who may have fetched it since. Each turn begins with another, so that the first seat
 * does not answer for all.
 * @param connected names of those that can be asked; each is asked once. @param turn any whole number.
 */
export function orderAsked(
  connected: readonly string[],
  {
    first,
    holders,
    turn,
  }: { readonly first: string | null; readonly holders: ReadonlySet<string>; readonly turn: number },
): string[] {
  const start = turn % Math.max(1, connected.length);
  const others = [...connected.slice(start), ...connected.slice(0, start)].filter((name) => name !== first);
  return [
    ...(first === null ? [] : [first]),
    ...others.filter((name) => holders.has(name)),
    ...others.filter((name) => !holders.has(name)),
  ];
}
