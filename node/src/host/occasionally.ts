/** A question that costs something, and whose answer serves everybody who asks for a while. */
import type { Clock } from "./types.ts";

/** Asks at most so often; who asks meanwhile gets the answer, or the wait, of before. @param ask must not reject. */
export function occasionally<T>(
  ask: () => Promise<T>,
  refreshMs: number,
  { elapsedMs }: Pick<Clock, "elapsedMs">,
): () => Promise<T> {
  let asked: { readonly answer: Promise<T>; readonly atMs: number } | null = null;
  return () => {
    const atMs = elapsedMs();
    if (asked === null || atMs - asked.atMs >= refreshMs) asked = { answer: ask(), atMs };
    return asked.answer;
  };
}
