/** What every store asks of a round before it writes it, so that no history can be mixed with another. */
import { CodedError } from "../../../node/src/host/codedError.ts";
import { computeValueDigest } from "../../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import type { RoundCommit, RoundRow } from "./store.ts";

/**
 * Those of consecutive commits that are not there yet.
 * @param there rows of the commits' rounds, where they are committed. @param newest the highest round that is, or -1.
 * @throws CodedError "store_conflict" where another content is there, "store_gap" where one is not the next.
 */
export function listFresh(
  commits: readonly RoundCommit[],
  there: readonly RoundRow[],
  newest: number,
): RoundCommit[] {
  const fresh: RoundCommit[] = [];
  for (const commit of commits) {
    checkSpans(commit);
    const { round } = commit.result;
    const next = newest + fresh.length + 1;
    const committed = there.find((row) => row.round === round);
    if (committed !== undefined) checkSameRound(committed, commit);
    else if (round === next) fresh.push(commit);
    else throw new CodedError("store_gap", `round ${round} was offered where ${next} is the next`);
  }
  return fresh;
}

/** A caller whose digests and spans disagree would make rounds that nobody can replay: a bug. */
function checkSpans(commit: RoundCommit): void {
  const spanned = commit.batchSpans.reduce((sum, span) => sum + span.lastSeq - span.firstSeq + 1, 0);
  if (spanned !== commit.batchDigests.length)
    throw new Error("a commit's batch digests and spans differ in number");
}

function checkSameRound(there: RoundRow, commit: RoundCommit): void {
  const isSame =
    equalBytes(there.valueDigest, computeValueDigest(commit.value)) &&
    equalBytes(there.stateDigest, commit.result.stateDigest);
  if (!isSame) throw new CodedError("store_conflict", `round ${there.round} is committed with other content`);
}
