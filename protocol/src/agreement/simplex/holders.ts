/** Who to ask for a value that is missing. */
import type { ValueId } from "./messages.ts";
import type { SimplexState } from "./state.ts";

/**
 * Those who said that they hold a value, by position: who proposed it, and who notarized it, since a value is durable
 * before a vote for it leaves (B2). Liars may be among them.
 */
export function listValueHolders({ views }: Pick<SimplexState, "views">, value: ValueId): Set<number> {
  const holders = new Set<number>();
  for (const { proposal, notarize, notarization } of views) {
    if (proposal?.value === value) holders.add(proposal.validator);
    for (const vote of notarize) if (vote?.value === value) holders.add(vote.validator);
    if (notarization?.value === value) for (const signer of notarization.signers) holders.add(signer);
  }
  return holders;
}
