/** What end-to-end tests ask of a validator's HTTP API, and how they wait for an answer. */
import { setTimeout as delay } from "node:timers/promises";
import type { ValidatorRole } from "../devnet/src/validators.ts";

/** The API turns requests away while its machine is too busy, and says after how many seconds to ask again. */
async function fetchPatiently(url: string): Promise<Response> {
  for (;;) {
    const response = await fetch(url);
    if (response.status !== 503) return response;
    await response.body?.cancel();
    await delay(1_000 * Number(response.headers.get("retry-after") ?? 1));
  }
}

/** The JSON under a path, asked for until the API has time for it. @throws where the answer is none of success. */
export async function ask<Answer>(role: ValidatorRole, path: string): Promise<Answer> {
  const answer = await askIfThere<Answer>(role, path);
  if (answer === null) throw new Error(`${path} is not there`);
  return answer;
}

/** The same, but null where there is no such thing yet. */
export async function askIfThere<Answer>(role: ValidatorRole, path: string): Promise<Answer | null> {
  const response = await fetchPatiently(`${role.ready().http}${path}`);
  if (response.ok) return (await response.json()) as Answer;
  const problem = await response.text();
  if (response.status === 404) return null;
  throw new Error(`${path} answers ${response.status}: ${problem}`);
}

/** Resolves with what is found once it is there; looked for again with every round that the validator executes. */
export async function waitFor<Found>(role: ValidatorRole, find: () => Promise<Found | null>): Promise<Found> {
  const events = await fetchPatiently(`${role.ready().http}/v1/events`);
  const reader = events.body!.getReader();
  try {
    for (;;) {
      const found = await find();
      if (found !== null) return found;
      if ((await reader.read()).done) throw new Error("the validator tells of no more rounds");
    }
  } finally {
    await reader.cancel();
  }
}
