/**
 * Asking validators for what any of them may have: one after the other, the next as soon as those before have nothing or
 * are slow. So one that is stopped, and keeps its connection, costs the pause to the next and not a question's timeout.
 */
import type { Clock } from "../../../node/src/host/types.ts";
import type { PeerName } from "./mesh.ts";

/**
 * Whoever is asked has so long before the next is asked too: some round trips between continents. What is asked for comes
 * once where nobody is slow, and at most as often as there are validators that are.
 */
const SLOW_MS = 250;

/**
 * @param names in the order in which they are asked.
 * @param ask what one of them has, judged; null where it has nothing, or something else. Never rejects.
 * @param isStopped whether nobody else need be asked, nor waited for.
 * @returns the first that is found; null when everybody has answered, or at once when it is stopped.
 */
export async function askInTurn<T>(
  names: readonly PeerName[],
  ask: (name: PeerName) => Promise<T | null>,
  { clock, isStopped }: { readonly clock: Pick<Clock, "after">; readonly isStopped: () => boolean },
): Promise<T | null> {
  const answers: Promise<T>[] = [];
  const firstFound = () => Promise.any(answers).catch(() => null);
  for (const name of names) {
    answers.push(ask(name).then((found) => found ?? Promise.reject(new Error("not there"))));
    const slow = Promise.withResolvers<null>();
    const cancel = clock.after(SLOW_MS, () => slow.resolve(null));
    const found = await Promise.race([firstFound(), slow.promise]);
    cancel();
    if (found !== null) return found;
    if (isStopped()) return null;
  }
  return await firstFound();
}
