/** What end-to-end tests ask of a validator's HTTP API, and how they wait for an answer. */
import type { ValidatorRole } from "../devnet/src/validators.ts";

/** The API turns requests away while its machine is too busy: whoever waits asks again. */
class BusyError extends Error {}

/** The JSON under a path. @throws where the answer is none of success. */
export async function ask<Answer>(role: ValidatorRole, path: string): Promise<Answer> {
  const response = await fetch(`${role.ready().http}${path}`);
  if (!response.ok) {
    const text = `${path} answers ${response.status}: ${await response.text()}`;
    throw response.status === 503 ? new BusyError(text) : new Error(text);
  }
  return (await response.json()) as Answer;
}

/** Resolves with what is found once it is there; looked for again with every round that the validator executes. */
export async function waitFor<Found>(role: ValidatorRole, find: () => Promise<Found | null>): Promise<Found> {
  const events = await fetch(`${role.ready().http}/v1/events`);
  const reader = events.body!.getReader();
  try {
    for (;;) {
      const found = await find().catch((error: unknown) => {
        if (error instanceof BusyError) return null;
        throw error;
      });
      if (found !== null) return found;
      if ((await reader.read()).done) throw new Error("the validator tells of no more rounds");
    }
  } finally {
    await reader.cancel();
  }
}
